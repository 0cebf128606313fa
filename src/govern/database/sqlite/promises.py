"""What the declared schema says of rows, and nothing in the live SQLite database keeps. Compares two snapshots.

And what a column's type says: SQLite keeps a text in a column of numbers, unless the table is STRICT.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from govern.core.identifiers import quote
from govern.core.restoration import Place
from govern.core.rows import LostPromises, Promise, PromiseKind, Unique
from govern.core.snapshot import ObjectKey, Snapshot, split_name
from govern.core.sql_text import read_bracket, read_name, split_list

_DOUBT = "it is declared, and the database has it not"
_LOOSE = "SQLite takes values of every kind in a column of any type"
_ORDER = re.compile(r"\s+(?:ASC|DESC)$", re.IGNORECASE)
_KINDS = (
    (re.compile(r"(TINY|SMALL|MEDIUM|BIG|UNSIGNED BIG )?INT(EGER)?[248]?|BOOL(EAN)?"), ("integer",)),
    (re.compile(r"REAL|FLOAT|DOUBLE( PRECISION)?|(NUMERIC|DECIMAL)(\(.*\))?"), ("integer", "real")),
    (re.compile(r"TEXT|CLOB|(N?VAR|N)?CHAR(ACTER)?(\(.*\))?"), ("text", "integer", "real")),
)
"""What a column of a type may hold. Of the other types nobody can say: a day may be a text or a number."""


def find_lost_promises(declared: Snapshot | None, live: Snapshot) -> LostPromises:
    """Of tables and columns that are there; ``declared``: None where nobody knows what that is."""
    keys = _read_keys(live)
    kept = [one for key in _uniques_of(live) if (one := _read_unique(key, live))]
    lost = [] if declared is None else [_read_unique(key, declared) for key in _uniques_of(declared)]
    conditions = () if declared is None else (*_find_checks(declared, live), *_find_not_null(declared, live))
    return LostPromises(
        uniques=tuple(one for one in lost if one and _has(live, one.table) and not any(map(one.is_as, kept))),
        promises=tuple(
            Promise(
                table=place,
                kind=kind,
                name=name,
                doubt=_LOOSE if kind == "storage class" else _DOUBT,
                broken=broken,
                column=column,
                key=keys.get(place, ()),
            )
            for place, kind, name, broken, column in (*conditions, *_find_types(live))
        ),
    )


_Said = tuple[Place, PromiseKind, str, str, str | None]


def _find_checks(declared: Snapshot, live: Snapshot) -> Iterator[_Said]:
    for key in declared.of_kind("constraint"):
        facts = declared.objects[key]
        place, name = _split(key)
        if facts.get("type") == "check" and live.objects.get(key) != facts and _has(live, place):
            condition, _ = read_bracket(str(facts["definition"]))
            yield place, "check", name, f"NOT ({condition})", None


def _find_not_null(declared: Snapshot, live: Snapshot) -> Iterator[_Said]:
    for key in declared.of_kind("column"):
        place, name = _split(key)
        found = live.objects.get(key)
        if found is not None and found.get("nullable") and not declared.objects[key].get("nullable"):
            yield place, "not null", f"{name} NOT NULL", f"{quote(name)} IS NULL", name


def _find_types(live: Snapshot) -> Iterator[_Said]:
    for key in live.of_kind("column"):
        place, name = _split(key)
        written = str(live.objects[key].get("type")).upper()
        kinds = next((kinds for pattern, kinds in _KINDS if pattern.fullmatch(written)), None)
        if kinds is not None and _has(live, place):
            listed = ", ".join(f"'{kind}'" for kind in (*kinds, "null"))
            yield place, "storage class", written, f"typeof({quote(name)}) NOT IN ({listed})", name


def _uniques_of(snapshot: Snapshot) -> Iterator[ObjectKey]:
    for key in snapshot.of_kind("constraint"):
        if snapshot.objects[key].get("type") in ("unique", "primary key"):
            yield key
    yield from (key for key in snapshot.of_kind("index") if snapshot.objects[key].get("unique"))


def _read_unique(key: ObjectKey, snapshot: Snapshot) -> Unique | None:
    place, name = _split(key)
    facts = snapshot.objects[key]
    columns = facts.get("columns")
    if not isinstance(columns, tuple):
        columns = tuple(split_list(read_bracket(str(facts.get("definition")))[0]))
    items = [_ORDER.sub("", item) for item in columns]
    names = [read_name(item) for item in items]
    return Unique(
        table=place,
        columns=tuple(found or item for found, item in zip(names, items, strict=True)),
        expressions=tuple(quote(found) if found else item for found, item in zip(names, items, strict=True)),
        where=str(facts.get("where") or ""),
        name=name,
    )


def _read_keys(live: Snapshot) -> dict[Place, tuple[str, ...]]:
    keys = (key for key in live.of_kind("constraint") if live.objects[key].get("type") == "primary key")
    found = (_read_unique(key, live) for key in keys)
    return {one.table: one.columns for one in found if one}


def _has(live: Snapshot, place: Place) -> bool:
    return ObjectKey("table", *place) in live.objects


def _split(key: ObjectKey) -> tuple[Place, str]:
    """The table, and the name of what is in it."""
    table, *_, name = split_name(key.name)
    return (key.namespace, table), name
