"""The harness: one real PostgreSQL for the whole run, a fresh database for each test. See tests/fixtures."""

from __future__ import annotations

import compileall
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

import govern

# importlib mode puts nothing on the path; the fixtures are a package of this folder
sys.path.insert(0, str(Path(__file__).parent.parent))

pytest_plugins = (
    "tests.fixtures.server",
    "tests.fixtures.databases",
    "tests.fixtures.faults",
    "tests.fixtures.pair",
    "tests.fixtures.browser",
    "tests.fixtures.children",
)

_TAKE_MINUTES = frozenset({"test_drill.py", "test_examples.py", "test_live_page.py"})


def pytest_configure(config: pytest.Config) -> None:
    """The processes that tests start write no bytecode, which would lie beside a project's files: they find it."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(Path(govern.__file__).parent, quiet=2)
        folder = tempfile.mkdtemp(prefix="govern-tests-")
        os.environ["XDG_CONFIG_HOME"] = folder  # the key that signs backups; workers inherit it
        os.environ["XDG_CACHE_HOME"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first: at the end the other workers would have nothing to take over from it."""
    items.sort(key=lambda item: item.path.name not in _TAKE_MINUTES)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is decided by the environment it was started in."""
    for name in tuple(os.environ):
        if name == "DATABASE_URL" or name.startswith(("PG", "GOVERN_", "ALEMBIC_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def clean_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor by a command that ran in this process before, and said where its events go."""
    monkeypatch.setattr("govern.log._set_up", [])
    if structlog := sys.modules.get("structlog"):
        structlog.reset_defaults()
