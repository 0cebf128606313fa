"""What acceptance tests share: a copied project and the program that governs it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.program import Project
from tests.fixtures.projects import CASES

MakeProject = Callable[..., Project]
"""Takes a project's name of tests/cases/projects, the database, and files to write into the copy."""


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
