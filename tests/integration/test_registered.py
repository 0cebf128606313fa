"""Models that a project's files define and its metadata does not have."""

from __future__ import annotations

import pytest

from govern.actions.registered import find_unregistered
from govern.errors import CouldNotCheck
from tests.fixtures.projects import CopyProject

PROFILE = """
from app.models import Base
from sqlalchemy import Column, Integer

class Profile(Base):
    __tablename__ = "".join(["pro", "files"])
    id = Column(Integer, primary_key=True)
"""
ANOTHER_BASE = """
from sqlalchemy import Column, Integer
from sqlalchemy.orm import declarative_base

Legacy = declarative_base()

class Old(Legacy):
    __tablename__ = "old"
    id = Column(Integer, primary_key=True)
"""


def test_a_model_that_nobody_imports_is_named_with_its_module(copy_project: CopyProject) -> None:
    settings = copy_project("plain", {"app/profile.py": PROFILE})
    (finding,) = find_unregistered(settings)
    assert finding.rule.id == "drift.model-not-registered"
    assert (finding.subject.name, finding.subject.path) == ("profiles", "app/profile.py")
    assert finding.remedy == "import app.profile where migrations/env.py gets its metadata from, or remove it"


def test_models_that_are_imported_and_those_of_another_base_are_none(copy_project: CopyProject) -> None:
    env = "from app.models import Base\nimport app.profile\n"
    settings = copy_project("plain", {"app/profile.py": PROFILE, "app/legacy.py": ANOTHER_BASE})
    file = settings.alembic.script_location / "env.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("from app.models import Base\n", env), encoding="utf-8")
    assert find_unregistered(settings) == ()


def test_a_module_that_cannot_be_imported_is_not_taken_for_one_without_models(
    copy_project: CopyProject,
) -> None:
    settings = copy_project("plain", {"app/profile.py": f"import no_such_package\n{PROFILE}"})
    with pytest.raises(CouldNotCheck, match=r"app\.profile cannot be imported") as refused:
        find_unregistered(settings)
    assert "no_such_package" in refused.value.why
