"""Reading a chain of revision files: ``govern chain`` beside ``alembic history`` and ``alembic heads``, interleaved.

Usage: python benchmarks/chain.py [N ...] [--runs RUNS] [--lines FILE]. N are numbers of revision files: 50, 500 and
2000 by default. Whole processes; no database is asked. Once as it is where the files were imported before, so that
Alembic finds their bytecode, and once as on a fresh checkout, in CI.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from drift import bin
from measured import Measured, add_file_option
from processes import Run, time_process

REVISION = '''"""Revision number {number}."""
from alembic import op
import sqlalchemy as sa

revision = "r{number:05}"
down_revision = {parent!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("t{number}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(200)))
    op.create_index("t{number}_name", "t{number}", ["name"])


def downgrade() -> None:
    op.drop_table("t{number}")
'''


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", nargs="*", type=int, default=[50, 500, 2000])
    arguments.add_argument("--runs", type=int, default=5)
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured = Measured("chain", chosen.lines)
    for files in chosen.files:
        with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
            project = make_project(Path(folder), files)
            print(f"\n{files:,} revision files; whole process, {chosen.runs} runs each, interleaved")
            measured.tell(f"{files:,} revision files", compare(project, chosen.runs), size=files)
            print("  fresh")
            fresh = compare(project, chosen.runs, is_fresh=True)
            measured.tell(f"{files:,} revision files, a fresh checkout", fresh)


def compare(project: Path, runs: int, *, is_fresh: bool = False) -> dict[str, list[Run]]:
    commands: dict[str, Sequence[str]] = {
        "govern chain": (bin("govern"), "chain", "--quiet"),
        "alembic history": (bin("alembic"), "history"),
        "alembic heads": (bin("alembic"), "heads"),
    }
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            if is_fresh:
                shutil.rmtree(project / "migrations/versions/__pycache__", ignore_errors=True)
            run = time_process(command, project)
            if number > 0:  # the first round warms the caches, and compiles what Alembic imports
                found[name].append(run)
    return found


def make_project(root: Path, files: int, revision: str = REVISION) -> Path:
    versions = root / "migrations/versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n", encoding="utf-8")
    (root / "migrations/env.py").touch()
    (root / "govern.toml").touch()
    for number in range(files):
        parent = f"r{number - 1:05}" if number else None
        text = revision.format(number=number, parent=parent)
        (versions / f"r{number:05}.py").write_text(text, encoding="utf-8")
    return root


if __name__ == "__main__":
    main()
