"""Stamps a database whose schema is a revision's already; refuses where it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from govern.actions.own_version_table import guard_version_table
from govern.actions.record import finish_run, start_run
from govern.actions.standing import not_started
from govern.actions.validate import serious
from govern.checks.drift import judge_drift
from govern.checks.integrity import check_integrity
from govern.core.changes import diff
from govern.core.report import Draft, Entry
from govern.core.run import Run
from govern.core.scope import Scope
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import expected_at, heed_env
from govern.errors import FailedMidway, Refused
from govern.revisions.graph import Chain
from govern.revisions.runner import Runner
from govern.source.manifest import Manifest


def stamp_database(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    revision: str,
    *,
    manifest: Manifest | None,
    scope: Scope,
    today: date,
    narrate: Callable[[str], None],
) -> None:
    """Raises Refused where the live schema differs from the revision's: a stamp would be a lie.

    Differences that ``scope`` ignores or knows are none.
    """
    target = chain.resolve(revision)
    narrate(f"comparing the database with {name_revisions(target)}")
    fingerprint = live.read_fingerprint()
    schema = live.read_snapshot()
    declared, source = expected_at(live, target, schema)
    scope = heed_env(scope, live, diff(declared, schema))
    findings = judge_drift(declared, schema, scope=scope, today=today).findings
    draft.add(Entry.of("drift", findings, f"compared with {source}"))
    if findings:
        raise Refused(
            f"the database does not have the schema of {name_revisions(target)}",
            why=f"{count_of(len(findings), 'difference')}; the first: {findings[0].message}",
            next="find the revision whose schema it has: govern baseline; or repair it first",
        )
    write_stamp(live, draft, chain, target, command="stamp", manifest=manifest, fingerprint=fingerprint)


def write_stamp(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    target: tuple[str, ...],
    *,
    command: str,
    manifest: Manifest | None,
    fingerprint: str,
) -> None:
    """Writes the version rows and the ledger, under the migration lock.

    ``fingerprint`` is what the schema had when it was found to be the target's. From the stamp on applications start:
    Raises Refused where the rows are not as the manifest wants them, too, or somebody has changed the schema since.
    """
    guard_version_table(live)
    if manifest is not None and set(target) == set(chain.effective_heads):
        _guard_rows(live, draft, manifest)
    begun: list[Run] = []

    def begin() -> None:
        if live.read_fingerprint() != fingerprint:
            raise Refused(
                "the database changed while it was compared",
                why="it is not what was compared",
                next="run again",
            )
        if not begun:
            stamped = live.read_stamped()
            begun.append(start_run(live, command, from_revision=stamped, to_revision=target, backup=None))

    outcome = Runner(live.settings).stamp(
        live.url,
        target or "base",
        lock=live.dialect.migration_lock(live.url),
        wait_seconds=live.settings.lock_wait_seconds,
        on_locked=begin,
    )
    stamped = live.read_stamped()
    if not begun:
        raise not_started(outcome.error, stamped)
    is_stamped = set(stamped) == set(target)
    error = None if is_stamped else f"the version table says {name_revisions(stamped)}"
    run = finish_run(live, begun[0], "applied" if is_stamped else "failed", error=error)
    draft.data["run"] = run.to_json()
    if error is not None:
        raise FailedMidway(
            "the stamp was not persisted",
            why=outcome.error.message if outcome.error else error,
            next="govern doctor",
            state=f"nothing but the ledger was written; {error}",
        )
    draft.passed("stamp", f"stamped {name_revisions(target)}")


def _guard_rows(live: LiveDatabase, draft: Draft, manifest: Manifest) -> None:
    path = live.settings.relative(manifest.path)
    with live.connect() as connection:
        findings = check_integrity(connection, live.dialect, manifest, path=path)
    draft.add(Entry.of("manifest", findings, path))
    if failing := serious(findings):
        raise Refused(
            "the rows of the database are not as the manifest wants them",
            why=f"{count_of(len(failing), 'finding')}; the first: {failing[0].message}",
            next=f"{failing[0].remedy}; then run again",
        )
