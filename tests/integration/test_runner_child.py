"""What the child may be made of: it runs in interpreters and beside libraries that govern does not choose."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from govern.revisions.process import CHILD
from govern.revisions.protocol import Note, Result, parse_event
from govern.revisions.redaction import make_redactor

MODULES = sorted(CHILD.glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_the_child_is_written_for_python_3_8(module: Path) -> None:
    tree = ast.parse(module.read_text(), feature_version=(3, 8))
    has_future = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    assert has_future or module.stem in ("__init__", "__main__"), "annotations are evaluated without it"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_the_child_imports_nothing_but_the_standard_library_and_alembics(module: Path) -> None:
    tree = ast.parse(module.read_text())
    assert imported(tree) <= ALWAYS_THERE | WHERE_THE_PROJECT_HAS_IT
    at_once = ast.Module([node for node in tree.body if not isinstance(node, ast.FunctionDef)], [])
    assert imported(at_once) <= ALWAYS_THERE


ALWAYS_THERE = sys.stdlib_module_names | {"alembic", "sqlalchemy"}
WHERE_THE_PROJECT_HAS_IT = {"flask", "anyio"}
"""Imported by the function that needs it, where env.py asks for it."""


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_a_line_cut_short_by_a_signal_is_no_event() -> None:
    assert parse_event('{"event": "no', str) is None
    assert parse_event('["event"]', str) is None
    assert parse_event('{"event": "unheard_of"}', str) is None


def test_secrets_are_redacted_deep_inside_an_event() -> None:
    redact = make_redactor(DatabaseUrl.parse("postgresql://u:s%2Fcret@h/d?sslpassword=other"))
    line = '{"event": "result", "a": ["s/cret", {"b": "x other s%2Fcret"}], "c": 1}'
    assert parse_event(line, redact) == Result(facts={"a": ["***", {"b": "x *** ***"}], "c": 1})
    assert parse_event('{"event": "note", "text": "fine"}', redact) == Note(text="fine")


def test_passwords_of_other_urls_are_redacted_and_the_rest_is_not() -> None:
    redact = make_redactor(None)
    assert redact("postgresql://app:p@ss word@db/app is down") == "postgresql://app:***@db/app is down"
    assert redact("see http://example.org/a:b and mail me@example.org") == (
        "see http://example.org/a:b and mail me@example.org"
    )
