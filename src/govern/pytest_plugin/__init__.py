"""The pytest plugin: fixtures with migrated databases and, where a project asks for them, tests of its schema.

Every run of pytest imports this module and ``fixtures``: they import nothing but pytest. All else is imported once a
test asks for it, or ``govern_tests`` does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from govern.pytest_plugin.database import GovernDatabase, GovernSnapshot, GovernTemplate

__all__ = ["GovernDatabase", "GovernSnapshot", "GovernTemplate"]

pytest_plugins = ("govern.pytest_plugin.fixtures",)

_MARKERS = (
    "govern: a test of the schema that govern provides",
    "govern_ddl: this test changes the schema of its govern_database on purpose",
)
_OFF = ("false", "no", "off", "0")


def __getattr__(name: str) -> Any:
    """The fixtures' types, for annotations."""
    if name in __all__:
        return getattr(importlib.import_module("govern.pytest_plugin.database"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "govern_tests", "which of govern's tests to add: all, or their names", type="args", default=[]
    )
    parser.addini("govern_config", "govern.toml or pyproject.toml of the project, as govern's --config")
    parser.addini("govern_target", "the target to make databases like, as govern's --target")
    group = parser.getgroup("govern", "tests of the schema (govern)")
    group.addoption(
        "--govern", action="store_true", default=None, help="add govern's tests, whatever else is run"
    )
    group.addoption("--no-govern", action="store_false", dest="govern", help="add none of govern's tests")


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    is_asked: bool | None = config.getoption("govern")
    names = [name for name in config.getini("govern_tests") if name.lower() not in _OFF]
    if is_asked is False or not (is_asked or names):
        return
    from govern.pytest_plugin.collection import Collection, choose_tests

    config.pluginmanager.register(Collection(config, choose_tests(names)), "govern-tests")
