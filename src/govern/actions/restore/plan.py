"""What a restore would do, found out on a scratch copy of the backup; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from govern.actions.backup import restored
from govern.actions.restore.comparison import RestoredRows, allowing, count_rows_of, find_row_differences
from govern.actions.restore.upgrade import upgrade_to_heads
from govern.core.backup import Backup
from govern.core.changes import Change, diff
from govern.core.report import Draft
from govern.core.restoration import TableDifference
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import in_words_of
from govern.revisions.graph import Chain


def plan_restore(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    backup: Backup,
    *,
    upgrade: bool = False,
    narrate: Callable[[str], None],
) -> None:
    """Revisions, tables and columns that differ, and the rows of each table that would go or come.

    Raises CouldNotCheck where no scratch database is to be had, FailedMidway if the backup does not restore.
    """
    revision, heads = name_revisions(backup.manifest.revision or ()), name_revisions(chain.effective_heads)
    if not live.dialect.exists(live.url):
        draft.passed(
            "revisions", f"the backup is at {revision}, the code at {heads}; there is no live database"
        )
        return
    draft.passed(
        "revisions",
        f"the backup is at {revision}, the live database at {name_revisions(live.read_stamped())}, the code at {heads}",
    )
    with restored(live.settings, live.dialect, backup, like=live.url, narrate=narrate) as copy:
        side = LiveDatabase(live.settings, copy.url)
        if upgrade:
            upgrade_to_heads(side, live, draft, chain, narrate=narrate)
        rows = RestoredRows(side)
        narrate("comparing it with the live database")
        _plan_schema(live, rows, draft)
        _plan_rows(live, rows, draft)


def _plan_schema(live: LiveDatabase, rows: RestoredRows, draft: Draft) -> None:
    schema, copy = live.read_snapshot(), rows.database
    backed_up = in_words_of(schema, copy.read_snapshot(), live.dialect, lambda: nullcontext(copy.url))
    changes = diff(backed_up, schema)
    draft.data["schema"] = [_describe(change) for change in changes]
    draft.passed("schema", f"{count_of(len(changes), 'difference')}" if changes else "the same")


def _describe(change: Change) -> str:
    if change.action != "changed":
        return f"{change.key} is in the {'live database' if change.action == 'added' else 'backup'} alone"
    facts = ", ".join(
        f"{name} is {now!r}, in the backup {then!r}" for name, (then, now) in change.facts.items()
    )
    return f"{change.key}: {facts}"


def _plan_rows(live: LiveDatabase, rows: RestoredRows, draft: Draft) -> None:
    with live.connect() as connection:
        differences = find_row_differences(live, connection, rows)
    differences = count_rows_of(live, differences, rows)
    draft.data["tables"] = [difference.to_json() for difference in differences]
    draft.passed("rows", _describe_rows(differences))


def _describe_rows(differences: tuple[TableDifference, ...]) -> str:
    if not differences:
        return "every table has the rows that the backup has"
    hazards = tuple(hazard for one in differences if (hazard := one.hazard) is not None)
    wanted = f"; to be allowed by name: {allowing(hazards)}" if hazards else ""
    return f"{count_of(len(differences), 'table')} with other rows{wanted}"
