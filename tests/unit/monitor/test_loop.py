"""The monitor's clock: when it looks, what it does when it is told to stop, or cannot reach what it watches."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from govern.actions.notebook import Notebook
from govern.config import load
from govern.core.monitoring import EventKind
from govern.database.monitoring import is_turn_taken, take_turn
from govern.database.url import DatabaseUrl
from govern.errors import Unreachable
from govern.monitor.loop import Monitor
from govern.monitor.policy import Orders
from tests.unit.monitor.conftest import POLICY, Clock, World


def pass_time(monitor: Monitor, clock: Clock, seconds: float) -> None:
    """Lets the monitor go on for so long; a step a minute is enough to see what it does every five."""
    for _ in range(max(1, round(seconds / 60))):
        monitor.step()
        clock.sleep(60)


def kinds(monitor: Monitor) -> list[EventKind]:
    """Of what was done, the oldest first."""
    return [event.kind for event in reversed(monitor.notebook.read_events())]


def test_it_looks_at_once_and_then_every_five_minutes(monitor: Monitor, world: World, clock: Clock) -> None:
    pass_time(monitor, clock, 300)
    assert world.looks == 1
    pass_time(monitor, clock, 3_300)
    assert world.looks == 12


@pytest.mark.parametrize("jump", [timedelta(days=1), -timedelta(days=1), timedelta(hours=1)])
def test_a_clock_that_is_set_makes_it_look_neither_more_nor_less(
    monitor: Monitor, world: World, clock: Clock, jump: timedelta
) -> None:
    pass_time(monitor, clock, 600)
    clock.wall += jump
    pass_time(monitor, clock, 600)
    assert world.looks == 4


def test_what_it_found_is_there_for_others(monitor: Monitor, world: World) -> None:
    world.gone = {"ix"}
    monitor.step()
    notes = monitor.notebook.read()
    assert [issue.issue_type for issue in notes.issues.values()] == ["MISSING_INDEX"]
    assert notes.status is not None
    assert notes.status.next_check is not None
    assert notes.status.last_check is not None
    assert notes.status.next_check - notes.status.last_check == timedelta(minutes=5)


def test_what_the_policy_allows_is_fixed_once_and_noted_before_it_is_tried(
    monitor: Monitor, world: World, clock: Clock
) -> None:
    world.gone = {"ix"}
    pass_time(monitor, clock, 1_800)
    assert len(world.repairs) == 1
    assert kinds(monitor) == ["fixing", "fixed"]
    notes = monitor.notebook.read()
    assert notes.status is not None
    assert (notes.status.total_fixes, notes.status.health) == (1, "healthy")
    assert [issue.state for issue in notes.issues.values()] == ["resolved"]


def test_a_fault_that_comes_back_is_fixed_once_an_hour_and_a_person_is_paged(
    monitor: Monitor, world: World, clock: Clock
) -> None:
    for _ in range(6):
        world.gone = {"ix"}
        pass_time(monitor, clock, 300)
    assert len(world.repairs) == 1
    assert kinds(monitor) == ["fixing", "fixed", "paged"]
    pass_time(monitor, clock, 3_600)
    assert len(world.repairs) == 2


def test_many_faults_are_fixed_as_fast_as_the_policy_allows(
    monitor: Monitor, world: World, clock: Clock
) -> None:
    world.gone = {f"ix{number}" for number in range(10)}
    pass_time(monitor, clock, 3_000)
    assert len(world.repairs) == 3
    pass_time(monitor, clock, 3_600)
    assert len(world.repairs) == 6


@pytest.mark.parametrize("harm", ["fails", "changes nothing"])
def test_after_two_fixes_that_fail_none_is_tried_until_a_person_starts_it(
    monitor: Monitor, world: World, clock: Clock, harm: str
) -> None:
    world.repair_problem, world.comes_back = ("it broke", False) if harm == "fails" else ("", True)
    world.gone = {"ix1", "ix2", "ix3"}
    pass_time(monitor, clock, 2 * 3_600)
    assert len(world.repairs) == 2
    taken_back = [] if harm == "fails" else ["rolling-back", "rolled-back"]
    failed: list[EventKind] = ["fixing", *taken_back, "fix-failed"]  # type: ignore[list-item]
    assert kinds(monitor) == [*failed, *failed, "paged"]
    world.repair_problem, world.comes_back = "", False
    pass_time(monitor, clock, 7_200)
    assert len(world.repairs) == 2
    monitor.notebook.want("running", "alice")
    pass_time(monitor, clock, 600)
    assert world.gone == set()


def test_a_fix_after_which_something_else_is_gone_is_rolled_back_and_counts_as_failed(
    monitor: Monitor, world: World
) -> None:
    world.gone, world.makes_worse = {"ix"}, True
    monitor.step()
    assert (world.gone, world.taken_back) == (set(), ["run-1"])
    assert kinds(monitor) == ["fixing", "rolling-back", "rolled-back", "fix-failed"]
    failed = monitor.notebook.read_events()[0]
    assert failed.detail.startswith("after its repair there is something new: index users.lost")
    assert failed.detail.endswith("it was rolled back")


def test_what_cannot_be_rolled_back_is_told_to_a_person_at_once(monitor: Monitor, world: World) -> None:
    world.gone, world.makes_worse, world.back_problem = {"ix"}, True, "a row is in the way"
    monitor.step()
    assert kinds(monitor) == ["fixing", "rolling-back", "rollback-failed", "paged", "fix-failed"]
    assert monitor.notebook.read_events()[0].detail.endswith("it was not rolled back: a row is in the way")


def test_a_person_takes_a_fix_back_and_it_is_not_made_again_until_a_person_starts_the_monitor(
    monitor: Monitor, world: World, clock: Clock
) -> None:
    world.gone = {"ix"}
    monitor.step()
    monitor.notebook.ask("rollback", "alice", run="run-1")
    monitor.step()
    world.gone = {"ix"}
    done = [(event.kind, event.actor, event.run) for event in monitor.notebook.read_events()[:3]]
    assert done == [
        ("rolled-back", "alice", "run-1"),
        ("rolling-back", "alice", "run-1"),
        ("rollback", "alice", "run-1"),
    ]
    assert {event.subject for event in monitor.notebook.read_events()[:2]} == {"index users.ix"}
    pass_time(monitor, clock, 3 * 3_600)
    assert len(world.repairs) == 1
    monitor.notebook.want("running", "alice")
    pass_time(monitor, clock, 600)
    assert len(world.repairs) == 2
    assert world.gone == set()


def test_what_was_rolled_back_already_is_not_tried_again(monitor: Monitor, world: World) -> None:
    world.gone = {"ix"}
    monitor.step()
    for run in ("run-1", "run-1", "run-of-nobody"):
        monitor.notebook.ask("rollback", "alice", run=run)
    monitor.step()
    assert world.taken_back == ["run-1"]
    refused = [event.detail for event in monitor.notebook.read_events() if event.kind == "rollback-failed"]
    assert refused == ["there is no such fix", "it was rolled back already"]


def test_what_another_process_tried_counts(
    monitor: Monitor, world: World, clock: Clock, orders: Orders, url: DatabaseUrl, tmp_path: Path
) -> None:
    """A breaker that is open, or a fix of a moment ago, does not end with the instance."""
    world.gone, world.comes_back = {"ix"}, True
    monitor.step()
    monitor.close()
    settings = load(start=tmp_path, url=url.text, environ={"USER": "tester"})
    successor = Monitor(settings, url, work=world, clock=clock, read=lambda _s, _d: orders)
    pass_time(successor, clock, 1_800)
    successor.close()
    assert len(world.repairs) == 1


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    tmp_path: Path, url: DatabaseUrl, world: World, clock: Clock
) -> None:
    settings = load(start=tmp_path, url=url.text, environ={"USER": "tester"})
    dry = Orders(policy=replace(POLICY, mode="dry-run"))
    monitor = Monitor(settings, url, work=world, clock=clock, read=lambda _s, _d: dry)
    world.gone = {"ix"}
    pass_time(monitor, clock, 1_800)
    monitor.close()
    assert world.repairs == []
    [event] = monitor.notebook.read_events()
    assert (event.kind, event.detail) == ("would-fix", "CREATE INDEX ix …")


def test_it_stops_and_starts_as_people_want_and_keeps_its_turn(
    monitor: Monitor, world: World, clock: Clock, url: DatabaseUrl
) -> None:
    monitor.step()
    monitor.notebook.want("stopped", "alice")
    pass_time(monitor, clock, 1_800)
    assert world.looks == 1
    assert is_turn_taken(url)
    monitor.notebook.want("running", "bob")
    monitor.step()
    assert world.looks == 2
    assert [(event.kind, event.actor) for event in reversed(monitor.notebook.read_events())] == [
        ("stop", "alice"),
        ("start", "bob"),
    ]


def test_it_looks_when_it_is_asked_and_fixes_what_a_person_chose(
    monitor: Monitor, world: World, clock: Clock, tmp_path: Path, url: DatabaseUrl
) -> None:
    settings = load(start=tmp_path, url=url.text, environ={"USER": "tester"})
    nothing_allowed = Monitor(settings, url, work=world, clock=clock, read=lambda _s, _d: Orders())
    nothing_allowed.step()
    nothing_allowed.notebook.ask("check", "alice")
    world.gone = {"ix"}
    nothing_allowed.step()
    assert world.looks == 2
    [issue] = nothing_allowed.notebook.read().open_issues
    assert world.repairs == []
    nothing_allowed.notebook.ask("fix", "alice", issue=issue)
    nothing_allowed.step()
    nothing_allowed.close()
    assert world.repairs == [issue.key]
    assert nothing_allowed.notebook.read().requests == ()
    done = [(event.kind, event.actor) for event in reversed(nothing_allowed.notebook.read_events())]
    assert done == [("check", "alice"), ("fix", "alice"), ("fixing", "alice"), ("fixed", "alice")]


def test_while_the_database_is_away_nothing_is_fixed_and_the_file_says_so(
    monitor: Monitor, world: World, clock: Clock, url: DatabaseUrl
) -> None:
    world.gone = {"ix"}
    away = url.path.rename(url.path.with_suffix(".away"))
    world.is_reachable = False
    pass_time(monitor, clock, 1_800)
    assert world.repairs == []
    written = monitor.notebook.read_file()
    assert written is not None
    assert written["status"]["health"] == "degraded"
    assert written["status"]["trouble"]
    away.rename(url.path)
    world.is_reachable = True
    pass_time(monitor, clock, 600)
    assert len(world.repairs) == 1
    assert kinds(monitor) == ["fixing", "fixed"]


def test_a_record_that_cannot_be_written_stops_fixes_and_not_the_monitor(
    monitor: Monitor, world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Unreachable("the disk is full")

    world.gone = {"ix"}
    with monkeypatch.context() as patched:
        patched.setattr(Notebook, "_put", refuse)
        pass_time(monitor, clock, 900)
        assert (world.looks, world.repairs) == (3, [])
        written = monitor.notebook.read_file()
        assert written is not None
        assert "the disk is full" in written["status"]["trouble"]
    pass_time(monitor, clock, 300)
    assert len(world.repairs) == 1


def test_neither_a_crash_nor_a_folder_that_cannot_be_written_ends_it(
    monitor: Monitor, world: World, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".govern").write_text("a file in the folder's place")
    crashes = iter([RuntimeError("a bug"), MemoryError()])
    look = world.look

    def crash_first(names: object) -> object:
        if error := next(crashes, None):
            raise error
        return look(names)  # type: ignore[arg-type]

    monkeypatch.setattr(world, "look", crash_first)
    pass_time(monitor, clock, 1_200)
    assert world.looks == 2
    status = monitor.notebook.read().status
    assert status is not None
    assert status.passes == 2


def test_one_has_its_turn_and_the_next_one_takes_it_over(
    monitor: Monitor, world: World, clock: Clock, tmp_path: Path, url: DatabaseUrl
) -> None:
    turn = take_turn(url, "another")
    assert turn is not None
    assert turn.is_held()
    pass_time(monitor, clock, 1_800)
    assert world.looks == 0
    turn.close()
    pass_time(monitor, clock, monitor.poll_seconds)
    assert world.looks == 1
    assert take_turn(url, "a third one") is None


def test_a_lock_file_that_somebody_removed_is_no_turn_any_more(
    monitor: Monitor, world: World, clock: Clock, url: DatabaseUrl
) -> None:
    monitor.step()
    url.path.with_name(url.path.name + ".govern-monitor").unlink()
    other = take_turn(url, "another")
    assert other is not None
    pass_time(monitor, clock, 1_200)
    assert world.looks == 1
    other.close()


def test_a_manifest_that_cannot_be_read_stops_fixes_and_is_told(
    tmp_path: Path, url: DatabaseUrl, world: World, clock: Clock
) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "governance.yaml").write_text("monitor: {evry: 1 min}\n")
    settings = load(start=tmp_path, url=url.text, environ={"USER": "tester"})
    monitor = Monitor(settings, url, work=world, clock=clock)
    world.gone = {"ix"}
    monitor.step()
    monitor.close()
    status = monitor.notebook.read().status
    assert status is not None
    assert "unknown key 'evry'" in status.trouble
    assert world.repairs == []


def test_who_is_told_gets_it_as_json_once(
    tmp_path: Path, url: DatabaseUrl, world: World, clock: Clock, write_receiver: Callable[[], Orders]
) -> None:
    settings = load(start=tmp_path, url=url.text, environ={"USER": "tester"})
    orders = write_receiver()
    monitor = Monitor(settings, url, work=world, clock=clock, read=lambda _s, _d: orders)
    world.gone = {"ix"}
    pass_time(monitor, clock, 900)
    world.gone = set()
    pass_time(monitor, clock, 900)
    monitor.close()
    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert [[issue["issue_type"] for issue in one["opened"]] for one in told] == [["MISSING_INDEX"], []]
    assert [len(one["resolved"]) for one in told] == [0, 1]
    assert "index users.ix" in told[0]["text"]


@pytest.fixture
def write_receiver(tmp_path: Path) -> Callable[[], Orders]:
    """Orders that have nothing fixed, and a command told."""
    from govern.source.manifest import Notify

    def write() -> Orders:
        command = ("sh", "-c", "cat >> told; echo >> told")
        return Orders(notify=(Notify(command=command),), folder=tmp_path)

    return write
