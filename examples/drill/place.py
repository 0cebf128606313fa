"""Where a drill takes place: a copy of the sample project, with rows in a database of its own and in no other."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent.parent
GOVERN = str(Path(sys.executable).with_name("govern"))
HERE = Path(__file__).resolve().parent

Digests = Mapping[str, tuple[int, str]]
"""Of each table how many rows it has, and a digest of their values."""

_PROJECT = ("alembic.ini", "pyproject.toml", "schema", "migrations")
_TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
)
_DIGEST = """
SELECT count(*), coalesce(md5(string_agg(row_text, E'\\n' ORDER BY row_text)), '')
FROM (SELECT (to_jsonb(r) - %s::text)::text AS row_text FROM {} AS r) AS texts
"""
"""Of a table's values by their columns' names, whatever the order of its columns and rows, but for one column."""
_TOUCHED = {"users": "updated_at"}
"""What the triggers of the sample write anew when a restore gives rows their column back."""


def copy_project(folder: Path) -> None:
    """The sample project with the manifest of a drill, in a folder that is not there yet."""
    folder.mkdir()
    for name in _PROJECT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    with (folder / "schema" / "governance.yaml").open("a", encoding="utf-8") as manifest:
        manifest.write((HERE / "governance.yaml").read_text(encoding="utf-8"))


def migrate(folder: Path, environment: Mapping[str, str]) -> None:
    """Makes the 38 tables in the project's database."""
    run_govern(folder, environment, "migrate", "--rehearse", "off", "--backup", "off", "--quiet")


def seed(folder: Path, conninfo: str, environment: Mapping[str, str]) -> None:
    """Puts rows into each of them, and takes the backup that the drill goes back to."""
    with psycopg.connect(conninfo) as session:
        session.execute((HERE / "seeds.sql").read_bytes())
    run_govern(folder, environment, "backup", "create", "--quiet")


def find_differences(before: Digests, now: Digests) -> list[str]:
    """The tables whose rows are otherwise."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def run_govern(folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
    """One command in the folder. Raises CalledProcessError if it does not end with 0."""
    subprocess.run([GOVERN, *arguments], cwd=folder, env=dict(environment), check=True)


def read_digests(conninfo: str) -> Digests:
    """Of each table how many rows it has, and a digest of all their values."""
    with psycopg.connect(conninfo) as session:
        session.execute("SET TIME ZONE 'UTC'")
        names = [name for (name,) in session.execute(_TABLES).fetchall()]
        return {name: _digest(session, name) for name in names}


def _digest(session: psycopg.Connection, name: str) -> tuple[int, str]:
    row = session.execute(sql.SQL(_DIGEST).format(sql.Identifier(name)), (_TOUCHED.get(name, ""),)).fetchone()
    assert row is not None
    return row[0], row[1]
