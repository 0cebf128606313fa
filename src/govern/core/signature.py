"""Who vouches for a backup: an HMAC (RFC 2104, SHA-256) of what its manifest says, with a key that lies elsewhere."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from govern.core.finding import Rule, Severity

WRONG_SIGNATURE = Rule(
    id="backup.wrong-signature",
    name="wrong signature of a backup",
    severity=Severity.CRITICAL,
    condition="what the manifest of a backup says is not what was signed with the key that its signature names",
    effect="somebody without the key has changed it, and what it holds would run in the server",
    remedy="do not restore it; find out who may write into the folder, and make a new backup now: govern backup create",
)
KEY_NOT_KEPT = Rule(
    id="backup.key-not-kept",
    name="the key that signs backups could not be kept",
    severity=Severity.WARNING,
    condition="no key for signatures was given, and none can be kept for this user, as without a home folder",
    effect="the backup is signed with a key that ends with its process: later it is only restored if that is allowed",
    remedy="give a key that stays: GOVERN_BACKUP_KEY, or GOVERN_BACKUP_KEY_FILE",
)
RULES = (WRONG_SIGNATURE, KEY_NOT_KEPT)

ALGORITHM = "hmac-sha256"
_OF_THE_KEY = b"govern: which key this is"
_ID_DIGITS = 16

SignatureState = Literal["right", "unsigned", "unknown-key", "wrong"]
"""``unknown-key``: it is signed with a key that is not here, so that nobody here can say whether it is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """As a manifest has it."""

    algorithm: str = ALGORITHM
    key: str
    """The ``id`` of the key."""
    value: str
    """In hexadecimal."""

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Signature:
        """The inverse of ``dataclasses.asdict``. Raises KeyError, TypeError or ValueError for anything else."""
        signature = cls(algorithm=value["algorithm"], key=value["key"], value=value["value"])
        if not all(isinstance(text, str) and text.isascii() for text in value.values()):
            raise ValueError("a signature is made of texts")
        return signature


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret that signs, and tells what it has signed. Never shown."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Tells one key from another, and nothing of the secret."""
        return hmac.digest(self.secret, _OF_THE_KEY, "sha256").hex()[:_ID_DIGITS]

    def sign(self, content: bytes) -> Signature:
        return Signature(key=self.id, value=self._digest(content))

    def has_signed(self, content: bytes, signature: Signature) -> bool:
        """In a time that does not tell how much of it is right."""
        is_same = hmac.compare_digest(self._digest(content), signature.value)
        return is_same and signature.algorithm == ALGORITHM

    def _digest(self, content: bytes) -> str:
        return hmac.digest(self.secret, content, "sha256").hex()


def judge(signature: Signature | None, content: bytes, keys: Iterable[SigningKey]) -> SignatureState:
    """What the keys that are here say of a signature."""
    if signature is None:
        return "unsigned"
    key = next((key for key in keys if key.id == signature.key), None)
    if key is None:
        return "unknown-key"
    return "right" if key.has_signed(content, signature) else "wrong"
