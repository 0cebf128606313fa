"""Is this database the one this application was written for? Decided by schema, not by the version row alone.

Reads only, takes no lock, needs neither Alembic nor a scratch database: what the last validated migration wrote
into the ledger is compared with what the application brings along (``schema.lock``, or the revision files).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from govern.checks.drift import judge_drift
from govern.core.changes import is_spelling_alone
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.run import Run
from govern.core.scope import Scope
from govern.core.snapshot import Snapshot
from govern.core.wording import name_revisions
from govern.database.connection import Connection
from govern.database.dialect import Dialect
from govern.database.version_table import VersionTable
from govern.errors import NotPermitted
from govern.revisions.graph import Chain
from govern.source.lock import Lock

WhenAhead = Literal["allow", "warn", "refuse"]
_MANY_RUNS = 1000

UNREACHABLE = Rule(
    id="startup.unreachable",
    name="the database cannot be reached",
    severity=Severity.CRITICAL,
    condition="no connection to the database can be made",
    effect="every request that needs the database would fail",
    remedy="start the server or correct the URL; see govern doctor",
)
EMPTY = Rule(
    id="startup.empty-database",
    name="the database is empty",
    severity=Severity.CRITICAL,
    condition="the database has no tables, whatever its version row says",
    effect="users would see all of their data gone, and the application would write into nothing",
    remedy="check that the URL is the right one; a new database is made with: govern migrate",
)
BEHIND = Rule(
    id="startup.behind",
    name="revisions are pending",
    severity=Severity.CRITICAL,
    condition="the database is stamped with an older revision than the application's",
    effect="queries name tables and columns that are not there yet",
    remedy="govern migrate",
)
AHEAD = Rule(
    id="startup.ahead",
    name="the database is newer than the application",
    severity=Severity.WARNING,
    condition="the ledger says the database passed this application's revision and went on",
    effect="this application may write what the newer schema no longer expects",
    remedy="deploy the newer application; during a rolling deploy this is normal",
)
UNKNOWN_REVISION = Rule(
    id="startup.unknown-revision",
    name="the database is stamped with a revision nobody knows",
    severity=Severity.CRITICAL,
    condition="the version table names a revision that neither the files nor the ledger have",
    effect="the schema may be another application's, or a branch's that was never merged",
    remedy="check the URL and the deployed version; see govern history",
)
UNHEALTHY = Rule(
    id="startup.unhealthy-run",
    name="the last run left the schema unhealthy",
    severity=Severity.CRITICAL,
    condition="the last run that was applied did not pass its validation",
    effect="what the validation found would be met by users first",
    remedy="correct what it found, then run govern migrate: it says what is left, or that all is well",
)
CANNOT_VERIFY = Rule(
    id="startup.cannot-verify",
    name="there is nothing to hold the database against",
    severity=Severity.CRITICAL,
    condition="no schema.lock of this engine came with the application, and the ledger has no validated run",
    effect="the revision may be right while tables are missing",
    remedy="write the lock and ship it with the application: govern lock",
)
RULES = (UNREACHABLE, EMPTY, BEHIND, AHEAD, UNKNOWN_REVISION, UNHEALTHY, CANNOT_VERIFY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an application was written for."""

    heads: tuple[str, ...]
    """Of the lock; of the revision files where it comes without one."""
    lock: Lock | None
    read_chain: Callable[[], Chain]
    """The revision files, if any came along; asked only if the heads are not the database's, for reading
    thousands of files takes time."""
    read_scope: Callable[[], Scope] = Scope
    """What the project decided about drift; asked only if the schema is not the one that was last validated."""
    critical_tables: Mapping[str, int] = field(default_factory=dict)
    """Of the lock; of the manifest where it comes without one. By full name, each with the rows it must have."""
    today: date = date.min
    """Decides which ignored differences have expired; the default: none."""


def check_startup(
    connection: Connection,
    dialect: Dialect,
    table: VersionTable,
    expected: Expectation,
    *,
    subject: str,
    when_ahead: WhenAhead = "allow",
    critical_tables: tuple[str, ...] = (),
) -> tuple[Finding, ...]:
    """What keeps the application from starting on this database; nothing if it may.

    ``subject`` is how findings call the database. Everything short of a difference in the schema costs three
    small queries; the schema itself is compared by a fingerprint first, in full only where that differs.
    """
    about = Subject(kind="database", name=subject)
    if not expected.heads and expected.lock is None:
        message = "neither schema.lock nor revision files came along with the application"
        return (Finding.of(CANNOT_VERIFY, about, message),)
    if run := find_unhealthy_run(connection, dialect):
        return (Finding.of(UNHEALTHY, about, f"run {run.id}: {run.error}"),)
    stamped = dialect.read_version_rows(connection, table) or ()
    if set(stamped) == set(expected.heads) and stamped:
        return _check_schema(connection, dialect, table, expected, about, critical_tables)
    if not stamped or _is_empty(dialect.read_snapshot(connection, table)):
        return _not_stamped(connection, dialect, table, expected, about)
    return _other_revision(connection, dialect, stamped, expected, about, when_ahead)


def find_unhealthy_run(connection: Connection, dialect: Dialect) -> Run | None:
    """The run that left the schema unhealthy, if none was validated since; one that failed decides nothing."""
    for limit in (1, _MANY_RUNS):  # nearly always the newest decides
        for run in _read_runs(connection, dialect, limit):
            if run.result in ("applied", "unhealthy"):
                return run if run.result == "unhealthy" else None
    return None


def _not_stamped(
    connection: Connection, dialect: Dialect, table: VersionTable, expected: Expectation, about: Subject
) -> tuple[Finding, ...]:
    if _is_empty(dialect.read_snapshot(connection, table)):
        return (Finding.of(EMPTY, about, f"{about.name} has no tables"),)
    return (
        Finding.of(
            BEHIND,
            about,
            f"{about.name} has tables but no revision; the application needs {name_revisions(expected.heads)}",
            remedy="if its schema is a revision's already: govern baseline; else: govern migrate",
        ),
    )


def _other_revision(
    connection: Connection,
    dialect: Dialect,
    stamped: tuple[str, ...],
    expected: Expectation,
    about: Subject,
    when_ahead: WhenAhead,
) -> tuple[Finding, ...]:
    evidence = {"stamped": list(stamped), "heads": list(expected.heads)}
    here, needed = f"{about.name} is at {name_revisions(stamped)}", name_revisions(expected.heads)
    chain = expected.read_chain()
    is_known = all(revision in chain.revisions for revision in stamped)
    is_beyond = is_known and set(expected.heads) <= chain.ancestors(stamped)
    runs = () if is_known else _read_runs(connection, dialect, _MANY_RUNS)
    if (is_known and not is_beyond) or _is_taken_back(runs, expected.heads):
        message = f"{here}, the application needs {needed}"
        return (Finding.of(BEHIND, about, message, evidence=evidence),)
    if is_beyond or _passed_by(runs, expected.heads, stamped):
        if when_ahead == "allow":
            return ()
        severity = Severity.WARNING if when_ahead == "warn" else Severity.CRITICAL
        message = f"{here}, newer than the application's {needed}"
        return (Finding.of(AHEAD, about, message, severity=severity, evidence=evidence),)
    unknown = ", which is not among the application's revisions" if chain.revisions else ""
    message = f"{here}{unknown}; the application needs {needed}"
    return (Finding.of(UNKNOWN_REVISION, about, message, evidence=evidence),)


def _is_taken_back(runs: tuple[Run, ...], heads: tuple[str, ...]) -> bool:
    """Whether the ledger saw a downgrade leave ``heads``, and no run that came there again."""
    for run in runs:
        named = {one.revision for one in run.revisions}
        if run.command == "downgrade" and not named.isdisjoint(heads):
            return True
        if set(heads) == set(run.to_revision) or set(heads) <= named:
            return False
    return False


def _passed_by(runs: tuple[Run, ...], heads: tuple[str, ...], stamped: tuple[str, ...]) -> bool:
    """Whether the ledger saw the database at ``heads`` before it went on to ``stamped``."""
    validated = [run for run in runs if run.is_validated]
    if not validated or set(validated[0].to_revision) != set(stamped):
        return False
    return any(
        set(heads) in (set(run.from_revision), set(run.to_revision))
        or set(heads) <= {applied.revision for applied in run.revisions}
        for run in validated
    )


def _check_schema(
    connection: Connection,
    dialect: Dialect,
    table: VersionTable,
    expected: Expectation,
    about: Subject,
    critical_tables: tuple[str, ...],
) -> tuple[Finding, ...]:
    if _is_as_last_validated(connection, dialect, table, expected):
        return ()
    live = dialect.read_snapshot(connection, table)
    if _is_empty(live):
        message = f"{about.name} is stamped {name_revisions(expected.heads)}, but has no tables"
        return (Finding.of(EMPTY, about, message),)
    lock = expected.lock
    if lock is not None and lock.speaks_of(live):
        return _check_drift(lock.snapshot, live, expected, critical_tables)
    reason = (
        "there is no schema.lock"
        if lock is None
        else f"schema.lock is written for {lock.dialect} {lock.server_major}"
    )
    message = f"{about.name} runs on {live.dialect} {live.server_version}; {reason}"
    return (Finding.of(CANNOT_VERIFY, about, message),)


def _check_drift(
    declared: Snapshot, live: Snapshot, expected: Expectation, critical_tables: tuple[str, ...]
) -> tuple[Finding, ...]:
    """No scratch database may be asked here: what may be a matter of spelling is told, and refuses nothing."""
    verdict = judge_drift(
        declared, live, scope=expected.read_scope(), today=expected.today, critical_tables=critical_tables
    )
    return tuple(
        replace(finding, severity=min(finding.severity, Severity.WARNING), why=_SPELLING)
        if is_spelling_alone(change)
        else finding
        for finding, change in zip(verdict.findings, verdict.sorted.open, strict=True)
    )


_SPELLING = (
    "the texts differ in casts and brackets alone, as one text does before and after a dump and a restore; "
    "govern drift asks the server whether they mean the same"
)


def _is_as_last_validated(
    connection: Connection, dialect: Dialect, table: VersionTable, expected: Expectation
) -> bool:
    """Whether the schema has not been touched since a migration validated it against the same lock."""
    try:
        run = dialect.last_validated_run(connection)
    except NotPermitted:
        return False
    return (
        run is not None
        and set(run.to_revision) == set(expected.heads)
        and (expected.lock is None or run.lock_digest == expected.lock.digest)
        and _has_fingerprint(connection, dialect, table, run)
    )


def _has_fingerprint(connection: Connection, dialect: Dialect, table: VersionTable, run: Run) -> bool:
    """Whether the schema is as it was after ``run``; asked of the watermark first, which is cheaper."""
    if run.fingerprint and run.watermark and dialect.is_untouched(connection, table, run.watermark):
        return True
    return run.fingerprint == dialect.read_fingerprint(connection, table)


def _read_runs(connection: Connection, dialect: Dialect, limit: int) -> tuple[Run, ...]:
    """The ledger; an application's role that may not read it decides by the schema alone."""
    try:
        return dialect.read_runs(connection, limit)
    except NotPermitted:
        return ()


def _is_empty(snapshot: Snapshot) -> bool:
    return not any(True for _ in snapshot.of_kind("table"))
