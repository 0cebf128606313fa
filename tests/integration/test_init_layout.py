"""Where ``govern init`` looks for a project: its environment, an ini inside its package, the engine of its env.py."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from govern import api, config
from govern.actions.init import Adoption, init
from govern.actions.init.layout import locate
from govern.config import Settings
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError
from govern.revisions.explain import ForeignEngine
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject

ENV = "migrations/env.py"
OFFLINE_URL = 'config.get_main_option("sqlalchemy.url")'
FOLDERS = ("postgresql", "sqlite")


def load(root: Path, python: Path | None = None) -> Settings:
    return config.load(start=root, environ={}, python=python)


def adopt(root: Path) -> Adoption:
    return init(load(root), today=date(2030, 5, 17), narrate=lambda _: None)


def move_into_package(root: Path) -> None:
    """As projects have it that are installed with their revisions."""
    inside = root / "src" / "shop"
    inside.mkdir(parents=True)
    (inside / "__init__.py").touch()
    (root / "alembic.ini").rename(inside / "alembic.ini")
    (root / "migrations").rename(inside / "migrations")
    text = (inside / "alembic.ini").read_text()
    (inside / "alembic.ini").write_text(
        text.replace("location = mig", "location = shop:mig").replace("= .", "= . src")
    )


def make_environment(folder: Path) -> Path:
    """An environment that has Alembic by the .pth file of another place; returns its interpreter."""
    packages = folder / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "elsewhere" / "alembic").mkdir(parents=True)
    (packages / "linked.pth").write_text(f"import os\n{folder / 'elsewhere'}\n")
    return folder / "bin" / "python"


def test_the_ini_inside_a_package_is_adopted_from_the_repositorys_folder(copy_project: CopyProject) -> None:
    root = copy_project("plain").root
    move_into_package(root)
    adopted = adopt(root)
    assert [finding for entry in adopted.entries for finding in entry.findings] == []
    assert 'alembic_config = "src/shop/alembic.ini"' in (root / "govern.toml").read_text()
    assert load(root).alembic.version_locations == (root / "src/shop/migrations/versions",)


def test_an_ini_that_is_not_the_only_one_is_not_chosen_for_anybody(copy_project: CopyProject) -> None:
    root = copy_project("plain").root
    move_into_package(root)
    (root / "tools").mkdir()
    (root / "tools" / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    with pytest.raises(ConfigurationError) as caught:
        adopt(root)
    assert caught.value.next == (
        "cd tools && govern init; or govern init --alembic-config src/shop/alembic.ini"
    )
    assert not (root / "govern.toml").exists()


def test_inside_the_package_the_folder_to_work_in_is_named(copy_project: CopyProject) -> None:
    root = copy_project("plain").root
    move_into_package(root)
    with pytest.raises(ConfigurationError) as caught:
        adopt(root / "src" / "shop")
    assert caught.value.next == f"cd {root / 'src'} && govern init --alembic-config shop/alembic.ini"


def test_the_environment_in_the_repository_is_the_projects_and_named_as_others_have_it(
    copy_project: CopyProject,
) -> None:
    root = copy_project("plain").root
    assert locate(load(root)).python == Path(sys.executable)
    (root / ".git").mkdir()
    make_environment(root / ".venv")
    (root / "backend").mkdir()
    assert locate(load(root)).python == root / ".venv/bin/python"
    assert locate(load(root / "backend")).python == root / "backend/../.venv/bin/python"
    given = make_environment(root / "given")
    assert locate(load(root, python=given)).python == given


def test_an_environment_without_alembic_or_govern_s_own_is_not_taken_for_the_projects(
    copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copy_project("plain").root
    python = make_environment(root / "venv")
    assert locate(load(root)).python == python
    monkeypatch.setattr(sys, "prefix", str(root / "venv"))
    assert locate(load(root)).python == Path(sys.executable)
    monkeypatch.undo()
    (root / "venv/elsewhere/alembic").rmdir()
    assert locate(load(root)).python == Path(sys.executable)


@pytest.mark.parametrize(
    "options", ["", "?check_same_thread=false"], ids=["alone", "with its driver's options"]
)
def test_the_sqlite_file_that_env_is_for_is_the_database_where_nobody_names_one(
    options: str, copy_project: CopyProject
) -> None:
    root = copy_project("plain").root
    env = (root / ENV).read_text()
    (root / ENV).write_text(env.replace(OFFLINE_URL, f"'sqlite:///shop.db{options}'"))
    adopt(root)
    assert 'url = "sqlite:///shop.db"\n' in (root / "govern.toml").read_text()
    assert not (root / "shop.db").exists()
    (root / "govern.toml").unlink()
    init(replace(load(root), url="sqlite:///given.db"), today=date(2030, 5, 17), narrate=lambda _: None)
    assert "shop.db" not in (root / "govern.toml").read_text()


def test_the_file_of_an_engine_that_the_application_makes_is_named_as_the_environment_has_it(
    copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copy_project("own_engine", {"alembic.ini": "[alembic]\nscript_location = migrations\n"}).root
    monkeypatch.setenv("OWN_URL", "sqlite:///shop.db")
    adopted = adopt(root)
    assert [finding for entry in adopted.entries for finding in entry.findings] == []
    assert 'url_env = "OWN_URL"\n' in (root / "govern.toml").read_text()
    assert not (root / "shop.db").exists()


def test_the_file_in_which_env_breaks_is_no_database(copy_project: CopyProject) -> None:
    root = copy_project("plain", {"migrations/env.py": "raise RuntimeError('not today')\n"}).root
    adopted = adopt(root)
    assert "\nurl =" not in (root / "govern.toml").read_text()
    assert "env.py" not in next(entry.reason or "" for entry in adopted.entries if entry.name == "database")


def test_an_env_for_another_engine_says_the_url_of_its_file(
    copy_project: CopyProject, postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = copy_project("own_engine")
    monkeypatch.setenv("OWN_URL", f"sqlite:///{settings.root}/shop.db")
    with pytest.raises(ForeignEngine) as caught:
        Runner(settings).upgrade(postgresql_database)
    assert caught.value.destination is not None
    assert caught.value.destination.file == settings.root / "shop.db"
    assert f"--url sqlite:///{settings.root}/shop.db" in caught.value.next


def test_each_engines_history_has_its_own_newest_revision(
    copy_project: CopyProject, sqlite_database: DatabaseUrl
) -> None:
    root = copy_project("plain").root
    versions = root / "migrations/versions"
    (versions / "r2_notes.py").write_text(
        (versions / "r2_notes.py").read_text() + "\n\ndef downgrade():\n    pass\n"
    )
    for folder in FOLDERS:
        (versions / folder).mkdir()
        for file in versions.glob("*.py"):
            text = file.read_text().replace('"r1"', f'"{folder}1"').replace('"r2"', f'"{folder}2"')
            (versions / folder / file.name).write_text(text)
    for file in versions.glob("*.py"):
        file.unlink()
    adopt(root)
    assert 'since = ["postgresql2", "sqlite2"]' in (root / "govern.toml").read_text()
    settings = config.load(start=root, url=sqlite_database.text, environ={})
    entries = {entry.name: entry for entry in api.check(settings).entries}
    assert entries["lint"].reason == "no revision to look at: none is after sqlite2"
    assert (entries["chain"].status, entries["chain"].reason) == (
        "passed",
        "2 revision files; 1 remark on the history: govern chain",
    )
    assert {finding.rule.id for finding in api.chain(settings).findings} == {"chain.missing-downgrade"}
    with pytest.raises(ConfigurationError, match="nobodys"):
        api.lint(settings, since="nobodys")
