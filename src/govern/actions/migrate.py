"""The guarded migration: lock, backup, verify, apply, read back, validate, record.

The first statement runs only after every guard has said yes. What happened is decided by reading the database
back on another connection, never by an exit status or an exception's text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from govern.actions.backup import create_verified_backup
from govern.actions.record import finish_run, start_run
from govern.checks.drift import judge_drift
from govern.checks.integrity import check_integrity
from govern.core.finding import Finding, Severity
from govern.core.report import Draft, Entry
from govern.core.run import AppliedRevision, Run
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import expected_at
from govern.errors import FailedMidway, GovernError, Refused
from govern.revisions.graph import Chain
from govern.revisions.protocol import ChildError, Event, RevisionDone
from govern.revisions.runner import Outcome, Runner
from govern.source.manifest import Manifest
from govern.source.scope import read_scope

BackupPolicy = Literal["auto", "off"]
Narrate = Callable[[str], None]


class _NothingPending(Exception):
    """Another process applied everything while this one waited for the lock."""


def migrate(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    *,
    to: str,
    backup: BackupPolicy,
    narrate: Narrate,
) -> None:
    """Brings the database to ``to``: ``heads`` or a revision.

    Raises Refused where a guard says no (nothing was changed) and FailedMidway where a revision or the validation
    fails (its ``state`` says where the database stands).
    """
    if not chain.pending(live.read_stamped(), to):
        _confirm(live, draft, manifest)
        return
    prepared = _Prepared()
    try:
        outcome = Runner(live.settings).upgrade(
            live.url,
            to,
            lock=live.dialect.migration_lock(live.url),
            wait_seconds=live.settings.lock_wait_seconds,
            on_locked=lambda: _prepare(prepared, live, draft, chain, to=to, backup=backup, narrate=narrate),
            on_event=lambda event: _narrate_event(event, narrate),
        )
    except _NothingPending:
        _confirm(live, draft, manifest)
        return
    except BaseException as error:
        _note_interruption(error, prepared, live)
        raise
    _conclude(prepared, outcome, live, draft, chain, manifest, narrate)


class _Prepared:
    """What was found and done while the lock was held and before the first statement."""

    run: Run | None = None
    fingerprint: str = ""


def _prepare(
    prepared: _Prepared,
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    *,
    to: str,
    backup: BackupPolicy,
    narrate: Narrate,
) -> None:
    """Runs while the connection that migrates holds the lock and waits; raising leaves the database as it was."""
    stamped = live.read_stamped()
    pending = chain.pending(stamped, to)
    if not pending:
        raise _NothingPending
    if prepared.run is not None:
        _confirm_unchanged(prepared, live)
        return
    draft.passed("lock", "held by the connection that migrates")
    saved = (
        create_verified_backup(live, draft, reason="migrate", narrate=narrate).id
        if backup == "auto"
        else None
    )
    if saved is None:
        draft.passed("backup", "none was taken: --backup off")
    prepared.fingerprint = live.read_fingerprint()
    reached = chain.heads_after(stamped, pending)
    prepared.run = start_run(live, "migrate", from_revision=stamped, to_revision=reached, backup=saved)
    narrate(f"applying {count_of(len(pending), 'revision')}")


def _confirm_unchanged(prepared: _Prepared, live: LiveDatabase) -> None:
    """env.py closed the connection that had the lock and opened another: somebody may have come in between."""
    if live.read_fingerprint() != prepared.fingerprint:
        raise Refused(
            "the database changed while env.py was between two connections",
            why="the lock ends with the connection that holds it",
            next="run again; let env.py migrate on the first connection it opens",
        )


def _note_interruption(error: BaseException, prepared: _Prepared, live: LiveDatabase) -> None:
    """What an interrupt or a lost child left is read back, recorded, and told with the exception."""
    if prepared.run is None:
        error.add_note("nothing was changed")
        return
    with contextlib.suppress(GovernError):
        run = replace(prepared.run, to_revision=live.read_stamped())
        error.add_note(f"{_describe_state(prepared, run, live)}; {_backup_sentence(run)}")
        finish_run(live, run, "interrupted", error=f"{type(error).__name__}: {error}")


def _narrate_event(event: Event, narrate: Narrate) -> None:
    if isinstance(event, RevisionDone):
        narrate(f"applied {event.revision} in {event.seconds:.2f} s")


def _conclude(
    prepared: _Prepared,
    outcome: Outcome,
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    narrate: Narrate,
) -> None:
    run, stamped = prepared.run, live.read_stamped()
    if run is None:
        raise _not_started(outcome.error, stamped)
    run = replace(run, revisions=_applied(outcome, chain, run, stamped))
    if set(stamped) != set(run.to_revision):
        _fail(prepared, replace(run, to_revision=stamped), outcome.error, live, draft)
    draft.passed("apply", f"{count_of(len(run.revisions), 'revision')}, now at {name_revisions(stamped)}")
    narrate("validating the schema")
    serious = _serious(_validate(live, draft, manifest, stamped))
    error = f"{count_of(len(serious), 'finding')}; the first: {serious[0].message}" if serious else None
    run = finish_run(live, run, "unhealthy" if serious else "applied", error=error)
    _tell_ledger(run, draft)
    if serious:
        raise FailedMidway(
            "the revisions were applied, but the schema is not as declared",
            why=error or "",
            next="see all with govern drift; then correct it with a revision, or govern repair plan",
            state=f"the database is at {name_revisions(stamped)} and marked unhealthy; {_backup_sentence(run)}",
        )


def _confirm(live: LiveDatabase, draft: Draft, manifest: Manifest | None) -> None:
    """A stamp is not enough: an emptied database that says head must not pass for migrated."""
    stamped = live.read_stamped()
    _validate(live, draft, manifest, stamped)
    draft.passed("apply", f"already at head: {name_revisions(stamped)}; nothing is pending")


def _validate(
    live: LiveDatabase, draft: Draft, manifest: Manifest | None, stamped: tuple[str, ...]
) -> tuple[Finding, ...]:
    """Holds the schema against the declared one and, if it is that, the rows against the manifest."""
    schema = live.read_snapshot()
    draft.unmodelled = schema.unmodelled
    declared, source = expected_at(live, stamped, schema)
    critical = tuple(table.name for table in manifest.critical_tables) if manifest else ()
    scope, today = read_scope(live.settings, manifest), datetime.now().astimezone().date()
    verdict = judge_drift(declared, schema, scope=scope, today=today, critical_tables=critical)
    findings = verdict.findings
    remark = f"; {verdict.remark}" if verdict.remark else ""
    draft.add(Entry.of("validate", findings, f"compared with {source}{remark}"))
    if _serious(findings) or manifest is None:
        return findings
    path = live.settings.relative(manifest.path)
    with live.connect() as connection:
        rows = check_integrity(connection, live.dialect, manifest, path=path)
    draft.add(Entry.of("manifest", rows, path))
    return findings + rows


def _fail(prepared: _Prepared, run: Run, error: ChildError | None, live: LiveDatabase, draft: Draft) -> None:
    draft.add(Entry(name="apply", status="crashed", reason=_describe(error)))
    run = finish_run(live, run, "failed", error=_describe(error))
    _tell_ledger(run, draft)
    revision = error.revision if error else None
    raise FailedMidway(
        f"revision {revision} failed" if revision else "the migration failed",
        why=_describe(error),
        next="correct the revision, then run again: govern migrate",
        state=f"{_describe_state(prepared, run, live)}; {_backup_sentence(run)}",
    )


def _tell_ledger(run: Run, draft: Draft) -> None:
    draft.data["run"] = run.to_json()
    draft.passed("ledger", f"run {run.id}, {run.result}")


def _describe_state(prepared: _Prepared, run: Run, live: LiveDatabase) -> str:
    where = name_revisions(run.to_revision)
    if set(run.to_revision) != set(run.from_revision):
        return f"the database is at {where}: the revisions before the failed one are applied"
    if live.read_fingerprint() == prepared.fingerprint:
        return f"the database is as it was, at {where}"
    return f"the version is still {where}, but the failed revision committed a part of its work: see govern drift"


def _not_started(error: ChildError | None, stamped: tuple[str, ...]) -> FailedMidway:
    """Alembic ended without opening a connection: nothing was locked, so nothing was run."""
    return FailedMidway(
        "Alembic ended before it connected",
        why=_describe(error),
        next="correct what it names; env.py must run the migrations online",
        state=f"the database is as it was, at {name_revisions(stamped)}",
    )


def _applied(
    outcome: Outcome, chain: Chain, run: Run, stamped: tuple[str, ...]
) -> tuple[AppliedRevision, ...]:
    """Of the revisions that Alembic says it ran, those that the version table confirms."""
    confirmed = chain.ancestors(stamped) - chain.ancestors(run.from_revision)
    return tuple(
        AppliedRevision(
            revision=done.revision, checksum=chain.revisions[done.revision].checksum, seconds=done.seconds
        )
        for done in outcome.revisions
        if done.revision in confirmed
    )


def _serious(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.severity >= Severity.ERROR]


def _describe(error: ChildError | None) -> str:
    if error is None:
        return "Alembic ended without an error, but the version table does not say so: nothing was persisted"
    # the database's first line says what; the ones after it point into a statement that is given anyway
    message = error.message.strip().partition("\n")[0]
    statement = f" — in: {error.statement}" if error.statement else ""
    return f"{error.type}: {message}{statement}"


def _backup_sentence(run: Run) -> str:
    return f"backup {run.backup} is verified" if run.backup else "no backup was taken"
