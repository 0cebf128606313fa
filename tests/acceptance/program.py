"""The real ``govern`` program in a project of its own, as a user has it.

What a test waits for is forked off an interpreter that has imported it; what it sends signals to starts by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from govern.database import embedded
from govern.database.url import DatabaseUrl
from tests.acceptance.forked import run_govern

GOVERN = Path(sys.executable).with_name("govern")
_TIMEOUT_SECONDS = 300
_DOCUMENT_KEYS = {
    "schema_version", "tool", "command", "status", "target", "started_at", "duration_ms", "entries",
    "unmodelled", "summary", "problem",
}  # fmt: skip
_FINDING_KEYS = {"rule", "severity", "subject", "message", "why", "remedy", "evidence", "fix"}
_PROBLEM_KEYS = {"what", "why", "next", "state", "exit_code"}
_STATUSES: Mapping[int, set[str]] = {
    0: {"clean", "found"},
    1: {"found"},
    2: {"undecided"},
    3: {"undecided"},
    4: {"refused"},
    5: {"failed"},
}
_LEDGER_TABLES = ("govern_runs", "govern_ledger", "govern_monitor", "govern_backup", "sqlite_sequence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A command that has ended."""

    exit_code: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        """The document on stdout; AssertionError, with all that the command said, where there is none."""
        try:
            return json.loads(self.out)
        except json.JSONDecodeError as error:
            raise AssertionError(f"no JSON document: {self}") from error

    @property
    def findings(self) -> list[Any]:
        return [finding for entry in self.report["entries"] for finding in entry["findings"]]

    @property
    def rules(self) -> set[str]:
        return {finding["rule"] for finding in self.findings}

    @property
    def problem(self) -> Any:
        return self.report["problem"]

    def entry(self, name: str) -> Any:
        """The report's entry of that name; StopIteration if there is none."""
        return next(entry for entry in self.report["entries"] if entry["name"] == name)

    def __str__(self) -> str:
        return f"exit code {self.exit_code}\n{self.out}\n{self.err}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project's folder, and the database its commands are about."""

    root: Path
    url: str | None
    """Given as DATABASE_URL; None: the project says itself, or has the embedded PostgreSQL."""
    environment: Mapping[str, str] = field(default_factory=dict)

    def govern(self, *arguments: str) -> Done:
        """Runs one command in the project's folder. No command may ever show a traceback."""
        done = self._fork(arguments)
        assert "Traceback" not in done.out + done.err, done
        assert "a bug in govern" not in done.out + done.err, done
        return done

    def ask(self, *arguments: str) -> Done:
        """The same with ``--format json``: one document as the contract has it, whatever happens."""
        done = self.govern(*arguments, "--format", "json")
        report = done.report
        assert set(report) >= _DOCUMENT_KEYS, done
        assert report["status"] in _STATUSES[done.exit_code], done
        assert all(set(finding) >= _FINDING_KEYS for finding in done.findings), done
        assert sum(report["summary"].values()) == len(done.findings), done
        if report["problem"] is not None:
            assert set(report["problem"]) == _PROBLEM_KEYS, done
            assert report["problem"]["exit_code"] == done.exit_code, done
        return done

    def succeed(self, *arguments: str) -> Done:
        """The same, and the command must end with 0."""
        done = self.ask(*arguments)
        assert done.exit_code == 0, done
        return done

    def run(self, *command: str) -> Done:
        """Runs any program in the project's folder."""
        ended = subprocess.run(
            command,
            cwd=self.root,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        return Done(exit_code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts one command, for whoever wants to do something meanwhile."""
        return subprocess.Popen(
            [GOVERN, *arguments],
            cwd=self.root,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _fork(self, arguments: Sequence[str]) -> Done:
        if "PYTHONPATH" in self.environment:  # other modules than those that are imported
            return self.run(str(GOVERN), *arguments)
        exit_code, out, err = run_govern(
            arguments, folder=self.root, environment=self.variables, timeout_seconds=_TIMEOUT_SECONDS
        )
        return Done(exit_code=exit_code, out=out, err=err)

    def run_python(self, program: str) -> Done:
        """Runs a Python program in the project's folder, as its application would run."""
        return self.run(sys.executable, "-c", program)

    @property
    def database(self) -> DatabaseUrl:
        assert self.url is not None
        return DatabaseUrl.parse(self.url)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its commands."""
        url = {} if self.url is None else {"DATABASE_URL": self.url}
        return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **url, **self.environment}

    def with_url(self, url: DatabaseUrl | str | None) -> Project:
        return replace(self, url=url.text if isinstance(url, DatabaseUrl) else url)

    def with_environment(self, **variables: str) -> Project:
        return replace(self, environment={**self.environment, **variables})

    def write(self, files: Mapping[str, str | None]) -> None:
        """Writes files by their path in the project; None removes one."""
        for path, text in files.items():
            file = self.root / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replaces a text that must be there."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text
        self.write({path: text.replace(old, new)})

    def read_files(self) -> dict[str, bytes]:
        """Every file's content by its path, but for what Python compiled."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }


@contextmanager
def serving(project: Project, *options: str) -> Iterator[str]:
    """The address of a ``govern serve`` for this project."""
    process = project.start("serve", "--port", "0", *options)
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if line.startswith("listening at http://"))
        yield line.split()[2].rstrip(":")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def finish(process: subprocess.Popen[str]) -> Done:
    """Waits for a command that was started. No command may ever show a traceback."""
    out, err = process.communicate(timeout=_TIMEOUT_SECONDS)
    done = Done(exit_code=process.returncode, out=out, err=err)
    assert "Traceback" not in out + err, done
    assert "a bug in govern" not in out + err, done
    return done


def assert_told(project: Project, *arguments: str, exit_code: int, said: str) -> None:
    """The command ends with ``exit_code`` and an error of four sentences, as text and in the JSON report.

    ``said`` is a part of it.
    """
    told = project.govern(*arguments)
    assert told.exit_code == exit_code, told
    error = told.err[told.err.rindex("error: ") :]
    assert "\n  next:  " in error, told
    assert "\n  state: " in error, told
    assert said in " ".join(error.split()), told
    answered = project.ask(*arguments)
    assert answered.exit_code == exit_code, answered
    assert all(answered.problem[sentence] for sentence in ("what", "next", "state")), answered
    assert said in " ".join(map(str, answered.problem.values())), answered


def execute(url: DatabaseUrl, *statements: str) -> None:
    """Changes a database by hand; each statement commits."""
    if url.dialect == "postgresql":
        with psycopg.connect(url.conninfo, autocommit=True) as session:
            for statement in statements:
                session.execute(statement.encode())
        return
    with contextlib.closing(sqlite3.connect(url.path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def dump(url: DatabaseUrl, *, ledger: bool = True) -> str:
    """All of a database as text, schema and rows, as its own tools write it; ``ledger``: with govern's own."""
    return _dump_sqlite(url.path, ledger) if url.dialect == "sqlite" else _dump_postgresql(url, ledger)


def _dump_postgresql(url: DatabaseUrl, ledger: bool) -> str:
    program = embedded.find_programs() / "pg_dump"
    without_ledger = () if ledger else ("--exclude-schema=govern", "--exclude-schema=govern_backup")
    command = (program, "--restrict-key=x", *without_ledger, f"--dbname={url.conninfo}")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _dump_sqlite(file: Path, ledger: bool) -> str:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        statements = list(connection.iterdump())
    if not ledger:
        statements = [text for text in statements if not any(name in text for name in _LEDGER_TABLES)]
    return "\n".join(statements)
