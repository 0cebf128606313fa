"""Values that are there twice, and pages that are not as SQLite wrote them. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from govern.core.rows import BrokenPromise, Damage, Duplicates, NotLookedAt, Promise, Unique
from govern.core.sql_text import read_name
from govern.database import row_queries
from govern.database.connection import Connection
from govern.database.sqlite.time_limit import explain, within

_COLUMNS = "SELECT lower(name) FROM pragma_table_xinfo(?)"
_SAID_AT_MOST = 20
_INTACT = "ok"


def find_duplicates(
    connection: Connection, uniques: Sequence[Unique], *, examples: int, seconds: float
) -> Iterator[Duplicates | NotLookedAt]:
    """Values that are there twice in what ``uniques`` name."""
    for unique in uniques:
        what = f"{unique.table[1]} ({', '.join(unique.columns)})"
        there = {name for (name,) in connection.rows(_COLUMNS, (unique.table[1],))}
        named = [name for name in map(read_name, unique.expressions) if name is not None]
        if not there.issuperset(name.lower() for name in named):
            # the engine would take the quoted name for a text
            yield NotLookedAt(what=what, why="there are no such columns")
            continue
        try:
            with within(connection, seconds):
                values = connection.value(row_queries.count_duplicates(unique))
                rows = connection.rows(row_queries.find_duplicates(unique, examples)) if values else []
        except sqlite3.OperationalError as error:
            yield NotLookedAt(what=what, why=explain(error))
            continue
        yield Duplicates(
            unique=unique,
            values=values,
            examples=row_queries.show_values(rows),
            query=row_queries.show_duplicates(unique),
        )


def find_broken(
    connection: Connection, promises: Sequence[Promise], *, examples: int, seconds: float
) -> Iterator[BrokenPromise | NotLookedAt]:
    """Rows that are otherwise than ``promises`` say. What the engine itself keeps, ``find_damage`` looks at."""
    for promise in promises:
        try:
            with within(connection, seconds):
                rows = connection.value(row_queries.count_broken(promise))
                has_keys = rows and promise.key
                keys = connection.rows(row_queries.find_broken_keys(promise, examples)) if has_keys else []
        except sqlite3.OperationalError as error:
            yield NotLookedAt(what=f"{promise.kind} {promise.table[1]}.{promise.name}", why=explain(error))
            continue
        yield BrokenPromise(
            promise=promise,
            rows=rows,
            examples=row_queries.show_values(keys),
            query=row_queries.show_broken(promise),
        )


def find_damage(connection: Connection, *, seconds: float) -> Iterator[Damage | NotLookedAt]:
    """What ``PRAGMA integrity_check`` says: pages, indexes that lack rows, values that break NOT NULL and CHECK."""
    try:
        with within(connection, seconds):
            said = [str(line) for (line,) in connection.rows(f"PRAGMA integrity_check({_SAID_AT_MOST})")]
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and str(error) == "interrupted":
            yield NotLookedAt(what="the file's pages", why=explain(error))
        else:
            yield Damage(what="", said=str(error))
        return
    yield from (Damage(what="", said=line) for line in said if line != _INTACT)
