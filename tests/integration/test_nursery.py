"""Children that are forks of one interpreter are what children that were started are; and they go where these go."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from govern.config import Settings
from govern.errors import ToolMissing
from govern.revisions import process
from govern.revisions.nursery import importing_alembic_once
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject
from tests.integration.test_forked_children import TELLING, ask

pytestmark = [
    pytest.mark.usefixtures("started_children"),
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each child is started"),
]


@pytest.fixture
def project(copy_project: CopyProject) -> Settings:
    return copy_project("plain", {"telling.py": TELLING, "govern.toml": 'models = "telling:metadata"\n'})


def test_a_fork_is_what_a_started_child_is_and_is_made_for_that_alone(
    project: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_by, started = ask(project)
    with importing_alembic_once():
        forked_by, forked = ask(project)
        monkeypatch.setenv("PYTHONPATH", str(project.root / "elsewhere"))
        other_by, other = ask(project)
    assert forked == started
    assert started_by == other_by == os.getpid() != forked_by
    assert str(project.root / "elsewhere") in other["path"]


def test_a_fork_leads_its_session_and_the_way_it_ends_is_told(project: Settings) -> None:
    with importing_alembic_once():
        with process.start_child(project.python, project.root, {}) as child:
            assert child.end() == "exit status 0"
        with process.start_child(project.python, project.root, {"command": "describe"}) as child:
            pid = child._process.pid
            interpreter = parent_of(parent_of(pid))
            assert os.getsid(pid) == pid, "it is killed with all that it has started"
            os.kill(pid, signal.SIGKILL)
            assert child.end() == "signal SIGKILL"
    assert not Path(f"/proc/{interpreter}").exists()


def test_where_the_interpreter_is_gone_a_child_is_started(project: Settings) -> None:
    with importing_alembic_once():
        for _ in range(2):
            with process.start_child(project.python, project.root, {}) as child:
                found = parent_of(child._process.pid)
                if found != os.getpid():
                    os.kill(parent_of(found), signal.SIGKILL)
        assert found == os.getpid()


def test_where_something_starts_threads_with_python_a_child_is_started(
    project: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with importing_alembic_once(), process.start_child(project.python, project.root, {}) as child:
        assert parent_of(child._process.pid) == os.getpid()


def test_an_interpreter_that_is_missing_or_has_no_alembic_is_named(project: Settings, tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E -s "$@"\n')
    bare.chmod(0o755)
    for python, message in ((bare, "has no sqlalchemy"), (tmp_path / "none", "cannot be started")):
        with importing_alembic_once(), pytest.raises(ToolMissing, match=message):
            Runner(replace(project, python=python)).describe()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
