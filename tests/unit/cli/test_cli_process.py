"""What only a process of its own can show: signals, closed pipes, encodings, and what is imported."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_PROGRAM = """
import sys, time, types
import govern
api = types.ModuleType("govern.api")
sys.modules["govern.api"] = govern.api = api

def migrate(settings, *, narrate, **_):
    try:
        narrate("applying")
        time.sleep(30)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note("nothing was applied")
        raise

def check(settings, *, narrate, **_):
    from datetime import datetime, UTC
    from govern.core.report import Entry, Report
    narrate("größe")
    entry = Entry.of("chain", (), "größe " * 30000)
    return Report(command="check", started_at=datetime.now(UTC), duration_ms=1, entries=(entry,))

api.migrate, api.check = migrate, check
from govern.cli.main import main
main()
"""


def start(
    *arguments: str, cwd: Path, stdout: int = subprocess.PIPE, **environment: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=cwd,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_with_130_and_a_report(tmp_path: Path, number: signal.Signals) -> None:
    process = start("migrate", "--format", "json", cwd=tmp_path)
    assert process.stderr is not None
    assert process.stderr.readline() == "applying\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(out)["problem"]["state"] == "nothing was applied"
    assert "Traceback" not in err


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    process = start("check", cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == "größe\n"
    process.stderr.close()
    assert process.wait(timeout=20) == 0


def test_a_closed_stderr_does_not_break_the_command(tmp_path: Path) -> None:
    process = start("check", cwd=tmp_path)
    assert process.stderr is not None
    process.stderr.close()
    assert process.stdout is not None
    assert "passed" in process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=20) == 0


def run_in_terminal(*arguments: str, cwd: Path, **environment: str) -> tuple[str, str]:
    """Standard output, of a line at most, and all that the terminal got that standard error is."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        encoding="utf-8",
        env={**os.environ, "TERM": "xterm", "CI": "", **environment},
    )
    os.close(theirs)
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 - a descriptor has no path
        drawn = b"".join(_read_to_its_end(terminal)).decode()
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return out, drawn


def _read_to_its_end(terminal: io.RawIOBase) -> Iterator[bytes]:
    """A terminal that nobody writes to any more is an error on Linux."""
    with contextlib.suppress(OSError):
        while content := terminal.read(65_536):
            yield content


def test_a_terminal_sees_the_step_in_a_line_that_is_gone_afterwards(tmp_path: Path) -> None:
    out, drawn = run_in_terminal("check", "--output", "report.txt", cwd=tmp_path)
    assert out == ""
    assert "größe" in drawn
    assert drawn.endswith("\x1b[2K")  # what erases a line
    assert "\x1b[?25l" not in drawn  # what hides the cursor: a killed command would leave it so


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}])
def test_nothing_moves_where_nobody_looks(tmp_path: Path, variables: dict[str, str]) -> None:
    _, drawn = run_in_terminal("check", "--output", "report.txt", cwd=tmp_path, **variables)
    assert drawn == "größe\r\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_not_success(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a descriptor is needed
        process = start("check", cwd=tmp_path, stdout=full.fileno())
        _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "the report could not be written to stdout" in err


def test_a_terminal_without_unicode_gets_ascii(tmp_path: Path) -> None:
    out, err = start("check", cwd=tmp_path, PYTHONIOENCODING="ascii").communicate(timeout=20)
    assert "+ chain  gr\\xf6\\xdfe" in out
    assert "Traceback" not in err


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom govern.cli.main import run\nassert run(['--help']) == 0\n"
        "heavy = {'sqlalchemy', 'alembic', 'psycopg', 'pydantic', 'structlog', 'rich', 'yaml', 'migra'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "[]\n")
