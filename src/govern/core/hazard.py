"""Named harms: what is lost, or locked out, by a schema change or a restore. Each is allowed by name or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.core.snapshot import Facts, ObjectKey, join_name, parts_of, split_name

if TYPE_CHECKING:
    from govern.core.changes import Change


@dataclass(frozen=True, slots=True, order=True)
class Hazard:
    """A named harm: it is allowed by its name, never by a general "force"."""

    name: str
    """``drops-table``, ``-column``, ``-materialized-view``, ``-sequence``, ``-enum-value`` or ``-attribute``,
    ``retypes-column`` or ``-attribute``, ``revokes-grant``, ``overwrites-rows`` or ``-unreadable``,
    ``fires-trigger``, ``respells-column``, ``empty``, ``unsigned-backup``, ``unknown-key``, ``wrong-signature``."""
    subject: str

    def __str__(self) -> str:
        return f"{self.name}:{self.subject}"

    @classmethod
    def parse(cls, text: str) -> Hazard:
        """The inverse of ``str``. Raises KeyError for a harm there is not."""
        name, _, subject = text.partition(":")
        if name not in _HARMS:
            raise KeyError(name)
        return cls(name, subject)

    @property
    def whole(self) -> str:
        """The own name, without its schema, of the table or type that it is done to, or to a part of."""
        parts = split_name(self.subject)
        return parts[-2] if self.name.endswith(("-column", "-attribute", "-enum-value")) else parts[-1]

    @property
    def described(self) -> str:
        """``users.nick is dropped with its values``."""
        return f"{self.subject} {_HARMS[self.name]}"

    def concerns(self, key: ObjectKey) -> bool:
        """Whether it is the object, or a part of the type, that is lost."""
        name = key.name if key.namespace in ("", "public") else f"{key.namespace}.{key.name}"
        return self.subject == name or (key.kind in ("enum", "type") and self.subject.startswith(f"{name}."))


_HARMS = {
    "drops-table": "is dropped with its rows",
    "drops-column": "is dropped with its values",
    "drops-materialized-view": "is dropped with its rows",
    "drops-sequence": "is dropped with its position",
    "drops-enum-value": "is dropped; rows that have it are in the way",
    "drops-attribute": "is dropped with its values",
    "retypes-attribute": "is retyped; values may not fit",
    "retypes-column": "is retyped; values may not fit",
    "revokes-grant": "is revoked from whoever relies on it",
    "respells-column": "has values that its new type does not write back as they were",
    "empty": "comes back without what was in it",
    "fires-trigger": "fires; what it writes is neither counted nor copied",
    "overwrites-rows": "has rows that the backup has not",
    "overwrites-unreadable": "cannot be read, so that nobody knows what of it the backup has not",
    "unsigned-backup": "has no signature; whoever wrote it may have put anything into it",
    "unknown-key": "is signed with a key that is not here; whoever wrote it may have put anything into it",
    "wrong-signature": "was changed after it was signed, by somebody without the key",
}


def hazard_of(name: str, namespace: str, *parts: str) -> Hazard:
    """The hazard to a table or to something in it; the namespace is said unless it is ``public``."""
    return Hazard(name, join_name(*((namespace,) if namespace not in ("", "public") else ()), *parts))


def hazards_of_changing(changes: tuple[Change, ...], statements: Iterable[str]) -> tuple[Hazard, ...]:
    """What is lost when ``changes`` happen to a database: what of it is gone afterwards, or has another type.

    By name, for engines whose objects have nothing else: what ``statements`` renamed is not lost.
    """
    renamed = _renamed(statements)
    hazards = []
    for change in changes:
        kind, namespace, _ = change.key
        parts = parts_of(change.key)
        if parts in renamed:
            continue
        if change.action == "removed" and kind in ("table", "column", "materialized-view"):
            hazards.append(hazard_of(f"drops-{kind}", namespace, *parts))
        elif change.action == "changed" and kind == "column" and "type" in change.facts:
            hazards.append(hazard_of("retypes-column", namespace, *parts))
    return tuple(sorted(hazards))


_NAME = r"""(?:"([^"]+)"|`([^`]+)`|\[([^\]]+)\]|(\w+))"""
_RENAME = re.compile(
    rf"\s*ALTER\s+TABLE\s+{_NAME}\s+RENAME\s+(?:TO\b|(?:COLUMN\s+)?(?!TO\b){_NAME}\s+TO\b)", re.IGNORECASE
)


def _renamed(statements: Iterable[str]) -> set[tuple[str, ...]]:
    """The tables and columns, by their names before."""
    matches = filter(None, map(_RENAME.match, statements))
    return {tuple(part for part in match.groups() if part) for match in matches}


def hazards_of_undoing(changes: tuple[Change, ...]) -> tuple[Hazard, ...]:
    """What can be lost when changes of a live database are undone: rows of what is dropped or retyped."""
    hazards = []
    for change in changes:
        kind, name = change.key.kind, change.key.name
        if change.action == "added" and kind in ("table", "column", "materialized-view"):
            hazards.append(Hazard(f"drops-{kind}", name))
        elif change.action == "changed" and kind == "column" and "type" in change.facts:
            hazards.append(Hazard("retypes-column", name))
    return tuple(sorted(hazards))


_GRANTABLE = " WITH GRANT OPTION"


def hazards_of_revoking(changes: Iterable[Change]) -> tuple[Hazard, ...]:
    """Who can do less once changes of a live database are undone: an application may rely on a grant made by hand."""
    return tuple(Hazard("revokes-grant", change.key.name) for change in changes if _undoing_revokes(change))


def _undoing_revokes(change: Change) -> bool:
    if change.key.kind != "grant":
        return False
    declared, live = (_privileges(facts) for facts in (change.declared, change.live))
    if change.action == "removed":
        return not declared  # nothing, where everybody has something by default
    is_owners = change.key.name.endswith(" to (owner)")
    more = {privilege for privilege in live - declared if f"{privilege}{_GRANTABLE}" not in declared}
    return bool(more) and not (change.action == "added" and is_owners)


def _privileges(facts: Facts | None) -> set[str]:
    privileges = (facts or {}).get("privileges")
    return set(privileges) if isinstance(privileges, tuple) else set()
