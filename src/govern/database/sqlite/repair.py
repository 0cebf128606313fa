"""Repair statements for SQLite: whole objects that are missing, superfluous or defined otherwise.

A table that differs is not rebuilt here: what remains is reported as such.
"""

from __future__ import annotations

from collections.abc import Mapping

from govern.database.connection import Connection
from govern.database.dialect import VersionTable

_OBJECTS = """
    SELECT type, name, tbl_name, sql FROM sqlite_master
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'govern\\_%' ESCAPE '\\'
"""
_ORDER = {"table": 0, "index": 1, "view": 2, "trigger": 3}

_Objects = Mapping[tuple[str, str], str]


def propose_statements(
    live: Connection, declared: Connection, version_table: VersionTable
) -> tuple[str, ...]:
    """DROP and CREATE statements, in an order that works: drops from the outside in, creates from the inside out."""
    existing, wanted = _read_objects(live, version_table), _read_objects(declared, version_table)
    dropped = [key for key in existing if key not in wanted or _is_redefined(key, existing, wanted)]
    created = [key for key in wanted if key not in existing or key in dropped]
    drops = [
        f"DROP {kind.upper()} IF EXISTS {_quote(name)}"
        for kind, name in sorted(dropped, key=_rank, reverse=True)
    ]
    return (*drops, *(wanted[key] for key in sorted(created, key=_rank)))


def _read_objects(connection: Connection, version_table: VersionTable) -> _Objects:
    return {
        (kind, name): sql
        for kind, name, table, sql in connection.rows(_OBJECTS)
        if table != version_table.name
    }


def _is_redefined(key: tuple[str, str], existing: _Objects, wanted: _Objects) -> bool:
    return key[0] != "table" and existing[key].split() != wanted[key].split()


def _rank(key: tuple[str, str]) -> tuple[int, str]:
    return _ORDER[key[0]], key[1]


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
