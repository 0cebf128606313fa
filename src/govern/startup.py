"""``validate_on_startup``: an application does not start on a schema it was not written for.

It reads, and nothing else: no lock, no scratch database, no Alembic, no table or file is ever created.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from govern.checks.startup import CANNOT_VERIFY, UNREACHABLE, Expectation, WhenAhead, check_startup
from govern.config import Settings, load
from govern.core.finding import Finding, Severity, Subject
from govern.core.report import Entry, Report, Target
from govern.core.scope import Scope
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, NotPermitted, SchemaRefused
from govern.revisions.graph import read_project_chain
from govern.source.lock import read_lock

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
    config: Path | str | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Holds the database against what this application was written for.

    ``engine_or_url``: a SQLAlchemy engine, an async engine, or a URL. Of an engine only the URL is used: govern
    opens one connection of its own and closes it.
    ``on_invalid``: ``refuse`` raises SchemaRefused, ``warn`` logs and returns the report.
    ``wait_seconds``: how long to look again while the schema is invalid, for a migration that is still running.
    ``when_ahead``: what to do with a database that went on beyond this application's revision: ``allow``,
    ``warn`` (a finding that does not refuse) or ``refuse``.
    ``config``: pyproject.toml or govern.toml; default: found from the working directory upwards.

    Returns the report of the last look. Raises SchemaRefused (its ``report`` has the findings) and
    ConfigurationError.
    """
    url = url_of(engine_or_url)
    settings = load(config=Path(config) if config else None, url=url.text)
    expected = read_expectation(settings, url.dialect)
    deadline = clock() + wait_seconds
    while True:
        report = _look_or_find(LiveDatabase(settings, url), expected, when_ahead)
        if not _serious(report) or clock() >= deadline:
            break
        sleep(min(_POLL_SECONDS, max(0.0, deadline - clock())))
    if _serious(report):
        _refuse(report, on_invalid)
    return report


def look_once(settings: Settings, url: DatabaseUrl) -> Report:
    """The same check without a verdict: what ``govern health`` shows. Raises CouldNotCheck where it cannot look."""
    return _look(LiveDatabase(settings, url), read_expectation(settings, url.dialect), "warn")


def url_of(engine_or_url: HasUrl | str) -> DatabaseUrl:
    """The database of a SQLAlchemy engine, or of a URL. Raises ConfigurationError."""
    if isinstance(engine_or_url, str):
        return DatabaseUrl.parse(engine_or_url)
    return DatabaseUrl.parse(engine_or_url.url.render_as_string(hide_password=False))


def read_expectation(settings: Settings, dialect: str) -> Expectation:
    """What came along with the application: its lock, its revision files, or both. Raises ConfigurationError."""
    lock = read_lock(settings.lock, at_once=False)
    alembic = settings.alembic
    return Expectation(
        heads=lock.heads if lock else read_project_chain(alembic).effective_heads,
        lock=lock,
        read_chain=lambda: read_project_chain(alembic),
        read_scope=lambda: _read_scope(settings),
        critical_tables=lock.critical_tables if lock else _read_critical_tables(settings, dialect),
        today=datetime.now().astimezone().date(),
    )


def _read_critical_tables(settings: Settings, dialect: str) -> Mapping[str, int]:
    if settings.manifest is None:
        return {}
    from govern.source.manifest import load_manifest

    return load_manifest(settings.manifest).minimum_rows(dialect)


def _read_scope(settings: Settings) -> Scope:
    """Imported and read only when it is asked for: start-up is fast as long as nothing differs."""
    if settings.manifest is None:
        return Scope()
    from govern.source.manifest import load_manifest
    from govern.source.scope import read_scope

    return read_scope(settings, load_manifest(settings.manifest))


def _look(live: LiveDatabase, expected: Expectation, when_ahead: WhenAhead) -> Report:
    started = datetime.now(UTC)
    with live.connect() as connection:
        target = live.describe(connection, expected.heads)
        findings = check_startup(
            connection,
            live.dialect,
            live.table,
            expected,
            subject=live.url.redacted,
            when_ahead=when_ahead,
        )
    return _report(live, started, findings, target)


def _look_or_find(live: LiveDatabase, expected: Expectation, when_ahead: WhenAhead) -> Report:
    """What cannot be looked at is a reason not to start, too."""
    started = datetime.now(UTC)
    try:
        return _look(live, expected, when_ahead)
    except CouldNotCheck as error:
        rule = CANNOT_VERIFY if isinstance(error, NotPermitted) else UNREACHABLE
        about = Subject(kind="database", name=live.url.redacted)
        finding = Finding.of(rule, about, error.what, why=error.why, remedy=error.next)
        return _report(live, started, (finding,), None)


def _report(
    live: LiveDatabase, started: datetime, findings: tuple[Finding, ...], target: Target | None
) -> Report:
    duration = datetime.now(UTC) - started
    return Report(
        command="startup",
        started_at=started,
        duration_ms=round(duration.total_seconds() * 1000),
        entries=(Entry.of("startup", findings),),
        target=target or Target(name=live.settings.target, url=live.url.redacted, dialect=live.dialect.name),
    )


def _serious(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity >= Severity.ERROR]


def _refuse(report: Report, on_invalid: OnInvalid) -> None:
    serious = _serious(report)
    first = max(serious, key=lambda finding: finding.severity)
    more = f" (and {len(serious) - 1} more)" if len(serious) > 1 else ""
    if on_invalid == "warn":
        # the application's own logging, which structlog would pass by where it is not configured
        log = logging.getLogger("govern")
        for finding in serious:
            log.warning("%s: %s; next: %s", finding.rule.id, finding.message, finding.remedy)
        return
    raise SchemaRefused(
        report, f"the application refuses to start: {first.message}{more}", why=first.why, next=first.remedy
    )
