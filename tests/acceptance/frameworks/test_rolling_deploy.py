"""A rolling deploy with gunicorn's workers: the new application waits for the migration, the old one goes on."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import pytest

from tests.acceptance.frameworks.servers import Server, launched, refused, wait_for
from tests.acceptance.program import Done, Project, finish
from tests.fixtures.projects import read_version, third_revision

MIGRATE = ("migrate", "--backup", "off", "--rehearse", "off", "--format", "json")
GUNICORN = [
    "-m",
    "gunicorn",
    "--no-control-socket",
    "--workers",
    "2",
    "--bind",
    "127.0.0.1:{port}",
    "shop:create_app()",
]
SHOP = """
import os

from flask import Flask
from sqlalchemy import create_engine, text
from govern.integrations import flask as govern

def create_app():
    app = Flask(__name__)
    engine = create_engine(os.environ["DATABASE_URL"])
    wait = float(os.environ.get("WAIT_SECONDS", "0"))
    govern.init_app(app, engine, wait_seconds=wait, when_ahead=os.environ.get("WHEN_AHEAD", "allow"))

    @app.get("/")
    def count_users():
        with engine.connect() as connection:
            return {"users": connection.scalar(text("SELECT count(*) FROM users"))}

    return app
"""
THIRD = '\n\nclass Third(Base):\n    __tablename__ = "third"\n    id = Column(Integer, primary_key=True)\n'
SLOWLY = 'op.execute("SELECT pg_sleep(2)")'


@pytest.fixture
def old(governed: Project) -> Project:
    """The application that is deployed, on its schema."""
    governed.write({"shop.py": SHOP})
    return governed


@pytest.fixture
def new(old: Project) -> Project:
    """The next version: one table more, whose migration takes two seconds."""
    root = old.root.parent / "new"
    shutil.copytree(old.root, root)
    project = replace(old, root=root)
    models = (root / "app/models.py").read_text(encoding="utf-8")
    project.write({"app/models.py": models + THIRD, **third_revision(SLOWLY)})
    project.succeed("lock")
    return project


def start(project: Project, **variables: str) -> AbstractContextManager[Server]:
    return launched(project.with_environment(**variables), "shop", command=GUNICORN)


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_nobody_notices_a_rolling_deploy_but_an_old_application_that_asks(old: Project, new: Project) -> None:
    with start(old) as before:
        wait_for(before, before.is_answering)
        with polled(before) as answers, start(new, WAIT_SECONDS="60") as after:
            time.sleep(1)
            assert not after.is_answering()
            assert after.process.poll() is None, after.said
            migration = new.start(*MIGRATE)
            wait_for(after, after.is_answering)
            assert read_version(old.database) == {"r3"}
            assert finish(migration).exit_code == 0
            assert after.get("/") == (200, {"users": 1})

            before.process.send_signal(signal.SIGHUP)  # its workers start again, on the newer schema
            wait_for(before, lambda: before.said.count("Booting worker") == 4)
            time.sleep(0.5)
            assert before.process.poll() is None, before.said
            assert before.get("/") == (200, {"users": 1})
        assert set(answers) == {200}
        assert answers[200] > 50

    with start(old, WHEN_AHEAD="warn") as warned:
        wait_for(warned, warned.is_answering)
        assert "newer than the application's r2" in warned.said
    done = refuse(old, WHEN_AHEAD="refuse")
    assert "is at r3, newer than the application's r2" in done.err


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_a_new_application_whose_migration_never_comes_refuses_after_its_wait(new: Project) -> None:
    started = time.monotonic()
    done = refuse(new, WAIT_SECONDS="3")
    assert 3 <= time.monotonic() - started < 15
    assert "is at r2, the application needs r3" in done.err
    assert "next:  govern migrate" in done.err


def refuse(project: Project, **variables: str) -> Done:
    done = refused(project.with_environment(**variables), "shop", command=GUNICORN)
    assert done.exit_code in (4, 1), done  # 1: gunicorn lost two workers at once
    assert "the application refuses to start" in done.err, done
    return done


@contextmanager
def polled(server: Server) -> Iterator[Counter[object]]:
    """What a client gets who asks twenty times a second: statuses, and errors by their name."""
    answers: Counter[object] = Counter()
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.wait(0.05):
            try:
                answers[server.get("/")[0]] += 1
            except OSError as error:
                answers[repr(error)] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        thread.join()
