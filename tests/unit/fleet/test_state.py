"""The state of a run outlives its process, whenever that ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from govern.errors import ConfigurationError, Refused
from govern.fleet import state
from govern.fleet.state import begin_run, continue_run, find_run, find_unfinished, list_runs, read_run
from tests.unit.fleet.conftest import make_outcome

NOW = datetime.now(UTC)


def write_run(
    folder: Path, run: str = "r1", *, ended: int = 2, begun: int = 1, finish: str | None = None
) -> Path:
    with begin_run(folder, run, command="migrate", asked="the same", actor="ann") as file:
        for number in range(ended):
            file.note_begin(f"t{number}")
            file.note_end(make_outcome(f"t{number}", exit_code=number))
        for number in range(ended, ended + begun):
            file.note_begin(f"t{number}")
        if finish is not None:
            file.note_finish(finish)
    return folder / f"{run}.jsonl"


def test_what_was_done_and_what_was_under_way_is_read_back(tmp_path: Path) -> None:
    record = read_run(write_run(tmp_path / ".govern" / "fleet"))
    assert {name: outcome.exit_code for name, outcome in record.outcomes.items()} == {"t0": 0, "t1": 1}
    assert record.under_way == {"t2"}
    assert not record.is_finished


def test_half_a_line_is_left_out_and_cut_off_before_anything_follows(tmp_path: Path) -> None:
    path = write_run(tmp_path)
    with path.open("a") as file:
        file.write('{"event": "ended", "target": "t2", "exit_co')
    record = read_run(path)
    assert record.under_way == {"t2"}
    with continue_run(record) as state:
        state.note_end(make_outcome("t2"))
    assert set(read_run(path).outcomes) == {"t0", "t1", "t2"}


def test_two_cannot_be_at_work_with_one_run(tmp_path: Path) -> None:
    record = read_run(write_run(tmp_path))
    with continue_run(record), pytest.raises(Refused, match="the run r1 is under way"), continue_run(record):
        pass
    with continue_run(record):
        pass


@pytest.mark.parametrize(
    ("finish", "age", "is_found"),
    [
        (None, timedelta(), True),
        ("1 failed", timedelta(), True),
        ("", timedelta(), False),
        (None, timedelta(days=2), False),
    ],
    ids=["killed", "stopped", "finished", "long ago"],
)
def test_a_run_is_gone_on_with_unless_it_is_finished_or_old(
    tmp_path: Path, finish: str | None, age: timedelta, is_found: bool
) -> None:
    write_run(tmp_path, finish=finish)
    found = find_unfinished(tmp_path, "the same", NOW + age + timedelta(seconds=60))
    assert (found is not None) == is_found


def test_a_run_that_was_asked_for_something_else_is_not_gone_on_with(tmp_path: Path) -> None:
    write_run(tmp_path)
    assert find_unfinished(tmp_path, "something else", NOW) is None


def test_a_run_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    write_run(tmp_path, "20310102-a")
    write_run(tmp_path, "20310102-b")
    assert find_run(tmp_path, "20310102-b").run == "20310102-b"
    with pytest.raises(ConfigurationError, match="2 runs of that name"):
        find_run(tmp_path, "2031")
    with pytest.raises(ConfigurationError, match="no run of that name"):
        find_run(tmp_path, "x")
    assert [record.run for record in list_runs(tmp_path)] == ["20310102-b", "20310102-a"]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    assert write_run(tmp_path / ".govern" / "fleet").stat().st_mode & 0o077 == 0


def test_of_runs_that_were_asked_for_otherwise_the_first_line_alone_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder has years of them, each with the reports of thousands of targets."""
    write_run(tmp_path, "r1")
    with begin_run(tmp_path, "r2", command="drift", asked="something else", actor="ann") as file:
        file.note_end(make_outcome("t1"))
    read: list[str] = []
    monkeypatch.setattr(state, "read_run", lambda path: read.append(path.stem) or read_run(path))
    found = find_unfinished(tmp_path, "the same", NOW + timedelta(seconds=60))
    assert found is not None
    assert read == [found.run] == ["r1"]
