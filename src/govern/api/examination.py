"""Looks at one database again and again: for a command, and for whoever answers to load balancers.

What an application would be refused for comes from the check it starts with; nothing is decided twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from govern.actions.backup.locks import is_in_use
from govern.actions.backup.store import list_backups
from govern.api.command import command, local_today
from govern.api.remembering import CloserLook, FromFiles
from govern.checks.backups import check_backups
from govern.checks.health import (
    ask_for_backup,
    find_gone,
    find_lacking,
    find_missing,
    summarize,
    weigh,
)
from govern.checks.startup import Expectation
from govern.checks.startup.rules import BEHIND
from govern.config import Settings
from govern.core.finding import Severity
from govern.core.health import Condition, Figures, NewestBackup
from govern.core.report import Draft, Entry, Target
from govern.core.wording import name_age
from govern.database.engines import dialect_of
from govern.database.look import open_look
from govern.database.target import resolve_target
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, Locked, NoSuchDatabase, NotPermitted
from govern.reports.health import describe_condition
from govern.startup import Question, name_obstacle, read_expectation

_SECONDS = 9.0
"""How long a look may take: the server is asked to end it then, and the connection cut a second later."""


@command("health")
def health(draft: Draft, settings: Settings, *, judges_backups: bool = True) -> None:
    """What ``validate_on_startup`` would say; and the backups, where there are some or the manifest wants some.

    ``data["health"]`` is the document of ``GET /health``. Raises CouldNotCheck where the database cannot be looked at.
    """
    examiner = Examiner(settings, resolve_target(settings), judges_backups=judges_backups)
    seen = examiner.examine()
    draft.target = seen.target
    draft.entries += seen.entries
    draft.data["health"] = describe_condition(seen.condition)
    if seen.error:
        raise seen.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A condition, and how it was found."""

    condition: Condition
    entries: tuple[Entry, ...]
    target: Target | None
    error: CouldNotCheck | None = None
    """Why the database could not be looked at."""


class Examiner:
    """Looks at one database, and remembers what need not be read anew: see ``remembering``."""

    def __init__(self, settings: Settings, url: DatabaseUrl, *, judges_backups: bool = True) -> None:
        self._settings = settings
        self._url = url
        self._judges_backups = judges_backups
        self._expected = FromFiles(
            (settings.lock, *settings.alembic.version_locations, settings.manifest),
            lambda: read_expectation(settings, url.dialect),
        )
        self._closer_look = CloserLook(dialect_of(url))
        self._max_age = FromFiles((settings.manifest,), lambda: _read_max_age(settings))

    def examine(self) -> Examination:
        """Whether an application may work with the database as it is now, over one connection.

        Raises ConfigurationError for files that cannot be read.
        """
        expected = replace(self._expected.read(), today=local_today())
        backups, newest = self._look_at_backups()
        try:
            examination = self._look(Question(self._settings, self._url, expected, "warn"))
        except CouldNotCheck as error:
            examination = _could_not_look(error, expected, self._url)
        return _with_backups(examination, backups, newest)

    def measure(self) -> Figures:
        """What the database carries, over one connection. Raises CouldNotCheck and ConfigurationError."""
        critical = tuple(self._expected.read().critical_tables)
        dialect = dialect_of(self._url)
        with open_look(self._url, timeout_seconds=_SECONDS) as look:
            counts = dialect.read_row_counts(look.connection, critical)
            return Figures(
                load=dialect.read_load(look.connection),
                counts=counts,
                storage=dialect.read_storage(look.connection, critical),
                missing_tables=find_missing((), critical, counts),
                backup=self._look_at_backups()[1],
            )

    def _look(self, question: Question) -> Examination:
        critical = question.expected.critical_tables
        with open_look(self._url, timeout_seconds=_SECONDS) as look:
            report = question.glance_over(look) or self._closer_look.look(look, question)
            dialect = dialect_of(self._url)
            counts = dialect.read_row_counts(look.connection, critical) if critical else {}
            probed = dialect.read_probed(look.connection)
        findings = tuple(report.findings)
        findings += find_gone(findings, critical, counts)
        condition = Condition(
            status=weigh(findings),
            message=summarize(findings),
            exists=True,
            is_schema_valid=all(finding.severity < Severity.ERROR for finding in findings),
            is_pending=any(finding.rule.id == BEHIND.id for finding in findings),
            revision=(report.target and report.target.revision) or (),
            heads=question.expected.heads,
            counts=counts,
            minimum_rows=critical,
            missing_tables=find_missing(findings, critical, counts),
            lacking_tables=find_lacking(findings),
            findings=findings,
            probed=probed,
        )
        return Examination(
            condition=condition, entries=(Entry.of("startup", findings),), target=report.target
        )

    def _look_at_backups(self) -> tuple[Entry | None, NewestBackup | None]:
        """Nothing where nobody asks for backups and there are none."""
        if not self._judges_backups:
            return None, None
        max_age, now, target = self._max_age.read(), datetime.now(UTC), self._settings.target
        try:
            backups = list_backups(self._settings)
        except NotPermitted as error:
            reason = f"{error.what}: {error.why}"
            return Entry(name="backups", status="skipped", reason=reason, is_optional=max_age is None), None
        ours = tuple(backup for backup in backups if backup.manifest.target == target)
        if not ours and max_age is None:
            return None, None
        findings = ask_for_backup(check_backups(ours, target, max_age=max_age, now=now, is_in_use=is_in_use))
        if not ours:
            return Entry.of("backups", findings), None
        newest = NewestBackup(
            id=ours[0].id,
            age_seconds=(now - ours[0].manifest.created_at).total_seconds(),
            is_proven=ours[0].manifest.is_proven,
        )
        reason = f"the newest was made {name_age(newest.age_seconds)}"
        return Entry.of("backups", findings, reason), newest


def _could_not_look(error: CouldNotCheck, expected: Expectation, url: DatabaseUrl) -> Examination:
    exists = _exists(error)
    finding = name_obstacle(error, url)
    condition = Condition(
        status="critical",
        message=_say(error),
        exists=exists,
        is_schema_valid=False,
        heads=expected.heads,
        minimum_rows=expected.critical_tables,
        missing_tables=tuple(sorted(expected.critical_tables)) if exists is False else (),
        findings=(finding,),
    )
    return Examination(condition=condition, entries=(), target=None, error=error)


def _exists(error: CouldNotCheck) -> bool | None:
    if isinstance(error, NoSuchDatabase):
        return False
    return True if isinstance(error, Locked) else None


def _say(error: CouldNotCheck) -> str:
    """Without the error's own words, which name addresses and roles."""
    if isinstance(error, NoSuchDatabase):
        return "there is no such database; next: correct the URL, or create it and run govern migrate"
    if isinstance(error, Locked):
        return "a migration is changing the database; next: wait until it is done, see govern doctor --locks"
    if isinstance(error, NotPermitted):
        return "the database does not let this role look at it; next: govern doctor"
    return "the database cannot be reached; next: start the server or correct the URL, see govern doctor"


def _with_backups(examination: Examination, entry: Entry | None, newest: NewestBackup | None) -> Examination:
    """The same, with what backups say: without one to go back to a database is degraded at best."""
    if entry is None:
        return examination
    is_backed_up = not entry.is_undecided and not entry.findings
    condition = replace(examination.condition, backup=newest, is_backed_up=is_backed_up)
    if condition.status == "healthy" and entry.is_undecided:
        message = "the backups cannot be read; next: govern health says why"
        condition = replace(condition, status="degraded", message=message)
    elif entry.findings:
        condition = replace(condition, findings=(*condition.findings, *entry.findings))
        if condition.status != "critical":
            said = summarize(condition.findings)
            condition = replace(condition, status=weigh(condition.findings), message=said)
    return replace(examination, condition=condition, entries=(*examination.entries, entry))


def _read_max_age(settings: Settings) -> timedelta | None:
    if settings.manifest is None:
        return None
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    return load_manifest(settings.manifest).backups.max_age
