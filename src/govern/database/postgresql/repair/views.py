"""Statements for views and materialized views."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey, join_name, split_name
from govern.database.postgresql.repair.extensions import depend_on_extensions
from govern.database.postgresql.repair.names import address, quote
from govern.database.postgresql.repair.tables import alter_options, option
from govern.database.postgresql.repair.wanted import Side

_COLUMN_AND_REST = re.compile(r'("(?:[^"]|"")*"|\S+) (.*)', re.DOTALL)
_ATTRIBUTE = re.compile(r"(STORAGE|COMPRESSION|STATISTICS) (\S+)")
_OPTIONS = re.compile(r"\((.*)\)")
_UNSET = {"COMPRESSION": "DEFAULT", "STATISTICS": "-1"}


def create_view(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    return (_create(key, facts), *_view_defaults(key, facts, {}))


def create_materialized_view(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    """Filled."""
    return (
        _create(key, facts),
        *_set_columns(key, facts, {}, declared),
        *depend_on_extensions(address(key), facts, {}),
    )


def _create(key: ObjectKey, facts: Facts) -> str:
    method = f" USING {quote(str(facts['access_method']))}" if "access_method" in facts else ""
    options = f" WITH ({', '.join(map(option, _items(facts['options'])))})" if facts.get("options") else ""
    definition = str(facts["definition"]).rstrip().rstrip(";")
    return f"CREATE {address(key)}{method}{options} AS\n{definition}"


def alter_view(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where the query differs: CREATE OR REPLACE takes no column away and gives none another type."""
    if wanted["definition"] != existing["definition"]:
        return None
    options = alter_options(f"ALTER {address(key)}", existing.get("options"), wanted.get("options"))
    return (*options, *_view_defaults(key, wanted, existing))


def alter_materialized_view(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, live: Side
) -> tuple[str, ...] | None:
    if any(wanted.get(name) != existing.get(name) for name in ("definition", "access_method")):
        return None
    return (
        *alter_options(f"ALTER {address(key)}", existing.get("options"), wanted.get("options")),
        *_set_columns(key, wanted, existing, live),
        *depend_on_extensions(address(key), wanted, existing),
    )


def _view_defaults(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    before, after = (_by_column(facts.get("defaults")) for facts in (existing, wanted))
    for column in sorted(before.keys() | after.keys()):
        if before.get(column) != after.get(column):
            change = f"SET DEFAULT {after[column]}" if column in after else "DROP DEFAULT"
            yield f"ALTER {address(key)} ALTER COLUMN {column} {change}"


def _set_columns(key: ObjectKey, wanted: Facts, existing: Facts, side: Side) -> Iterator[str]:
    """Storage, compression, statistics targets and options of a materialized view's columns."""
    before, after = (_by_column(facts.get("columns")) for facts in (existing, wanted))
    for column in sorted(before.keys() | after.keys()):
        old, new = before.get(column, ""), after.get(column, "")
        alter = f"ALTER {address(key)} ALTER COLUMN {column}"
        said, kept = dict(_ATTRIBUTE.findall(old)), dict(_ATTRIBUTE.findall(new))
        for name in sorted(said.keys() | kept.keys()):
            if said.get(name) != kept.get(name):
                yield f"{alter} SET {name} {kept.get(name) or _unset(name, key, column, side)}"
        yield from alter_options(alter, _column_options(old), _column_options(new))


def _unset(attribute: str, key: ObjectKey, column: str, side: Side) -> str:
    if attribute == "STORAGE":
        name = join_name(key.name, *split_name(column))
        return side.usual_storages[ObjectKey("column", key.namespace, name)]
    return _UNSET[attribute]


def _column_options(text: str) -> tuple[str, ...]:
    found = _OPTIONS.search(text)
    return tuple(found[1].split(", ")) if found else ()


def _by_column(fact: Fact) -> dict[str, str]:
    found = (_COLUMN_AND_REST.fullmatch(item) for item in _items(fact))
    return {match[1]: match[2] for match in found if match}


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
