"""A project with all that can be switched off, and what starts its applications."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from govern.database.url import DatabaseUrl
from tests.acceptance.frameworks.zygote import Zygote
from tests.acceptance.program import Project
from tests.fixtures.databases import run_folder
from tests.fixtures.projects import CASES

INDEX = '\n\nIndex("ix_notes_user_id", Note.user_id)\n'
MANIFEST = """
critical_tables:
  - name: users
    min_rows: 1
  - name: notes
"""
TRIGGER = """
CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := trim(NEW.body); RETURN NEW; END $$;
CREATE TRIGGER tidy_notes BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION tidy();
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_notes ON notes USING (true);
"""
GUARDED = '''
"""what keeps notes in order"""
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.create_index("ix_notes_user_id", "notes", ["user_id"])
    {sql}

def downgrade():
    raise NotImplementedError
'''


@pytest.fixture(params=["postgresql", "sqlite"])
def guarded(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The project ``plain`` with an index, a manifest and, on PostgreSQL, a trigger and row security: governed once
    a run on each engine, copied for each test."""
    engine: str = request.param
    original = run_folder(tmp_path_factory.getbasetemp()) / f"frameworks-{engine}"
    root = tmp_path / "project"
    if engine == "postgresql":
        make = request.getfixturevalue("postgresql_from_template")
        url: DatabaseUrl = make("frameworks", lambda template: _govern(original, template, TRIGGER))
    else:
        file = original / "database.sqlite"
        with FileLock(f"{original}.lock", timeout=300):
            if not file.exists():
                _govern(original, DatabaseUrl.parse(f"sqlite:///{file}"), None)
        url = DatabaseUrl.parse(f"sqlite:///{root / file.name}")
    shutil.copytree(original, root)
    return Project(root=root, url=url.text)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    started = Zygote()
    yield started
    started.close()


def _govern(root: Path, url: DatabaseUrl, sql: str | None) -> None:
    shutil.copytree(CASES / "plain", root, ignore=shutil.ignore_patterns("__pycache__"))
    project = Project(root=root, url=url.text)
    models = (root / "app" / "models.py").read_text(encoding="utf-8")
    project.write(
        {
            "app/models.py": models.replace("import Column", "import Column, Index") + INDEX,
            "schema/governance.yaml": MANIFEST,
            "migrations/versions/r3_order.py": GUARDED.format(sql=f'op.execute("""{sql}""")' if sql else ""),
            **({"schema/sql/notes.sql": sql} if sql else {}),
        }
    )
    project.succeed("lock")
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
