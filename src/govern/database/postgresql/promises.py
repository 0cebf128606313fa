"""What the declared schema says of rows, and nothing in the live PostgreSQL database keeps. Compares two snapshots."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from govern.core.identifiers import quote
from govern.core.rows import LostPromises, Promise, PromiseKind, Unique
from govern.core.snapshot import Facts, ObjectKey, Snapshot, split_name
from govern.core.sql_text import quote_text, read_bracket, read_name, replace_word, split_list

if TYPE_CHECKING:
    from govern.core.restoration import Place

_DOUBT = "it is declared, and the database has it not"
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_$]*")
_ORDER = re.compile(r"\s+(?:ASC|DESC)?\s*(?:NULLS (?:FIRST|LAST))?$")


def find_lost_promises(declared: Snapshot | None, live: Snapshot) -> LostPromises:
    """Of tables and columns that are there. Constraints that are there and not valid are in the catalog, not here."""
    if declared is None:
        return LostPromises()
    return _Comparison(declared, live).find()


class _Comparison:
    """Two snapshots, and the live one's keys."""

    def __init__(self, declared: Snapshot, live: Snapshot) -> None:
        self._declared = declared
        self._live = live
        self._keys = _read_keys(live)
        self._enums = _by_type_name(declared, "enum")
        self._domains = _by_type_name(declared, "domain")

    def find(self) -> LostPromises:
        kept = tuple(one for key in _uniques_of(self._live) if (one := _read_unique(key, self._live)))
        lost = (_read_unique(key, self._declared) for key in _uniques_of(self._declared))
        return LostPromises(
            uniques=tuple(
                one for one in lost if one and self._has(one.table) and not any(map(one.is_as, kept))
            ),
            promises=(*self._find_checks(), *self._find_columns()),
        )

    def _find_checks(self) -> Iterator[Promise]:
        for key in self._declared.of_kind("constraint"):
            facts, found = self._declared.objects[key], self._live.objects.get(key, {})
            place, name = _split(key)
            if (
                facts.get("type") != "check"
                or found == facts
                or found.get("validated") is False
                or not self._has(place)
            ):
                continue
            condition, _ = read_bracket(str(facts["definition"]))
            yield self._promise(place, "check", name, f"NOT ({condition})")

    def _find_columns(self) -> Iterator[Promise]:
        for key in self._declared.of_kind("column"):
            place, name = _split(key)
            facts, found = self._declared.objects[key], self._live.objects.get(key)
            if found is None or not self._has(place):
                continue
            kind = str(facts.get("type"))
            if not facts.get("nullable") and found.get("nullable"):
                yield self._promise(place, "not null", f"{name} NOT NULL", f"{quote(name)} IS NULL", name)
            if kind in self._enums:
                yield from self._find_enum(place, name, self._enums[kind], found)
            elif kind in self._domains:
                yield from self._find_domain(place, name, self._domains[kind], found)

    def _find_enum(self, place: Place, name: str, enum: ObjectKey, found: Facts) -> Iterator[Promise]:
        labels = _texts(self._declared.objects[enum].get("labels"))
        live = _texts(self._live.objects.get(enum, {}).get("labels"))
        if found.get("type") == _type_name(enum) and set(live) <= set(labels):
            return
        listed = ", ".join(map(quote_text, labels))
        yield self._promise(place, "enum", _type_name(enum), f"{quote(name)}::text NOT IN ({listed})", name)

    def _find_domain(self, place: Place, name: str, domain: ObjectKey, found: Facts) -> Iterator[Promise]:
        facts, live = self._declared.objects[domain], self._live.objects.get(domain, {})
        is_its_type = found.get("type") == _type_name(domain)
        for constraint in _texts(facts.get("constraints")):
            if is_its_type and constraint in _texts(live.get("constraints")):
                continue
            condition, _ = read_bracket(constraint)
            value = f"({quote(name)}::{facts['type']})"
            broken = f"NOT ({replace_word(condition, 'VALUE', value)})"
            yield self._promise(place, "domain", _type_name(domain), broken, name)

    def _promise(
        self, place: Place, kind: PromiseKind, name: str, broken: str, column: str | None = None
    ) -> Promise:
        return Promise(
            table=place,
            kind=kind,
            name=name,
            doubt=_DOUBT,
            broken=broken,
            column=column,
            key=self._keys.get(place, ()),
        )

    def _has(self, place: Place) -> bool:
        return ObjectKey("table", *place) in self._live.objects


def _uniques_of(snapshot: Snapshot) -> Iterator[ObjectKey]:
    for key in snapshot.of_kind("constraint"):
        if snapshot.objects[key].get("type") in ("unique", "primary key"):
            yield key
    for key in snapshot.of_kind("index"):
        facts = snapshot.objects[key]
        if facts.get("unique") and facts.get("valid") is not False:
            yield key


def _read_unique(key: ObjectKey, snapshot: Snapshot) -> Unique | None:
    """None of what is over ranges, and of an index that is built with an operator class of its own."""
    place, name = _split(key)
    definition = str(snapshot.objects[key].get("definition"))
    listed, rest = read_bracket(definition)
    items = [_ORDER.sub("", item) for item in split_list(listed)]
    names = [read_name(item) for item in items]
    if not items or "WITHOUT OVERLAPS" in listed or not all(map(_is_expression, items)):
        return None
    _, has_where, where = rest.partition(" WHERE ")
    return Unique(
        table=place,
        columns=tuple(found or item for found, item in zip(names, items, strict=True)),
        expressions=tuple(quote(found) if found else item for found, item in zip(names, items, strict=True)),
        where=where if has_where else "",
        name=name,
    )


def _is_expression(item: str) -> bool:
    """A column, or something that ends with its bracket: else an operator class or a collation follows."""
    return read_name(item) is not None or not read_bracket(item)[1].strip()


def _read_keys(live: Snapshot) -> dict[Place, tuple[str, ...]]:
    keys = (key for key in live.of_kind("constraint") if live.objects[key].get("type") == "primary key")
    found = (_read_unique(key, live) for key in keys)
    return {one.table: one.columns for one in found if one}


def _by_type_name(snapshot: Snapshot, kind: str) -> dict[str, ObjectKey]:
    return {_type_name(key): key for key in snapshot.of_kind(kind)}


def _type_name(key: ObjectKey) -> str:
    """As the catalog writes it with an empty search_path."""
    parts = (key.namespace, key.name)
    return ".".join(part if _PLAIN_NAME.fullmatch(part) else quote(part) for part in parts)


def _split(key: ObjectKey) -> tuple[Place, str]:
    """The table, and the name of what is in it."""
    table, *_, name = split_name(key.name)
    return (key.namespace, table), name


def _texts(fact: object) -> tuple[str, ...]:
    return fact if isinstance(fact, tuple) else ()
