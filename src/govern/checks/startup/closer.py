"""A closer look at a database that a glance did not clear: what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from govern.checks.integrity import MIN_ROWS
from govern.checks.startup.rules import (
    AHEAD,
    BEHIND,
    CANNOT_VERIFY,
    EMPTY,
    OTHER_LOCK,
    SEVERAL_REVISIONS,
    UNHEALTHY,
    UNKNOWN_REVISION,
    UNVERIFIED_ROWS,
    WRONG_DATABASE,
)
from govern.core.finding import Finding, Severity, Subject
from govern.core.wording import count_of, name_revisions
from govern.errors import NotPermitted

if TYPE_CHECKING:
    from govern.checks.startup.expectation import Expectation, WhenAhead
    from govern.core.run import Run
    from govern.core.snapshot import Snapshot
    from govern.database.connection import Connection
    from govern.database.dialect import Dialect
    from govern.database.version_table import VersionTable
    from govern.revisions.graph import Chain

_MANY_RUNS = 1000
_SHOWN_TABLES = 3


def check_startup(
    connection: Connection,
    dialect: Dialect,
    table: VersionTable,
    expected: Expectation,
    *,
    subject: str,
    when_ahead: WhenAhead = "allow",
) -> tuple[Finding, ...]:
    """What keeps the application from starting on this database; nothing if it may.

    ``subject`` is how findings call the database. The schema is compared by a fingerprint first, in full only where
    that differs. Raises NotPermitted where the version table may not be read.
    """
    about = Subject(kind="database", name=subject)
    if expected.is_nothing:
        message = "neither schema.lock nor revision files came along with the application"
        return (Finding.of(CANNOT_VERIFY, about, message),)
    if run := find_unhealthy_run(connection, dialect):
        return (Finding.of(UNHEALTHY, about, f"run {run.id}: {run.error}"),)
    here = _Place(connection, dialect, table, expected, about)
    stamped = dialect.read_version_rows(connection, table) or ()
    if stamped and stamped == tuple(sorted(expected.heads)):
        return here.check_schema()
    if not stamped:
        return here.check_unstamped()
    return here.check_other_revision(stamped, when_ahead)


def check_rows(expected: Expectation, counted: Mapping[str, int | None]) -> tuple[Finding, ...]:
    """Critical tables with fewer rows than they must have.

    ``counted``: rows by table, at least up to the minimum; None where they are not to be known. A table that is not
    in it is missing, which is drift.
    """
    return tuple(
        _lack_of_rows(table, counted[table], minimum)
        for table, minimum in expected.minimum_rows.items()
        if table in counted and (counted[table] or 0) < minimum
    )


def find_unhealthy_run(connection: Connection, dialect: Dialect) -> Run | None:
    """The run that left the schema unhealthy, if none was validated since; one that failed decides nothing."""
    for limit in (1, _MANY_RUNS):  # nearly always the newest decides
        for run in _read_runs(connection, dialect, limit) or ():
            if run.result in ("applied", "unhealthy"):
                return run if run.result == "unhealthy" else None
    return None


@dataclass(frozen=True, slots=True)
class _Place:
    """The database that is looked at, and what is expected of it."""

    connection: Connection
    dialect: Dialect
    table: VersionTable
    expected: Expectation
    about: Subject

    @property
    def needed(self) -> str:
        return name_revisions(self.expected.heads)

    def check_schema(self) -> tuple[Finding, ...]:
        """For a database at the application's heads."""
        run = self._read_last_validated()
        if run is not None and self._is_as_it_was(run):
            return ()
        live = self.dialect.read_snapshot(self.connection, self.table)
        if not any(live.of_kind("table")):
            return (
                Finding.of(
                    EMPTY, self.about, f"{self.about.name} is stamped {self.needed}, but has no tables"
                ),
            )
        if self.table.home is not None:
            return (self._cannot_compare(self.table.home, run),)
        lock = self.expected.lock
        if lock is None or not lock.speaks_of(live):
            reason = (
                f"schema.lock is written for {lock.dialect} {lock.server_major}"
                if lock
                else "there is no schema.lock"
            )
            message = f"{self.about.name} runs on {live.dialect} {live.server_version}; {reason}"
            again = "write it again, with this database in DATABASE_URL: govern lock" if lock else ""
            return (Finding.of(CANNOT_VERIFY, self.about, message, remedy=again),)
        findings = _check_drift(lock.snapshot, live, self.expected)
        if findings and run is not None and run.lock_digest not in (None, lock.digest):
            return (*findings, self._name_other_lock(run, lock.digest))
        return findings

    def _cannot_compare(self, schema: str, run: Run | None) -> Finding:
        """The lock is of a whole database: of one schema a run of govern has to vouch for the declared one."""
        since = "no run of govern has validated it" if run is None else f"it was touched since run {run.id}"
        return Finding.of(
            CANNOT_VERIFY,
            self.about,
            f"{self.about.name} is stamped {self.needed}, and {since}",
            why=f"the schema {schema} is compared with a replay of the revisions, which no start waits for",
            remedy="see whether it is as declared: govern fleet drift, or govern drift --target",
        )

    def check_unstamped(self) -> tuple[Finding, ...]:
        """For a database without a version row."""
        tables = self._read_tables()
        if not tables:
            return (Finding.of(EMPTY, self.about, f"{self.about.name} has no tables"),)
        if self._is_another_applications(tables):
            return (self._wrong(tables, "no revision"),)
        return (
            Finding.of(
                BEHIND,
                self.about,
                f"{self.about.name} has tables but no revision; the application needs {self.needed}",
                why="it was made by create_all, by hand or by a restore: nobody knows which revision it is at",
                remedy="if its schema is a revision's already: govern baseline; else: govern migrate",
            ),
        )

    def check_other_revision(self, stamped: tuple[str, ...], when_ahead: WhenAhead) -> tuple[Finding, ...]:
        """For a database that is stamped with something else than the application's heads."""
        tables = self._read_tables()
        if not tables:
            message = f"{self.about.name} is stamped {name_revisions(stamped)}, but has no tables"
            return (Finding.of(EMPTY, self.about, message),)
        heads = self.expected.heads
        evidence = {"stamped": list(stamped), "heads": list(heads)}
        here = f"{self.about.name} is at {name_revisions(stamped)}"
        chain = self.expected.read_chain()
        if _excludes_itself(stamped, chain):
            message = f"{here}: these rows of {self.table.name} exclude each other"
            return (Finding.of(SEVERAL_REVISIONS, self.about, message, evidence=evidence),)
        is_known = all(revision in chain.revisions for revision in stamped)
        is_beyond = is_known and set(heads) <= chain.ancestors(stamped)
        runs = () if is_known else _read_runs(self.connection, self.dialect, _MANY_RUNS)
        if (is_known and not is_beyond) or _is_taken_back(runs or (), heads):
            message = f"{here}, the application needs {self.needed}"
            return (self._behind(message, evidence),)
        if is_beyond or _passed_by(runs or (), heads, stamped):
            if when_ahead == "allow":
                return ()
            severity = Severity.WARNING if when_ahead == "warn" else Severity.CRITICAL
            message = f"{here}, newer than the application's {self.needed}"
            return (Finding.of(AHEAD, self.about, message, severity=severity, evidence=evidence),)
        if self._is_another_applications(tables):
            return (self._wrong(tables, name_revisions(stamped)),)
        if set(heads) < set(stamped):
            message = f"{here}: the application knows only {self.needed} of these"
            return (Finding.of(SEVERAL_REVISIONS, self.about, message, evidence=evidence),)
        return (self._unknown(here, chain, is_ledger_readable=runs is not None, evidence=evidence),)

    def _behind(self, message: str, evidence: Mapping[str, object]) -> Finding:
        """A migration that failed would fail again."""
        newest, *_ = _read_runs(self.connection, self.dialect, 1) or (None,)
        if newest is None or newest.command != "migrate" or newest.result != "failed":
            return Finding.of(BEHIND, self.about, message, evidence=evidence)
        return Finding.of(
            BEHIND,
            self.about,
            message,
            why=f"the last migration failed: {newest.error or newest.id}",
            remedy="all of it: govern report migration; correct the revision, then govern migrate; "
            "or deploy the application of the revision before",
            evidence=evidence,
        )

    def _unknown(
        self, here: str, chain: Chain, *, is_ledger_readable: bool, evidence: Mapping[str, object]
    ) -> Finding:
        if chain.revisions:
            message = (
                f"{here}, which is not among the application's revisions; the application needs {self.needed}"
            )
            return Finding.of(UNKNOWN_REVISION, self.about, message, evidence=evidence)
        ledger = "the ledger has not seen it" if is_ledger_readable else "the role may not read the ledger"
        why = f"no revision files came along, and {ledger}: it may be older, newer or another application's"
        message = f"{here}; the application needs {self.needed}"
        return Finding.of(UNKNOWN_REVISION, self.about, message, why=why, evidence=evidence)

    def _is_another_applications(self, tables: Iterable[tuple[str, str]]) -> bool:
        """Whether none of its tables is one of the application's; without a lock nobody knows."""
        lock = self.expected.lock
        if lock is None or lock.dialect != self.dialect.name:
            return False
        home = self.table.home
        ours = {(home or key.namespace, key.name) for key in lock.snapshot.of_kind("table")}
        return bool(ours) and ours.isdisjoint(tables)

    def _wrong(self, tables: Iterable[tuple[str, str]], stamp: str) -> Finding:
        names = sorted(name for _, name in tables)
        more = ", …" if len(names) > _SHOWN_TABLES else ""
        shown = ", ".join(names[:_SHOWN_TABLES]) + more
        message = (
            f"{self.about.name} has {count_of(len(names), 'table')} ({shown}) and {stamp}, "
            "and none of the application's"
        )
        return Finding.of(WRONG_DATABASE, self.about, message, evidence={"tables": names[:50]})

    def _name_other_lock(self, run: Run, digest: str) -> Finding:
        message = (
            f"run {run.id} of {run.started_at:%Y-%m-%d %H:%M} validated the schema with schema.lock "
            f"{(run.lock_digest or '')[:12]}, the application's is {digest[:12]}"
        )
        evidence = {"run": run.id, "validated": run.lock_digest, "application": digest}
        return Finding.of(OTHER_LOCK, self.about, message, evidence=evidence)

    def _read_tables(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.dialect.read_tables(self.connection, self.table))

    def _read_last_validated(self) -> Run | None:
        try:
            with self.connection.attempt():
                return self.dialect.last_validated_run(self.connection)
        except NotPermitted:
            return None

    def _is_as_it_was(self, run: Run) -> bool:
        """Whether the schema has not been touched since ``run`` validated it against the same lock.

        Asked of the watermark first, which is cheaper than the fingerprint.
        """
        lock = self.expected.lock
        if set(run.to_revision) != set(self.expected.heads):
            return False
        if not run.fingerprint or (lock is not None and run.lock_digest != lock.digest):
            return False
        if run.watermark and self.dialect.is_untouched(self.connection, self.table, run.watermark):
            return True
        return run.fingerprint == self.dialect.read_fingerprint(self.connection, self.table)


def _check_drift(declared: Snapshot, live: Snapshot, expected: Expectation) -> tuple[Finding, ...]:
    """No scratch database may be asked here: what may be a matter of spelling is told, and refuses nothing."""
    from govern.checks.drift import judge_drift  # only where something differs
    from govern.core.changes import is_spelling_alone

    verdict = judge_drift(
        declared,
        live,
        scope=expected.read_scope(),
        today=expected.today,
        critical_tables=tuple(expected.critical_tables),
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


def _lack_of_rows(table: str, rows: int | None, minimum: int) -> Finding:
    about = Subject(kind="table", name=table)
    if rows is None:
        message = f"{table} must have at least {count_of(minimum, 'row')}, and they cannot be counted"
        return Finding.of(UNVERIFIED_ROWS, about, message)
    message = f"{table} has {count_of(rows, 'row')}, the application needs at least {minimum:,}"
    return Finding.of(MIN_ROWS, about, message, evidence={"rows": rows, "min_rows": minimum})


def _excludes_itself(stamped: tuple[str, ...], chain: Chain) -> bool:
    """Whether a row is there twice, or one beside a revision that came after it: Alembic leaves neither."""
    if len(set(stamped)) < len(stamped):
        return True
    return any(
        revision in chain.ancestors((other,))
        for revision in stamped
        for other in stamped
        if revision != other and revision in chain.revisions and other in chain.revisions
    )


def _is_taken_back(runs: Iterable[Run], heads: tuple[str, ...]) -> bool:
    """Whether the ledger saw a downgrade leave ``heads``, and no run that came there again."""
    for run in runs:
        named = {one.revision for one in run.revisions}
        if run.command == "downgrade" and not named.isdisjoint(heads):
            return True
        if set(heads) == set(run.to_revision) or set(heads) <= named:
            return False
    return False


def _passed_by(runs: Iterable[Run], heads: tuple[str, ...], stamped: tuple[str, ...]) -> bool:
    """Whether the ledger saw the database at ``heads`` before it went on to ``stamped``."""
    validated = [run for run in runs if run.is_validated]
    if not validated or set(validated[0].to_revision) != set(stamped):
        return False
    return any(
        set(heads) in (set(run.from_revision), set(run.to_revision))
        or set(heads) <= {applied.revision for applied in run.revisions}
        for run in validated
    )


def _read_runs(connection: Connection, dialect: Dialect, limit: int) -> tuple[Run, ...] | None:
    """The ledger; None for an application's role that may not read it, and decides by the schema alone."""
    try:
        with connection.attempt():
            return dialect.read_runs(connection, limit)
    except NotPermitted:
        return None
