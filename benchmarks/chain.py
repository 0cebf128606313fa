"""Reading a chain of revision files: ``govern chain`` beside ``alembic history`` and ``alembic heads``, interleaved.

Usage: python benchmarks/chain.py [N ...] [--graph N ...] [--runs RUNS] [--lines FILE]. N are numbers of revision files:
50, 500 and 2000 by default. Whole processes; no database is asked. Once as it is where the files were read before, so
that Alembic finds their bytecode and govern what it remembers, and once as on a fresh checkout, in CI. ``--graph``:
also revisions with branches, merges, labels and depends_on, of which Alembic takes minutes for 100,000.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from drift import bin
from measured import Measured, add_file_option
from processes import Run, time_process

from govern.checks.chain import check_chain
from govern.config import find_cache_folder
from govern.core.finding import Finding
from govern.revisions.graph import Chain, build_chain, read_chain
from govern.revisions.graph.destination import Destination

T = TypeVar("T")

REVISION = '''"""Revision number {number}."""
from alembic import op
import sqlalchemy as sa

revision = {name!r}
down_revision = {parent!r}
branch_labels = {label!r}
depends_on = {needed!r}

'''
TABLE = """
def upgrade() -> None:
    op.create_table("t{number}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(200)))
    op.create_index("t{number}_name", "t{number}", ["name"])


def downgrade() -> None:
    op.drop_table("t{number}")
"""


class Written(NamedTuple):
    """A revision by numbers."""

    number: int
    parents: Sequence[int] = ()
    needed: Sequence[int] = ()
    label: str | None = None

    def render(self, functions: str) -> str:
        return (REVISION + functions).format(
            number=self.number,
            name=name(self.number),
            parent=one_or_several(self.parents),
            needed=one_or_several(self.needed),
            label=self.label,
        )


def one_or_several(numbers: Sequence[int]) -> str | tuple[str, ...] | None:
    names = tuple(map(name, numbers))
    return names if len(names) > 1 else next(iter(names), None)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", nargs="*", type=int, default=[50, 500, 2000])
    arguments.add_argument("--graph", nargs="+", type=int, default=[], metavar="N")
    arguments.add_argument("--runs", type=int, default=5)
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured = Measured("chain", chosen.lines)
    for files in chosen.files:
        with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
            project = write_project(Path(folder), line_up(files))
            print(f"\n{files:,} revision files; whole process, {chosen.runs} runs each, interleaved")
            measured.tell(f"{files:,} revision files", compare(project, chosen.runs), size=files)
            print("  fresh")
            fresh = compare(project, chosen.runs, is_fresh=True)
            measured.tell(f"{files:,} revision files, a fresh checkout", fresh)
    for files in chosen.graph:
        with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
            project = write_project(Path(folder), branch_out(files))
            print(f"\n{files:,} revisions in a graph; whole process, {chosen.runs} runs each, interleaved")
            measured.tell(f"{files:,} revisions in a graph", compare(project, chosen.runs))
            time_in_process(project)


def compare(project: Path, runs: int, *, is_fresh: bool = False) -> dict[str, list[Run]]:
    commands: dict[str, Sequence[str]] = {
        "govern chain": (bin("govern"), "chain", "--quiet"),
        "alembic history": (bin("alembic"), "history"),
        "alembic heads": (bin("alembic"), "heads"),
    }
    memories = [project / "migrations/versions/__pycache__", find_cache_folder(project)]
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            if is_fresh:
                for memory in filter(None, memories):
                    shutil.rmtree(memory, ignore_errors=True)
            run = time_process(command, project)
            if number > 0:  # the first round warms the caches: Alembic compiles, govern remembers
                found[name].append(run)
    return found


def time_in_process(project: Path) -> None:
    """What the graph alone takes, its files read already."""
    versions = project / "migrations/versions"
    read = read_chain((versions,), memory=project / ".govern")
    chain = timed("the graph is made", lambda: build_chain(read.files, locations=read.locations))
    timed("and checked", lambda: check_chain(chain, root=project))
    timed("held against a database at its heads", lambda: check_at_heads(chain, project))
    timed("the way up from base", lambda: Destination().find_way(chain, ()))
    down = Destination(target="base", direction="downgrade")
    timed("the way down to base", lambda: down.find_way(chain, chain.effective_heads))


def check_at_heads(chain: Chain, project: Path) -> tuple[Finding, ...]:
    return check_chain(chain, root=project, database_revisions=chain.effective_heads)


def timed(what: str, work: Callable[[], T]) -> T:
    started = time.process_time()
    done = work()
    print(f"    {what:<44} {time.process_time() - started:8.3f} s")
    return done


def line_up(count: int) -> Iterator[Written]:
    """Each after the one before."""
    for number in range(count):
        yield Written(number, (number - 1,) if number else ())


def branch_out(count: int) -> Iterator[Written]:
    """A trunk, from which of each hundred revisions ten branch off and are merged ten later; and every tenth revision
    is on a branch of its own beginning, with a label, each tenth of which depends on the trunk."""
    trunk: list[int] = []
    beside: list[int] = []
    apart: list[int] = []
    for number in range(count):
        at = number % 100
        if at % 10 == 5:
            needed = trunk[-1:] if at == 55 else ()
            yield Written(number, apart[-1:], needed, "apart" if not apart else None)
            apart.append(number)
        elif 20 <= at < 40 and at % 2:
            yield Written(number, beside[-1:] or trunk[-1:])
            beside.append(number)
        else:
            joined = beside[-1:] if at == 40 else []
            yield Written(number, (*trunk[-1:], *joined))
            trunk.append(number)
            if joined:
                beside.clear()


def write_project(root: Path, revisions: Iterable[Written], functions: str = TABLE) -> Path:
    versions = root / "migrations/versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n", encoding="utf-8")
    (root / "migrations/env.py").touch()
    (root / "govern.toml").touch()
    for one in revisions:
        (versions / f"{name(one.number)}.py").write_text(one.render(functions), encoding="utf-8")
    return root


def name(number: int) -> str:
    return f"r{number:05}"


if __name__ == "__main__":
    main()
