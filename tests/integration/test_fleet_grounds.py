"""What the jobs of a fleet share in one process: each declared schema is made once, whoever asks for it first."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.declared import Declared
from govern.errors import CouldNotCheck
from govern.fleet.grounds import Grounds
from tests.fixtures.projects import CASES, third_revision

NOTES_ITS_RUN = "open({file!r}, 'a').write('replayed\\n')"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(
        shutil.copytree(CASES / "plain", tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    )


@pytest.fixture
def grounds(root: Path) -> Iterator[Grounds]:
    made = Grounds(root, None)
    yield made
    made.close()


def make_files(folder: Path, *stamps: str) -> list[DatabaseUrl]:
    """A SQLite database for each stamp, with its version table and nothing else."""
    urls = []
    for number, stamp in enumerate(stamps):
        file = folder / f"{number}.sqlite"
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(
                f"CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('{stamp}');"
            )
        urls.append(DatabaseUrl.parse(f"sqlite:///{file}"))
    return urls


def write_third(root: Path, folder: Path, body: str = "pass") -> Path:
    """A newest revision that notes each time it is run."""
    noted = folder / "noted"
    noted.touch()
    for path, text in third_revision(f"{NOTES_ITS_RUN.format(file=str(noted))}; {body}").items():
        (root / path).write_text(str(text), encoding="utf-8")
    return noted


def declare(grounds: Grounds, url: DatabaseUrl) -> Declared | CouldNotCheck:
    project = grounds.project_of("one", url)
    try:
        with grounds.declared_as(project, LiveDatabase(project.settings, url), "revision") as declared:
            return declared
    except CouldNotCheck as error:
        return error


def test_threads_share_one_schema_for_each_revision(grounds: Grounds, root: Path, tmp_path: Path) -> None:
    noted = write_third(root, tmp_path)
    urls = make_files(tmp_path, *("r3", "r1") * 6)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda url: declare(grounds, url), urls))
    assert noted.read_text() == "replayed\n"
    assert len({id(one) for one in found[::2]}) == len({id(one) for one in found[1::2]}) == 1
    [third, first] = found[:2]
    assert isinstance(third, Declared)
    assert isinstance(first, Declared)
    assert {key.name for key in third.snapshot.of_kind("table")} == {"users", "notes", "third"}
    assert {key.name for key in first.snapshot.of_kind("table")} == {"users"}
    place = third.url.path
    assert place.exists()
    grounds.close()
    assert not place.exists()


def test_a_replay_that_fails_is_tried_twice_and_told_to_all(
    grounds: Grounds, root: Path, tmp_path: Path
) -> None:
    noted = write_third(root, tmp_path, "raise RuntimeError('not today')")
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda url: declare(grounds, url), make_files(tmp_path, *["r3"] * 6)))
    assert noted.read_text().count("replayed") == 2
    assert all(isinstance(one, CouldNotCheck) and "not today" in one.why for one in found)
    assert len({id(one) for one in found}) == 6
