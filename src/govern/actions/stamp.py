"""Stamps a database whose schema is a revision's already; refuses where it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from govern.actions.record import finish_run, start_run
from govern.checks.drift import judge_drift
from govern.core.report import Draft, Entry
from govern.core.scope import Scope
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import expected_at
from govern.errors import FailedMidway, Refused
from govern.revisions.graph import Chain
from govern.revisions.runner import Runner


def stamp_database(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    revision: str,
    *,
    scope: Scope,
    today: date,
    narrate: Callable[[str], None],
) -> None:
    """Raises Refused where the live schema differs from the revision's: a stamp would be a lie.

    Differences that ``scope`` ignores or knows are none.
    """
    target = chain.resolve(revision)
    narrate(f"comparing the database with {name_revisions(target)}")
    schema = live.read_snapshot()
    declared, source = expected_at(live, target, schema)
    findings = judge_drift(declared, schema, scope=scope, today=today).findings
    draft.add(Entry.of("drift", findings, f"compared with {source}"))
    if findings:
        raise Refused(
            f"the database does not have the schema of {name_revisions(target)}",
            why=f"{count_of(len(findings), 'difference')}; the first: {findings[0].message}",
            next="stamp the revision whose schema it has, or repair it first",
        )
    run = start_run(live, "stamp", from_revision=live.read_stamped(), to_revision=target, backup=None)
    outcome = Runner(live.settings).stamp(
        live.url,
        revision,
        lock=live.dialect.migration_lock(live.url),
        wait_seconds=live.settings.lock_wait_seconds,
    )
    stamped = live.read_stamped()
    is_stamped = set(stamped) == set(target)
    error = None if is_stamped else f"the version table says {name_revisions(stamped)}"
    draft.data["run"] = finish_run(live, run, "applied" if is_stamped else "failed", error=error).to_json()
    if error is not None:
        raise FailedMidway(
            "the stamp was not persisted",
            why=outcome.error.message if outcome.error else error,
            next="govern doctor",
            state=f"nothing but the ledger was written; {error}",
        )
    draft.passed("stamp", f"stamped {name_revisions(target)}")
