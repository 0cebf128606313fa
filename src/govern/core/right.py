"""What a role must be able to do at a live database, as it follows from what revisions did to a copy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from govern.core.snapshot import RELATIONS, ObjectKey, Snapshot, join_name, parts_of, split_name

if TYPE_CHECKING:
    from govern.core.changes import Change
    from govern.core.observation import Observation

Ability = Literal["owns", "owns-or-drops", "creates", "references", "triggers"]
"""``owns-or-drops``: who owns the schema may drop what is in it."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One thing the role must be able to do."""

    ability: Ability
    kind: Literal["relation", "type", "schema", "database"]
    namespace: str
    name: str
    """Of a schema: the same as its namespace; of the database: empty."""

    @property
    def subject(self) -> str:
        """``public.users``, ``schema public``, ``the database``."""
        match self.kind:
            case "database":
                return "the database"
            case "schema":
                return f"schema {join_name(self.namespace)}"
            case _:
                return join_name(self.namespace, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRight:
    """A right that the role has not."""

    right: Right
    role: str
    owner: str
    """Of the object."""
    grant: str
    """The statement that would give the right."""
    by_set_role: bool
    """Whether the role is a member of one that has it, without inheriting: SET ROLE would do."""


_TYPES = ("enum", "domain", "type")
_RELATIONS = (*RELATIONS, "sequence")
_OF_A_TABLE = ("column", "constraint", "index", "trigger", "rule", "policy", "statistics")
_NAME = r'(?:"((?:[^"]|"")+)"|([\w$]+))'
_WEAK = frozenset(("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE"))
_REFERS = re.compile(r"\bREFERENCES\b", re.IGNORECASE)
_QUALIFIED = rf"(?:{_NAME}\s*\.\s*)?{_NAME}"
_ALTERS = re.compile(
    rf"""\s*(?:ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?
      |CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?:{_NAME}\s+)?ON\s+(?:ONLY\s+)?
      |COMMENT\s+ON\s+TABLE\s+){_QUALIFIED}""",
    re.IGNORECASE | re.VERBOSE,
)
"""Statements that only an owner may run, and whose first name is the table."""


def find_rights(
    changes: Iterable[Change], observations: Iterable[Observation], before: Snapshot
) -> tuple[Right, ...]:
    """The rights that ``observations`` need at a database with the schema ``before``, sorted.

    ``changes`` are those from that schema to the one after them. Locks alone tell too much: who drops a table locks
    the ones that it refers to, and need not own them. So what changed decides, and of what came and went again the
    statements whose target can be read. Of functions, operators and other things without a table it says nothing.
    """
    found = {right for change in changes for right in _of_change(change, before)}
    found |= {right for one in observations for right in _of_statement(one, before)}
    return tuple(sorted(found))


def _of_change(change: Change, before: Snapshot) -> Iterator[Right]:
    kind, namespace, name = change.key
    if kind == "schema":
        yield Right("creates", "database", "", "") if change.action == "added" else _of_schema("owns", name)
    elif kind in _OF_A_TABLE:
        yield from _of_part(change, before)
    elif kind in _RELATIONS or kind in _TYPES:
        if change.action == "added":
            yield from _creating_in(namespace, before)
        else:
            ability: Ability = "owns-or-drops" if change.action == "removed" else "owns"
            yield Right(
                ability, "relation" if kind in _RELATIONS else "type", namespace, parts_of(change.key)[0]
            )


def _of_part(change: Change, before: Snapshot) -> Iterator[Right]:
    """Of what is inside of a table that was there before."""
    kind, namespace, name = change.key
    table = split_name(name)[0]
    if not _is_relation(before, namespace, table):
        return
    is_new_trigger = kind == "trigger" and change.action == "added"
    yield Right("triggers" if is_new_trigger else "owns", "relation", namespace, table)
    if kind == "index" and change.action == "added":
        yield from _creating_in(namespace, before)


def _creating_in(namespace: str, before: Snapshot) -> Iterator[Right]:
    """In a schema that was there before; one that the revisions make is theirs."""
    if ObjectKey("schema", "", namespace) in before.objects:
        yield _of_schema("creates", namespace)


def _of_schema(ability: Ability, name: str) -> Right:
    return Right(ability, "schema", name, name)


def _of_statement(observation: Observation, before: Snapshot) -> Iterator[Right]:
    """Of the tables that it locked and that were there before: its own target, and those it refers to."""
    target = _target(observation.sql)
    for lock in observation.locks:
        namespace, name = split_name(lock.table)
        if not _is_relation(before, namespace, name):
            continue
        if name == target and lock.mode not in _WEAK:
            yield Right("owns", "relation", namespace, name)
        elif lock.mode == "SHARE ROW EXCLUSIVE" and _REFERS.search(observation.sql):
            yield Right("references", "relation", namespace, name)


def _target(sql: str) -> str | None:
    """The table's own name, without its schema."""
    found = _ALTERS.match(sql)
    if found is None:
        return None
    quoted, plain = found.groups()[-2:]
    return str(quoted).replace('""', '"') if quoted else str(plain).lower()


def _is_relation(schema: Snapshot, namespace: str, name: str) -> bool:
    return any(ObjectKey(kind, namespace, name) in schema.objects for kind in RELATIONS)
