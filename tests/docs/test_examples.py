"""The pages are run: every console block of getting-started.md, and what other pages mark to be run after it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from filelock import FileLock

from tests.docs.markdown import DOCS, read_blocks
from tests.docs.transcript import environment, find_missing, read_steps, run_blocks

MARK = "<!-- run in the project of getting-started.md -->"
PAGES_THAT_ARE_RUN = (
    "adopting.md",
    "at-3-am.md",
    "backups.md",
    "ci.md",
    "code-scan.md",
    "diagrams.md",
    "embedded-postgresql.md",
    "fleets.md",
    "health.md",
    "integrity.md",
    "monitor.md",
    "probes.md",
    "pytest.md",
    "python.md",
    "repairs.md",
    "reports.md",
    "restore-drill.md",
    "rolling-deploys.md",
    "workarounds.md",
)
"""What they mark is run, each in a copy of the project of getting-started.md."""
_URL = {"DATABASE_URL": "sqlite:///app.db"}

_STARTS = {
    "web": "import asyncio\nasync def main():\n"
    "    async with web.app.router.lifespan_context(web.app):\n        print('started')\nasyncio.run(main())",
    "shop": "shop.create_app(); print('started')",
}


@pytest.fixture(scope="session")
def getting_started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the page was run, once for all workers; ``mistakes.json`` beside it says how it went."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    place = shared / "getting-started"
    with FileLock(shared / "getting-started.lock"):
        if not place.exists():
            (place / "project").mkdir(parents=True)
            mistakes = run_blocks(read_blocks(DOCS / "getting-started.md"), place / "project")
            (place / "mistakes.json").write_text(json.dumps(mistakes), encoding="utf-8")
    return place


@pytest.fixture
def project(getting_started: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the project as the page leaves it."""
    assert json.loads((getting_started / "mistakes.json").read_text(encoding="utf-8")) == []
    folder = tmp_path / "project"
    shutil.copytree(getting_started / "project", folder)
    shutil.copy(getting_started / "project.exported", tmp_path)
    yield folder
    with suppress(OSError, ValueError):  # the application of probes.md, if the page did not get to its end
        os.kill(int((folder / "tiny.pid").read_text(encoding="utf-8")), signal.SIGKILL)
    if (folder / ".govern").exists():
        stop = ("govern", "embedded", "stop", "--quiet")
        subprocess.run(stop, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, check=True)


def test_getting_started_is_true_from_beginning_to_end(getting_started: Path) -> None:
    mistakes = json.loads((getting_started / "mistakes.json").read_text(encoding="utf-8"))
    assert mistakes == [], "\n".join(mistakes)


@pytest.mark.parametrize("page", PAGES_THAT_ARE_RUN)
def test_what_a_page_says_to_run_is_true(page: str, project: Path) -> None:
    blocks = [block for block in read_blocks(DOCS / page) if block.comment == MARK]
    assert blocks
    mistakes = run_blocks(blocks, project)
    assert mistakes == [], "\n".join(mistakes)


@pytest.mark.parametrize("module", _STARTS)
def test_an_application_of_a_framework_starts_on_its_schema_and_on_no_other(
    module: str, project: Path
) -> None:
    assert _start(module, project).stdout == "started\n"
    with closing(sqlite3.connect(project / "app.db")) as connection:
        connection.execute("DROP TABLE notes")
    refused = _start(module, project)
    assert refused.stdout == ""
    assert "the application refuses to start" in refused.stderr
    assert refused.returncode != 0


def _start(module: str, project: Path) -> subprocess.CompletedProcess[str]:
    program = f"import {module}\n{_STARTS[module]}"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=project,
        env={**environment(), **_URL},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_example_that_is_not_true_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    folder = tmp_path / "project"
    folder.mkdir()
    examples = {
        "$ export NAME=value\n$ echo $NAME: 17 rows\nvalue: … rows\n": None,
        "$ echo one; echo two\ntwo\none\n": "does not print 'one'",
        '$ cd /\n$ [ "$PWD" = "$(pwd -P)" ] && [ "$PWD" != / ]\n': None,
        "$ false\n": "ended with 1, not 0",
        "$ false  # exit 1\n": None,
    }
    for text, expected in examples.items():
        page.write_text(f"```console\n{text}```\n", encoding="utf-8")
        mistakes = run_blocks(read_blocks(page), folder)
        assert (mistakes == []) if expected is None else (expected in mistakes[0])


def test_commands_keep_their_line_and_their_output(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```console\n$ a\n  x\n$ b  # exit 3\n```\n", encoding="utf-8")
    first, second = read_steps(read_blocks(page)[0])
    assert (first.command, first.shown, first.line) == ("a", ("x",), 4)
    assert (second.exit_code, second.shown, second.line) == (3, (), 6)
    assert find_missing(("a … c",), "a b c\n") is None
