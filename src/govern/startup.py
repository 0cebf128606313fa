"""``validate_on_startup``: an application does not start on a schema it was not written for.

It reads, and nothing else: waits for no lock, needs no scratch database and no Alembic, and never creates a table or
a file. Where a glance shows that nothing was touched since the last validated migration, nothing else is imported.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from govern.checks.startup.expectation import Expectation, WhenAhead, is_as_validated
from govern.config import Settings, load
from govern.core.finding import Finding, Severity, Subject
from govern.core.report import Entry, Report, Target
from govern.database.look import SECONDS, Look, open_look
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable, version_table
from govern.errors import CouldNotCheck, Locked, SchemaRefused, Unreachable
from govern.source.lock import read_lock

if TYPE_CHECKING:
    from govern.core.scope import Scope
    from govern.revisions.graph import Chain

OnInvalid = Literal["refuse", "warn"]
_POLL_SECONDS = 0.5


class HasUrl(Protocol):
    """A SQLAlchemy engine, sync or async."""

    @property
    def url(self) -> Any: ...


def validate_on_startup(
    engine_or_url: HasUrl | str,
    *,
    on_invalid: OnInvalid = "refuse",
    wait_seconds: float = 0,
    when_ahead: WhenAhead = "allow",
    timeout_seconds: float = SECONDS,
    config: Path | str | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Holds the database against what this application was written for.

    ``engine_or_url``: a SQLAlchemy engine, an async engine, or a URL. Of a sync engine over psycopg one connection is
    borrowed; of every other one the URL is used: govern opens one connection of its own and closes it.
    ``on_invalid``: ``refuse`` raises SchemaRefused, ``warn`` logs and returns the report.
    ``wait_seconds``: how long to look again while the schema is invalid, for a migration that is still running.
    ``when_ahead``: what to do with a database that went on beyond this application's revision: ``allow``,
    ``warn`` (a finding that does not refuse) or ``refuse``.
    ``timeout_seconds``: how long one look may take, the time to connect not counted.
    ``config``: pyproject.toml or govern.toml; default: found from the working directory upwards.

    Returns the report of the last look. Raises SchemaRefused (its ``report`` has the findings) and
    ConfigurationError.
    """
    engine = None if isinstance(engine_or_url, str) else engine_or_url
    url = url_of(engine_or_url)
    question = ask(load(config=Path(config) if config else None, url=url.text), url, when_ahead=when_ahead)
    started = clock()
    while True:
        looked = clock()
        report = question.look_or_find(engine=engine, timeout_seconds=timeout_seconds)
        now = clock()
        if not _serious(report) or question.expected.is_nothing or now >= started + wait_seconds:
            break
        # a database that has much to say is not asked all the time
        pause = max(_POLL_SECONDS, now - looked)
        sleep(min(pause, max(0.0, started + wait_seconds - now)))
    if _serious(report):
        _refuse(report, on_invalid, waited_seconds=now - started if wait_seconds > 0 else 0)
    return report


def url_of(engine_or_url: HasUrl | str) -> DatabaseUrl:
    """The database of a SQLAlchemy engine, or of a URL. Raises ConfigurationError."""
    if isinstance(engine_or_url, str):
        return DatabaseUrl.parse(engine_or_url)
    return DatabaseUrl.parse(engine_or_url.url.render_as_string(hide_password=False))


def ask(settings: Settings, url: DatabaseUrl, *, when_ahead: WhenAhead = "allow") -> Question:
    """Reads what the application brings along; opens no connection. Raises ConfigurationError."""
    return Question(settings, url, read_expectation(settings, url.dialect), when_ahead)


def read_expectation(settings: Settings, dialect: str) -> Expectation:
    """What came along with the application: its lock, its revision files, or both."""
    lock = read_lock(settings.lock, at_once=False)
    return Expectation(
        heads=lock.heads if lock else _read_chain(settings).effective_heads,
        lock=lock,
        read_chain=lambda: _read_chain(settings),
        read_scope=lambda: _read_scope(settings),
        critical_tables=lock.critical_tables if lock else _read_critical_tables(settings, dialect),
        today=datetime.now().astimezone().date(),
    )


@dataclass(frozen=True, slots=True)
class Question:
    """Whether an application may start on a database; can be asked as often as somebody wants to know."""

    settings: Settings
    url: DatabaseUrl
    expected: Expectation
    when_ahead: WhenAhead = "allow"

    def look(self, *, engine: Any = None, timeout_seconds: float = SECONDS) -> Report:
        """One look. ``engine``: see ``open_look``. Raises CouldNotCheck where that cannot be done."""
        with open_look(self.url, engine=engine, timeout_seconds=timeout_seconds) as look:
            return self.look_over(look)

    def look_over(self, look: Look) -> Report:
        """The same over a connection that is open."""
        return self.glance_over(look) or self.look_closer(look)

    def glance_over(self, look: Look) -> Report | None:
        """What one round trip says; None where somebody has to look closer."""
        started = datetime.now(UTC)
        glance = look.glance(self._table, self.expected.minimum_rows)
        if glance is None or not is_as_validated(glance, self.expected):
            return None
        target = self._target(server_version=glance.server_version, revision=glance.stamped)
        return self._report(started, (), target)

    def look_or_find(self, *, engine: Any = None, timeout_seconds: float = SECONDS) -> Report:
        """The same; what cannot be looked at is a reason not to start, too."""
        started = datetime.now(UTC)
        try:
            return self.look(engine=engine, timeout_seconds=timeout_seconds)
        except CouldNotCheck as error:
            return self._report(started, (name_obstacle(error, self.url),), self._target())

    @property
    def _table(self) -> VersionTable:
        return version_table(self.settings)

    def look_closer(self, look: Look) -> Report:
        """What is wrong with a database that a glance did not clear."""
        from govern.checks.startup import check_rows, check_startup
        from govern.database.live import LiveDatabase  # with all that is ever asked of a database

        started = datetime.now(UTC)
        live = LiveDatabase(self.settings, self.url)
        with look.reading():
            target = live.describe(look.connection, self.expected.heads)
            findings = check_startup(
                look.connection,
                live.dialect,
                self._table,
                self.expected,
                subject=self.url.redacted,
                when_ahead=self.when_ahead,
            )
            if all(
                finding.rule.family == "drift" for finding in findings if finding.severity >= Severity.ERROR
            ):
                findings += check_rows(self.expected, look.count_rows(self.expected.minimum_rows))
        return self._report(started, findings, target)

    def _target(
        self, *, server_version: str | None = None, revision: tuple[str, ...] | None = None
    ) -> Target:
        return Target(
            name=self.settings.target,
            url=self.url.redacted,
            dialect=self.url.dialect,
            server_version=server_version,
            revision=revision,
            heads=self.expected.heads,
        )

    def _report(self, started: datetime, findings: tuple[Finding, ...], target: Target) -> Report:
        duration = datetime.now(UTC) - started
        return Report(
            command="startup",
            started_at=started,
            duration_ms=round(duration.total_seconds() * 1000),
            entries=(Entry.of("startup", findings),),
            target=target,
        )


def _read_chain(settings: Settings) -> Chain:
    """An application leaves no file in the project."""
    from govern.revisions.graph import read_chain

    alembic = settings.alembic
    return read_chain(alembic.version_locations, recursive=alembic.recursive_version_locations)


def _read_critical_tables(settings: Settings, dialect: str) -> Mapping[str, int]:
    if settings.manifest is None:
        return {}
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    return load_manifest(settings.manifest).minimum_rows(dialect)


def _read_scope(settings: Settings) -> Scope:
    from govern.core.scope import Scope

    if settings.manifest is None:
        return Scope()
    from govern.source.manifest import load_manifest
    from govern.source.scope import read_scope

    return read_scope(settings, load_manifest(settings.manifest))


def name_obstacle(error: CouldNotCheck, url: DatabaseUrl) -> Finding:
    """Why a database could not be looked at, as a finding: what cannot be looked at cannot be worked with."""
    from govern.checks.startup.rules import CANNOT_VERIFY, MIGRATING, UNREACHABLE

    rule = UNREACHABLE if isinstance(error, Unreachable) else CANNOT_VERIFY
    if isinstance(error, Locked):
        rule = MIGRATING
    about = Subject(kind="database", name=url.redacted)
    return Finding.of(rule, about, error.what, why=error.why, remedy=error.next)


def _serious(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity >= Severity.ERROR]


def _refuse(report: Report, on_invalid: OnInvalid, *, waited_seconds: float) -> None:
    serious = _serious(report)
    first = max(serious, key=lambda finding: finding.severity)
    more = f" (and {len(serious) - 1} more)" if len(serious) > 1 else ""
    if on_invalid == "warn":
        # the application's own logging, which structlog would pass by where it is not configured
        log = logging.getLogger("govern")
        for finding in serious:
            log.warning("%s: %s; next: %s", finding.rule.id, finding.message, finding.remedy)
        return
    waited = f"; waited {waited_seconds:.0f} s" if waited_seconds else ""
    raise SchemaRefused(
        report,
        f"the application refuses to start: {first.message}{more}{waited}",
        why=first.why,
        next=first.remedy,
    )
