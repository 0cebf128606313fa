"""Who is logged in, and for whom a form was made: signed values in cookies and forms. Nothing is kept on a server."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from govern.web.monitor.access import Secret
from govern.web.monitor.request import Request

SESSION_COOKIE = "govern_session"
FORM_COOKIE = "govern_form"
AFTER_COOKIE = "govern_after"
"""Where somebody wanted to go who had to log in first."""
TOKEN_FIELD = "token"  # noqa: S105 - the name of the field
LASTS = timedelta(hours=12)
_SIGNED, _FORM = "session of the page", "form of the page"
_LONGEST_NAME = 60
_TAKEN = ("monitor", "api")
"""Who is called so in the history is no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Of somebody who knew the secret."""

    name: str
    """What they call themselves."""
    nonce: str
    """No other session has it."""
    ends: datetime

    @classmethod
    def begin(cls, name: str, now: datetime) -> Session:
        said = "".join(character for character in name if character.isprintable()).strip()[:_LONGEST_NAME]
        if said.casefold() in _TAKEN:
            said = f"{said} (a person)"
        return cls(name=said or "page", nonce=secrets.token_hex(16), ends=now + LASTS)

    def sign(self, secret: Secret) -> str:
        """As the cookie has it: nothing of it tells the secret."""
        name = base64.urlsafe_b64encode(self.name.encode()).decode().rstrip("=")
        text = f"{int(self.ends.timestamp())}.{self.nonce}.{name}"
        return f"{text}.{secret.derive(_SIGNED, text).hex()}"

    @classmethod
    def read(cls, value: str, secret: Secret, now: datetime) -> Session | None:
        """None for one that was not signed with this secret, or is over."""
        text, _, signature = value.rpartition(".")
        if not hmac.compare_digest(secret.derive(_SIGNED, text).hex().encode(), signature.encode()):
            return None
        ends, nonce, name = text.split(".")
        session = cls(
            name=base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode(),
            nonce=nonce,
            ends=datetime.fromtimestamp(int(ends), tz=now.tzinfo),
        )
        return session if now < session.ends else None


def make_token(secret: Secret | None, bound_to: str) -> str:
    """For a form of one session. Without a secret it is as hard to guess as what it is bound to."""
    return (secret or Secret("")).derive(_FORM, bound_to).hex()


def is_token(given: str, secret: Secret | None, bound_to: str) -> bool:
    return hmac.compare_digest(make_token(secret, bound_to).encode(), given.encode())


def set_cookie(request: Request, name: str, value: str, *, lasts: timedelta | None = None) -> tuple[str, str]:
    """The header: for the page alone, out of the reach of scripts and of other sites. ``lasts``: of zero, it goes."""
    facts = [f"{name}={value}", f"Path={request.base or '/'}", "HttpOnly", "SameSite=Strict"]
    if lasts is not None:
        facts.append(f"Max-Age={int(lasts.total_seconds())}")
    if request.is_encrypted:
        facts.append("Secure")
    return ("set-cookie", "; ".join(facts))
