"""A column of another type than the declared one: proven on all rows, converted with those that share its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from govern.actions.repairs.aims.aim import EXAMPLES, Aim, Asking, table_of
from govern.core.changes import Change
from govern.core.conversion import Conversion, Misfits
from govern.core.declared_keys import read_declared_keys
from govern.core.hazard import hazard_of
from govern.core.identifiers import quote
from govern.core.restoration import Place, name_place
from govern.core.schema_repair import KeptValues, WholeTable
from govern.core.snapshot import ObjectKey, join_name, split_name
from govern.core.type_names import spell_type
from govern.core.wording import count_of
from govern.database.converted_orphans import count_converted_orphans
from govern.source.manifest import split_column


def convert_type(asking: Asking) -> Aim:
    key = _key_of(asking)
    declared = asking.declared.objects.get(key)
    if declared is None or key not in asking.schema.objects:
        return Aim(obstacles=(f"{key} is not there to be converted",))
    kind, to = str(declared.get("type")), asking.repair.to or ""
    if spell_type(to) != spell_type(kind):
        return Aim(obstacles=(f"{key} is declared as {kind}, not {to}: for another type write a revision",))
    related = _find_related(asking, key)
    chosen = asking.choose(lambda change: change.key in related and "type" in change.facts)
    conversions = tuple(_conversion(asking, change) for change in chosen if change.key in related)
    if key not in {change.key for change in chosen}:
        return Aim(notes=(f"{key} is {kind}",))
    return _prove(asking, chosen, conversions)


def _key_of(asking: Asking) -> ObjectKey:
    namespace, table, column = split_column(asking.repair.column or "")
    place = asking.place_of(namespace, table)
    return ObjectKey("column", place[0], join_name(table, column))


def _find_related(asking: Asking, key: ObjectKey) -> frozenset[ObjectKey]:
    """The column, and all that hold the same keys: it refers to them or they to it, however far that reaches."""
    pairs = [
        (_column(reference.child, child), _column(reference.parent, parent))
        for snapshot in (asking.declared, asking.schema)
        for reference in read_declared_keys(snapshot).references.values()
        for child, parent in zip(reference.columns, reference.parent_columns, strict=False)
    ]
    found = {key}
    while more := {one for pair in pairs if not found.isdisjoint(pair) for one in pair} - found:
        found |= more
    return frozenset(found)


def _column(place: Place, column: str) -> ObjectKey:
    return ObjectKey("column", place[0], join_name(place[1], column))


def _conversion(asking: Asking, change: Change) -> Conversion:
    column = split_name(change.key.name)[1]
    was, to = str((change.live or {})["type"]), str((change.declared or {})["type"])
    return Conversion(
        place=table_of(change.key),
        column=column,
        was=was,
        to=to,
        by=_expression(asking, column) or asking.live.dialect.schema_work().cast(quote(column), was, to),
        takes_null=(change.declared or {}).get("nullable") is not False,
    )


def _expression(asking: Asking, column: str) -> str | None:
    """In ``using`` the repair's own column stands for each of those that are converted with it."""
    using, (_, _, named) = asking.repair.using, split_column(asking.repair.column or "")
    if using is None or column == named:
        return using
    return re.sub(rf'(?<![\w"]){re.escape(named)}(?![\w"])|{re.escape(quote(named))}', quote(column), using)


def _prove(asking: Asking, chosen: tuple[Change, ...], conversions: tuple[Conversion, ...]) -> Aim:
    keys = _read_keys(asking)
    engine, url = asking.live.dialect.schema_work(), asking.live.url
    proofs = [engine.prove(url, one, keys.get(one.place, ()), examples=EXAMPLES) for one in conversions]
    misfits = [misfit for proof in proofs for misfit in proof.misfits]
    rows = {one.place: proof.rows for one, proof in zip(conversions, proofs, strict=True)}
    respelled = [misfit for misfit in misfits if not misfit.is_in_the_way]
    return Aim(
        chosen=chosen,
        obstacles=tuple(_find_obstacles(misfits, keys)) or tuple(_find_orphans(asking, chosen, conversions)),
        hazards=tuple(
            hazard_of(
                "respells-column", one.conversion.place[0], one.conversion.place[1], one.conversion.column
            )
            for one in respelled
        ),
        settled=tuple(
            hazard_of("retypes-column", one.place[0], one.place[1], one.column) for one in conversions
        ),
        notes=(*(one.described for one in respelled), *_say_what_is_kept(conversions, keys)),
        tables=tuple(
            WholeTable(
                place=place,
                rows=count,
                is_rewritten=True,
                columns=tuple(one.column for one in conversions if one.place == place),
                examples=tuple(
                    key for misfit in misfits if misfit.conversion.place == place for key in misfit.examples
                ),
            )
            for place, count in rows.items()
        ),
        conversions=conversions,
        kept=tuple(
            KeptValues(place=one.place, column=one.column, type=one.was, key=keys[one.place], number=number)
            for number, one in enumerate(conversions)
            if keys.get(one.place)
        ),
    )


def _find_obstacles(misfits: list[Misfits], keys: Mapping[Place, tuple[str, ...]]) -> Iterator[str]:
    for misfit in misfits:
        if misfit.is_in_the_way:
            yield misfit.described
        elif not keys.get(misfit.conversion.place):
            yield f"{misfit.described}; {name_place(misfit.conversion.place)} has no key that they could be kept by"


def _find_orphans(
    asking: Asking, chosen: tuple[Change, ...], conversions: tuple[Conversion, ...]
) -> Iterator[str]:
    """Of foreign keys that come along, because the table is made anew as a whole."""
    references = read_declared_keys(asking.declared).references
    with asking.live.connect() as connection:
        for change in chosen:
            reference = references.get(change.key)
            if reference is None or len(reference.columns) > 1:
                continue
            if orphans := count_converted_orphans(connection, reference, conversions):
                yield f"{count_of(orphans, 'row')} of {reference} would name no row: see to them first"


def _say_what_is_kept(
    conversions: tuple[Conversion, ...], keys: Mapping[Place, tuple[str, ...]]
) -> Iterator[str]:
    for one in conversions:
        if keys.get(one.place):
            yield f"the values of {one.name} are kept for the way back, each with its row's key"
        else:
            table = name_place(one.place)
            yield f"{table} has no key: the values of {one.name} come back by a cast, which was tried on all"


def _read_keys(asking: Asking) -> Mapping[Place, tuple[str, ...]]:
    live = asking.live
    with live.dialect.working_on_rows(live.url, live.table, read_only=True) as (connection, spelling):
        return {place: table.key for place, table in spelling.read_tables(connection).items()}
