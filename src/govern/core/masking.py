"""What must not be seen is masked: secrets by their value, what stands under a secret's name, and tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|\bpwd\b|secret|credential|api[-_]?key|signing[-_]?key|private[-_]?key"
    r"|authorization|^(?:.*[-_])?token$|^(?:set-)?cookie$|session[-_]?id$",
    re.IGNORECASE,
)
_JSON_MEMBER = re.compile(r'"([^"\\]{1,80})"(\s*:\s*)("(?:[^"\\]|\\.)*"?|-?[0-9][0-9.eE+-]*)')
_FORM_FIELD = re.compile(r"(?<![^?&\s])([^=&?\s]{1,80})=([^&\s]*)")
_JWT = re.compile(r"eyJ[\w-]*\.[\w-]+\.?[\w-]*")


def names_secret(name: str) -> bool:
    """Whether what stands under such a name is nothing for other people's eyes."""
    return _SECRET_NAME.search(name) is not None


class Mask:
    """Knows secrets, and takes them out of texts, however they are written there."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        if secret:
            self._forms |= {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
            self._forms.add(json.dumps(secret)[1:-1])

    def hide(self, text: str) -> str:
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        text = _JSON_MEMBER.sub(_hide_member, text)
        text = _FORM_FIELD.sub(_hide_field, text)
        return _JWT.sub(MASK, text)


def _hide_member(found: re.Match[str]) -> str:
    return f'"{found[1]}"{found[2]}"{MASK}"' if names_secret(found[1]) else found[0]


def _hide_field(found: re.Match[str]) -> str:
    return f"{found[1]}={MASK}" if names_secret(found[1]) else found[0]
