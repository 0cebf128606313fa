"""The restore from a folder of files: staged, planned, backed up, merged into the live database, validated, recorded.

What is missing is inserted; nothing that is there is overwritten.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from govern.actions.exports.matching import name_tables
from govern.actions.exports.staging import Staging, staged
from govern.actions.restore.merge import apply_merge, guard_merge, plan_merge
from govern.actions.restore.taking_over import take_over
from govern.checks.orphans import ORPHAN
from govern.core.finding import Finding, Subject
from govern.core.merging import MergePlan
from govern.core.report import Draft, Entry
from govern.core.run import Run
from govern.database.live import LiveDatabase
from govern.errors import GovernError
from govern.revisions.graph import Chain
from govern.source.manifest import Manifest

Narrate = Callable[[str], None]


def plan_files(
    live: LiveDatabase, draft: Draft, chain: Chain, folder: Path, *, tables: tuple[str, ...], narrate: Narrate
) -> None:
    """What ``restore_files`` would insert, and which commands lead there in which order; nothing is changed."""
    with staged(live, draft, folder, tables=tables, narrate=narrate) as staging:
        narrate("comparing the rows with the live ones")
        plan = plan_merge(live, staging.source, staging.tables)
        _tell_plan(draft, plan)
        draft.data["next"] = list(_next_commands(live, chain, staging, plan, folder, tables))


def restore_files(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    folder: Path,
    *,
    tables: tuple[str, ...],
    allow: tuple[str, ...],
    narrate: Narrate,
) -> Run | None:
    """Inserts the rows of the files that the live database lacks; returns the run, or None where none was missing.

    Raises ConfigurationError, Refused or CouldNotCheck where nothing was changed, FailedMidway otherwise.
    """
    lock_wait = live.settings.lock_wait_seconds
    with (
        live.dialect.hold_migration_lock(live.url, wait_seconds=lock_wait),
        staged(live, draft, folder, tables=tables, narrate=narrate) as staging,
    ):
        with _with_next(draft, lambda: _next_commands(live, chain, staging, None, folder, tables)):
            staging.require_fit()
        plan = plan_merge(live, staging.source, staging.tables)
        if plan.is_empty:
            _tell_plan(draft, plan)
            return None
        guard_merge(plan, allow=allow)
        _tell_plan(draft, plan)
        return take_over(
            live,
            draft,
            chain,
            manifest,
            lambda: apply_merge(live, staging.source, staging.tables, allow=allow),
            origin=live.settings.relative(folder),
            narrate=narrate,
        )


@contextlib.contextmanager
def _with_next(draft: Draft, find: Callable[[], Iterator[str]]) -> Iterator[None]:
    """A refusal comes with the commands that lead further, all of them and in order."""
    try:
        yield
    except GovernError:
        draft.data["next"] = list(find())
        raise


def _find_orphans(plan: MergePlan) -> Iterator[Finding]:
    """Rows whose parents are neither in the files nor in the live database."""
    for table in plan.tables:
        namespace, name = table.place
        for orphans in table.orphans:
            subject = Subject(kind="table", namespace=namespace or None, name=name)
            yield Finding.of(ORPHAN, subject, orphans.described(table.name))


def _tell_plan(draft: Draft, plan: MergePlan) -> None:
    draft.data["tables"] = plan.to_json()
    draft.passed("rows", plan.described())
    if orphans := tuple(_find_orphans(plan)):
        draft.add(Entry.of("references", orphans))


def _next_commands(
    live: LiveDatabase,
    chain: Chain,
    staging: Staging,
    plan: MergePlan | None,
    folder: Path,
    tables: tuple[str, ...],
) -> Iterator[str]:
    """What is to be typed next: first what makes the tables that are missing. Nothing as long as files are wrong."""
    is_done = plan is not None and plan.is_empty and not staging.missing
    has_orphans = plan is not None and any(table.orphans for table in plan.tables)
    if is_done or has_orphans or not staging.is_fit_but_for_tables:
        return
    if staging.missing:
        yield from _making_tables(live, chain, staging)
    chosen = "".join(f" --table {shlex.quote(table)}" for table in tables)
    yield f"govern restore --from {shlex.quote(str(folder))}{chosen}"
    yield "govern health"


def _making_tables(live: LiveDatabase, chain: Chain, staging: Staging) -> Iterator[str]:
    missing = ", ".join(name_tables(staging.missing))
    stamped = live.read_only_stamp()
    if not stamped and live.read_column_order():
        yield f"govern baseline  # finds the revision that the database is at; {missing} may come after it"
    if set(stamped) != set(chain.effective_heads):
        yield f"govern migrate  # makes {missing}"
    else:
        yield f"govern repair apply  # makes {missing}"
