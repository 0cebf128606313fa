"""Indexes that the engine does not rely on, or that contradict their tables: rebuilt, leftovers of rebuilds dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.core.restoration import name_place
from govern.core.schema_repair import SchemaPlan, Stage
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.schema_work import BrokenIndex
from govern.errors import FailedMidway

if TYPE_CHECKING:
    from govern.source.manifest import Repair


def aim_at_broken_indexes(live: LiveDatabase, repair: Repair) -> tuple[tuple[Stage, ...], SchemaPlan]:
    """The one that is named, if it is broken, or all that are; and what broken rebuilds left."""
    engine = live.dialect.schema_work()
    with live.connect() as connection:
        broken = engine.find_broken_indexes(connection)
        named = engine.find_index(connection, repair.index) if repair.index else None
    if repair.index and named is None:
        return (), SchemaPlan(
            repair=repair.name, kind=repair.kind, obstacles=(f"there is no index {repair.index}",)
        )
    meant = [one for one in broken if named is None or _belongs_to(one, named)]
    leftovers = [one for one in meant if one.is_leftover]
    rebuilt = [one for one in meant if not one.is_leftover]
    stages = engine.arrange([one.rebuilding for one in (*leftovers, *rebuilt)])
    notes = ("a rebuilt index is defined as it was: there is nothing to take back",) if stages else ()
    return stages, SchemaPlan(
        repair=repair.name,
        kind=repair.kind,
        stages=stages,
        undoes=(
            *(f"{_describe(one)} is left of a rebuild that broke off" for one in leftovers),
            *(f"{_describe(one)} is not valid" for one in rebuilt),
        ),
        notes=notes or (("no index is invalid",) if named is None else (f"{_describe(named)} is valid",)),
    )


def require_rebuilt(live: LiveDatabase, before: tuple[BrokenIndex, ...]) -> None:
    """Raises FailedMidway where an index is still what it was."""
    with live.connect() as connection:
        left = live.dialect.schema_work().find_broken_indexes(connection)
    names = [_describe(one) for one in left if one in before]
    if names:
        raise FailedMidway(
            f"{count_of(len(names), 'rebuilt index')} is not valid",
            why=", ".join(names),
            next="look at the server's log, and run govern repair plan again",
            state="others were rebuilt",
        )


def _belongs_to(one: BrokenIndex, named: BrokenIndex) -> bool:
    is_leftover_of = one.is_leftover and one.name.startswith(f"{named.name}_cc")
    return one.place == named.place and (one.name == named.name or is_leftover_of)


def _describe(one: BrokenIndex) -> str:
    return f"index {name_place(one.place)}.{one.name}"
