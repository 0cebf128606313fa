"""Does the manifest speak of tables and columns that the declared schema has?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from govern.core.declared_keys import read_declared_keys
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.index_text import read_index_columns
from govern.core.restoration import name_place
from govern.core.snapshot import ObjectKey, Snapshot, default_namespace, is_called, split_name
from govern.core.type_names import spell_type
from govern.source.manifest import Manifest, Repair, split_column, split_table

UNKNOWN_TABLE = Rule(
    id="integrity.unknown-table",
    name="the manifest names a table that is not declared",
    severity=Severity.ERROR,
    condition="a table in the manifest is in neither the models nor the SQL files",
    effect="what the manifest asks of the table is never checked",
    remedy="correct the name in the manifest, or declare the table",
)
UNKNOWN_COLUMN = Rule(
    id="integrity.unknown-column",
    name="the manifest names a column that is not declared",
    severity=Severity.ERROR,
    condition="a column in the manifest is not in its declared table",
    effect="what the manifest asks of the column is never checked",
    remedy="correct the name in the manifest, or declare the column",
)
REQUIRED_TYPE = Rule(
    id="integrity.required-type",
    name="a required column is declared with another type",
    severity=Severity.ERROR,
    condition="the type of a required column in the manifest is not the declared one",
    effect="the manifest and the models contradict each other: one of them is wrong about a critical table",
    remedy="correct the type in the manifest, or in the models with a revision",
)
UNKNOWN_REFERENCE = Rule(
    id="integrity.unknown-reference",
    name="a repair names a foreign key that is not declared",
    severity=Severity.ERROR,
    condition="the foreign key of a repair in the manifest is in neither the models nor the SQL files",
    effect="the repair is refused when it is needed",
    remedy="correct the name, or write the columns: notes.user_id -> users.id",
)
UNKNOWN_OBJECT = Rule(
    id="integrity.unknown-object",
    name="a repair names an object that is not declared",
    severity=Severity.ERROR,
    condition="an index, a constraint, a trigger, a view or a function that a repair in the manifest is to bring back "
    "is in neither the models nor the SQL files",
    effect="the repair is refused when it is needed: it brings back what is declared, and nothing else",
    remedy="correct the name in the manifest, or declare the object with a revision",
)
RULES = (REQUIRED_TYPE, UNKNOWN_COLUMN, UNKNOWN_OBJECT, UNKNOWN_REFERENCE, UNKNOWN_TABLE)

_KINDS = {"view": ("view", "materialized-view"), "function": ("function", "aggregate")}
"""What the manifest calls by one word."""
_RELATIONS = ("table", "view", "materialized-view", "foreign-table")


def check_manifest(manifest: Manifest, declared: Snapshot, *, path: str) -> tuple[Finding, ...]:
    """Tables, columns and column types the manifest names and ``declared`` has not.

    ``path`` is the manifest's, for the findings. A table without a namespace is looked for in ``public`` on
    PostgreSQL.
    """
    return tuple(_Names(manifest, declared, path).check())


class _Names:
    """The declared names, and the manifest held against them."""

    def __init__(self, manifest: Manifest, declared: Snapshot, path: str) -> None:
        self._manifest = manifest
        self._path = path
        self._declared = declared
        self._default_namespace = default_namespace(declared.dialect)
        self._tables = {(key.namespace, key.name) for kind in _RELATIONS for key in declared.of_kind(kind)}
        self._columns: dict[tuple[str, str], set[str]] = {table: set() for table in self._tables}
        for key in declared.of_kind("column"):
            for table in _possible_tables(key):
                if table in self._columns:
                    self._columns[table].add(key.name.removeprefix(f"{table[1]}."))

    def check(self) -> Iterator[Finding]:
        for index, table in enumerate(self._manifest.critical_tables):
            place = ("critical_tables", index)
            if not (found := self._table(table.namespace, table.table)):
                yield self._unknown_table(table.namespace, table.table, (*place, "name"))
                continue
            for column, type_ in table.required_columns.items():
                yield from self._check_column(found, column, (*place, "required_columns", column))
                yield from self._check_type(found, column, type_, (*place, "required_columns", column))
            for column in table.never_empty:
                yield from self._check_column(found, column, (*place, "never_empty", column))
            for index, columns in enumerate(table.unique):
                for column in columns:
                    yield from self._check_column(found, column, (*place, "unique", index, column))
        for index, relationship in enumerate(self._manifest.relationships):
            for key, name in (("from", relationship.source), ("to", relationship.target)):
                yield from self._check_reference(name, ("relationships", index, key))
        for index, repair in enumerate(self._manifest.repairs):
            yield from self._check_repair(repair, ("repairs", index))

    def _check_repair(self, repair: Repair, place: tuple[str | int, ...]) -> Iterator[Finding]:
        if repair.table is not None:
            namespace, table = split_table(repair.table)
            if not self._table(namespace, table):
                yield self._unknown_table(namespace, table, (*place, "table"))
        if repair.column is not None:
            yield from self._check_reference(repair.column, (*place, "column"))
        if repair.of is not None and "->" in repair.of:
            for name in repair.of.split("->"):
                yield from self._check_reference(name.strip(), (*place, "of"))
        elif repair.of is not None and self._declared.dialect == "postgresql":
            yield from self._check_foreign_key(repair.of, (*place, "of"))
        if repair.is_of_schema:
            yield from self._check_repair_of_schema(repair, place)

    def _check_repair_of_schema(self, repair: Repair, place: tuple[str | int, ...]) -> Iterator[Finding]:
        """It brings back what is declared: so that has to be."""
        if repair.column is not None:
            namespace, table, column = split_column(repair.column)
            found = self._table(namespace, table)
            if found and column in self._columns[found]:
                yield from self._check_type(found, column, repair.to, (*place, "to"))
        if repair.index is not None:
            yield from self._check_object(("index", "constraint"), repair.index, (*place, "index"))
        elif repair.columns is not None:
            yield from self._check_index(repair, (*place, "columns"))
        if repair.named_object is not None:
            kind, name = repair.named_object
            yield from self._check_object(_KINDS.get(kind, (kind,)), name, (*place, "object"))
        if repair.kind == "add_foreign_key" and "->" in (repair.of or ""):
            yield from self._check_declared_key(repair, (*place, "of"))

    def _check_object(
        self, kinds: tuple[str, ...], name: str, place: tuple[str | int, ...]
    ) -> Iterator[Finding]:
        known = [key for kind in kinds for key in self._declared.of_kind(kind)]
        if not any(is_called(key, name) for key in known):
            yield Finding.of(
                UNKNOWN_OBJECT,
                self._subject(kinds[0], name, place),
                f"the manifest names the {kinds[0]} {name}, which is not declared",
                remedy=_did_you_mean(name, {split_name(key.name)[-1] for key in known})
                or UNKNOWN_OBJECT.remedy,
            )

    def _check_index(self, repair: Repair, place: tuple[str | int, ...]) -> Iterator[Finding]:
        found = self._table(*split_table(repair.table or ""))
        if found is None:
            return
        unknown = [column for column in repair.columns or () if column not in self._columns[found]]
        for column in unknown:
            yield from self._check_column(found, column, place)
        declared = (
            facts
            for key in self._declared.of_kind("index")
            if (key.namespace, split_name(key.name)[0]) == found
            and read_index_columns(facts := self._declared.objects[key]) == repair.columns
        )
        if not unknown and not any(repair.unique in (None, bool(facts.get("unique"))) for facts in declared):
            name = f"{found[1]} ({', '.join(repair.columns or ())})"
            said = f"the manifest names an index over {name}, which is not declared"
            yield Finding.of(UNKNOWN_OBJECT, self._subject("index", name, place), said)

    def _check_declared_key(self, repair: Repair, place: tuple[str | int, ...]) -> Iterator[Finding]:
        """The foreign key between these columns is declared, with the action that the repair names."""
        child, parent = (self._column(side.strip()) for side in (repair.of or "").split("->"))
        found = [
            reference
            for reference in read_declared_keys(self._declared).references.values()
            if (reference.child, reference.columns) == child
            and (reference.parent, reference.parent_columns) == parent
        ]
        if not found or repair.on_delete not in (None, found[0].on_delete):
            action = f" with ON DELETE {repair.on_delete.upper()}" if found and repair.on_delete else ""
            yield Finding.of(
                UNKNOWN_REFERENCE,
                self._subject("constraint", repair.of or "", place),
                f"the manifest names the foreign key {repair.of}{action}, which is not declared",
            )

    def _column(self, name: str) -> tuple[tuple[str, str], tuple[str, ...]]:
        namespace, table, column = split_column(name)
        return (self._default_namespace if namespace is None else namespace, table), (column,)

    def _check_foreign_key(self, name: str, place: tuple[str | int, ...]) -> Iterator[Finding]:
        """By its own name, or by its table's, too: SQLite's have no names, and are called by their columns."""
        known = [
            (key.namespace, *key.name.rpartition(".")[::2])
            for key in self._declared.of_kind("constraint")
            if self._declared.objects[key].get("type") == "foreign key"
        ]
        spelled = {
            text
            for namespace, table, own in known
            for text in (own, f"{name_place((namespace, table))}.{own}")
        }
        if name not in spelled:
            yield Finding.of(
                UNKNOWN_REFERENCE,
                self._subject("constraint", name, place),
                f"the manifest names the foreign key {name}, which is not declared",
                remedy=_did_you_mean(name, spelled) or UNKNOWN_REFERENCE.remedy,
            )

    def _table(self, namespace: str | None, table: str) -> tuple[str, str] | None:
        found = (self._default_namespace if namespace is None else namespace, table)
        return found if found in self._tables else None

    def _check_reference(self, name: str, place: tuple[str | int, ...]) -> Iterator[Finding]:
        namespace, table, column = split_column(name)
        found = self._table(namespace, table)
        if found:
            yield from self._check_column(found, column, place)
        else:
            yield self._unknown_table(namespace, table, place)

    def _unknown_table(self, namespace: str | None, table: str, place: tuple[str | int, ...]) -> Finding:
        shown = f"{namespace}.{table}" if namespace else table
        known = [name for _, name in self._tables] + [f"{schema}.{name}" for schema, name in self._tables]
        return Finding.of(
            UNKNOWN_TABLE,
            self._subject("table", shown, place),
            f"the manifest names the table {shown}, which is not declared",
            remedy=_did_you_mean(shown, known) or UNKNOWN_TABLE.remedy,
        )

    def _check_column(
        self, table: tuple[str, str], column: str, place: tuple[str | int, ...]
    ) -> Iterator[Finding]:
        columns = self._columns[table]
        if column not in columns:
            yield Finding.of(
                UNKNOWN_COLUMN,
                self._subject("column", f"{table[1]}.{column}", place),
                f"the manifest names the column {column} of {table[1]}, which is not declared",
                remedy=_did_you_mean(column, columns) or UNKNOWN_COLUMN.remedy,
            )

    def _check_type(
        self, table: tuple[str, str], column: str, required: str | None, place: tuple[str | int, ...]
    ) -> Iterator[Finding]:
        facts = self._declared.objects.get(ObjectKey("column", table[0], f"{table[1]}.{column}"), {})
        declared = facts.get("type")
        if required is None or not isinstance(declared, str):
            return
        prefix = f"{self._default_namespace}."
        if spell_type(required.removeprefix(prefix)) != spell_type(declared.removeprefix(prefix)):
            yield Finding.of(
                REQUIRED_TYPE,
                self._subject("column", f"{table[1]}.{column}", place),
                f"the manifest requires {table[1]}.{column} to be {required}, it is declared as {declared}",
                evidence={"manifest": required, "declared": declared},
            )

    def _subject(self, kind: str, name: str, place: tuple[str | int, ...]) -> Subject:
        return Subject(kind=kind, name=name, path=self._path, line=self._manifest.line_of(*place))


def _possible_tables(column: ObjectKey) -> Iterator[tuple[str, str]]:
    """``a.b.c`` is a column of a table ``a`` or of a table ``a.b``; which, the tables tell."""
    parts = column.name.split(".")
    return ((column.namespace, ".".join(parts[:count])) for count in range(1, len(parts)))


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean {close[0]}?" if close else ""
