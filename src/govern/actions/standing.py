"""Where a database stands after a migration that did not come to its end, and what to do next, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govern.actions.watch import describe_blockers
from govern.core.changes import describe_change, diff
from govern.core.progress import NotedStatement
from govern.core.run import Run
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import declared_by_revisions
from govern.errors import CouldNotCheck, FailedMidway, GovernError, Refused
from govern.revisions.explain import describe_failure
from govern.revisions.protocol import ChildError


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The database before the first statement."""

    fingerprint: str = ""
    steps: tuple[str, ...] = ()
    """What was about to run: see ``govern.core.progress``."""
    command_line: str = "govern migrate"
    """What to type to be led on."""


def blocked(
    run: Run, error: ChildError, live: LiveDatabase, before: Before, blockers: tuple[str, ...]
) -> GovernError:
    """Somebody held a lock for longer than it is waited for: an error of its own, for the revision is not wrong."""
    settings = live.settings
    what = "the migration did not get a lock it needs"
    if error.revision:
        what = f"revision {error.revision} did not get a lock it needs"
    is_unchanged = is_as_it_was(run, live, before)
    return (Refused if is_unchanged else FailedMidway)(
        what,
        why=f"{describe_blockers(blockers)} it; tried for {settings.lock_retry_seconds:g} s, each time "
        f"waiting {settings.lock_timeout_seconds:g} s ({describe_error(error)})",
        next=f"wait for that session, or end it, and run again: {before.command_line}",
        state=f"{describe_state(run, live, before)}; {describe_backup(run)}",
    )


def not_started(error: ChildError | None, stamped: tuple[str, ...]) -> FailedMidway:
    """Alembic ended without opening a connection: nothing was locked, so nothing was run."""
    return FailedMidway(
        "Alembic ended before it connected",
        why=describe_error(error),
        next="correct what it names; env.py must run the migrations online",
        state=f"the database is as it was, at {name_revisions(stamped)}",
    )


def describe_end(error: ChildError | None, direction: Literal["upgrade", "downgrade"]) -> str:
    """What failed, in a few words."""
    if error is None or error.revision is None:
        return "the migration failed"
    if direction == "downgrade":
        return f"the downgrade of {error.revision} failed"
    return f"revision {error.revision} failed"


def out_of_sight(
    run: Run, error: ChildError | None, problem: CouldNotCheck, executed: tuple[str, ...]
) -> FailedMidway:
    """What a run did could not be read back. ``executed`` are the revisions that Alembic says it had executed."""
    broke_off = f"{describe_error(error)}; " if error else ""
    return FailedMidway(
        "what the migration did could not be read back",
        why=f"{broke_off}{problem.what}: {problem.why}",
        next="when the server answers, run again: govern migrate finds out what is there, and does the rest",
        state=f"not known: {_describe_last_words(error, executed)}; {_describe_started(run)}",
    )


def unchecked(run: Run, problem: CouldNotCheck, reached: tuple[str, ...]) -> FailedMidway:
    """The version was read back, and then something that was needed to look further could not be had."""
    return FailedMidway(
        "the migration came to its end, but what it left could not be checked",
        why=f"{problem.what}: {problem.why}",
        next=f"{problem.next}; then see whether the database is as declared: govern drift",
        state=f"the database is at {name_revisions(reached)}; {_describe_started(run)}",
    )


def _describe_started(run: Run) -> str:
    return f"run {run.id} stays {run.result} in the ledger; {describe_backup(run)}"


def _describe_last_words(error: ChildError | None, executed: tuple[str, ...]) -> str:
    before = f"{name_revisions(executed)} had been executed" if executed else "no revision had been executed"
    if error is None:
        return f"{before}, and Alembic said that all was committed"
    if error.revision is None:
        return f"{before}, and whether that was committed is not known"
    return f"revision {error.revision} was being executed, {before} before it"


def describe_state(run: Run, live: LiveDatabase, before: Before) -> str:
    where = name_revisions(run.to_revision)
    if is_as_it_was(run, live, before):
        return f"the database is as it was, at {where}"
    is_at_the_same = set(run.to_revision) == set(run.from_revision)
    done = "taken back" if run.command == "downgrade" else "applied"
    applied = "" if is_at_the_same else f", the revisions before the failed one are {done}"
    return f"the database is at {where}{applied}{_describe_leftovers(live)}{_describe_progress(live, before)}"


def is_as_it_was(run: Run, live: LiveDatabase, before: Before) -> bool:
    is_at_the_same = set(run.to_revision) == set(run.from_revision)
    return (
        is_at_the_same and live.read_fingerprint() == before.fingerprint and not _read_committed(live, before)
    )


def _read_committed(live: LiveDatabase, before: Before) -> tuple[NotedStatement, ...]:
    """What a revision committed before it broke off: a schema's fingerprint does not show changes to rows."""
    with live.connect() as connection:
        noted = live.dialect.read_progress(connection, before.steps)
    return tuple(statement for statement in noted if statement.state != "failed")


def _describe_progress(live: LiveDatabase, before: Before) -> str:
    committed = _read_committed(live, before)
    if not committed:
        return ""
    many = count_of(len(committed), "statement")
    return f"; {many} of {committed[0].named} {'is' if len(committed) == 1 else 'are'} noted as begun or committed"


def _describe_leftovers(live: LiveDatabase) -> str:
    """What a revision left that committed in its middle, as ``autocommit_block`` does."""
    try:
        with declared_by_revisions(live.settings, live.read_stamped(), like=live.url) as declared:
            changes = diff(declared.snapshot, live.read_snapshot())
    except GovernError:
        return "; whether the failed one left a part of its work could not be checked: see govern drift"
    if not changes:
        return ""
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"; the failed one left a part of its work: {describe_change(changes[0])}{more}, see govern drift"


def what_to_correct(error: ChildError | None, live: LiveDatabase) -> str:
    if error is not None:
        return "see why the server ended the connection" if error.is_cut else "correct the revision"
    env = live.settings.relative(live.settings.alembic.script_location / "env.py")
    return f"let {env} commit what it executes before context.configure(), and run the migrations online"


def describe_error(error: ChildError | None) -> str:
    if error is None:
        return "Alembic ended without an error, but the version table does not say so: nothing was persisted"
    place = f"{error.place}: " if error.place else ""
    return place + describe_failure(error)


def describe_backup(run: Run) -> str:
    return f"backup {run.backup} is verified" if run.backup else "no backup was taken"
