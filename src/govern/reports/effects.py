"""What statements were seen to do on a copy, as sentences: who waits, which rows are read or written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govern.core.wording import name_bytes

Sizes = Mapping[str, Mapping[str, Any]]
"""Of live tables, by their names, as a plan has them."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one table."""

    table: str
    sentences: tuple[str, ...]


def list_effects(seen: Mapping[str, Any], sizes: Sizes) -> Iterator[str]:
    """Of one statement."""
    for lock in seen["locks"]:
        if lock["blocks_writes"]:
            yield f"{lock['mode']} on {size_table(lock['table'], sizes)}: {_say_waiting(lock)}"
    yield from (f"writes every row again: {size_table(table, sizes)}" for table in seen["rewrites"])
    yield from (f"reads every row: {size_table(table, sizes)}" for table in seen["scans"])
    yield from (f"leaves an invalid index: {index}" for index in seen["invalid_indexes"])


def summarise_effects(observed: Sequence[Mapping[str, Any]]) -> Iterator[Effect]:
    """Of several statements, table by table: the strongest lock of each counts."""
    locks = [lock for seen in observed for lock in seen["locks"] if lock["blocks_writes"]]
    strongest = {lock["table"]: lock for lock in sorted(locks, key=lambda lock: bool(lock["blocks_reads"]))}
    written = {table for seen in observed for table in seen["rewrites"]}
    read = {table for seen in observed for table in seen["scans"]} - written
    for table in sorted(strongest.keys() | written | read):
        sentences = (
            f"{_say_waiting(strongest[table])} ({strongest[table]['mode']})" if table in strongest else "",
            "every row is written again" if table in written else "",
            "every row is read" if table in read else "",
        )
        yield Effect(table, tuple(filter(None, sentences)))
    for index in sorted({index for seen in observed for index in seen["invalid_indexes"]}):
        yield Effect(index, ("an invalid index is left",))


def size_table(table: str, sizes: Sizes) -> str:
    """The table with how large it is, where that is known."""
    if table not in sizes:
        return table
    rows, size = sizes[table]["rows"], name_bytes(sizes[table]["bytes"])
    return f"{table} ({f'about {rows:,} rows' if rows is not None else 'rows unknown'}, {size})"


def _say_waiting(lock: Mapping[str, Any]) -> str:
    return "nobody reads or writes" if lock["blocks_reads"] else "nobody writes"
