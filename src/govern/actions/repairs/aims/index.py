"""A declared index that is not there, or is invalid: built while others read and write, where the engine can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from govern.actions.repairs.aims.aim import EXAMPLES, Aim, Asking, count_rows, find_declared, table_of
from govern.core.changes import Change
from govern.core.index_text import is_partial, read_index_columns
from govern.core.rows import Duplicates, Unique
from govern.core.schema_repair import WholeTable
from govern.core.snapshot import Facts, ObjectKey
from govern.core.wording import count_of
from govern.source.manifest import split_table

_SECONDS = 60.0


def create_index(asking: Asking) -> Aim:
    keys = tuple(_find_keys(asking))
    if not keys:
        return Aim(obstacles=(f"no such index is declared: {_describe(asking)}; write a revision",))
    chosen = tuple(change for change in asking.changes if change.key in keys)
    if not chosen:
        return Aim(notes=(f"{keys[0]} is there",))
    places = dict.fromkeys(table_of(change.key) for change in chosen)
    return Aim(
        chosen=chosen,
        obstacles=tuple(find_duplicates(asking, chosen)),
        tables=tuple(WholeTable(place=place, rows=count_rows(asking, place)) for place in places),
        is_gentle=asking.are_plain(places),
    )


def _describe(asking: Asking) -> str:
    repair = asking.repair
    return repair.index or f"{repair.table} ({', '.join(repair.columns or ())})"


def _find_keys(asking: Asking) -> Iterator[ObjectKey]:
    repair = asking.repair
    if repair.index is not None:
        yield from find_declared(asking, "index", repair.index)
        return
    place = asking.place_of(*split_table(repair.table or ""))
    for key in sorted(asking.declared.of_kind("index")):
        facts = asking.declared.objects[key]
        is_unique = bool(facts.get("unique"))
        if (
            table_of(key) == place
            and read_index_columns(facts) == repair.columns
            and repair.unique in (None, is_unique)
        ):
            yield key


def find_duplicates(asking: Asking, changes: Iterable[Change]) -> Iterator[str]:
    """Values that are there twice, and would be in the way of a unique index over plain columns."""
    uniques = [
        Unique.of_columns(table_of(change.key), read_index_columns(change.declared or {}))
        for change in changes
        if change.key.kind == "index" and _is_plain_and_unique(change.declared or {})
    ]
    with asking.live.connect() as connection:
        for found in asking.live.dialect.find_duplicates(
            connection, uniques, examples=EXAMPLES, seconds=_SECONDS
        ):
            if isinstance(found, Duplicates) and found.unique in uniques and found.values:
                name, columns = found.unique.table[1], ", ".join(found.unique.columns)
                yield (
                    f"{count_of(found.values, 'value')} of {name} ({columns}) "
                    f"{'is' if found.values == 1 else 'are'} there more than once: {'; '.join(found.examples)}"
                )


def _is_plain_and_unique(facts: Facts) -> bool:
    return bool(facts.get("unique")) and not is_partial(facts)
