"""The incident drill is run as it stands, on both engines; afterwards every row of the folder is in the database."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.program import execute
from tests.docs.markdown import DOCS, read_blocks
from tests.docs.transcript import environment, read_steps, run_blocks, write_file
from tests.fixtures.projects import CASES, read_rows

PAGE = DOCS / "incident-drill.md"
REVISION = """
from alembic import op
from app.models import Base
revision = "r1"
down_revision = None

def upgrade():
    Base.metadata.create_all(op.get_bind())

def downgrade():
    Base.metadata.drop_all(op.get_bind())
"""
KEYS_A_SECOND = 5
"""Sixty words a minute."""


def make_exports(folder: Path) -> None:
    """By hand, and each file in its own way."""
    folder.mkdir()
    projects = [{"id": str(uuid.uuid4()), "name": f"project {number}"} for number in range(12)]
    sessions = {
        str(uuid.uuid4()): {
            "project_id": projects[number % 12]["id"], "started_at": f"2026-10-{number % 28 + 1:02}T10:00:00Z"
        }
        for number in range(40)
    }  # fmt: skip
    results = [
        {"id": number, "session_id": list(sessions)[number % 40], "is_final": number % 2,
         "payload": {"scores": [round(number * 0.1, 1)] * 250}}
        for number in range(1, 501)
    ]  # fmt: skip
    (folder / "projects.json").write_text(json.dumps(projects), encoding="utf-8")
    (folder / "sessions.json").write_text(json.dumps(sessions, indent=1), encoding="utf-8")
    (folder / "results.jsonl").write_text("\n".join(map(json.dumps, results)), encoding="utf-8")
    (folder / "README.txt").write_text("saved before the holidays", encoding="utf-8")


@pytest.fixture
def wiped(any_database: DatabaseUrl, tmp_path: Path) -> Path:
    """The page's project, migrated; then its rows and one table were lost."""
    folder = tmp_path / "project"
    shutil.copytree(CASES / "plain", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for block in read_blocks(PAGE):
        if block.title is not None:
            write_file(block, folder)
    versions = folder / "migrations" / "versions"
    for file in versions.iterdir():
        file.unlink()
    (versions / "r1_tables.py").write_text(REVISION, encoding="utf-8")
    state = tmp_path / "project.exported"
    state.write_text(f"export DATABASE_URL='{any_database.text}'\n", encoding="utf-8")
    govern = [Path(sys.executable).with_name("govern"), "--quiet", "--url", any_database.text]
    for command in (["lock"], ["migrate", "--backup", "off", "--rehearse", "off"]):
        subprocess.run(
            [*govern, *command], cwd=folder, env=environment(), stdout=subprocess.DEVNULL, check=True
        )
    cascade = " CASCADE" if any_database.dialect == "postgresql" else ""
    execute(any_database, f"DROP TABLE sessions{cascade}")
    make_exports(folder / "exports")
    return folder


def test_the_drill_ends_with_every_row_in_its_place(wiped: Path, any_database: DatabaseUrl) -> None:
    assert run_blocks(read_blocks(PAGE), wiped) == []
    joined = "FROM results r JOIN sessions s ON s.id = r.session_id JOIN projects p ON p.id = s.project_id"
    assert read_rows(any_database, f"SELECT count(*), sum(r.id) {joined}") == [(500, 125_250)]
    ((payload,),) = read_rows(any_database, "SELECT CAST(payload AS text) FROM results WHERE id = 7")
    assert json.loads(payload) == {"scores": [0.7] * 250}
    restored = {str(uuid.UUID(str(key))) for (key,) in read_rows(any_database, "SELECT id FROM sessions")}
    assert restored == json.loads((wiped / "exports" / "sessions.json").read_text(encoding="utf-8")).keys()


def test_the_drill_is_typed_in_less_than_a_minute() -> None:
    blocks = [block for block in read_blocks(PAGE) if block.language == "console"]
    commands = [step.command.partition("  #")[0] for block in blocks for step in read_steps(block)]
    assert len(commands) > 5
    assert sum(map(len, commands)) / KEYS_A_SECOND < 60
