"""What a repair took away, measured: by whether rows' places are still the ones they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from govern.core.hazard import Hazard
from govern.database.connection import Connection

_COLUMNS = """
SELECT c.oid, a.attnum, n.nspname, c.relname, a.attname, CASE
  WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod)
END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_SEQUENCES = """
SELECT c.oid, EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
    AND d.refclassid = d.classid
), n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname !~ '^pg_'
"""
_OF_A_KIND = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = %s AND n.nspname !~ '^pg_'
"""
_ATTRIBUTES = """
SELECT n.nspname, t.typname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE EXISTS (
  SELECT FROM pg_catalog.pg_attribute stored
  JOIN pg_catalog.pg_class r ON r.oid = stored.attrelid AND r.relkind IN ('r', 'p')
  WHERE stored.atttypid IN (t.oid, t.typarray) AND NOT stored.attisdropped
)
"""
_LABELS = """
SELECT e.oid, n.nspname, t.typname, e.enumlabel
FROM pg_catalog.pg_enum e
JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
"""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Where one database keeps what cannot be made anew from its definition."""

    tables: Mapping[int, str]
    columns: Mapping[tuple[int, int], tuple[str, str]]
    """(table, number) → name and type; a column dropped and made anew has another number."""
    sequences: Mapping[int, tuple[str, bool]]
    """Names, and whether they belong to a column: then nobody misses them when it is dropped."""
    foreign_tables: frozenset[str]
    """Their rows are elsewhere: one that is made anew has lost none."""
    materialized_views: frozenset[str]
    attributes: Mapping[str, str]
    """Of composite types that columns are made of, with their types."""
    labels: Mapping[int, str]


def read_holdings(connection: Connection) -> Holdings:
    """Tables, columns with values of their own, sequences, materialized views and labels of enums."""
    tables: dict[int, str] = {}
    columns = {}
    with connection.transaction("BEGIN READ ONLY"):
        for oid, number, namespace, table, column, type_name in connection.rows(_COLUMNS):
            tables[oid] = _name(namespace, table)
            if number is not None:
                columns[oid, number] = (_name(namespace, table, column), str(type_name))
        return Holdings(
            tables=tables,
            columns=columns,
            sequences={
                oid: (_name(*names), is_owned) for oid, is_owned, *names in connection.rows(_SEQUENCES)
            },
            foreign_tables=_names_of_kind(connection, "f"),
            materialized_views=_names_of_kind(connection, "m"),
            attributes={_name(*names): type_name for *names, type_name in connection.rows(_ATTRIBUTES)},
            labels={oid: _name(*names) for oid, *names in connection.rows(_LABELS)},
        )


def _names_of_kind(connection: Connection, kind: str) -> frozenset[str]:
    return frozenset(_name(*names) for names in connection.rows(_OF_A_KIND, (kind,)))


def find_losses(before: Holdings, after: Holdings) -> tuple[Hazard, ...]:
    """What was there before and is not there after, and columns whose values may not all have fitted."""
    return tuple(sorted(set(_find_losses(before, after))))


def _find_losses(before: Holdings, after: Holdings) -> Iterator[Hazard]:
    for table, name in before.tables.items():
        if table not in after.tables and name not in before.foreign_tables & after.foreign_tables:
            yield Hazard("drops-table", name)
    for place, (name, old_type) in before.columns.items():
        if place in after.columns:
            if not is_widening(old_type, after.columns[place][1]):
                yield Hazard("retypes-column", name)
        elif place[0] in after.tables:
            yield Hazard("drops-column", name)
    for sequence, (name, is_owned) in before.sequences.items():
        if sequence not in after.sequences and not is_owned:
            yield Hazard("drops-sequence", name)
    for name, old_type in before.attributes.items():
        if name not in after.attributes and any(
            _type_of(name) == _type_of(other) for other in after.attributes
        ):
            yield Hazard("drops-attribute", name)
        elif not is_widening(old_type, after.attributes.get(name, old_type)):
            yield Hazard("retypes-attribute", name)
    for name in before.materialized_views - after.materialized_views:
        yield Hazard("drops-materialized-view", name)
    labels = set(after.labels.values())
    enums = set(map(_type_of, labels))
    for label, name in before.labels.items():
        if label not in after.labels and name not in labels and _type_of(name) in enums:
            yield Hazard("drops-enum-value", name)


def _type_of(name: str) -> str:
    return name.rpartition(".")[0]


def _name(namespace: str, *names: str) -> str:
    """As people say it: without the namespace that everybody has."""
    return ".".join(names if namespace == "public" else (namespace, *names))


_INTEGERS = ("smallint", "integer", "bigint")


def is_widening(old: str, new: str) -> bool:
    """Whether every value of the one type is one of the other, as it was."""
    if old == new:
        return True
    if old in _INTEGERS:
        if new in _INTEGERS:
            return _INTEGERS.index(old) <= _INTEGERS.index(new)
        return new in ("numeric", "text", "character varying")
    old_base, old_size = _split_size(old)
    new_base, new_size = _split_size(new)
    if new in ("text", "character varying"):
        return old_base != "character"
    if old_base == "character varying" and new_base == "character varying":
        return new_size == () or (old_size != () and old_size <= new_size)
    if old_base == new_base == "numeric":
        return new_size == () or _fits(old_size, new_size)
    if old_base == new_base and old_base in ("bit varying", "time", "timestamp"):
        return new_size == () or (old_size != () and old_size <= new_size)
    return (old, new) in {("real", "double precision"), ("date", "timestamp without time zone")}


def _fits(old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """numeric(precision, scale): neither digits before nor after the point are lost."""
    if not old:
        return False
    (old_digits, old_scale), (new_digits, new_scale) = ((*size, 0)[:2] for size in (old, new))
    return new_scale >= old_scale and new_digits - new_scale >= old_digits - old_scale


def _split_size(type_name: str) -> tuple[str, tuple[int, ...]]:
    base, bracket, size = type_name.partition("(")
    if not bracket or not size.endswith(")"):
        return type_name, ()
    return base, tuple(int(number) for number in size[:-1].split(","))
