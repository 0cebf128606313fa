"""A database whose monitor found something and fixed something, its API, and its page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from govern.actions.notebook import Notebook, make_event
from govern.config import Settings, load
from govern.core.monitoring import CheckStatus, MonitorStatus
from govern.database.monitoring import take_turn
from govern.database.url import DatabaseUrl
from govern.web.dashboard import Dashboard
from govern.web.monitor import MonitorApi, bearer
from tests.unit.core.test_fixing import ISSUE
from tests.unit.web.browsing import SECRET

NOW = datetime(2031, 5, 6, 12, tzinfo=UTC)
FIXED = "20310506T114500Z-00000001"
STATUS = MonitorStatus(
    instance="watch-1:4123",
    health="critical",
    last_check=NOW - timedelta(minutes=2),
    next_check=NOW + timedelta(minutes=3),
    seconds=2.0,
    passes=7,
    total_fixes=1,
    checks=(CheckStatus(name="drift", status="found", findings=1, seconds=1.0),),
)


def make_project(folder: Path) -> Settings:
    """With a database that has one table."""
    folder.mkdir(exist_ok=True)
    (folder / "govern.toml").touch()
    with closing(sqlite3.connect(folder / "app.sqlite")) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    return load(start=folder, url=f"sqlite:///{folder / 'app.sqlite'}", environ={"USER": "tester"})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_project(tmp_path)


@pytest.fixture
def url(settings: Settings) -> DatabaseUrl:
    return DatabaseUrl.parse(settings.url or "")


@pytest.fixture
def notebook(settings: Settings, url: DatabaseUrl) -> Notebook:
    """One open issue, and a fix that alice had asked for."""
    made = Notebook(settings, url)
    fixed = make_event(
        "fixed",
        "alice",
        issue=ISSUE,
        at=NOW,
        attempt="20310506T114400Z-00000000",
        run="20310506T114501Z-11111111",
        backup="b1",
    )
    made.write(
        status=STATUS,
        issues=(replace(ISSUE, message="an index is missing", first_seen=NOW - timedelta(hours=3)),),
        events=(replace(fixed, id=FIXED),),
    )
    return made


@pytest.fixture
def active(url: DatabaseUrl) -> Iterator[None]:
    """A monitor that has its turn."""
    turn = take_turn(url, "test")
    assert turn is not None
    yield
    turn.close()


@pytest.fixture
def page(settings: Settings, url: DatabaseUrl, notebook: Notebook) -> Iterator[Dashboard]:
    """For who knows the secret."""
    api = MonitorApi(settings, url, access=bearer(SECRET), hosts=frozenset({"localhost"}))
    made = Dashboard(api, now=lambda: NOW)
    yield made
    made.close()
    api.close()
