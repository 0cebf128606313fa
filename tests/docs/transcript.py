"""Runs the blocks of a page in a folder, as a reader would, and tells where the page is not true.

A titled block is a file. In a ``console`` block ``$ command`` is run; ``# exit 1`` behind it is the exit code
it must have, and the lines below it must appear in its output in this order (``…`` stands for anything).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.markdown import Block

_EXIT = re.compile(r"# exit (\d+)\s*$")
# the variables that a command exports are there for the next one, but for where the shell was
_SHELL = (
    '[ -f "$0" ] && . "$0"; eval "$1"; code=$?; '
    'export -p | grep -vE "^declare -x (OLD)?PWD" > "$0"; exit $code'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command and what the page says of it."""

    command: str
    exit_code: int
    shown: tuple[str, ...]
    line: int


def run_blocks(blocks: Iterable[Block], folder: Path) -> list[str]:
    """Runs them in order; returns what was otherwise than the page says, up to the first command that was."""
    for block in blocks:
        if block.title is not None:
            write_file(block, folder)
        elif block.language == "console":
            for step in read_steps(block):
                if mistake := _run(step, folder):
                    return [mistake]
    return []


def write_file(block: Block, folder: Path) -> None:
    file = folder / (block.title or "")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")


def read_steps(block: Block) -> Iterator[Step]:
    command, at, shown = "", 0, list[str]()
    for number, line in enumerate([*block.text.splitlines(), "$ "], start=block.line):
        if not line.startswith("$ "):
            shown.append(line.strip())
            continue
        if command:
            code = _EXIT.search(command)
            yield Step(command=command, exit_code=int(code[1]) if code else 0, shown=tuple(shown), line=at)
        command, at, shown = line.removeprefix("$ "), number, []


def environment() -> Mapping[str, str]:
    """A reader's: the virtual environment is active, nothing points at a database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "GOVERN_"))}
    kept.pop("DATABASE_URL", None)
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _run(step: Step, folder: Path) -> str | None:
    state = folder.parent / f"{folder.name}.exported"
    finished = subprocess.run(
        ["bash", "-c", _SHELL, state, step.command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    where = f"line {step.line}: $ {step.command}"
    if finished.returncode != step.exit_code:
        return f"{where}\nended with {finished.returncode}, not {step.exit_code}:\n{finished.stdout}"
    if (missing := find_missing(step.shown, finished.stdout)) is not None:
        return f"{where}\ndoes not print {missing!r} there:\n{finished.stdout}"
    return None


def find_missing(shown: Iterable[str], output: str) -> str | None:
    """The first of the lines that is not in the output, in their order."""
    lines = iter(output.splitlines())
    for wanted in shown:
        pattern = re.compile(".*".join(map(re.escape, wanted.split("…"))))
        if not any(pattern.search(line) for line in lines):
            return wanted
    return None
