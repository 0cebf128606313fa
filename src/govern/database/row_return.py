"""The way back from a repair: the copied rows into their tables, unless something newer is in the way.

Batch after batch, the last first, in one transaction. Whatever is in the way is said; the caller keeps nothing then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from govern.core.identifiers import quote, quote_place
from govern.core.reference import Reference
from govern.core.restoration import Place, name_place
from govern.core.row_repair import Action, CopiedTable, Undoable
from govern.core.table_shape import CircleOfTables, order_parents_first
from govern.core.wording import count_of
from govern.database.connection import Connection
from govern.database.row_copies import CopyText, write_undoable
from govern.database.row_marks import MarkedRows
from govern.database.row_queries import orphans_of
from govern.database.row_spelling import RowTable, Spelling

_BACK: Mapping[str, Action] = {"deleted": "insert", "before": "update", "inserted": "delete"}
_EXAMPLES = 5


class RowReturn:
    """One run's way back, in one transaction."""

    def __init__(
        self, connection: Connection, spelling: Spelling, undoable: Undoable, tables: Mapping[Place, RowTable]
    ) -> None:
        self._connection = connection
        self._spelling = spelling
        self._undoable = undoable
        self._tables = tables
        self._text = CopyText(spelling, undoable.run)
        self._conflicts: list[str] = []

    def find_changed_tables(self) -> Iterator[str]:
        """Why copied rows do not fit into their tables any more."""
        for copied in self._undoable.tables:
            place, table = name_place(copied.place), self._tables.get(copied.place)
            if table is None:
                yield f"the table {place} is gone"
                continue
            for name, kind in copied.columns:
                now = table.types.get(name)
                if now is None:
                    yield f"{place} has no column {name} any more"
                elif now != kind:
                    yield f"{place}.{name} is {now or 'of no type'}, it was {kind or 'of no type'}"

    def find_triggers(self) -> Iterator[tuple[Place, str]]:
        """The team's own that fire on the way back."""
        for copied in self._undoable.tables:
            done = {action for what, action in _BACK.items() if self._count_all(copied, what)}
            for trigger, actions in self._tables[copied.place].triggers:
                if done & actions:
                    yield copied.place, trigger

    def undo(self, marked: MarkedRows) -> tuple[str, ...]:
        """Returns what is in the way; where anything is, nothing of it may be kept."""
        for batch in range(self._undoable.batches, 0, -1):
            for table in self._undoable.tables:
                self._take_out(marked, table, batch)
            for table in self._order_parents_first():
                self._put_back(table, batch)
            for table in self._undoable.tables:
                self._set_back(table, batch)
            if self._conflicts:
                break
        return tuple(self._conflicts)

    def find_new_orphans(self, references: Sequence[Reference]) -> Iterator[str]:
        """Rows that came back, and whose parents have gone since."""
        by_place = {table.place: table for table in self._undoable.tables if table.key}
        for reference in references:
            table = by_place.get(reference.child)
            if table is None or reference.parent not in self._tables:
                continue
            copied = f"SELECT 1 FROM {self._text.name(table)} AS b WHERE b.what IN ('deleted', 'before')"  # noqa: S608
            back = f"EXISTS ({copied} AND {self._text.has_key(table)})"
            rows = int(self._connection.value(f"SELECT count(*) {orphans_of(reference)} AND {back}"))
            if rows > self._undoable.orphans.get(str(reference), 0):
                verb = "refers" if rows == 1 else "refer"
                yield (
                    f"{count_of(rows, 'row')} of {reference.child_name} {verb} to rows of "
                    f"{reference.parent_name} that are gone"
                )

    def finish(self, run: str) -> None:
        """The copies go; that they were there is kept."""
        for table in self._undoable.tables:
            self._connection.execute(f"DROP TABLE {self._text.name(table)}")
        write_undoable(self._connection, self._spelling, replace(self._undoable, undone_by=run))

    def _take_out(self, marked: MarkedRows, table: CopiedTable, batch: int) -> None:
        """Deletes what the batch inserted, but for rows that somebody changed, or refers to, since."""
        if not self._count(table, batch, "inserted"):
            return
        same = self._text.is_live(table, self._text.is_row(table))
        self._refuse_where(table, batch, "inserted", f"NOT {same}", "was changed or deleted since")
        copied = f"SELECT 1 {self._text.rows(table, batch, 'inserted')}"
        marked.clear()
        marked.mark_where(table.place, f"EXISTS ({copied} AND {self._text.has_key(table)})")
        self._conflicts += marked.obstacles
        self._conflicts += marked.describe_followers()
        if not self._conflicts:
            marked.change()

    def _put_back(self, table: CopiedTable, batch: int) -> None:
        """Inserts what the batch deleted, but for rows that somebody brought back just as they were."""
        if not (deleted := self._count(table, batch, "deleted")):
            return
        same = self._text.is_live(table, self._text.is_row(table)) if table.key else "1 = 0"
        there = self._count(table, batch, "deleted", same)
        names = {name for name, _ in table.columns}
        for unique in self._tables[table.place].shape.uniques:
            if names.issuperset(unique):
                taken = self._text.is_live(table, self._text.has_values(table, unique))
                said = f"has another row with its {', '.join(unique)} now"
                self._refuse_where(table, batch, "deleted", f"{taken} AND NOT {same}", said)
        if self._conflicts:
            return
        columns = ", ".join(quote(name) for name, _ in table.columns)
        values = ", ".join(self._text.restored(table, name) for name, _ in table.columns)
        inserted = self._connection.change(
            f"INSERT INTO {quote_place(table.place)} ({columns}) {self._spelling.overriding} "
            f"SELECT {values} {self._text.rows(table, batch, 'deleted')} AND NOT {same}"
        )
        if inserted + there != deleted:
            self._conflicts.append(
                f"{inserted + there} of {deleted} rows of {name_place(table.place)} came back"
            )
        self._require_exact(table, batch, "deleted")

    def _set_back(self, table: CopiedTable, batch: int) -> None:
        """Gives rows the values that the batch set to NULL, where they are still as it left them."""
        if not self._count(table, batch, "before"):
            return
        as_left = self._text.is_live(table, self._text.is_row(table))
        self._refuse_where(table, batch, "after", f"NOT {as_left}", "was changed or deleted since")
        if self._conflicts:
            return
        settings = ", ".join(
            f"{quote(name)} = {self._text.restored(table, name)}" for name in self._find_set(table, batch)
        )
        if settings:
            rows = self._text.rows(table, batch, "before")
            self._connection.change(
                f"UPDATE {quote_place(table.place)} AS c SET {settings} {rows} "  # noqa: S608 - quoted
                f"AND {self._text.has_key(table)}"
            )
        self._require_exact(table, batch, "before")

    def _find_set(self, table: CopiedTable, batch: int) -> Iterator[str]:
        """The columns that the repair changed."""
        for number, (name, _) in enumerate(table.columns):
            if name in table.key:
                continue
            unchanged = self._spelling.is_as_copied(f"c.{quote(name)}", f"b.c{number}")
            differs = f"{self._text.has_key(table)} AND NOT ({unchanged})"
            if self._count(table, batch, "before", self._text.is_live(table, differs)):
                yield name

    def _require_exact(self, table: CopiedTable, batch: int, what: str) -> None:
        if not table.key:
            return
        same = self._text.is_live(table, self._text.is_row(table))
        self._refuse_where(table, batch, what, f"NOT {same}", "did not come back as it was")

    def _refuse_where(self, table: CopiedTable, batch: int, what: str, condition: str, said: str) -> None:
        rows = self._count(table, batch, what, condition)
        if rows:
            keys = self._name_keys(table, batch, what, condition)
            self._conflicts.append(f"{count_of(rows, 'row')} of {name_place(table.place)}: {keys} {said}")

    def _name_keys(self, table: CopiedTable, batch: int, what: str, condition: str) -> str:
        numbers = [number for number, (name, _) in enumerate(table.columns) if name in table.key]
        values = ", ".join(f"CAST(b.c{number} AS text)" for number in numbers)
        if not values:
            return "each"
        rows = self._connection.rows(
            f"SELECT {values} {self._text.rows(table, batch, what)} AND {condition} ORDER BY 1 LIMIT {_EXAMPLES}"
        )
        return "; ".join(", ".join(map(str, row)) for row in rows)

    def _count(self, table: CopiedTable, batch: int, what: str, condition: str = "1 = 1") -> int:
        rows = self._text.rows(table, batch, what)
        return int(self._connection.value(f"SELECT count(*) {rows} AND {condition}"))

    def _count_all(self, table: CopiedTable, what: str) -> int:
        return sum(self._count(table, batch, what) for batch in range(1, self._undoable.batches + 1))

    def _order_parents_first(self) -> tuple[CopiedTable, ...]:
        by_place = {table.place: table for table in self._undoable.tables}
        try:
            order, _ = order_parents_first({place: self._tables[place].shape for place in by_place})
        except CircleOfTables:  # the engine says no, unless its checks are silent
            return self._undoable.tables
        return tuple(by_place[place] for place in order)
