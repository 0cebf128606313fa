"""Copies of the rows that a repair changes, kept in the database itself.

A copied value is what the engine stores exactly: SQLite the value, PostgreSQL the text it is written as, so that a copy
depends on no type and is in no revision's way. The same SQL in every engine but for what ``Spelling`` brings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from govern.core.identifiers import quote, quote_place
from govern.core.restoration import Place, name_place
from govern.core.row_repair import Action, CopiedTable, MovedSequence, Undoable
from govern.database.connection import Connection
from govern.database.row_marks import MarkedRows
from govern.database.row_spelling import RowTable, RowTransaction, Spelling

_WHAT: Mapping[Action, str] = {"delete": "deleted", "update": "before", "insert": "inserted"}


def read_undoable(connection: Connection, spelling: Spelling) -> tuple[Undoable, ...]:
    """The runs that copied rows, the newest first; none where nothing ever was repaired."""
    if not spelling.has_records(connection):
        return ()
    rows = connection.rows(f"SELECT record FROM {spelling.records} ORDER BY position DESC")  # noqa: S608
    return tuple(Undoable.from_json(json.loads(text)) for (text,) in rows)


def write_undoable(connection: Connection, spelling: Spelling, undoable: Undoable) -> None:
    """Inserts it, or replaces that of the same run, in the caller's transaction."""
    spelling.prepare_records(connection)
    mark, records = spelling.placeholder, spelling.records
    connection.execute(
        f"INSERT INTO {records} (run, record) VALUES ({mark}, {mark}) "  # noqa: S608 - constants
        "ON CONFLICT (run) DO UPDATE SET record = excluded.record",
        (undoable.run, json.dumps(undoable.to_json())),
    )


def measure_kept(work: RowTransaction, undoable: Undoable) -> tuple[int, int]:
    """Rows and bytes of what the run keeps: copies of rows and values, and the schema before it."""
    connection, spelling = work
    tables = [spelling.copy_of(undoable.run, number) for number in _numbers_of(undoable)]
    rows = sum(int(connection.value(f"SELECT count(*) FROM {table}")) for table in tables)  # noqa: S608
    size = sum(spelling.measure(connection, table) for table in tables)
    if undoable.definitions is not None:
        mark = spelling.placeholder
        query = f"SELECT coalesce(sum(length(content)), 0) FROM {spelling.schemas} WHERE run = {mark}"  # noqa: S608
        size += int(connection.value(query, (undoable.run,)))
    return rows, size


def _numbers_of(undoable: Undoable) -> tuple[int, ...]:
    """Of a run that broke off before its first transaction nothing is there."""
    if not undoable.batches or undoable.undone_by or undoable.pruned_by:
        return ()
    values = undoable.definitions.values if undoable.definitions else ()
    return (*(table.number for table in undoable.tables), *(one.number for one in values))


@dataclass(frozen=True, slots=True)
class CopyText:
    """SQL about the copies of one run: b is a copied row, c a live one."""

    spelling: Spelling
    run: str

    def name(self, table: CopiedTable) -> str:
        return self.spelling.copy_of(self.run, table.number)

    def rows(self, table: CopiedTable, batch: int, *what: str) -> str:
        """``FROM … WHERE``: the copies of one batch."""
        listed = ", ".join(f"'{one}'" for one in what)
        return f"FROM {self.name(table)} AS b WHERE b.batch = {batch} AND b.what IN ({listed})"

    def has_values(self, table: CopiedTable, columns: tuple[str, ...]) -> str:
        """Whether c has b's values in these columns, as a unique index sees it."""
        return " AND ".join(f"c.{quote(name)} = {self.restored(table, name)}" for name in columns)

    def has_key(self, table: CopiedTable) -> str:
        """Whether c is what became of b."""
        same = self.spelling.equal_key
        return " AND ".join(f"c.{quote(name)} {same} {self.restored(table, name)}" for name in table.key)

    def is_row(self, table: CopiedTable) -> str:
        """Whether c is b, bit for bit."""
        return " AND ".join(
            (
                self.has_key(table),
                *(
                    self.spelling.is_as_copied(f"c.{quote(name)}", f"b.c{number}")
                    for number, (name, _) in enumerate(table.columns)
                ),
            )
        )

    def restored(self, table: CopiedTable, column: str) -> str:
        """The copied value."""
        number = [name for name, _ in table.columns].index(column)
        return self.spelling.restore(f"b.c{number}", table.columns[number][1])

    def is_live(self, table: CopiedTable, condition: str) -> str:
        """Whether there is a live row for which ``condition`` holds."""
        return f"EXISTS (SELECT 1 FROM {quote_place(table.place)} AS c WHERE {condition})"  # noqa: S608


class RowCopies:
    """The copies that one batch of a run makes, in the transaction that changes the rows."""

    def __init__(self, connection: Connection, spelling: Spelling, undoable: Undoable) -> None:
        self.undoable = undoable
        self._connection = connection
        self._spelling = spelling
        self._text = CopyText(spelling, undoable.run)
        self._batch = undoable.batches + 1

    def copy_marked(self, marked: MarkedRows, *actions: Action) -> None:
        """Copies whole rows, as they are at the moment."""
        for action in actions:
            for place in marked.places_of(action):
                if marked.count(place, action):
                    table = self._prepare(marked.tables[place])
                    chosen = marked.is_marked("c", place, action)
                    self._copy(table, _WHAT[action], f"FROM {quote_place(place)} AS c WHERE {chosen}")

    def copy_after(self, marked: MarkedRows) -> None:
        """Copies what became of the rows that were set to NULL."""
        for place in marked.places_of("update"):
            table = self._find(place)
            if table is not None:
                self._copy(
                    table,
                    "after",
                    f"FROM {quote_place(place)} AS c JOIN {self._text.name(table)} AS b "
                    f"ON b.batch = {self._batch} AND b.what = 'before' "
                    f"AND {self._text.has_key(table)}",
                )

    def count(self) -> Mapping[tuple[Place, Action], int]:
        """What this batch copied."""
        return {
            (table.place, action): rows
            for table in self.undoable.tables
            for action, what in _WHAT.items()
            if (rows := self._count(table, what))
        }

    def find_mistake(self) -> str | None:
        """Why the copies would not bring everything back."""
        for table in self.undoable.tables:
            place = name_place(table.place)
            if self._count(table, "before") != self._count(table, "after"):
                return f"rows of {place} cannot be found again: something changed their keys"
            for number, (name, kind) in enumerate(table.columns):
                back = self._spelling.store(self._spelling.restore(f"b.c{number}", kind))
                exact = f"{back} {self._spelling.equal} b.c{number}"
                query = f"SELECT count(*) {self._text.rows(table, self._batch, 'deleted', 'before')} AND NOT ({exact})"
                if self._connection.value(query):
                    return f"values of {place}.{name} cannot be copied exactly"
        return None

    def finish(
        self,
        *,
        rows: int,
        orphans: Mapping[str, int],
        is_finished: bool,
        moved: MovedSequence | None = None,
    ) -> Undoable:
        """Writes down how far the run came."""
        before = self.undoable.orphans
        self.undoable = replace(
            self.undoable,
            batches=self._batch,
            rows=self.undoable.rows + rows,
            orphans={key: orphans.get(key, 0) + before.get(key, 0) for key in {**before, **orphans}},
            is_finished=is_finished,
            moved=moved,
        )
        write_undoable(self._connection, self._spelling, self.undoable)
        return self.undoable

    def _count(self, table: CopiedTable, what: str) -> int:
        return int(self._connection.value(f"SELECT count(*) {self._text.rows(table, self._batch, what)}"))

    def _find(self, place: Place) -> CopiedTable | None:
        return next((table for table in self.undoable.tables if table.place == place), None)

    def _prepare(self, table: RowTable) -> CopiedTable:
        found = self._find(table.place)
        if found is not None:
            return found
        made = CopiedTable(
            place=table.place,
            number=len(self.undoable.tables),
            columns=tuple((name, table.types[name]) for name in table.shape.columns),
            key=table.key,
        )
        self._spelling.prepare_records(self._connection)
        fields = "".join(f", c{number} {self._spelling.copied_type}" for number, _ in enumerate(made.columns))
        self._connection.execute(
            f"CREATE TABLE {self._text.name(made)} (batch integer NOT NULL, what text NOT NULL{fields})"
        )
        self.undoable = replace(self.undoable, tables=(*self.undoable.tables, made))
        return made

    def _copy(self, table: CopiedTable, what: str, source: str) -> None:
        values = "".join(f", {self._spelling.store(f'c.{quote(name)}')}" for name, _ in table.columns)
        self._connection.change(
            f"INSERT INTO {self._text.name(table)} SELECT {self._batch}, '{what}'{values} {source}"
        )
