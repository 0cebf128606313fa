"""The manifest's repairs of rows in the words of one database: places for names, references for what is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from govern.checks.orphans import read_implied, refer
from govern.core.reference import NotCounted, Reference
from govern.core.restoration import Place, name_place
from govern.core.row_repair import RowRepair
from govern.core.rows import SequencePosition
from govern.core.snapshot import default_namespace
from govern.database.connection import Connection
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError, NoSuchName
from govern.source.manifest import split_column, split_table

if TYPE_CHECKING:
    from govern.source.manifest import Manifest, Repair


def find_repairs(live: LiveDatabase, manifest: Manifest | None, names: Iterable[str]) -> tuple[Repair, ...]:
    """Those of these names, in this order; raises ConfigurationError for one that is not declared."""
    declared = {repair.name: repair for repair in (manifest.repairs if manifest else ())}
    names = tuple(dict.fromkeys(names))
    unknown = [name for name in names if name not in declared]
    if unknown:
        where = live.settings.relative(manifest.path) if manifest else "there is no manifest"
        raise NoSuchName(
            f"there is no repair {unknown[0]!r}",
            wanted=unknown[0],
            known=declared,
            why=f"{where}: {', '.join(declared) or 'no repairs are declared'}",
            next="name one of these, or declare it under the key repairs; see them: govern repair list",
        )
    return tuple(declared[name] for name in names)


def read_references(
    connection: Connection, live: LiveDatabase, manifest: Manifest | None
) -> tuple[Reference, ...]:
    """Every foreign key of the database, and every relationship of the manifest that its tables have."""
    dialect = live.dialect
    lines = read_implied(manifest, default_namespace(dialect.name))
    implied = dialect.resolve_implied(connection, tuple(lines))
    found = (one for one in implied if isinstance(one, Reference))
    return (*dialect.read_references(connection), *found)


def resolve(
    connection: Connection, live: LiveDatabase, repair: Repair, references: tuple[Reference, ...], path: str
) -> RowRepair:
    """Raises ConfigurationError, with the manifest's line, where it speaks of what the database has not."""
    if repair.of is not None:
        reference = _find_reference(connection, live, repair, references, path)
        return RowRepair(
            name=repair.name,
            kind=repair.kind,
            place=reference.child,
            reference=reference,
            columns=reference.columns if repair.kind == "set_null" else (),
        )
    if repair.column is not None:
        namespace, table, column = split_column(repair.column)
        place = (namespace or default_namespace(live.dialect.name), table)
        return RowRepair(
            name=repair.name,
            kind=repair.kind,
            place=place,
            columns=(column,),
            where=repair.where,
            sequence=_find_sequence(connection, live, place, column)
            if repair.kind == "move_sequence"
            else None,
        )
    namespace, table = split_table(repair.table or "")
    return RowRepair(
        name=repair.name,
        kind=repair.kind,
        place=(namespace or default_namespace(live.dialect.name), table),
        where=repair.where,
        select=repair.select,
    )


def _find_reference(
    connection: Connection, live: LiveDatabase, repair: Repair, references: tuple[Reference, ...], path: str
) -> Reference:
    wanted = repair.of or ""
    if "->" in wanted:
        return _find_relationship(connection, live, repair, references, path)
    named = [one for one in references if one.name and wanted in (one.name, _full_name(one))]
    if len(named) != 1:
        others = ", ".join(sorted(map(_full_name, named or [one for one in references if one.name])))
        raise ConfigurationError(
            f"{path}:{repair.line}: {'several foreign keys are' if named else 'no foreign key is'} called {wanted!r}",
            why=f"there are: {others}" if others else "the database has no foreign keys",
            next="name it with its table, or write the columns: notes.user_id -> users.id",
        )
    return named[0]


def _full_name(reference: Reference) -> str:
    return f"{name_place(reference.child)}.{reference.name}"


def _find_relationship(
    connection: Connection, live: LiveDatabase, repair: Repair, references: tuple[Reference, ...], path: str
) -> Reference:
    """The foreign key or relationship between these columns; one that nobody declared is looked at all the same."""
    child, _, parent = (repair.of or "").partition("->")
    asked = refer(child.strip(), parent.strip(), default_namespace(live.dialect.name))
    known = [one for one in references if _sides(one) == _sides(asked)]
    if known:
        return known[0]
    (resolved,) = live.dialect.resolve_implied(connection, (asked,))
    if isinstance(resolved, NotCounted):
        raise ConfigurationError(
            f"{path}:{repair.line}: {repair.of} is not in the database",
            why=resolved.why,
            next="correct the repair in the manifest",
        )
    return resolved


def _sides(reference: Reference) -> tuple[Place, tuple[str, ...], Place, tuple[str, ...]]:
    return (reference.child, reference.columns, reference.parent, reference.parent_columns)


def _find_sequence(
    connection: Connection, live: LiveDatabase, place: Place, column: str
) -> SequencePosition | None:
    for position in live.dialect.read_sequence_positions(connection):
        if isinstance(position, SequencePosition) and (position.table, position.column) == (place, column):
            return position
    return None
