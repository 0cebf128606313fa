"""What acceptance tests share: a copied project and the program that governs it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from filelock import FileLock

from govern.database.url import DatabaseUrl
from tests.acceptance.program import Project
from tests.fixtures.databases import MakeFromTemplate, run_folder
from tests.fixtures.projects import CASES

MakeProject = Callable[..., Project]
"""Takes a project's name of tests/cases/projects, the database, and files to write into the copy."""
CopyPrepared = Callable[[str, Callable[[Project], object]], Project]
"""Takes a name and what prepares the project ``plain``; see ``copy_prepared``."""


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Copies a project: ``make_project("plain", url, {"migrations/env.py": "…"})``; None removes a file."""

    def make(
        name: str, url: DatabaseUrl | None = None, files: Mapping[str, str | None] | None = None
    ) -> Project:
        root = tmp_path / "project"
        shutil.copytree(CASES / name, root, ignore=shutil.ignore_patterns("__pycache__"))
        project = Project(root=root, url=url.text if url else None)
        project.write(files or {})
        return project

    return make


@pytest.fixture
def copy_prepared(
    postgresql_from_template: MakeFromTemplate, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> CopyPrepared:
    """Copies the project ``plain`` with its PostgreSQL database, prepared once a run: ``copy_prepared("x", prepare)``.

    The name stands for what prepares it, as that of a template does.
    """

    def copy(name: str, prepare: Callable[[Project], object]) -> Project:
        original = run_folder(tmp_path_factory.getbasetemp()) / f"prepared-{name}"

        def fill(template: DatabaseUrl) -> None:
            shutil.rmtree(original, ignore_errors=True)  # of one that failed midway
            shutil.copytree(CASES / "plain", original, ignore=shutil.ignore_patterns("__pycache__"))
            prepare(Project(root=original, url=template.text))

        url = postgresql_from_template(f"prepared_{name}", fill)
        shutil.copytree(original, tmp_path / "project")
        return Project(root=tmp_path / "project", url=url.text)

    return copy


@pytest.fixture(params=["postgresql", "sqlite"])
def governed(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The project ``plain`` with its lock, and a database of each engine that was migrated: made once a run,
    copied for each test."""
    return _copy_governed(request, tmp_path, tmp_path_factory, "governed", {})


@pytest.fixture(params=["postgresql", "sqlite"])
def watched(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The same with a manifest: ``users`` must have a row, ``notes`` must be there."""
    manifest = "critical_tables:\n  - {name: users, min_rows: 1}\n  - {name: notes}\n"
    return _copy_governed(
        request, tmp_path, tmp_path_factory, "watched", {"schema/governance.yaml": manifest}
    )


DETAILED = {
    "migrations/versions/r3_detail.py": '''"""index and view"""

from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    op.create_index("notes_user_id_idx", "notes", ["user_id"])
    op.execute("CREATE VIEW note_counts AS SELECT user_id, count(*) AS notes FROM notes GROUP BY user_id")


def downgrade():
    op.execute("DROP VIEW note_counts")
    op.drop_index("notes_user_id_idx", "notes")
''',
    "app/models.py": (CASES / "plain/app/models.py")
    .read_text(encoding="utf-8")
    .replace("Column, ForeignKey,", "Column, ForeignKey, Index,")
    + '    __table_args__ = (Index("notes_user_id_idx", "user_id"),)\n',
    "schema/sql/views.sql": "CREATE VIEW note_counts AS "
    "SELECT user_id, count(*) AS notes FROM notes GROUP BY user_id;\n",
}


@pytest.fixture(params=["postgresql", "sqlite"])
def detailed(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The same with an index over ``notes.user_id`` and a view, ``note_counts``, of that column."""
    return _copy_governed(request, tmp_path, tmp_path_factory, "detailed", DETAILED)


def _copy_governed(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    files: Mapping[str, str | None],
) -> Project:
    """``name`` stands for the files, as that of a template does for its content."""
    engine: str = request.param
    original = run_folder(tmp_path_factory.getbasetemp()) / f"{name}-{engine}"
    root = tmp_path / "project"
    if engine == "postgresql":
        make = request.getfixturevalue("postgresql_from_template")
        url: DatabaseUrl = make(name, lambda template: _govern_plain(original, template, files))
    else:
        file = original / "database.sqlite"
        with FileLock(f"{original}.lock", timeout=300):
            if not file.exists():
                _govern_plain(original, DatabaseUrl.parse(f"sqlite:///{file}"), files)
        url = DatabaseUrl.parse(f"sqlite:///{root / file.name}")
    shutil.copytree(original, root)
    return Project(root=root, url=url.text)


def _govern_plain(root: Path, url: DatabaseUrl, files: Mapping[str, str | None]) -> None:
    shutil.copytree(CASES / "plain", root, ignore=shutil.ignore_patterns("__pycache__"))
    project = Project(root=root, url=url.text)
    project.write(files)
    project.succeed("lock")
    project.succeed("migrate")
