"""Who does a fleet's work, and what is said where that cannot be."""

from __future__ import annotations

import sys

import pytest

from govern.errors import ToolMissing
from govern.fleet.executors import open_executor


def test_without_dask_the_install_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ToolMissing) as raised,
        open_executor("run", workers=1, scheduler="tcp://127.0.0.1:1"),
    ):
        pass
    assert "pip install 'govern[fleet]'" in raised.value.next


def test_threads_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with open_executor("run", workers=2, scheduler=None) as executor:
        assert executor.submit(sum, (1, 2)).result() == 3
