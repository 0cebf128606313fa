"""``make drill`` as a person runs it: in a database of its own, whatever the environment points at."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from examples.drill.breakages import BREAKAGES
from examples.drill.place import ROOT
from govern.database.url import DatabaseUrl

pytestmark = pytest.mark.long_fault


def test_the_drill_brings_everything_back_and_leaves_nothing_behind(
    sqlite_database: DatabaseUrl,
) -> None:
    before = find_places()
    drilled = subprocess.run(
        [sys.executable, "-m", "examples.drill"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": sqlite_database.text},
        capture_output=True,
        text=True,
        check=False,
    )
    assert drilled.returncode == 0, drilled.stdout + drilled.stderr
    assert all(breakage.sentence in drilled.stdout for breakage in BREAKAGES)
    assert drilled.stdout.endswith("rows that are otherwise than before: none\n")
    assert Path(sqlite_database.path).read_bytes() == b""
    assert find_places() <= before


def find_places() -> set[Path]:
    """Of drills, whoever's."""
    return set(Path(tempfile.gettempdir()).glob("govern-drill-*"))
