"""Tokens that no application must accept, made of one that it gave out (RFC 7519; RFC 8725 has the attacks)."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from govern.core.wording import first_line
from govern.errors import ToolMissing

if TYPE_CHECKING:
    from govern.source.manifest.probes import Forgery


_CLAIM_CHECKS = (
    "verify_exp",
    "verify_nbf",
    "verify_iat",
    "verify_aud",
    "verify_iss",
    "verify_sub",
    "verify_jti",
)


class NoToken(ValueError):
    """It is no JWT, or none can be made of it."""


def import_jwt() -> Any:
    """Raises ToolMissing."""
    try:
        import jwt
    except ImportError as error:
        raise ToolMissing(
            "probes of tokens need the package pyjwt",
            why=f"{error.name} is not installed",
            next="pip install 'govern[probes]'",
        ) from error
    return jwt


def read_token(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims, unverified. Raises NoToken."""
    jwt = import_jwt()
    try:
        return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise NoToken(f"it is no JWT: {first_line(error)}") from error


def is_signed_with(token: str, key: str, algorithms: tuple[str, ...]) -> bool:
    """Whether the key, or for RS and ES the public one, has signed it. Raises NoToken where that cannot be told."""
    jwt = import_jwt()
    nothing_else = dict.fromkeys(_CLAIM_CHECKS, False)
    try:
        with _any_length(jwt):
            jwt.decode(token, key, algorithms=list(algorithms), options=nothing_else)
    except jwt.InvalidSignatureError:
        return False
    except (jwt.PyJWTError, NotImplementedError, ValueError, TypeError) as error:
        raise NoToken(f"its signature cannot be verified: {first_line(error)}") from error
    return True


def forge(kind: Forgery, token: str, *, now: float, signing_key: str | None) -> str:
    """Raises NoToken where the token is no JWT, or the key does not fit its algorithm."""
    header, claims = read_token(token)
    head, body, signature = token.split(".")
    match kind:
        case "changed_signature":
            return f"{head}.{body}.{_encode(_flip(_decode(signature)))}"
        case "changed_payload":
            return f"{head}.{_write({**claims, 'sub': 'somebody-else'})}.{signature}"
        case "no_algorithm":
            return f"{_write({**header, 'alg': 'none'})}.{body}."
        case "wrong_key":
            return sign(claims, secrets.token_urlsafe(48), "HS256", header)
        case "expired":
            ended = {**claims, "iat": int(now) - 7_200, "nbf": int(now) - 7_200, "exp": int(now) - 3_600}
            kept = {name: value for name, value in ended.items() if name in claims or name == "exp"}
            return sign(kept, signing_key or "", str(header.get("alg", "")), header)


def sign(claims: Mapping[str, Any], key: str, algorithm: str, header: Mapping[str, Any]) -> str:
    """A token with these claims, signed. Raises NoToken where the key does not fit."""
    jwt = import_jwt()
    kept = {name: value for name, value in header.items() if name not in ("alg", "typ")}
    try:
        with _any_length(jwt):
            made: str = jwt.encode(dict(claims), key, algorithm=algorithm, headers=kept)
    except (jwt.PyJWTError, NotImplementedError, ValueError, TypeError) as error:
        raise NoToken(f"none can be signed with the signing_key: {type(error).__name__}") from error
    return made


@contextlib.contextmanager
def _any_length(jwt: Any) -> Iterator[None]:
    """Whether a key is long enough is for the application to say."""
    with warnings.catch_warnings():
        if category := getattr(jwt, "InsecureKeyLengthWarning", None):  # since 2.11
            warnings.simplefilter("ignore", category)
        yield


def _write(part: Mapping[str, Any]) -> str:
    return _encode(json.dumps(part, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _flip(signature: bytes) -> bytes:
    """Another one of the same length; one byte where there was none."""
    return bytes([signature[0] ^ 1]) + signature[1:] if signature else b"\0"
