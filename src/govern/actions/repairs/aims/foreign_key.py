"""A declared foreign key that is not there, or that nobody validated: added once no orphan is in its way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from govern.actions.repairs.aims.aim import EXAMPLES, Aim, Asking, count_rows, table_of
from govern.checks.orphans import refer
from govern.core.changes import Change
from govern.core.declared_keys import read_declared_keys
from govern.core.reference import OrphanCount, Reference
from govern.core.restoration import Place, name_place
from govern.core.schema_repair import WholeTable
from govern.core.snapshot import ObjectKey, default_namespace, is_called
from govern.core.wording import count_of
from govern.source.manifest import Repair

_SECONDS = 60.0


def add_foreign_key(asking: Asking) -> Aim:
    references = read_declared_keys(asking.declared).references
    keys = tuple(_find_keys(asking, references))
    wanted = asking.repair.of or ""
    if len(keys) != 1:
        said = "several foreign keys are" if keys else "no foreign key is"
        return Aim(
            obstacles=(f"{said} declared as {wanted}: a repair adds what is declared, else write a revision",)
        )
    chosen = asking.choose(lambda change: change.key == keys[0])
    if not chosen:
        return Aim(notes=(f"{keys[0]} is there",))
    otherwise = tuple(_find_other_action(asking.repair, references.get(keys[0])))
    orphans = tuple(find_orphans(asking, chosen))
    places = dict.fromkeys(place for change in chosen for place in _places(change, references))
    return Aim(
        chosen=chosen,
        obstacles=(*otherwise, *orphans),
        tables=tuple(WholeTable(place=place, rows=count_rows(asking, place)) for place in places),
        is_gentle=asking.are_plain(places),
    )


def _find_keys(asking: Asking, references: Mapping[ObjectKey, Reference]) -> Iterator[ObjectKey]:
    """By its name, or by its columns."""
    wanted = asking.repair.of or ""
    child, _, parent = wanted.partition("->")
    for key in sorted(asking.declared.of_kind("constraint")):
        facts = asking.declared.objects[key]
        if facts.get("type") != "foreign key":
            continue
        if not parent:
            if is_called(key, wanted):
                yield key
            continue
        asked = refer(child.strip(), parent.strip(), default_namespace(asking.live.dialect.name))
        found = references.get(key)
        if found is not None and _ends(found) == _ends(asked):
            yield key


def _ends(reference: Reference) -> tuple[object, ...]:
    return (reference.child, reference.columns, reference.parent, reference.parent_columns)


def _places(change: Change, references: Mapping[ObjectKey, Reference]) -> tuple[Place, ...]:
    reference = references.get(change.key)
    return (reference.child, reference.parent) if reference else (table_of(change.key),)


def _find_other_action(repair: Repair, reference: Reference | None) -> Iterator[str]:
    wanted = repair.on_delete
    if wanted is not None and reference is not None and wanted != reference.on_delete:
        declared = reference.on_delete.upper()
        yield f"{repair.of} is declared ON DELETE {declared}, not {wanted.upper()}"


def find_orphans(asking: Asking, changes: Iterable[Change]) -> Iterator[str]:
    """What is in the way of foreign keys among ``changes``, with the repair that helps."""
    dialect = asking.live.dialect
    references = read_declared_keys(asking.declared).references
    asked = [references[change.key] for change in changes if change.key in references]
    if not asked:
        return
    with asking.live.connect() as connection:
        resolved = [one for one in dialect.resolve_implied(connection, asked) if isinstance(one, Reference)]
        for found in dialect.find_orphans(connection, resolved, examples=EXAMPLES, seconds=_SECONDS):
            if not isinstance(found, OrphanCount):
                yield f"orphans of {found.reference} could not be counted: {found.why}"
            elif found.rows:
                one = found.reference
                verb = "refers" if found.rows == 1 else "refer"
                yield (
                    f"{count_of(found.rows, 'row')} of {one.child_name} {verb} to no row of {name_place(one.parent)}: "
                    "declare a repair delete_orphans or set_null of "
                    f"{one.child_name}.{one.columns[0]} -> {one.parent_name}.{one.parent_columns[0]}"
                )
