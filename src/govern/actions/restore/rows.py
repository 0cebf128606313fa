"""The restore of rows: what a live database lacks of a backup, or chosen tables, while it is in use.

The backup is restored into a scratch database. What is taken of it goes into the live database in one transaction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from govern.actions.backup import find_differences, is_unfit, list_backups, restored
from govern.actions.restore.merge import apply_merge, guard_merge, plan_merge
from govern.actions.restore.overwrite import apply_overwrite, guard_overwrite, plan_overwrite
from govern.actions.restore.tables import MakingTables, find_tables, propose_tables, read_places
from govern.actions.restore.taking_over import take_over
from govern.actions.restore.upgrade import upgrade
from govern.core.backup import Backup
from govern.core.merging import MergePlan, Staged, TableMerge
from govern.core.report import Draft
from govern.core.restoration import Place, name_place
from govern.core.run import Run
from govern.core.wording import name_revisions
from govern.database.live import LiveDatabase
from govern.declared import ReplayFailed
from govern.errors import CouldNotCheck, FailedMidway, NotPermitted, Refused
from govern.revisions.graph import Chain
from govern.source.manifest import Manifest

Narrate = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows of a backup are to come, and what may go for them."""

    tables: tuple[str, ...] = ()
    """As people name them; none: all."""
    merges: bool = False
    """Only what is missing, else the tables become what they were."""
    allow: tuple[str, ...] = ()


def plan_rows(
    live: LiveDatabase, draft: Draft, chain: Chain, backup: Backup, wanted: Wanted, *, narrate: Narrate
) -> None:
    """What ``restore_rows`` would do, table by table, also where it would refuse; nothing is changed."""
    _require_live(live, backup)
    with _restored_source(live, draft, chain, backup, narrate) as source:
        plan, _ = _plan(live, draft, source, wanted, narrate)
        try:
            _guard(plan, wanted)
        except Refused as refusal:
            draft.data["refusal"] = f"{refusal.what}: {refusal.why}; {refusal.next}"


def restore_rows(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    backup: Backup,
    wanted: Wanted,
    *,
    narrate: Narrate,
) -> Run | None:
    """Takes the rows over; returns the run as it ended, or None where nothing is missing.

    Raises Refused, NotPermitted or CouldNotCheck where the live database is as it was, FailedMidway otherwise.
    """
    _require_live(live, backup)
    wait = live.settings.lock_wait_seconds
    with (
        live.dialect.hold_migration_lock(live.url, wait_seconds=wait),
        _restored_source(live, draft, chain, backup, narrate) as source,
    ):
        plan, making = _plan(live, draft, source, wanted, narrate)
        _guard(plan, wanted)
        if plan.is_empty:
            draft.passed("restore", "nothing is missing: nothing was done")
            return None
        places = tuple(table.place for table in plan.tables if not table.is_pulled_in)
        apply = apply_merge if wanted.merges else apply_overwrite
        return take_over(
            live,
            draft,
            chain,
            manifest,
            lambda: apply(live, source.database, places, allow=wanted.allow, making=making),
            origin=backup.id,
            statements=making.statements,
            narrate=narrate,
        )


@dataclass(frozen=True, slots=True)
class _Source:
    """A restored backup that rows are taken of."""

    database: LiveDatabase
    is_at_live_revision: bool


def _require_live(live: LiveDatabase, backup: Backup) -> None:
    if not live.dialect.exists(live.url):
        raise Refused(
            "there is no live database to take rows over into",
            why=f"{live.url.redacted} does not exist",
            next=f"govern restore {backup.id} makes it",
        )


@contextmanager
def _restored_source(
    live: LiveDatabase, draft: Draft, chain: Chain, backup: Backup, narrate: Narrate
) -> Iterator[_Source]:
    """The backup in a scratch database, found to be what was backed up, and brought to the live revision.

    Where it cannot be upgraded it is as it was, and columns are matched by their names.
    """
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(_restored_as_it_was(live, backup, narrate))
        try:
            reason = _bring_to_live(database, live, draft, chain, backup, narrate)
        except ReplayFailed as error:
            reason = f"it is not upgraded: {error.why}; columns are matched by their names"
            database = stack.enter_context(_restored_as_it_was(live, backup, narrate))
        draft.passed("revisions", reason)
        yield _Source(database, set(database.read_stamped()) == set(live.read_stamped()))


@contextmanager
def _restored_as_it_was(live: LiveDatabase, backup: Backup, narrate: Narrate) -> Iterator[LiveDatabase]:
    with contextlib.ExitStack() as stack:
        try:
            restoring = restored(live.settings, live.dialect, backup, like=live.url, narrate=narrate)
            copy = stack.enter_context(restoring)
        except FailedMidway as error:  # nobody uses what it broke in
            raise CouldNotCheck(
                f"the backup {backup.id} could not be restored into a scratch database",
                why=error.why,
                next="see that there is room for it; prove the backup: govern backup verify",
            ) from error
        findings = find_differences(live.settings, live.dialect, backup, copy, narrate)
        if is_unfit(findings):
            raise Refused(
                f"the backup {backup.id} does not give back what was backed up",
                why="; ".join(finding.message for finding in findings[:3]),
                next="restore another one: govern backup list",
            )
        source = LiveDatabase(live.settings, copy.url)
        _require_roles(live, source, copy.left_out)
        yield source


def _require_roles(live: LiveDatabase, source: LiveDatabase, left_out: tuple[str, ...]) -> None:
    """A table that is made gets its owner and grants; raises NotPermitted where these could not be restored."""
    if left_out and (missing := read_places(source) - read_places(live)):
        raise NotPermitted(
            f"{', '.join(map(name_place, sorted(missing)))} cannot be made as in the backup",
            why=f"the scratch server has not all roles that it names: {', '.join(left_out)} would be missing",
            next="restore as a superuser or as a member of these roles; needs.json in the backup names them",
        )


def _bring_to_live(
    source: LiveDatabase, live: LiveDatabase, draft: Draft, chain: Chain, backup: Backup, narrate: Narrate
) -> str:
    """Upgrades it where it is of an older revision; says what there was to do."""
    backed_up, stamped = backup.manifest.revision or (), live.read_stamped()
    where = f"the backup is at {name_revisions(backed_up)}, the live database at {name_revisions(stamped)}"
    if set(backed_up) == set(stamped):
        return where
    unknown = [revision for revision in (*backed_up, *stamped) if revision not in chain.revisions]
    if unknown or not backed_up or not stamped:
        what = (
            f"the code does not know {name_revisions(unknown)}" if unknown else "one of them has no revision"
        )
        return f"{where}; it is not upgraded, for {what}: columns are matched by their names"
    done = upgrade(source, live, chain, stamped, narrate=narrate)
    draft.data["upgrade"] = list(done.told)
    return f"{where}; a copy of it was upgraded by {name_revisions(done.revisions)}"


def _plan(
    live: LiveDatabase, draft: Draft, source: _Source, wanted: Wanted, narrate: Narrate
) -> tuple[MergePlan, MakingTables]:
    narrate("comparing the live database with the backup")
    there, backed_up = read_places(live), read_places(source.database)
    tables = (
        find_tables(wanted.tables, there | backed_up, lambda: _list_mine(live))
        if wanted.tables
        else tuple(sorted(backed_up))
    )
    _require_backed_up(tables, backed_up)
    missing = tuple(place for place in tables if place not in there)
    if missing and not source.is_at_live_revision:
        raise _of_another_revision(missing)
    making = propose_tables(live, source.database, missing)
    present = tuple(place for place in tables if place in there)
    plan = (plan_merge if wanted.merges else plan_overwrite)(live, source.database, present)
    plan = replace(plan, tables=(*plan.tables, *_plan_missing(source.database, missing)))
    draft.data["tables"] = plan.to_json()
    draft.passed("rows", plan.described())
    return plan, making


def _list_mine(live: LiveDatabase) -> list[Backup]:
    """The target's backups, the newest first."""
    mine = (one for one in list_backups(live.settings) if one.manifest.target == live.settings.target)
    return list(mine)


def _require_backed_up(tables: tuple[Place, ...], backed_up: frozenset[Place]) -> None:
    since = [name_place(place) for place in tables if place not in backed_up]
    if since:
        raise Refused(
            f"the backup has no table {', '.join(since)}",
            why="it is in the live database alone: it was made after the backup",
            next="restore it from a later backup: govern backup list",
        )


def _of_another_revision(tables: tuple[Place, ...]) -> Refused:
    names = [name_place(place) for place in tables]
    return Refused(
        f"the live database has no table {', '.join(names)}",
        why="the backup is of another revision and could not be upgraded: a revision may have dropped it on purpose",
        next="name the tables that are to come: --table",
    )


def _guard(plan: MergePlan, wanted: Wanted) -> None:
    guard_merge(plan, allow=wanted.allow)
    guard_overwrite(plan, allow=wanted.allow)


def _plan_missing(source: LiveDatabase, tables: tuple[Place, ...]) -> tuple[TableMerge, ...]:
    """Tables that are to be made: all of their rows come."""
    if not tables:
        return ()
    with source.connect() as connection:
        rows = source.dialect.count_rows(connection, tables)
    return tuple(
        TableMerge(
            place=place,
            columns=(),
            key=(),
            staged=Staged(in_source=count, missing=count, same=0, differing=0),
            is_made=True,
        )
        for place in tables
        for count in [rows[".".join(filter(None, place))]]
    )
