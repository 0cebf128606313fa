"""The children that tests fork are what govern starts: of the same folder, environment, path, streams and warnings."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from govern.config import Settings
from govern.revisions import process
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject

TELLING = """
import json, os, signal, sys, warnings
import app.models

told = {
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "path": sys.path,
    "program": sys.argv[0],
    "main": sys.modules["__main__"].__file__,
    "flags": list(sys.flags),
    "warnings": [str(one) for one in warnings.filters],
    "writes bytecode": not sys.dont_write_bytecode,
    "leads its session": os.getsid(0) == os.getpid(),
    "mask": os.umask(0o022),
    "signals": {one.name: str(signal.getsignal(one)) for one in signal.valid_signals() if hasattr(one, "name")},
    "streams": [(stream.fileno(), stream.encoding, stream.isatty()) for stream in (sys.stdin, sys.stdout, sys.stderr)],
    "of govern": sorted(name for name in sys.modules if name.partition(".")[0] in ("govern", "tests", "pytest")),
}
with open("told.json", "w") as file:
    json.dump({"parent": os.getppid(), "told": told}, file)
metadata = app.models.Base.metadata
"""


@pytest.fixture
def project(copy_project: CopyProject) -> Settings:
    return copy_project("plain", {"telling.py": TELLING, "govern.toml": 'models = "telling:metadata"\n'})


def ask(project: Settings) -> tuple[int, Any]:
    assert Runner(project).describe().source == "models"
    answer = json.loads((project.root / "told.json").read_text(encoding="utf-8"))
    return answer["parent"], answer["told"]


def test_a_forked_child_is_what_a_started_one_is(project: Settings, request: pytest.FixtureRequest) -> None:
    forked_by, forked = ask(project)
    request.getfixturevalue("started_children")
    started_by, started = ask(project)
    assert forked == started
    assert started_by == os.getpid() != forked_by


def test_one_of_another_environment_is_started(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(project.root / "elsewhere"))
    parent, told = ask(project)
    assert parent == os.getpid()
    assert str(project.root / "elsewhere") in told["path"]


def test_the_exit_of_a_forked_child_is_told(project: Settings) -> None:
    with process.start_child(project.python, project.root, {}) as child:
        assert "exit status" in child.end()
