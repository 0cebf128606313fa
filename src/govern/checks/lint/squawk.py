"""squawk's rules over the statements that ran: those that no observation decides. It reads, and changes nothing.

squawk ends with 1 for findings and for its own errors alike: what it means is in its JSON.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govern.checks.lint.pending import Pending
from govern.checks.lint.rules import (
    ADDING_REQUIRED_FIELD,
    RENAMING_COLUMN,
    RENAMING_TABLE,
    SQUAWK,
)
from govern.checks.lint.statements import AddColumn, is_definition, read_statement, read_tables
from govern.core.finding import Finding
from govern.core.observation import Observation
from govern.errors import CouldNotCheck, ToolMissing

Run = Callable[[Sequence[str], str], str]
"""Runs a program with a text on its standard input, and returns what it writes to its standard output."""

_ABOUT_EXISTING = (ADDING_REQUIRED_FIELD, RENAMING_COLUMN, RENAMING_TABLE)
"""Of no interest for a table that the same run creates."""
_SECONDS = 60.0


def find_with_squawk(pending: Pending, *, run: Run | None = None) -> Iterator[Finding]:
    """Findings of the rules in ``SQUAWK``, of all revisions at once. Raises ToolMissing or CouldNotCheck."""
    script = _Script.of(pending)
    if not script.text:
        return
    command = (_find_program(), "--reporter=json", "--assume-in-transaction")
    told: set[tuple[str, int]] = set()
    for problem in _parse((run or _run)(command, script.text)):
        rule = SQUAWK.get(problem["rule_name"])
        place = script.locate(problem["line"])
        if rule is None or place is None or (rule.id, place) in told:
            continue
        told.add((rule.id, place))
        observation = script.observations[place]
        tables = read_tables(observation.sql)
        if rule in _ABOUT_EXISTING and tables and all(map(pending.is_created, tables)):
            continue
        yield _finding(pending, observation, problem["rule_name"], tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Script:
    """The statements as one text, and which line belongs to which."""

    text: str
    observations: tuple[Observation, ...]
    first_lines: tuple[int, ...]
    """Counted from 0, as squawk counts."""

    @classmethod
    def of(cls, pending: Pending) -> _Script:
        """Without what it cannot parse: one syntax error, and squawk says nothing else."""
        lines: list[str] = []
        firsts: list[int] = []
        kept = [seen for seen in pending.observations if is_definition(seen.sql)]
        for observation in kept:
            firsts.append(len(lines))
            lines += f"{observation.sql.strip().rstrip(';')};".splitlines()
        return cls(text="\n".join(lines), observations=tuple(kept), first_lines=tuple(firsts))

    def locate(self, line: int) -> int | None:
        """The index of the statement a line belongs to."""
        before = [index for index, first in enumerate(self.first_lines) if first <= line]
        return before[-1] if before else None


def _finding(pending: Pending, observation: Observation, name: str, tables: tuple[str, ...]) -> Finding:
    rule = SQUAWK[name]
    table = tables[0] if tables else None
    namespace, _, bare = (table or "").rpartition(".")
    kind, subject = ("table", bare) if table else ("revision", observation.revision)
    for act in read_statement(observation.sql):
        if rule is ADDING_REQUIRED_FIELD and isinstance(act, AddColumn):
            kind, subject = "column", f"{bare}.{act.column}"
    return Finding.of(
        rule,
        pending.subject(
            observation.revision,
            kind,
            subject,
            line=pending.line_of(observation),
            namespace=namespace or None,
        ),
        f"{rule.name}: {' '.join(observation.sql.split())[:120]}",
        evidence={"revision": observation.revision, "squawk": name},
    )


def _find_program() -> str:
    """Beside this interpreter, where the wheel puts it, else on the PATH."""
    beside = Path(sys.executable).with_name("squawk")
    found = str(beside) if beside.is_file() else shutil.which("squawk")
    if found is None:
        raise ToolMissing("squawk is not installed", next="pip install 'govern[lint]'")
    return found


def _run(command: Sequence[str], text: str) -> str:
    try:
        ended = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CouldNotCheck("squawk did not run", why=str(error), next="squawk --version") from error
    return ended.stdout or ended.stderr


def _parse(output: str) -> list[dict[str, Any]]:
    """squawk's JSON: one list, or a line of its own for each problem."""
    try:
        values = [json.loads(line) for line in output.splitlines() if line.strip()]
    except ValueError as error:
        said = output.strip().splitlines()[-1:] or ["nothing"]
        raise CouldNotCheck(
            "squawk gave no report", why=f"it said: {said[0]}", next="squawk --version"
        ) from error
    return [problem for value in values for problem in (value if isinstance(value, list) else [value])]
