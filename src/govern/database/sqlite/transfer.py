"""Rows of one SQLite file taken over into another, which has it attached, read-only, for one transaction.

What is missing is written down in temporary tables. Foreign keys are off, so that nothing cascades, and looked at once
more at the end.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as quote_path

from govern.core.identifiers import quote
from govern.core.merging import Orphans, Staged
from govern.core.wording import count_of
from govern.database.sqlite import server
from govern.database.sqlite.batch import find_broken_references
from govern.database.sqlite.table_shapes import read_table_shapes
from govern.errors import CouldNotCheck, Refused

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.core.snapshot import ColumnOrder
    from govern.core.table_shape import ForeignKey, TableShape
    from govern.database.connection import Connection
    from govern.database.transfer import Reference
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable

_EXAMPLES = 3
_IF_NEW = "ON CONFLICT DO NOTHING"  # not OR IGNORE, which passes over a broken NOT NULL or CHECK as well
_ROW, _RANK = '"govern row"', '"govern rank"'
_SOURCE = "govern_source"


@contextmanager
def transferring(
    live: DatabaseUrl, source: DatabaseUrl, table: VersionTable, *, read_only: bool
) -> Iterator[_Transfer]:
    """See ``govern.database.dialect.Dialect``."""
    with (
        server.connect(source, read_only=True) as origin,
        server.connect(live, read_only=read_only) as target,
        _explained(),
    ):
        file = f"file:{quote_path(str(source.path.absolute()))}?mode=ro"
        target.execute(f"ATTACH DATABASE ? AS {_SOURCE}", (file,))
        with target.transaction():
            yield _Transfer(target, origin, table)


@dataclass(frozen=True, slots=True)
class _Staged:
    """One table of both, and the numbers of its temporary ones."""

    place: Place
    number: int
    columns: tuple[str, ...]
    key: tuple[str, ...]
    has_rowid: bool

    @property
    def live(self) -> str:
        return f"main.{quote(self.place[1])}"

    @property
    def source(self) -> str:
        return f"{_SOURCE}.{quote(self.place[1])}"

    def temporary(self, what: str) -> str:
        return f"temp.govern_{what}_{self.number}"


class _Transfer:
    """See ``govern.database.transfer.Transfer``."""

    def __init__(self, live: Connection, source: Connection, table: VersionTable) -> None:
        self.connection = live
        self._source = source
        self._table = table
        self._staged: dict[Place, _Staged] = {}
        self._numbers = itertools.count()
        self._broken: Mapping[str, int] | None = None

    def read_shapes(self) -> Mapping[Place, TableShape]:
        return read_table_shapes(self.connection, self._table)

    def read_source(self) -> ColumnOrder:
        shapes = read_table_shapes(self._source, self._table)
        return {place: shape.columns for place, shape in shapes.items()}

    def stage(
        self, place: Place, columns: tuple[str, ...], key: tuple[str, ...], *, on_demand: bool = False
    ) -> Staged:
        staged = _Staged(place, next(self._numbers), columns, key, self._has_rowid(place))
        self._staged[place] = staged
        self._find_missing(staged, "candidates" if on_demand else "missing")
        missing = self._count(staged.temporary("candidates" if on_demand else "missing"))
        if on_demand:
            self._make("missing", staged, "SELECT * FROM {candidates} WHERE false")
        in_source = self._count(staged.source)
        present = in_source - missing
        same = int(self.connection.value(_fill(_COUNT_SAME, staged))) if key else present
        return Staged(in_source=in_source, missing=missing, same=same, differing=present - same)

    def pull_in(self, parent: Place, references: Sequence[Reference]) -> int:
        staged, moved = self._staged[parent], 0
        for child, reference in references:
            missing = self._indexed(child, "missing", reference.columns)
            equal = _equal("m", reference.columns, "c", reference.parent_columns)
            wanted = f"EXISTS (SELECT 1 FROM {missing} AS m WHERE {equal})"  # noqa: S608 - quoted
            taken = "INSERT INTO {missing} SELECT c.* FROM {candidates} AS c WHERE {wanted}"
            moved += self._execute(taken, staged, wanted=wanted)
            self._execute("DELETE FROM {candidates} AS c WHERE {wanted}", staged, wanted=wanted)
        return moved

    def leave_out_collisions(self, place: Place, unique: tuple[str, ...]) -> int:
        equal = _equal("l", unique, "m", unique)
        statement = "DELETE FROM {missing} AS m WHERE EXISTS (SELECT 1 FROM {live} AS l WHERE {equal})"
        return self._execute(statement, self._staged[place], equal=equal)

    def find_orphans(self, place: Place, reference: ForeignKey) -> Orphans | None:
        parents = [f"main.{quote(reference.parent[1])}"]
        if reference.parent in self._staged:
            parents.append(self._indexed(reference.parent, "missing", reference.parent_columns))
        equal = _equal("p", reference.parent_columns, "m", reference.columns)
        conditions = [
            *(f"m.{quote(name)} IS NOT NULL" for name in reference.columns),
            *(f"NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {equal})" for parent in parents),  # noqa: S608 - quoted
        ]
        found = f"FROM {self._staged[place].temporary('missing')} AS m WHERE {' AND '.join(conditions)}"
        rows = int(self.connection.value(f"SELECT count(*) {found}"))
        if not rows:
            return None
        values = " || ', ' || ".join(f"m.{quote(name)}" for name in reference.columns)
        examples = self.connection.rows(f"SELECT DISTINCT {values} {found} ORDER BY 1 LIMIT {_EXAMPLES}")
        return Orphans(
            constraint=reference.name,
            columns=reference.columns,
            parent=reference.parent,
            rows=rows,
            examples=tuple(str(text) for (text,) in examples),
        )

    def insert(self, place: Place, *, without: tuple[str, ...] = ()) -> int:
        self._note_broken_references()
        staged = self._staged[place]
        values = ", ".join("NULL" if name in without else f"m.{quote(name)}" for name in staged.columns)
        statement = "INSERT INTO {live} ({columns}) SELECT {values} FROM {missing} AS m WHERE true {if_new}"
        return self._execute(statement, staged, values=values, if_new=_IF_NEW)

    def fill(self, place: Place, columns: tuple[str, ...]) -> None:
        statement = "UPDATE {live} AS l SET {settings} FROM {missing} AS m WHERE {by_key_of_missing}"
        staged = self._staged[place]
        by_key = _equal("l", staged.key, "m", staged.key)
        self._execute(statement, staged, settings=_settings("m", columns), by_key_of_missing=by_key)

    def lock(self, places: Sequence[Place]) -> None:
        del places  # whoever writes has the whole file

    def mark_removed(self, place: Place) -> int:
        staged = self._staged[place]
        self._make("removed", staged, _SURPLUS_BY_KEY if staged.key else _SURPLUS_BY_CONTENT)
        self._indexed(place, "removed", ("govern row",) if staged.has_rowid else staged.key)
        return self._count(staged.temporary("removed"))

    def mark_referring(self, place: Place, reference: ForeignKey) -> int:
        staged = self._staged[place]
        statement = (
            "INSERT INTO {removed} SELECT {marks} FROM {live} AS l WHERE {refers} "
            "AND NOT EXISTS (SELECT 1 FROM {removed} AS r WHERE {marked})"
        )
        return self._execute(statement, staged, refers=self._refers_to_removed(reference))

    def count_referring(self, place: Place, reference: ForeignKey) -> int:
        refers = self._refers_to_removed(reference)
        query = f"SELECT count(*) FROM main.{quote(place[1])} AS l WHERE {refers}"  # noqa: S608 - quoted
        return int(self.connection.value(query))

    def remove(self, place: Place) -> int:
        self._note_broken_references()
        staged = self._staged[place]
        statement = "DELETE FROM {live} AS l WHERE EXISTS (SELECT 1 FROM {removed} AS r WHERE {marked})"
        removed = self._execute(statement, staged)
        self.connection.execute(f"DROP TABLE {staged.temporary('missing')}")
        self._find_missing(staged, "missing")
        return removed

    def overwrite(self, place: Place) -> int:
        staged = self._staged[place]
        rest = tuple(name for name in staged.columns if name not in staged.key)
        if not staged.key or not rest:
            return 0
        statement = "UPDATE {live} AS l SET {settings} FROM {source} AS s WHERE {by_key} AND NOT ({same})"
        return self._execute(statement, staged, settings=_settings("s", rest))

    def advance_sequences(self, places: Sequence[Place]) -> None:
        del places  # SQLite counts what is inserted, with a number of its own or not

    def link(self, place: Place, name: str, definition: str) -> None:
        del place, name, definition  # a foreign key is a part of its table, and stays without the other

    def check(self) -> None:
        broken = self._read_broken_references()
        more = {name: rows - (self._broken or {}).get(name, 0) for name, rows in broken.items()}
        said = [f"{count_of(rows, 'row')} {name}" for name, rows in more.items() if rows > 0]
        if said:
            raise Refused(
                "rows would be there whose parents are not",
                why="; ".join(said),
                next="take the parents over as well",
            )

    def _note_broken_references(self) -> None:
        """Those that were there before are not of our making."""
        if self._broken is None:
            self._broken = self._read_broken_references()

    def _read_broken_references(self) -> Mapping[str, int]:
        try:
            return find_broken_references(self.connection)
        except sqlite3.OperationalError:  # a parent whose columns are not unique: SQLite looks at none then
            return {}

    def _find_missing(self, staged: _Staged, name: str) -> None:
        self._make(name, staged, _MISSING_BY_KEY if staged.key else _MISSING_BY_CONTENT)

    def _refers_to_removed(self, reference: ForeignKey) -> str:
        removed = self._indexed(reference.parent, "removed", reference.parent_columns)
        equal = _equal("r", reference.parent_columns, "l", reference.columns)
        return f"EXISTS (SELECT 1 FROM {removed} AS r WHERE {equal})"  # noqa: S608 - quoted

    def _has_rowid(self, place: Place) -> bool:
        try:
            self.connection.execute(f"SELECT _rowid_ FROM main.{quote(place[1])} LIMIT 0")  # noqa: S608 - quoted
        except sqlite3.OperationalError:
            return False
        return True

    def _indexed(self, place: Place, what: str, columns: tuple[str, ...]) -> str:
        """A temporary table's name; it is looked into by these columns once for each of many rows."""
        staged = self._staged[place]
        name = quote(f"govern {what} {staged.number} by {', '.join(columns)}")
        table = staged.temporary(what).removeprefix("temp.")
        self.connection.execute(
            f"CREATE INDEX IF NOT EXISTS temp.{name} ON {table} ({', '.join(map(quote, columns))})"
        )
        return staged.temporary(what)

    def _count(self, table: str) -> int:
        return int(self.connection.value(f"SELECT count(*) FROM {table}"))  # noqa: S608 - quoted

    def _make(self, name: str, staged: _Staged, query: str) -> None:
        self.connection.execute(f"CREATE TEMP TABLE govern_{name}_{staged.number} AS {_fill(query, staged)}")

    def _execute(self, statement: str, staged: _Staged, **parts: str) -> int:
        """Returns how many rows it was about."""
        driver: Any = self.connection.driver
        cursor = driver.execute(_fill(statement, staged, **parts))
        return max(int(cursor.rowcount), 0)


_MISSING_BY_KEY = (
    "SELECT {of_s} FROM {source} AS s WHERE NOT EXISTS (SELECT 1 FROM {live} AS l WHERE {by_key})"
)
_MISSING_BY_CONTENT = """
SELECT {of_s} FROM (
  SELECT {of_s}, row_number() OVER (PARTITION BY {exactly}) AS {rank} FROM {source} AS s
) AS s
LEFT JOIN (SELECT {columns}, count(*) AS {rank} FROM {live} GROUP BY {exactly}) AS l ON {same}
WHERE s.{rank} > coalesce(l.{rank}, 0)
"""
_COUNT_SAME = "SELECT count(*) FROM {source} AS s JOIN {live} AS l ON {by_key} WHERE {same}"
_SURPLUS_BY_KEY = (
    "SELECT {marks} FROM {live} AS l WHERE NOT EXISTS (SELECT 1 FROM {source} AS s WHERE {by_key})"
)
_SURPLUS_BY_CONTENT = """
SELECT {marks} FROM {live} AS l JOIN (
  SELECT l._rowid_ AS {row}, row_number() OVER (PARTITION BY {exactly}) AS {rank} FROM {live} AS l
) AS ranked ON ranked.{row} = l._rowid_
LEFT JOIN (SELECT {columns}, count(*) AS {rank} FROM {source} GROUP BY {exactly}) AS s ON {same}
WHERE ranked.{rank} > coalesce(s.{rank}, 0)
"""


def _fill(statement: str, staged: _Staged, **parts: str) -> str:
    return statement.format(
        live=staged.live,
        source=staged.source,
        **{what: staged.temporary(what) for what in ("missing", "candidates", "removed")},
        columns=", ".join(map(quote, staged.columns)),
        of_s=_names("s", staged.columns),
        exactly=", ".join(f"{quote(name)} COLLATE BINARY" for name in staged.columns),
        by_key=" AND ".join(f"l.{quote(name)} IS s.{quote(name)}" for name in staged.key),
        same=_same(staged.columns),
        marks=f"l._rowid_ AS {_ROW}, l.*" if staged.has_rowid else "l.*",
        marked=f"r.{_ROW} = l._rowid_" if staged.has_rowid else _equal("r", staged.key, "l", staged.key),
        row=_ROW,
        rank=_RANK,
        **parts,
    )


def _equal(one: str, columns: Sequence[str], other: str, others: Sequence[str]) -> str:
    pairs = zip(columns, others, strict=True)
    return " AND ".join(f"{one}.{quote(a)} = {other}.{quote(b)}" for a, b in pairs)


def _same(columns: Sequence[str]) -> str:
    """Whether two rows have the same values, byte by byte whatever a column's collation is."""
    return " AND ".join(f"s.{quote(name)} IS l.{quote(name)} COLLATE BINARY" for name in columns)


def _names(alias: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{alias}.{quote(name)}" for name in columns)


def _settings(alias: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{quote(name)} = {alias}.{quote(name)}" for name in columns)


@contextmanager
def _explained() -> Iterator[None]:
    """What SQLite says to statements on the live file, as errors of govern; all was rolled back."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise Refused(
            "the live database does not take the rows",
            why=str(error),
            next="see to the cause and run again; what was inserted until then was rolled back",
        ) from error
    except sqlite3.Error as error:
        raise CouldNotCheck(
            "the rows could not be taken over", why=str(error), next="see to the cause and run again"
        ) from error
