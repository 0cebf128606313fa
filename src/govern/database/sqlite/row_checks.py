"""Values that are there twice, and pages that are not as SQLite wrote them. Reads only."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from govern.core.rows import BrokenPromise, Damage, Duplicates, NotLookedAt, Promise, Unique
from govern.core.sql_text import read_name
from govern.database import row_queries
from govern.database.sqlite.folding import fold
from govern.database.sqlite.time_limit import explain, within

if TYPE_CHECKING:
    from govern.database.connection import Connection

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
        if not there.issuperset(fold(name) for name in named):
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
    """Rows that are otherwise than ``promises`` say. What the engine itself keeps, ``find_damage`` looks at.

    All of a table are counted in one walk over its rows.
    """
    tables = dict.fromkeys(promise.table for promise in promises)
    for table in tables:
        group = [promise for promise in promises if promise.table == table]
        for promise, rows in zip(group, _count_broken(connection, group, seconds), strict=True):
            yield _show_broken(connection, promise, rows, examples=examples, seconds=seconds)


def _count_broken(
    connection: Connection, promises: Sequence[Promise], seconds: float
) -> Sequence[int | NotLookedAt]:
    """One that cannot be asked spoils the statement for all: then each is asked for itself."""
    try:
        with within(connection, seconds):
            return connection.rows(row_queries.count_broken_of_each(promises))[0]
    except sqlite3.OperationalError as error:
        if len(promises) > 1:
            return [_count_broken(connection, [promise], seconds)[0] for promise in promises]
        (promise,) = promises
        what = f"{promise.kind} {promise.table[1]}.{promise.name}"
        return [NotLookedAt(what=what, why=explain(error))]


def _show_broken(
    connection: Connection, promise: Promise, rows: int | NotLookedAt, *, examples: int, seconds: float
) -> BrokenPromise | NotLookedAt:
    """With keys, where there are any; the number is what matters."""
    if isinstance(rows, NotLookedAt):
        return rows
    keys: list[tuple[str | None, ...]] = []
    if rows and promise.key:
        with contextlib.suppress(sqlite3.OperationalError), within(connection, seconds):
            keys = connection.rows(row_queries.find_broken_keys(promise, examples))
    return BrokenPromise(
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
