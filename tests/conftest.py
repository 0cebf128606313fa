"""The harness: one real PostgreSQL for the whole run, a fresh database for each test. See tests/fixtures."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# importlib mode puts nothing on the path; the fixtures are a package of this folder
sys.path.insert(0, str(Path(__file__).parent.parent))

pytest_plugins = ("tests.fixtures.server", "tests.fixtures.databases", "tests.fixtures.faults")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is decided by the environment it was started in."""
    for name in tuple(os.environ):
        if name == "DATABASE_URL" or name.startswith(("PG", "GOVERN_", "ALEMBIC_")):
            monkeypatch.delenv(name)
