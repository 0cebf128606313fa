"""The JSON lines beside a project."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from govern import config
from govern.actions.journal import note_asked, read_asked

ASKED_AT = datetime(2031, 1, 31, tzinfo=UTC)
PROOF = {"name": "accounts", "status": "found", "ms": 120}


def test_what_was_asked_by_hand_is_found_again_also_for_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = config.load(start=tmp_path, url="sqlite:///app.db", environ={})
    note_asked(settings, [PROOF], started_at=ASKED_AT, finished_at=ASKED_AT)
    other = config.load(start=tmp_path, url="sqlite:///other.db", environ={})
    assert [answers.at for answers in read_asked(settings)] == [ASKED_AT]
    assert read_asked(other) == (), "another database's application"
