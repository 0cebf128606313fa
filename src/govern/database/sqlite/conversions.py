"""Columns of another type in SQLite: a type is what a column prefers, so that a value fits if it is stored that way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from govern.core.conversion import Conversion, Misfits, Proof, Why
from govern.core.identifiers import quote, quote_place
from govern.database.sqlite import server

if TYPE_CHECKING:
    from govern.core.schema_repair import KeptValues
    from govern.database.connection import Connection
    from govern.database.row_spelling import RowTransaction
    from govern.database.url import DatabaseUrl

_TRIED = "temp.govern_tried"
_VERDICTS: Mapping[Why, str] = {
    "fails": "new IS NOT NULL AND NOT ({fits})",
    "becomes-null": "new IS NULL AND old IS NOT NULL",
    "is-null": "new IS NULL AND old IS NULL AND {needed}",
    "respelled": "new IS NOT NULL AND old IS NOT NULL AND ({fits}) "
    "AND NOT (back IS old AND typeof(back) = typeof(old))",
}


def cast(column: str, was: str, to: str) -> str:
    """The column itself: the new one stores what it can as its own type, and anything else as it is."""
    del was, to
    return column


def prove(url: DatabaseUrl, conversion: Conversion, key: Sequence[str], *, examples: int) -> Proof:
    """The values of all rows in a temporary column of the new type, and from there in one of the type before."""
    with server.connect(url, read_only=True) as connection, connection.transaction():
        fields = [f"k{number}" for number, _ in enumerate(key)]
        columns = ", ".join((*fields, "old", f"new {conversion.to}", f"back {conversion.was}"))
        connection.execute(f"CREATE TEMPORARY TABLE govern_tried ({columns})")
        keys = "".join(f"{quote(name)}, " for name in key)
        try:
            connection.execute(
                f"INSERT INTO {_TRIED} SELECT {keys}{quote(conversion.column)}, {conversion.by}, NULL "  # noqa: S608
                f"FROM {quote_place(conversion.place)}"
            )
        except sqlite3.Error as error:
            rows = int(connection.value(f"SELECT count(*) FROM {quote_place(conversion.place)}"))  # noqa: S608
            failed = Misfits(conversion=conversion, why="fails", rows=rows, said=str(error))
            return Proof(rows=rows, misfits=(failed,))
        connection.execute(f"UPDATE {_TRIED} SET back = new")  # noqa: S608 - a constant
        rows = int(connection.value(f"SELECT count(*) FROM {_TRIED}"))  # noqa: S608 - a constant
        return Proof(rows=rows, misfits=tuple(_find_misfits(connection, conversion, fields, examples)))


def keep_values(work: RowTransaction, run: str, kept: KeptValues, converted: Sequence[Conversion]) -> None:
    """A table of keys with the value before and after; what is converted has the new type there, too."""
    connection, spelling = work
    spelling.prepare_records(connection)
    own = {one.column: one for one in converted if one.place == kept.place}
    fields = [f"k{number} {own[name].to if name in own else ''}" for number, name in enumerate(kept.key)]
    keys = [own[name].by if name in own else quote(name) for name in kept.key]
    table, column = spelling.copy_of(run, kept.number), quote(kept.column)
    connection.execute(
        f"CREATE TABLE {table} ({', '.join((*fields, 'was', f'became {own[kept.column].to}'))})"
    )
    connection.execute(
        f"INSERT INTO {table} SELECT {', '.join((*keys, column, own[kept.column].by))} "  # noqa: S608 - quoted
        f"FROM {quote_place(kept.place)} WHERE {column} IS NOT NULL"
    )
    names = ", ".join(f"k{number}" for number, _ in enumerate(kept.key))
    connection.execute(f"CREATE INDEX {quote(f'govern_backup_{run}_{kept.number}_key')} ON {table} ({names})")


def give_back(run: str, kept: KeptValues) -> str:
    """For the rows that are still as the conversion left them; others are stored as the type before has it."""
    table, live = quote(f"govern_backup_{run}_{kept.number}"), quote_place(kept.place)
    column = f"{live}.{quote(kept.column)}"
    found = " AND ".join(f"b.k{number} IS {live}.{quote(name)}" for number, name in enumerate(kept.key))
    same = f"b.became IS {column} AND typeof(b.became) = typeof({column})"
    return f"coalesce((SELECT b.was FROM {table} AS b WHERE {found} AND {same} LIMIT 1), {column})"  # noqa: S608


def _find_misfits(
    connection: Connection, conversion: Conversion, fields: Sequence[str], examples: int
) -> Iterator[Misfits]:
    for why, text in _VERDICTS.items():
        condition = text.format(fits=_fits(conversion.to), needed=int(not conversion.takes_null))
        rows = int(connection.value(f"SELECT count(*) FROM {_TRIED} WHERE {condition}"))  # noqa: S608
        if rows:
            keys: Sequence[tuple[object, ...]] = ()
            if fields:
                keys = connection.rows(
                    f"SELECT {', '.join(fields)} FROM {_TRIED} WHERE {condition} ORDER BY 1 LIMIT {examples}"  # noqa: S608
                )
            shown = tuple(", ".join(map(str, one)) for one in keys)
            yield Misfits(conversion=conversion, why=why, rows=rows, examples=shown)


def _fits(kind: str) -> str:
    """By the affinity of the type (https://www.sqlite.org/datatype3.html, 3.1); dates are texts in SQLite."""
    kind = kind.upper()
    if "INT" in kind:
        return "typeof(new) = 'integer'"
    if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
        return "typeof(new) = 'text'"
    if any(word in kind for word in ("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL")):
        return "typeof(new) IN ('integer', 'real')"
    return "1"
