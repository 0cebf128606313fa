"""What workers tell each other: here two objects on one folder stand for two processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.pytest_plugin.shared import Shared


@pytest.fixture
def workers(tmp_path: Path) -> tuple[Shared, Shared]:
    return Shared(tmp_path), Shared(tmp_path)


def test_a_value_is_computed_by_one_worker_for_all(workers: tuple[Shared, Shared]) -> None:
    computed: list[int] = []

    def compute() -> dict[str, int]:
        computed.append(1)
        return {"a": 1}

    values = [worker.once("ways", compute) for worker in (*workers, *workers)]
    assert values == [{"a": 1}] * 4
    assert computed == [1]


def test_what_any_worker_adds_is_there_for_the_one_who_takes(workers: tuple[Shared, Shared]) -> None:
    one, other = workers
    assert one.append("drifted", "a")
    assert other.append("drifted", "b")
    assert other.take("drifted") == ("a", "b")


def test_who_comes_too_late_is_told_so(workers: tuple[Shared, Shared]) -> None:
    one, other = workers
    assert other.take("drifted") == ()
    assert not one.append("drifted", "a")


def test_one_process_alone_needs_no_folder() -> None:
    alone = Shared(None)
    assert alone.append("drifted", "a")
    assert alone.take("drifted") == ("a",)
    assert alone.once("ways", lambda: 1) == alone.once("ways", lambda: 2) == 1
