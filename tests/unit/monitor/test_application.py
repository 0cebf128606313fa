"""The monitor asks the running application: beside its looks at the database, and never in their way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from govern.actions.notebook import Notebook
from govern.config import load
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError
from govern.monitor.loop import Monitor
from govern.monitor.policy import Orders
from govern.monitor.worker import Worker
from govern.source.manifest import MonitoredProbes, parse_manifest
from tests.unit.checks.test_probes_http import Server, reply
from tests.unit.monitor.conftest import POLICY, Clock, World

FEW = MonitoredProbes(sequences=("pages", "tokens"))


@pytest.fixture
def orders() -> Orders:
    return Orders(policy=POLICY, probes=FEW)


def open_issues(monitor: Monitor) -> list[str]:
    return [issue.subject for issue in monitor.notebook.read().open_issues]


def test_what_the_application_does_wrong_is_an_issue_until_it_does_it_right(
    monitor: Monitor, world: World, clock: Clock
) -> None:
    world.application = {"pages": "GET /me"}
    monitor.step()
    notes = monitor.notebook.read()
    [issue] = notes.open_issues
    assert (issue.issue_type, issue.fix, issue.repair) == ("PROBE_UNEXPECTED_STATUS", None, None)
    assert issue.current_state == "Another status than expected: status 500 after 12 ms"
    assert issue.expected_state == "200"
    assert notes.status is not None
    assert notes.status.health == "critical"
    assert not world.repairs
    assert notes.probed is not None
    assert {one.name: one.is_up for one in notes.probed.sequences} == {"pages": False, "tokens": True}
    world.application = {}
    clock.sleep(300)
    monitor.step()
    notes = monitor.notebook.read()
    assert not notes.open_issues
    assert notes.status is not None
    assert notes.status.health == "healthy"


def test_a_sequence_that_broke_off_ends_no_issue(monitor: Monitor, world: World, clock: Clock) -> None:
    world.application = {"pages": "GET /me"}
    monitor.step()
    world.application = {"pages": "?"}
    clock.sleep(300)
    monitor.step()
    assert open_issues(monitor) == ["probe pages: GET /me"]


def test_what_takes_long_keeps_no_look_from_its_time(monitor: Monitor, world: World, clock: Clock) -> None:
    world.application = {"pages": "…"}
    for _ in range(15):
        monitor.step()
        clock.sleep(60)
    assert world.looks == 3
    assert (len(world.asked), world.asking) == (1, 1)


def test_it_may_have_an_interval_of_its_own(
    monitor: Monitor, world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch, orders: Orders
) -> None:
    hourly = replace(orders, probes=MonitoredProbes(sequences=("pages",), every="1 h"))
    monkeypatch.setattr(monitor, "_read", lambda *_: hourly)
    for _ in range(119):
        monitor.step()
        clock.sleep(60)
    assert (world.looks, len(world.asked)) == (24, 2)


def test_who_stops_the_monitor_ends_its_probes(monitor: Monitor, world: World) -> None:
    world.application = {"pages": "…"}
    monitor.step()
    monitor.notebook.want("stopped", "tester")
    assert world.asking == 1
    monitor.step()
    assert world.asking == 0


def test_without_a_database_nobody_is_asked(monitor: Monitor, world: World) -> None:
    world.is_reachable = False
    monitor.step()
    assert not world.asked


def test_what_is_not_to_be_asked_any_more_is_no_issue(
    monitor: Monitor, world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch, orders: Orders
) -> None:
    world.application = {"pages": "GET /me", "tokens": "POST /refresh"}
    monitor.step()
    for left, trouble, there in (
        (("tokens",), "", ["probe tokens: POST /refresh"]),
        ((), "the manifest cannot be read", ["probe tokens: POST /refresh"]),
        ((), "", []),
    ):
        probes = MonitoredProbes(sequences=left) if left else None
        edited = replace(orders, probes=probes, trouble=trouble)
        monkeypatch.setattr(monitor, "_read", lambda *_, edited=edited: edited)
        clock.sleep(300)
        monitor.step()
        assert open_issues(monitor) == there
    assert monitor.notebook.read().probed is None


def test_a_manifest_that_wants_asked_what_it_does_not_have_is_refused() -> None:
    text = "monitor:\n  probes: {sequences: [page]}\nprobes:\n  sequences: [{name: pages, steps: [{protected: [/]}]}]\n"
    with pytest.raises(ConfigurationError) as refused:
        parse_manifest(text, Path("governance.yaml"))
    assert "'page'" in f"{refused.value.what} {refused.value.why}"


@pytest.fixture
def server() -> Iterator[Server]:
    with closing(Server()) as made:
        yield made


PROBES = """\
monitor: {{probes: {{sequences: [pages, later, last]}}}}
probes:
  base_url: {url}
  wait_seconds: 0
  {more}
  sequences:
    - {{name: pages, steps: [{{request: {{path: /, expect: {{status: 204}}}}}}]}}
    - {{name: later, steps: [{{request: {{path: /slow}}}}]}}
    - {{name: last, steps: [{{request: {{path: /}}}}]}}
"""


def ask(root: Path, url: DatabaseUrl, server: Server, seconds: float, more: str = "") -> str:
    """What a child learned and wrote down, as JSON; it is gone then."""
    (root / "schema").mkdir()
    (root / "schema/governance.yaml").write_text(PROBES.format(url=server.url, more=more))
    settings = load(start=root, url=url.text, environ={"USER": "tester"})
    before = psutil.Process().children()
    asking = Worker(settings).ask(("pages", "later", "last"), seconds)
    seen = asking.collect(30)
    assert seen is not None
    assert psutil.Process().children() == before
    return json.dumps(
        [(one.entry.name, one.entry.status, one.is_decided, one.entry.reason) for one in seen]
        + [dict(finding.evidence, why=finding.why) for one in seen for finding in one.entry.findings]
    )


def test_a_child_asks_and_is_ended_with_its_time(tmp_path: Path, url: DatabaseUrl, server: Server) -> None:
    def answer(connection: object, asked: bytes) -> None:
        if b"/slow" in asked:
            server.drip(connection, asked)  # type: ignore[arg-type]
        connection.sendall(reply("200 OK", '{"name": "Ada Lovelace"}'))  # type: ignore[attr-defined]

    server.answer = answer
    told = json.loads(ask(tmp_path, url, server, 5.0))
    assert told[0][:3] == ["probe pages", "found", True]
    assert told[1] == ["probe later", "crashed", False, "the probes took longer than 5 s"]
    assert told[2][:3] == ["probe last", "skipped", False]
    assert (told[3]["request"], told[3]["status"], told[3]["expected"]) == (f"GET {server.url}/", 200, "204")
    assert "Ada" not in json.dumps(told)


def test_probes_that_cannot_be_asked_are_told(tmp_path: Path, url: DatabaseUrl, server: Server) -> None:
    told = ask(tmp_path, url, server, 30, "secrets: {password: {env: NOBODY_HAS_SET_THIS}}")
    assert json.loads(told) == [
        [
            "probes",
            "skipped",
            False,
            "the environment variable NOBODY_HAS_SET_THIS is not set: "
            "probes.secrets of the manifest names it: it has the secret 'password'",
        ]
    ]
    assert Notebook(load(start=tmp_path, url=url.text), url).read().probed is None
