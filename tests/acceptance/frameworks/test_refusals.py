"""Every way in which a database can be the wrong one, through FastAPI, Flask and Django as processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.frameworks.servers import (
    COMMANDS,
    arguments,
    environment,
    exit_codes_of,
    free_port,
    refused,
)
from tests.acceptance.frameworks.wrong import WRONG, MakeEmpty
from tests.acceptance.frameworks.zygote import Zygote
from tests.acceptance.program import Done, Project, dump

FORKED = ("fastapi, uvicorn", "flask, flask run", "django, runserver")
WAYS = [(name, engine) for name, wrong in WRONG.items() for engine in wrong.engines]


@pytest.fixture
def make_empty(request: pytest.FixtureRequest, guarded: Project) -> MakeEmpty:
    def make() -> DatabaseUrl:
        url: DatabaseUrl = request.getfixturevalue(f"{guarded.database.dialect}_database")
        return url

    return make


@pytest.mark.parametrize(("way", "guarded"), WAYS, indirect=["guarded"])
def test_no_application_starts_on_a_wrong_database(
    way: str, guarded: Project, make_empty: MakeEmpty, zygote: Zygote, tmp_path: Path
) -> None:
    project = WRONG[way].make(guarded, make_empty)
    before = state_of(project)
    for server in FORKED:
        words = arguments(server, free_port())
        if server == "django, runserver":
            words.append("--noreload")
        out = tmp_path / f"{server}.txt"
        done = zygote.run(words, folder=project.root, environment=environment(project, server), out=out)
        assert_refused(done, server, WRONG[way].said)
    assert state_of(project) == before


@pytest.mark.long_fault
@pytest.mark.parametrize("server", COMMANDS)
@pytest.mark.parametrize(("way", "guarded"), WAYS, indirect=["guarded"])
def test_no_server_starts_on_a_wrong_database(
    way: str, server: str, guarded: Project, make_empty: MakeEmpty
) -> None:
    project = WRONG[way].make(guarded, make_empty)
    before = state_of(project)
    assert_refused(refused(project, server), server, WRONG[way].said)
    assert state_of(project) == before


@pytest.mark.parametrize("guarded", ["postgresql", "sqlite"], indirect=True)
def test_the_same_applications_start_on_the_right_one(
    guarded: Project, zygote: Zygote, tmp_path: Path
) -> None:
    program = "import examples.plain.__main__ as plain; plain.main()"
    guarded.write({"right.py": program})
    done = zygote.run(
        ["right.py"], folder=guarded.root, environment=environment(guarded), out=tmp_path / "out.txt"
    )
    assert (done.exit_code, done.err) == (0, "the application is up; it knows 1 users\n"), done


def assert_refused(done: Done, server: str, said: str) -> None:
    assert done.exit_code in exit_codes_of(server), done
    told = done.err[done.err.index("the application refuses to start: ") :]
    assert said in told, done
    assert "next: " in told, done
    assert "state: nothing was changed" in told, done


def state_of(project: Project) -> tuple[str, dict[str, bytes]]:
    """All of the database, and every file of the project's folder: a SQLite file too, or that there is none."""
    url = project.database
    is_there = url.database != "not_there" and (url.dialect == "postgresql" or url.path.exists())
    return dump(url) if is_there else "", project.read_files()
