"""Each framework's real server: it serves on its own schema, and ends with the reason on any other."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.acceptance.frameworks.servers import (
    COMMANDS,
    environment,
    exit_codes_of,
    is_lifespan,
    launched,
    refused,
    serving,
    wait_for,
)
from tests.acceptance.frameworks.zygote import Zygote
from tests.acceptance.program import Done, Project, dump, execute
from tests.docs.markdown import DOCS, read_command_lines

PLAIN = ["-m", "examples.plain"]
CELERY = ["-m", "celery", "--quiet", "--app", "tasks"]
TASKS = """
from celery.signals import worker_ready
from examples.celery.app import app, count_users

@worker_ready.connect
def ask(**_):
    count_users.delay()
"""
PRELOADED = """
import os
from sqlalchemy import create_engine, QueuePool
from govern.integrations.process import validate_or_exit

engine = create_engine(os.environ["DATABASE_URL"], poolclass=QueuePool)
validate_or_exit(engine)
print(engine.pool.checkedin())
"""
BEHIND = "UPDATE alembic_version SET version_num = 'r1'"


def assert_refused(done: Done, exit_codes: set[int]) -> None:
    """It ended, and the four sentences were said."""
    assert done.exit_code in exit_codes, done
    said = done.err[done.err.index("the application refuses to start: ") :]
    assert "is at r1, the application needs r2\n" in said, done
    assert "next:  govern migrate\n" in said, done
    assert "state: nothing was changed\n" in said, done


EVERY_TIME = (
    "fastapi, uvicorn",
    "starlette, gunicorn",
    "flask, gunicorn",
    "litestar, litestar run",
    "django, runserver",
)


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "server",
    [pytest.param(name, marks=() if name in EVERY_TIME else pytest.mark.long_fault) for name in COMMANDS],
)
def test_a_server_answers_on_its_own_schema_and_ends_on_another(server: str, governed: Project) -> None:
    with serving(governed, server) as running:
        assert running.get("/") == (200, {"users": 1})
        status, health = running.get("/health")
        assert (status, health["status"]) == (200, "healthy"), health
        assert running.get("/health/database")[0] == 200
        assert running.get("/metrics")[0] == 200
    execute(governed.database, BEHIND)
    before, files = dump(governed.database), governed.read_files()
    done = refused(governed, server)
    assert_refused(done, exit_codes_of(server))
    frames = done.err.count("/govern/integrations/")
    assert frames <= (2 if is_lifespan(server) else 0) * done.err.count("Traceback"), done
    assert "/govern/startup.py" not in done.err
    assert dump(governed.database) == before
    assert governed.read_files() == files


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_a_worker_of_celery_takes_tasks_on_its_own_schema_and_ends_on_another(governed: Project) -> None:
    governed.write({"tasks.py": TASKS})
    worker = [
        *CELERY,
        "worker",
        "--pool",
        "solo",
        "--loglevel",
        "info",
        "--without-gossip",
        "--without-mingle",
    ]
    with launched(governed, "celery", command=worker) as running:
        wait_for(
            running, lambda: "examples.celery.app.count_users" in running.said and ": 1\n" in running.said
        )
    execute(governed.database, BEHIND)
    before, files = dump(governed.database), governed.read_files()
    assert_refused(refused(governed, "celery", command=worker), {4})
    assert dump(governed.database) == before
    assert governed.read_files() == files


@pytest.mark.long_fault
@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_the_beat_of_celery_ends_on_another_schema_too(governed: Project) -> None:
    execute(governed.database, BEHIND)
    assert_refused(
        refused(governed, "celery", command=["-m", "celery", "--app", "examples.celery.app", "beat"]), {4}
    )


def test_a_plain_program_runs_on_its_own_schema_and_ends_on_another(
    governed: Project, zygote: Zygote, tmp_path: Path
) -> None:
    def run(name: str) -> Done:
        return zygote.run(PLAIN, folder=governed.root, environment=environment(governed), out=tmp_path / name)

    assert run("well").err == "the application is up; it knows 1 users\n"
    execute(governed.database, BEHIND)
    done = run("wrong")
    assert_refused(done, {4})
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 4


def test_no_connection_is_left_in_the_pool_for_processes_that_are_forked(
    governed: Project, zygote: Zygote, tmp_path: Path
) -> None:
    governed.write({"preloaded.py": PRELOADED})
    env, out = environment(governed), tmp_path / "out.txt"
    assert zygote.run(["preloaded.py"], folder=governed.root, environment=env, out=out).err == "0\n"


def test_the_documented_commands_are_those_that_are_started_here() -> None:
    lines = read_command_lines(DOCS / "frameworks.md")
    documented = {start_of(line.removeprefix("$ ")) for line in lines if line.startswith("$ ")}
    started = {start_of(command) for command in COMMANDS.values()}
    others = {("examples.plain",), ("celery", "examples.celery.app")}
    assert len(documented) == 11
    assert documented - started == others


def start_of(line: str) -> tuple[str, ...]:
    """The program, and what it starts."""
    program, *more = (word for word in shlex.split(line) if word not in ("python", "-m"))
    return (Path(program).name, *(word for word in more if re.match(r"examples\.|shop\.", word)))
