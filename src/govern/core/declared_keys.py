"""The keys of a schema, read out of the definitions that its snapshot has of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from govern.core.reference import Reference
from govern.core.snapshot import ObjectKey, Snapshot, split_name

if TYPE_CHECKING:
    from govern.core.restoration import Place

_NAME = r'(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[^\s"`\[(),.]+)'
_COLUMNS = re.compile(rf"\(\s*({_NAME}(?:[^()]*))\)")
_NAMES = re.compile(_NAME)
_PARENT = re.compile(rf"\bREFERENCES\s+(?:({_NAME})\s*\.\s*)?({_NAME})\s*(\(.*)?", re.DOTALL)

_ON_DELETE = re.compile(r"\bON\s+DELETE\s+(NO ACTION|RESTRICT|CASCADE|SET NULL|SET DEFAULT)", re.IGNORECASE)


class Key(NamedTuple):
    """Columns that no two rows of a table share."""

    columns: tuple[str, ...]
    is_primary: bool


class DeclaredKeys(NamedTuple):
    """What tells rows from each other, and what they refer to."""

    keys: Mapping[Place, tuple[Key, ...]]
    references: Mapping[ObjectKey, Reference]
    """Declared foreign keys, sorted."""


class _Constraint(NamedTuple):
    key: ObjectKey
    place: Place
    name: str
    kind: str
    definition: str


def read_declared_keys(snapshot: Snapshot) -> DeclaredKeys:
    """Primary keys, unique constraints and foreign keys. What cannot be understood is left out."""
    constraints = sorted(_read_constraints(snapshot))
    keys: dict[Place, tuple[Key, ...]] = {}
    for constraint in constraints:
        columns = _read_columns(constraint.definition)
        if constraint.kind in ("primary key", "unique") and columns:
            key = Key(columns, constraint.kind == "primary key")
            keys[constraint.place] = (*keys.get(constraint.place, ()), key)
    tables = {_fold(key.namespace, key.name): (key.namespace, key.name) for key in snapshot.of_kind("table")}
    foreign = {
        constraint.key: _read_reference(constraint, keys, tables)
        for constraint in constraints
        if constraint.kind == "foreign key"
    }
    return DeclaredKeys(keys, {key: reference for key, reference in foreign.items() if reference})


def _read_constraints(snapshot: Snapshot) -> Iterator[_Constraint]:
    for key in snapshot.of_kind("constraint"):
        facts = snapshot.objects[key]
        table, *rest = split_name(key.name)
        name = rest[-1] if rest else ""
        yield _Constraint(
            key, (key.namespace, table), name, str(facts.get("type")), str(facts.get("definition", ""))
        )


def _read_reference(
    constraint: _Constraint, keys: Mapping[Place, tuple[Key, ...]], tables: Mapping[Place, Place]
) -> Reference | None:
    found = _PARENT.search(constraint.definition)
    if found is None:
        return None
    namespace, table, columns = found.groups()
    named = _fold(_plain(namespace) if namespace else constraint.place[0], _plain(table))
    parent = tables.get(named)
    if parent is None:
        return None
    primary = next((key.columns for key in keys.get(parent, ()) if key.is_primary), ())
    action = _ON_DELETE.search(constraint.definition)
    return Reference(
        child=constraint.place,
        columns=_read_columns(constraint.definition),
        parent=parent,
        parent_columns=_read_columns(columns or "") or primary,
        name=constraint.name,
        on_delete=action[1].lower() if action else "no action",
    )


def _read_columns(text: str) -> tuple[str, ...]:
    """Those of the first bracket: ``PRIMARY KEY (id, "Name" DESC)``."""
    found = _COLUMNS.search(text)
    if found is None:
        return ()
    items = _split_at_commas(found[1])
    return tuple(_plain(name[0]) for item in items if (name := _NAMES.search(item)))


def _split_at_commas(text: str) -> Iterator[str]:
    """Commas inside of quotes do not count."""
    start = 0
    for comma in re.finditer(rf"{_NAME}|(,)", text):
        if comma[1]:
            yield text[start : comma.start()]
            start = comma.end()
    yield text[start:]


def _plain(name: str) -> str:
    if name[0] in '"`':
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name[0] == "[" else name


def _fold(namespace: str, name: str) -> Place:
    """As SQLite compares names; PostgreSQL writes each as it is."""
    return namespace.lower(), name.lower()
