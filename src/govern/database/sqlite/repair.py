"""Repair statements for SQLite: what is missing, superfluous or defined otherwise, each table as a whole.

A table that differs is rebuilt as SQLite's manual asks for (https://www.sqlite.org/lang_altertable.html,
"Making Other Kinds Of Table Schema Changes"): a new one, the rows of the columns both have, the old one
dropped, the new one renamed, and what hangs on it made anew.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from govern.core.identifiers import quote
from govern.core.repair import RepairStep
from govern.core.snapshot import ObjectKey, Snapshot, parts_of
from govern.database.sqlite.catalog.snapshot import own_objects_sql
from govern.database.sqlite.catalog.tokens import name_of, tokens
from govern.database.sqlite.folding import fold

if TYPE_CHECKING:
    from govern.core.changes import Change
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

_NEW = "_govern_new_"
_ORDER = {"table": 0, "index": 1, "view": 2, "trigger": 3}
_COLUMNS = 'SELECT name, "notnull", dflt_value, hidden = 0 FROM pragma_table_xinfo(?) WHERE hidden <> 1'
"""Name, NOT NULL, default, and whether it can be written: a generated one can only be read."""
_BEGINNING = re.compile(
    r"""^(CREATE\s+TABLE\s+)("(?:[^"]|"")*"|`(?:[^`]|``)*`|'(?:[^']|'')*'|\[[^\]]*\]|[^\s(]+)"""
)
"""SQLite keeps the author's text from the table's name on (fileformat2.html, 2.6)."""

# The script says itself what it relies on. With foreign keys enforced, dropping a table would delete its
# children's rows; afterwards there must be no more orphans than before.
_GUARD = (
    "-- the sqlite3 shell stops at an error only with -bail\n"
    'CREATE TEMP TABLE govern_repair ("foreign keys must be off" INTEGER CHECK ("foreign keys must be off" = 0))',
    "INSERT INTO govern_repair SELECT foreign_keys FROM pragma_foreign_keys",
    "DROP TABLE govern_repair",
)
_CHECK = (
    "CREATE TEMP TABLE govern_repair (orphans INTEGER CHECK (orphans <= {orphans}))",
    "INSERT INTO govern_repair SELECT count(*) FROM pragma_foreign_key_check",
    "DROP TABLE govern_repair",
)


class _Object(NamedTuple):
    """A row of ``sqlite_master``."""

    type: str
    name: str
    table: str
    sql: str


_Key = tuple[str, str]
_Objects = Mapping[_Key, _Object]


class _Work(NamedTuple):
    """Which objects go, come and are rebuilt, by type and name."""

    dropped: frozenset[_Key]
    created: frozenset[_Key]
    rebuilt: frozenset[str]


def propose_steps(
    live: Connection,
    declared: Connection,
    changes: Iterable[Change],
    expected: Snapshot,
    version_table: VersionTable,
    conversions: Mapping[ObjectKey, str] = MappingProxyType({}),
) -> tuple[RepairStep, ...]:
    """Undoes ``changes`` of the live schema. ``expected`` is aimed at, and may lack something that is declared.

    ``conversions`` give the values of columns that are not just copied.

    Steps of one transaction, on a connection that does not enforce foreign keys; none if nothing differs.

    Rows of the columns that both sides have survive; the script fails, and so changes nothing, where they do
    not fit the declared table. A virtual table that is defined otherwise is left alone.
    """
    existing, wanted = _read_objects(live, version_table), _read_objects(declared, version_table)
    changes = tuple(changes)
    work = _sort(changes, existing, wanted, _keys_of(expected))
    undone_by = _Attribution(changes)
    steps = list(_drops(work, existing, undone_by))
    # what is to stay though nobody declares it hangs on rebuilt tables, too
    created = [{**existing, **wanted}[key] for key in sorted(work.created, key=_rank)]
    steps += (undone_by.step(item.sql, item) for item in created if item.type == "table")
    for table in sorted(work.rebuilt):
        values = {parts_of(key)[1]: by for key, by in conversions.items() if parts_of(key)[0] == table}
        rebuilt = wanted["table", table]
        steps += (
            undone_by.step(sql, rebuilt) for sql in _rebuild(rebuilt.sql, table, live, declared, values)
        )
    steps += (undone_by.step(item.sql, item) for item in created if item.type != "table")
    if not any(kind == "table" for kind, _ in work.dropped) and not work.rebuilt:
        return tuple(steps)
    orphans = str(_count_orphans(live))
    around = (*_GUARD, *(text.replace("{orphans}", orphans) for text in _CHECK))
    before, after = around[: len(_GUARD)], around[len(_GUARD) :]
    return (*(RepairStep(sql=sql) for sql in before), *steps, *(RepairStep(sql=sql) for sql in after))


class _Attribution:
    """Which changes a statement is there for: those of its object's table, and of the tables that the object names."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._changes: dict[str, list[ObjectKey]] = {}
        for change in changes:
            parts = parts_of(change.key)
            for name in {fold(parts[0]), fold(parts[-1])}:
                self._changes.setdefault(name, []).append(change.key)

    def step(self, sql: str, item: _Object) -> RepairStep:
        """The statement about ``item``; one that is there for no change of these goes with the whole script."""
        names = {fold(item.name), fold(item.table)}
        if item.type in ("view", "trigger"):
            names |= {fold(name_of(token)) for token in tokens(item.sql)}
        keys = {key for name in names for key in self._changes.get(name, ()) if _is_near(key, item, names)}
        return RepairStep(sql=sql, undoes=tuple(sorted(keys)))


def _is_near(key: ObjectKey, item: _Object, names: set[str]) -> bool:
    """A change of the object itself, or of something in a table that it is, belongs to or names."""
    parts = parts_of(key)
    return (key.kind, parts[-1]) == (item.type, item.name) or fold(parts[0]) in names


def _keys_of(snapshot: Snapshot) -> frozenset[_Key]:
    return frozenset((key.kind, parts_of(key)[-1]) for key in snapshot.objects)


def _sort(
    changes: Iterable[Change], existing: _Objects, wanted: _Objects, aimed_at: frozenset[_Key]
) -> _Work:
    dropped: set[_Key] = set()
    created: set[_Key] = set()
    rebuilt: set[str] = set()
    for change in changes:
        kind, name = change.key.kind, parts_of(change.key)[-1]
        if kind in ("column", "constraint") or (kind == "table" and change.action == "changed"):
            rebuilt.add(parts_of(change.key)[0])
            continue
        dropped |= {(kind, name)} & existing.keys()
        created |= {(kind, name)} & wanted.keys()
    rebuilt = {table for table in rebuilt if _is_ordinary(existing, table) and _is_ordinary(wanted, table)}
    gone = rebuilt | {name for kind, name in dropped if kind == "table"}
    for key in _hanging_on(gone, existing):
        dropped.add(key)
        created |= {key} & (wanted.keys() | aimed_at)
    new = rebuilt | {name for kind, name in created if kind == "table"}
    hanging = _hanging_on(new, wanted) & aimed_at
    created |= {key for key in hanging if key not in existing or key in dropped}
    return _Work(frozenset(dropped), frozenset(created), frozenset(rebuilt))


def _is_ordinary(objects: _Objects, table: str) -> bool:
    found = objects.get(("table", table))
    return found is not None and tokens(found.sql)[1].upper() != "VIRTUAL"


def _hanging_on(tables: Iterable[str], objects: _Objects) -> set[_Key]:
    """Indexes of these tables, and the views and triggers that name them, or name such a view."""
    names = {fold(name) for name in tables}
    found: set[_Key] = set()
    while more := {
        key
        for key, item in objects.items()
        if key not in found and key[0] != "table" and _names_one(item, names)
    }:
        found |= more
        names |= {fold(name) for kind, name in more if kind == "view"}
    return found


def _names_one(item: _Object, names: set[str]) -> bool:
    if fold(item.table) in names:
        return True
    return item.type != "index" and any(fold(name_of(token)) in names for token in tokens(item.sql))


def _drops(work: _Work, existing: _Objects, undone_by: _Attribution) -> Iterator[RepairStep]:
    """From the outside in; an index goes with its table."""
    gone = work.rebuilt | {name for kind, name in work.dropped if kind == "table"}
    for kind, name in sorted(work.dropped, key=_rank, reverse=True):
        if kind != "index" or existing[kind, name].table not in gone:
            yield undone_by.step(f"DROP {kind.upper()} IF EXISTS {quote(name)}", existing[kind, name])


def _rebuild(
    sql: str, table: str, live: Connection, declared: Connection, conversions: Mapping[str, str]
) -> Iterator[str]:
    new = f"{_NEW}{table}"
    yield _renamed(sql, new)
    had = {fold(name): bool(not_null) for name, not_null, _, _ in live.rows(_COLUMNS, (table,))}
    kept = [
        (
            name,
            conversions[name]
            if name in conversions
            else f"ifnull({quote(name)}, {default})"
            if not_null and default and not had[fold(name)]
            else quote(name),
        )
        for name, not_null, default, is_written in declared.rows(_COLUMNS, (table,))
        if is_written and fold(name) in had
    ]
    if kept:
        columns, values = ", ".join(quote(name) for name, _ in kept), ", ".join(value for _, value in kept)
        yield f"INSERT INTO {quote(new)} ({columns}) SELECT {values} FROM {quote(table)}"  # noqa: S608 - quoted
    if _counts(sql) and _counts(_sql_of(live, table)):
        old_name, new_name = _literal(table), _literal(new)
        yield f"DELETE FROM sqlite_sequence WHERE name = {new_name}"  # noqa: S608 - quoted
        yield (
            f"INSERT INTO sqlite_sequence (name, seq) SELECT {new_name}, seq FROM sqlite_sequence"  # noqa: S608
            f" WHERE name = {old_name}"
        )
    yield f"DROP TABLE {quote(table)}"
    yield f"ALTER TABLE {quote(new)} RENAME TO {quote(table)}"


def _renamed(sql: str, name: str) -> str:
    """The CREATE TABLE text for a table of another name."""
    return _BEGINNING.sub(lambda found: found[1] + quote(name), sql)


def _counts(sql: str) -> bool:
    """Whether the table never gives a key twice."""
    return "AUTOINCREMENT" in tokens(sql)


def _sql_of(connection: Connection, table: str) -> str:
    return str(
        connection.value("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)) or ""
    )


def _count_orphans(live: Connection) -> int:
    """Rows whose parent is missing already; 0 where the drift is such that SQLite cannot say."""
    try:
        return int(live.value("SELECT count(*) FROM pragma_foreign_key_check") or 0)
    except sqlite3.Error:
        return 0


def _read_objects(connection: Connection, version_table: VersionTable) -> _Objects:
    objects = (_Object(*row) for row in connection.rows(own_objects_sql(version_table)))
    return {(item.type, item.name): item for item in objects}


def _rank(key: _Key) -> tuple[int, str]:
    return _ORDER[key[0]], key[1]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
