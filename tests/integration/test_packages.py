"""What is built: a wheel with the package alone, an sdist with the project, of one version, at locked dependencies."""

from __future__ import annotations

import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import hatchling.build
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from govern import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "govern"
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
HEADING = re.compile(r"^## (?:(Unreleased)|(\S+) - \d{4}-\d\d-\d\d)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a build begins (PEP 517)."""
    monkeypatch.chdir(ROOT)


def test_the_wheel_is_the_package_and_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / hatchling.build.build_wheel(str(tmp_path))) as wheel:
        names = set(wheel.namelist())
    metadata = f"govern-{__version__}.dist-info/"
    package = {f"govern/{path}" for path in list_files(PACKAGE)}
    assert {name for name in names if not name.startswith(metadata)} == package
    assert {"govern/py.typed", "govern/checks/examples.json", "govern/reports/templates/page.html"} <= package


def test_the_sdist_is_the_project_without_what_is_made_of_it(tmp_path: Path) -> None:
    file = tmp_path / hatchling.build.build_sdist(str(tmp_path))
    with tarfile.open(file) as archive:
        names = {name.removeprefix(f"govern-{__version__}/") for name in archive.getnames()}
    assert {f"src/govern/{path}" for path in list_files(PACKAGE)} <= names
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "tests/conftest.py", "Makefile"} <= names
    assert {name for name in names if name.startswith("backups/")} == {"backups/README.md"}
    made = {".venv", ".govern", "__pycache__", ".git", "dist", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
    assert not [name for name in names if made & set(name.split("/"))]


def list_files(folder: Path) -> Iterator[Path]:
    return (
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    )


def test_the_newest_heading_of_the_changelog_fits_the_version() -> None:
    """What is not released yet has the version that it will be released as."""
    headings = HEADING.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    released = [Version(number) for _, number in headings if number]
    assert released == sorted(set(released), reverse=True)
    if headings[0] == ("Unreleased", ""):
        assert all(Version(__version__) > number for number in released)
    else:
        assert str(released[0]) == __version__


def test_the_lock_has_a_version_of_all_that_is_declared() -> None:
    locked = read_lock()
    declared = chain(DECLARED["dependencies"], *DECLARED["optional-dependencies"].values())
    for requirement in map(Requirement, declared):
        if requirement.name == "govern" or (requirement.marker and not requirement.marker.evaluate()):
            continue
        version = locked.get(requirement.name.lower().replace("_", "-"))
        assert version in requirement.specifier, f"{requirement}, locked is {version}: make lock"


def test_the_lock_names_contents_and_no_place_to_find_them() -> None:
    lines = [line for line in LOCK.replace("\\\n", "").splitlines() if not line.lstrip().startswith("#")]
    assert [line for line in lines if "--hash=sha256:" not in line] == []
    assert "://" not in LOCK


def read_lock() -> dict[str, str]:
    """The versions for this interpreter, by the names of the distributions."""
    lines = re.findall(r"^([^\s#]\S*==.*?)(?: \\)?$", LOCK, re.MULTILINE)
    return {
        one.name: str(one.specifier).removeprefix("==")
        for one in map(Requirement, lines)
        if one.marker is None or one.marker.evaluate()
    }
