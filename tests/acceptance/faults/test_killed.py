"""kill -9 at any moment, of govern and of its child: the next run reaches head, and nothing is lost or done twice.

Four moments on each engine in the usual run; ``--moments 50`` (``make test-faults``) for as many as that.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections.abc import Callable

import psutil
import psycopg
import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN, Project
from tests.fixtures.faults import PHASE
from tests.fixtures.projects import read_rows, read_version

Moment = tuple[str, float]
"""What govern says when a phase begins, and seconds after that."""
Record = Callable[[str, object], None]

SEED = 20_240_601
PHASES = {
    "": "starting",
    "writing backups": "backing up",
    "restoring the backup": "verifying the backup",
    "rehearsing": "rehearsing",
    "applying": "applying",
    "validating": "validating",
}
"""What govern does, by what it says when it begins. Each gets its share of the moments, on however slow a machine."""
LONGEST_SECONDS = 0.8
"""After the beginning of a phase: most of them are over then, and it is the next one's turn."""
MIDWAY = """
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("CREATE TABLE amounts AS SELECT i AS id, 7 AS amount FROM generate_series(1, 20000) AS n(i)")
    op.execute("UPDATE amounts SET amount = amount * 100")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_amount ON amounts (amount)")
        op.execute("CREATE INDEX CONCURRENTLY ix_id ON amounts (id)")
    op.execute("ALTER TABLE amounts ADD COLUMN note text")
"""
MODELS = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        random_moments = random.Random(SEED)
        phases = list(reversed(PHASES))  # with few moments those in which more is at stake
        moments = [
            (phases[number % len(phases)], round(random_moments.uniform(0, LONGEST_SECONDS), 3))
            for number in range(metafunc.config.getoption("--moments"))
        ]
        names = [f"{PHASES[words]}-{seconds}" for words, seconds in moments]
        metafunc.parametrize("moment", moments, ids=names)


def kill_at(project: Project, moment: Moment) -> str:
    """Kills govern, and its child a little later or not at all: then it sees by itself that it is alone.

    Returns the phase it was in, by what it had said.
    """
    words, seconds = moment
    process = project.start("migrate")
    assert process.stderr is not None
    said = ""
    while words not in said:
        said += process.stderr.readline()
        assert process.poll() is None, said
    time.sleep(seconds)
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.kill()
    said += process.communicate(timeout=30)[1]
    if round(seconds * 1000) % 2:
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has seen that it is alone
                child.kill()
    if process.returncode == 0:
        return "over already"
    return [phase for words, phase in PHASES.items() if words in said][-1]


def test_the_next_run_reaches_head_on_postgresql(
    moment: Moment,
    make_project: MakeProject,
    postgresql_database: DatabaseUrl,
    record_property: Record,
) -> None:
    project = make_project("plain", postgresql_database)
    project.write({"app/models.py": MODELS, "migrations/versions/r3.py": MIDWAY})
    record_property(PHASE, kill_at(project, moment))
    project.succeed("migrate")
    assert read_version(project.database) == {"r3"}
    assert read_rows(project.database, "SELECT count(*), sum(amount) FROM amounts") == [(20_000, 14_000_000)]
    assert read_rows(project.database, "SELECT count(*) FROM users") == [(1,)]
    assert read_rows(project.database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    query = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    free = query + "WHERE l.locktype = 'advisory' AND d.datname = current_database()"
    assert read_rows(project.database, free) == [(0,)]
    assert read_rows(project.database, "SELECT count(*) FROM govern.progress") == [(0,)]
    project.succeed("drift")


def test_the_next_run_reaches_head_on_sqlite(
    moment: Moment, make_project: MakeProject, sqlite_database: DatabaseUrl, record_property: Record
) -> None:
    project = make_project("plain", sqlite_database)
    record_property(PHASE, kill_at(project, moment))
    project.succeed("migrate")
    assert read_version(project.database) == {"r2"}
    assert read_rows(project.database, "SELECT count(*) FROM users") == [(1,)]
    assert read_rows(project.database, "PRAGMA integrity_check") == [("ok",)]


def test_a_connection_that_is_cut_while_applying_leaves_nothing_of_the_transaction(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", postgresql_database)
    slow = 'revision, down_revision = "r3", "r2"\nfrom alembic import op\n\ndef upgrade():\n'
    body = '    op.execute("CREATE TABLE cut (id integer)")\n    op.execute("SELECT pg_sleep(60)")\n'
    project.write({"app/models.py": MODELS, "migrations/versions/r3.py": slow + body})
    process = subprocess.Popen(
        [GOVERN, "migrate", "--backup", "off", "--rehearse", "off"],
        cwd=project.root,
        env=project.variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + 60
    with psycopg.connect(project.database.conninfo, autocommit=True) as session:
        while session.execute(cut.encode()).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert "the database is as it was, at base" in err
    assert read_version(project.database) == set()
    project.edit("migrations/versions/r3.py", "pg_sleep(60)", "1")
    project.succeed("migrate", "--backup", "off")
