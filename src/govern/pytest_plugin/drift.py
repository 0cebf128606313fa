"""Whether the databases that tests were given still have the declared schema when the tests are done with them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import pytest

from govern.api.command import local_today
from govern.checks.drift import judge_drift
from govern.core.changes import diff
from govern.core.finding import Finding, Severity
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of
from govern.database.engines import dialect_of
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.database.version_table import version_table
from govern.declared import heed_env, in_words_of
from govern.pytest_plugin.shared import Shared
from govern.pytest_plugin.telling import Found
from govern.pytest_plugin.workbench import Workbench
from govern.source.scope import read_scope

WATCH = pytest.StashKey["DriftWatch"]()
"""Set where ``no_drift_after_tests`` is going to run."""
_USED, _DRIFTED = "used", "drifted"
_REMEDY = (
    "write a revision for it: govern revision -m 'what changed'; "
    "or mark a test that means it: @pytest.mark.govern_ddl"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """What the declared schema is recognised by in a copy, the cheaper one first."""

    watermark: str | None
    fingerprint: str


class DriftWatch:
    """Looks at each database after its test, and keeps what it sees for the test at the end of the run."""

    def __init__(self, bench: Workbench, shared: Shared) -> None:
        self._bench = bench
        self._shared = shared
        self._has_looked = False

    def look_at(self, url: DatabaseUrl, used_by: str) -> None:
        """Raises Found where the test at the end was over already: another worker had it."""
        if not self._has_looked:
            self._has_looked = True
            self._shared.append(_USED, True)
        findings = tuple(one for one in self._find_drift(url) if one.severity >= Severity.ERROR)
        if findings and not self._shared.append(_DRIFTED, (used_by, findings)):
            raise Found(tuple(_after(finding, [used_by]) for finding in findings))

    def find_all(self) -> tuple[Finding, ...] | None:
        """What was different after any test; None if no test has had such a database."""
        users: dict[str, list[str]] = {}
        findings: dict[str, Finding] = {}
        for used_by, found in self._shared.take(_DRIFTED):
            for finding in found:
                findings.setdefault(finding.key, finding)
                users.setdefault(finding.key, []).append(used_by)
        if not findings and not self._shared.take(_USED):
            return None
        return tuple(_after(finding, users[key]) for key, finding in findings.items())

    @cached_property
    def _marks(self) -> _Marks:
        return self._read_marks(self._bench.revisions.url)

    def _read_marks(self, url: DatabaseUrl) -> _Marks:
        dialect, table = dialect_of(url), version_table(self._bench.settings)
        with dialect.connect(url, read_only=True) as connection:
            watermark = dialect.read_watermark(connection, table)
            return _Marks(watermark=watermark, fingerprint=dialect.read_fingerprint(connection, table))

    def _find_drift(self, url: DatabaseUrl) -> tuple[Finding, ...]:
        live = self._read_if_touched(LiveDatabase(self._bench.settings, url))
        if live is None:
            return ()
        project = self._bench.project
        declared = in_words_of(
            live, self._bench.revisions.snapshot, dialect_of(url), lambda: nullcontext(url)
        )
        scope = read_scope(project.settings, project.manifest, with_known=False)
        return judge_drift(
            declared,
            live,
            scope=heed_env(scope, LiveDatabase(self._bench.settings, url), diff(declared, live)),
            today=local_today(),
            critical_tables=project.critical_tables,
            remedy=_REMEDY,
        ).findings

    def _read_if_touched(self, live: LiveDatabase) -> Snapshot | None:
        """Its schema; None where a glance says that it is the declared one."""
        marks, dialect, table = self._marks, live.dialect, live.table
        with live.connect() as connection:
            if marks.watermark is not None and dialect.is_untouched(connection, table, marks.watermark):
                return None
            if dialect.read_fingerprint(connection, table) == marks.fingerprint:
                return None
            return dialect.read_snapshot(connection, table)


def _after(finding: Finding, users: list[str]) -> Finding:
    more = f" and {count_of(len(users) - 1, 'more test')}" if len(users) > 1 else ""
    return replace(finding, message=f"{finding.message}, after {users[0]}{more}")
