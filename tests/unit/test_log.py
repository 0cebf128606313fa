"""Log events reach whoever runs the program: through structlog where it is set up, else through logging."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from govern.log import Log


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in an application: no command line has said where events go."""
    monkeypatch.setattr("govern.log._set_up", [])
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("unconfigured")
def test_an_application_without_structlog_finds_events_in_its_own_log_and_nothing_on_stdout(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "govern"):
        Log("govern.web.health").warning("health_looked", status="critical", found=("50 % gone",))
    assert caplog.messages == ["health_looked status='critical' found=('50 % gone',)"]
    assert [record.name for record in caplog.records] == ["govern.web.health"]
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("unconfigured")
def test_an_application_with_structlog_gets_events_with_their_keys() -> None:
    capture = structlog.testing.LogCapture()
    structlog.configure(processors=[capture])
    Log("govern.web.health").info("health_looked", status="healthy")
    assert capture.entries == [{"event": "health_looked", "status": "healthy", "log_level": "info"}]
