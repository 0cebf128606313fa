"""What statements were seen to do on a copy, as sentences: who waits, which rows are read or written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govern.core.wording import count_of, name_bytes

Sizes = Mapping[str, Mapping[str, Any]]
"""Of live tables, by their names, as a plan has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of one table."""

    table: str
    size: str = ""
    """``about 5,000 rows, 1.2 MB``; nothing where it is not known."""
    waiting: str = ""
    """Who does; nothing where nobody does."""
    lock: str = ""
    """What they wait for."""
    others: tuple[str, ...] = ()


def list_effects(seen: Mapping[str, Any], sizes: Sizes) -> Iterator[str]:
    """Of one statement."""
    for lock in seen["locks"]:
        if lock["blocks_writes"]:
            yield f"{lock['mode']} on {size_table(lock['table'], sizes)}: {_say_waiting(lock)}"
    yield from (f"writes every row again: {size_table(table, sizes)}" for table in seen["rewrites"])
    yield from (f"reads every row: {size_table(table, sizes)}" for table in seen["scans"])
    yield from (f"leaves an invalid index: {index}" for index in seen["invalid_indexes"])


def summarise_effects(observed: Sequence[Mapping[str, Any]], sizes: Sizes) -> Iterator[Effect]:
    """Of several statements, table by table: the strongest lock of each counts; where most wait comes first."""
    locks = [lock for seen in observed for lock in seen["locks"] if lock["blocks_writes"]]
    strongest = {lock["table"]: lock for lock in sorted(locks, key=lambda lock: bool(lock["blocks_reads"]))}
    written = {table for seen in observed for table in seen["rewrites"]}
    read = {table for seen in observed for table in seen["scans"]} - written

    def weigh(table: str) -> tuple[bool, bool, int, str]:
        lock = strongest.get(table)
        size = sizes[table]["bytes"] if table in sizes else 0
        return lock is None, lock is not None and not lock["blocks_reads"], -size, table

    for table in sorted(strongest.keys() | written | read, key=weigh):
        lock = strongest.get(table)
        others = (
            "every row is written again" if table in written else "",
            "every row is read" if table in read else "",
        )
        yield Effect(
            table=table,
            size=_say_size(table, sizes),
            waiting=_say_waiting(lock) if lock else "",
            lock=lock["mode"] if lock else "",
            others=tuple(filter(None, others)),
        )
    for index in sorted({index for seen in observed for index in seen["invalid_indexes"]}):
        yield Effect(table=index, others=("an invalid index is left",))


def size_table(table: str, sizes: Sizes) -> str:
    """The table with how large it is, where that is known."""
    size = _say_size(table, sizes)
    return f"{table} ({size})" if size else table


def _say_size(table: str, sizes: Sizes) -> str:
    if table not in sizes:
        return ""
    rows = sizes[table]["rows"]
    counted = "rows unknown" if rows is None else f"about {count_of(rows, 'row')}"
    return f"{counted}, {name_bytes(sizes[table]['bytes'])}"


def _say_waiting(lock: Mapping[str, Any]) -> str:
    return "nobody reads or writes" if lock["blocks_reads"] else "nobody writes"
