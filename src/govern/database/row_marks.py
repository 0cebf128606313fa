"""Rows that a repair is about, and those that go with them: marked in a temporary table, counted, changed.

The same SQL in every engine but for what ``Spelling`` brings. A plan marks and counts in a transaction that cannot
write; the repair marks once more in the one that changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from govern.core.identifiers import quote, quote_place
from govern.core.reference import Reference
from govern.core.restoration import Place, name_place
from govern.core.row_repair import Action, RowPlan, RowRepair, Touched
from govern.core.table_shape import CircleOfTables, order_parents_first
from govern.core.wording import count_of
from govern.database.connection import Connection
from govern.database.row_queries import orphans_of, refers_to
from govern.database.row_spelling import RowTable, Spelling
from govern.errors import Refused

_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """Rows of one table that are to be changed in one way, for one reason."""

    number: int
    place: Place
    action: Action
    columns: tuple[str, ...] = ()
    because: Reference | None = None


class MarkedRows:
    """The marks of one transaction."""

    def __init__(self, connection: Connection, spelling: Spelling, references: Sequence[Reference]) -> None:
        self.connection = connection
        self.tables: Mapping[Place, RowTable] = spelling.read_tables(connection)
        self._spelling = spelling
        self._references = tuple(_without_repetitions(references))
        self._marks: list[_Mark] = []
        self._obstacles: list[str] = []

    def find_places(self, repair: RowRepair) -> tuple[Place, ...]:
        """The tables that may be changed, or must not be while they are."""
        deleted = {repair.place} if repair.action == "delete" else set()
        while (
            more := {
                one.child for one in self._references if one.parent in deleted and one.on_delete == "cascade"
            }
            - deleted
        ):
            deleted |= more
        others = {one.child for one in self._references if one.parent in deleted}
        parent = {repair.reference.parent} if repair.reference else set()
        return tuple(sorted(({repair.place} | deleted | others | parent) & set(self.tables)))

    def mark(self, repair: RowRepair, *, limit: int | None = None) -> None:
        """Marks the rows that the repair is about, at most ``limit``, and those that go with them.

        Raises the driver's error for a condition that the engine does not read.
        """
        if self._find_obstacle(repair.place):
            return
        root = self._new_mark(repair.place, repair.action, repair.columns)
        if repair.action == "insert":
            return
        source, alias = _source_of(repair)
        some = f" LIMIT {limit}" if limit else ""
        self._spelling.require_query(self.connection, f"SELECT 1 {source} LIMIT 0")
        self._insert_marks(root, f"{self._spelling.identify(alias)} {source}{some}")
        if root.action == "delete":
            self._follow(root)
        self._require_room()

    def plan(self, repair: RowRepair) -> RowPlan:
        """What was marked, for people; of rows that are to be inserted how many the query yields."""
        if repair.action == "insert" and not self._obstacles:
            return self._plan_insert(repair)
        touched = tuple(self._describe(mark) for mark in self._marks)
        return RowPlan(
            repair=repair.name,
            kind=repair.kind,
            touched=touched,
            statements=tuple(self._show_statements(repair, touched)),
            triggers=tuple(self._find_triggers({(one.place, one.action) for one in touched if one.rows})),
            obstacles=tuple(self._obstacles),
        )

    def insert(self, repair: RowRepair, *, limit: int | None = None) -> None:
        """Inserts the missing rows, at most ``limit``, and marks them."""
        (root,) = self._marks
        missing = f"SELECT * {_missing_rows(repair)}" + (f" LIMIT {limit}" if limit else "")
        columns = self.connection.name_columns(f"SELECT * {_missing_rows(repair)} LIMIT 0")
        self._spelling.insert_marked(self.connection, repair.place, columns, missing, root.number)

    def change(self) -> None:
        """Sets to NULL, and deletes children before their parents. Raises Refused where a row stays as it was."""
        for place in sorted({mark.place for mark in self._marks if mark.action == "update"}):
            self._update(place)
        deleted = {mark.place for mark in self._marks if mark.action == "delete"}
        for place in self._order_children_first(deleted):
            self.connection.change(
                f"DELETE FROM {quote_place(place)} AS c WHERE {self.is_marked('c', place, 'delete')}"  # noqa: S608
            )
        for place in deleted:
            if self.count(place, "delete", live=True):
                raise Refused(
                    f"rows of {name_place(place)} were not deleted",
                    why="a trigger or a rule of the table keeps them",
                    next="look at the table's triggers; nothing of the repair was kept",
                )

    def places_of(self, action: Action) -> tuple[Place, ...]:
        """Tables that have marks for it."""
        return tuple(sorted({mark.place for mark in self._marks if mark.action == action}))

    def is_marked(self, alias: str, place: Place, *actions: Action) -> str:
        """Whether a row of ``place`` is marked for one of ``actions``."""
        numbers = [mark.number for mark in self._marks if mark.place == place and mark.action in actions]
        return self._spelling.is_marked(alias, numbers)

    def count(self, place: Place, action: Action, *, live: bool = False) -> int:
        """Marked rows of a table; with ``live`` those of them that are there still."""
        if live:
            query = (
                f"SELECT count(*) FROM {quote_place(place)} AS c WHERE {self.is_marked('c', place, action)}"  # noqa: S608
            )
            return int(self.connection.value(query))
        numbers = [mark.number for mark in self._marks if mark.place == place and mark.action == action]
        if not numbers:
            return 0
        listed = ", ".join(map(str, numbers))
        rows = f"SELECT DISTINCT part, id FROM {self._spelling.marks} WHERE number IN ({listed})"  # noqa: S608
        return int(self.connection.value(f"SELECT count(*) FROM ({rows}) AS marked"))  # noqa: S608

    def count_roots(self) -> int:
        """The marked rows that the repair itself is about."""
        query = f"SELECT count(*) FROM {self._spelling.marks} WHERE number = 0"  # noqa: S608 - a constant
        return int(self.connection.value(query))

    def count_orphans_before(self) -> Mapping[str, int]:
        """Of marked rows how many have no parent as it is, by reference."""
        counts = {}
        for reference in self._references:
            if any(mark.place == reference.child for mark in self._marks) and reference.parent in self.tables:
                chosen = self.is_marked("c", reference.child, "delete", "update")
                rows = self.connection.value(f"SELECT count(*) {orphans_of(reference)} AND {chosen}")
                if rows:
                    counts[str(reference)] = int(rows)
        return counts

    def clear(self) -> None:
        """Forgets all marks: rows that are gone leave their places to others."""
        self.connection.execute(f"DELETE FROM {self._spelling.marks}")  # noqa: S608 - a constant
        self._marks, self._obstacles = [], []

    def mark_where(self, place: Place, condition: str) -> None:
        """Marks rows of ``place``, called c, to be deleted, and what would go with them."""
        root = self._new_mark(place, "delete", ())
        rows = f"{self._spelling.identify('c')} FROM {quote_place(place)} AS c WHERE {condition}"
        self._insert_marks(root, rows)
        self._follow(root)

    def describe_followers(self) -> tuple[str, ...]:
        """What goes with the rows that were marked first."""
        followers = (self._describe(mark) for mark in self._marks if mark.because)
        return tuple(one.described for one in followers if one.rows)

    @property
    def obstacles(self) -> tuple[str, ...]:
        return tuple(self._obstacles)

    def _new_mark(
        self, place: Place, action: Action, columns: tuple[str, ...], because: Reference | None = None
    ) -> _Mark:
        mark = _Mark(number=len(self._marks), place=place, action=action, columns=columns, because=because)
        self._marks.append(mark)
        return mark

    def _insert_marks(self, mark: _Mark, rows: str) -> int:
        return self.connection.change(f"INSERT INTO {self._spelling.marks} SELECT {mark.number}, {rows}")

    def _follow(self, root: _Mark) -> None:
        """What the references to deleted rows do: first to delete more, until there is no more, then the others."""
        marks: dict[Reference, _Mark] = {}
        grown = [root.place]
        while grown:
            parent = grown.pop(0)
            for reference in self._referring_to(parent, "cascade"):
                if self._find_obstacle(reference.child):
                    continue
                mark = marks.get(reference) or self._new_mark(reference.child, "delete", (), reference)
                marks[reference] = mark
                if self._mark_children(mark, reference):
                    grown.append(reference.child)
        deleted = {mark.place for mark in self._marks if mark.action == "delete"}
        for place in sorted(deleted):
            for reference in self._referring_to(place, "set null"):
                if not self._find_obstacle(reference.child):
                    columns = reference.set_null
                    self._mark_children(
                        self._new_mark(reference.child, "update", columns, reference), reference
                    )
            for reference in self._referring_to(place, "no action", "restrict", "set default"):
                self._require_no_children(reference)

    def _referring_to(self, parent: Place, *actions: str) -> Iterator[Reference]:
        for reference in self._references:
            if reference.parent == parent and reference.on_delete in actions and not reference.is_temporal:
                yield reference

    def _children(self, reference: Reference) -> str:
        """``FROM … WHERE`` of those that are not deleted themselves."""
        refers = refers_to(reference, self.is_marked("p", reference.parent, "delete"))
        only = "ONLY " if reference.child in reference.alone else ""
        stays = self.is_marked("c", reference.child, "delete")
        return f"FROM {only}{quote_place(reference.child)} AS c WHERE {refers} AND NOT ({stays})"

    def _mark_children(self, mark: _Mark, reference: Reference) -> int:
        return self._insert_marks(mark, f"{self._spelling.identify('c')} {self._children(reference)}")

    def _require_no_children(self, reference: Reference) -> None:
        if reference.child not in self.tables:
            return
        rows = self.connection.value(f"SELECT count(*) {self._children(reference)}")
        if rows:
            how = f"ON DELETE {reference.on_delete.upper()}" if reference.name else "by the manifest"
            self._obstacles.append(
                f"{count_of(rows, 'row')} of {reference.child_name} would lose what they refer to "
                f"({reference}, {how})"
            )

    def _find_obstacle(self, place: Place) -> bool:
        table = self.tables.get(place)
        obstacle = "it is no table whose rows govern keeps track of" if table is None else table.obstacle
        if obstacle:
            said = f"{name_place(place)}: {obstacle}"
            if said not in self._obstacles:
                self._obstacles.append(said)
        return obstacle is not None

    def _require_room(self) -> None:
        """A row that is changed, and not deleted, has to be found again; and its column has to take NULL."""
        for mark in self._marks:
            table = self.tables[mark.place]
            if mark.action != "update" or not self.count(mark.place, "update"):
                continue
            if not table.key:
                self._obstacles.append(f"{name_place(mark.place)} has no key by which to find a row again")
            if tight := [column for column in mark.columns if column not in table.shape.nullable]:
                self._obstacles.append(f"{name_place(mark.place)}.{tight[0]} takes no NULL")

    def _update(self, place: Place) -> None:
        """One statement a table: a changed row is another one to its marks."""
        marks = [mark for mark in self._marks if mark.place == place and mark.action == "update"]
        columns = sorted({column for mark in marks for column in mark.columns})
        settings = ", ".join(
            f"{quote(column)} = CASE WHEN {self._spelling.is_marked('c', numbers)} "
            f"THEN NULL ELSE c.{quote(column)} END"
            for column in columns
            for numbers in [[mark.number for mark in marks if column in mark.columns]]
        )
        chosen = self.is_marked("c", place, "update")
        expected = self.count(place, "update")
        rows = self.connection.change(f"UPDATE {quote_place(place)} AS c SET {settings} WHERE {chosen}")  # noqa: S608
        if rows != expected:
            raise Refused(
                f"{rows} of {expected} rows of {name_place(place)} were set to NULL",
                why="a trigger or a rule of the table keeps the others",
                next="look at the table's triggers; nothing of the repair was kept",
            )

    def _order_children_first(self, places: set[Place]) -> tuple[Place, ...]:
        try:
            order, _ = order_parents_first({place: self.tables[place].shape for place in places})
        except CircleOfTables:  # the cascades themselves find their way
            return tuple(sorted(places))
        return tuple(reversed(order))

    def _describe(self, mark: _Mark) -> Touched:
        numbers = [mark.number]
        rows = self.connection.value(
            f"SELECT count(*) FROM {self._spelling.marks} WHERE number = {mark.number}"  # noqa: S608
        )
        key = self.tables[mark.place].key
        keys: list[tuple[str, ...]] = []
        if key and rows:
            values = ", ".join(f"CAST(c.{quote(column)} AS text)" for column in key)
            order = ", ".join(f"c.{quote(column)}" for column in key)
            keys = self.connection.rows(
                f"SELECT {values} FROM {quote_place(mark.place)} AS c "  # noqa: S608 - quoted
                f"WHERE {self._spelling.is_marked('c', numbers)} ORDER BY {order} LIMIT {_EXAMPLES}"
            )
        return Touched(
            place=mark.place,
            action=mark.action,
            rows=int(rows),
            columns=mark.columns,
            because=(mark.because.name or str(mark.because)) if mark.because else None,
            examples=tuple(", ".join(map(str, values)) for values in keys),
        )

    def _plan_insert(self, repair: RowRepair) -> RowPlan:
        missing = _missing_rows(repair)
        self._spelling.require_query(self.connection, f"SELECT * {missing} LIMIT 0")
        columns = self.connection.name_columns(f"SELECT * {missing} LIMIT 0")
        rows = int(self.connection.value(f"SELECT count(*) {missing}"))
        table = self.tables[repair.place]
        unknown = [column for column in columns if column not in table.shape.columns]
        lacking = sorted(table.shape.required - set(columns))
        obstacles = [
            f"{name_place(repair.place)} has no column {column} that takes values" for column in unknown
        ]
        obstacles += [
            f"{name_place(repair.place)}.{column} takes no NULL, and is not selected" for column in lacking
        ]
        if not table.key:
            obstacles.append(f"{name_place(repair.place)} has no key by which to find a row again")
        fired = {(repair.place, repair.action)} if rows else set()
        listed = ", ".join(map(quote, columns))
        return RowPlan(
            repair=repair.name,
            kind=repair.kind,
            touched=(Touched(place=repair.place, action="insert", rows=rows),),
            statements=(f"INSERT INTO {quote_place(repair.place)} ({listed}) {repair.select}",),
            triggers=tuple(self._find_triggers(fired)),
            obstacles=tuple(obstacles),
        )

    def _show_statements(self, repair: RowRepair, touched: Sequence[Touched]) -> Iterator[str]:
        if not self._obstacles and touched and touched[0].rows:
            source, alias = _source_of(repair)
            place = f"{quote_place(repair.place)} AS {alias}"
            condition = source.partition(" WHERE ")[2]
            if repair.action == "update":
                settings = ", ".join(f"{quote(column)} = NULL" for column in repair.columns)
                yield f"UPDATE {place} SET {settings} WHERE {condition}"  # noqa: S608
            else:
                yield f"DELETE FROM {place} WHERE {condition}"  # noqa: S608

    def _find_triggers(self, changed: set[tuple[Place, Action]]) -> Iterator[tuple[Place, str]]:
        for place in sorted({place for place, _ in changed}):
            for trigger, actions in self.tables[place].triggers:
                if any((place, action) in changed for action in actions):
                    yield place, trigger


def _source_of(repair: RowRepair) -> tuple[str, str]:
    """``FROM … WHERE …``, and what the table is called in it."""
    if repair.reference is not None:
        return orphans_of(repair.reference), "c"
    name = quote(repair.place[1])
    has_value = "".join(f" AND {name}.{quote(column)} IS NOT NULL" for column in repair.columns)
    return f"FROM {quote_place(repair.place)} AS {name} WHERE (\n{repair.where}\n){has_value}", name


def _missing_rows(repair: RowRepair) -> str:
    return f"FROM (\n{(repair.select or '').strip().rstrip(';')}\n) AS missing"


def _without_repetitions(references: Sequence[Reference]) -> Iterator[Reference]:
    """A relationship of the manifest that is a declared foreign key is that alone."""
    known = set()
    for one in sorted(references, key=lambda one: one.name is None):
        sides = (one.child, one.columns, one.parent, one.parent_columns)
        if one.name is not None or sides not in known:
            yield one
        known.add(sides)
