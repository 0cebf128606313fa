"""What drift has been proven to be stands while nothing has changed, and is found anew when anything has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import pytest

from govern.config import Settings, load
from govern.monitor import checks
from govern.monitor.checks import look
from govern.monitor.worker import Worker
from tests.acceptance.program import Project, execute


def settings_of(project: Project) -> Settings:
    return load(start=project.root, url=project.database.text)


def prove_again(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("it was proven again")


CHANGES: Sequence[Callable[[Project], None]] = (
    lambda project: execute(project.database, "CREATE INDEX by_hand ON notes (body)"),
    lambda project: execute(project.database, "UPDATE alembic_version SET version_num = 'r1'"),
    lambda project: project.edit("migrations/versions/r2_notes.py", "def upgrade", "\n\ndef upgrade"),
    lambda project: project.write({"schema/governance.yaml": "drift: {severity: [{severity: info}]}\n"}),
)


def test_drift_is_proven_once_and_again_when_something_has_changed(
    governed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    governed.write({"schema/governance.yaml": "critical_tables: [{name: users}]\n"})
    settings = settings_of(governed)
    known = look("drift", settings)
    assert (known.entry.status, known.entry.findings) == ("passed", ())
    monkeypatch.setattr(checks.drifting, "drift", prove_again)
    execute(governed.database, "INSERT INTO notes (user_id, body) VALUES (1, 'new')")
    assert look("drift", settings, known).entry == known.entry
    for number, change in enumerate(CHANGES):
        mark = checks.read_drift_mark(settings)
        change(governed)
        assert checks.read_drift_mark(settings) != mark, number
        assert "proven again" in look("drift", settings, known).entry.reason


def test_after_an_hour_it_is_proven_again_whatever_it_hangs_on(governed: Project) -> None:
    now = [0.0]
    worker = Worker(settings_of(governed), clock=lambda: now[0])
    [first] = worker.look(("drift",))
    now[0] = 3_599.0
    [again] = worker.look(("drift",))
    assert again.entry == first.entry
    assert worker._recall("drift") is not None
    now[0] = 3_600.0
    assert worker._recall("drift") is None
