"""What a project can do wrong while it is migrated, and what is left of it: nothing, and a clear word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, GovernError, ToolMissing, Unreachable
from govern.revisions import process
from govern.revisions.protocol import Event, RevisionStarted
from govern.revisions.runner import Runner
from tests.fixtures.databases import MakeRole
from tests.fixtures.projects import CopyProject, list_tables, read_rows, read_version, third_revision

pytestmark = pytest.mark.usefixtures("started_children")

SLEEP = third_revision('op.execute("SELECT pg_sleep(60)")')


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ('op.execute("INSERT INTO nowhere VALUES (1)")', "nowhere"),
        ("op.execute(\"INSERT INTO users (id, email) VALUES (1, 'again')\")", "users"),
        ('raise RuntimeError("not today")', "not today"),
        ("sys.exit(0)", "0"),
    ],
)
def test_a_second_statement_that_fails_leaves_nothing_of_the_first(
    second: str, said: str, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    outcome = Runner(copy_project("plain", third_revision(second))).upgrade(any_database)
    assert outcome.error is not None
    assert said in outcome.error.message
    assert outcome.error.revision == "r3"
    assert outcome.error.place == "migrations/versions/r3_third.py, line 12"
    assert outcome.error.code == second
    assert [done.revision for done in outcome.revisions] == ["r1", "r2"]
    assert list_tables(any_database) == set()


def test_a_revision_of_its_own_transaction_leaves_those_before_it(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain", third_revision('raise RuntimeError("not today")'))
    env = settings.root / "migrations/env.py"
    env.write_text(
        env.read_text().replace(
            "connection=connection,", "connection=connection, transaction_per_migration=True,"
        )
    )
    assert Runner(settings).upgrade(any_database).error is not None
    assert read_version(any_database) == {"r2"}
    assert "third" not in list_tables(any_database)


def test_the_statement_that_failed_is_told_with_the_servers_words(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    statement = "INSERT INTO users (id, email) VALUES (1, 'again')"
    outcome = Runner(copy_project("plain", third_revision(f'op.execute("{statement}")'))).upgrade(
        postgresql_database
    )
    assert outcome.error is not None
    assert outcome.error.type == "UniqueViolation"
    assert outcome.error.sqlstate == "23505"
    assert outcome.error.statement == statement
    assert "[SQL:" not in outcome.error.message


@pytest.mark.parametrize("place", ["import", "upgrade"])
@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_process_that_just_ends_is_no_success(
    end: str, place: str, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    files = third_revision("pass", top=end) if place == "import" else third_revision(end)
    outcome = Runner(copy_project("plain", files)).upgrade(any_database)
    assert outcome.error is not None
    assert outcome.error.type == "ChildDied"
    assert ("exit status 0" if "_exit" in end else "signal SIGKILL") in outcome.error.message
    assert outcome.error.revision == ("r3" if place == "upgrade" else None)
    if any_database.dialect == "postgresql":
        wait_until(lambda: not backends(any_database))
    assert list_tables(any_database) == set()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("import sys\n\nsys.exit(3)\n", "migrations/env.py, line 3: sys.exit(3) was called"),
        ("import nowhere\n", "migrations/env.py, line 1: ModuleNotFoundError: No module named 'nowhere'"),
        ("\nthis is not python(\n", "migrations/env.py, line 2: SyntaxError"),
        (
            "from alembic import context\noptions = {'render_as_batch': True}\n"
            "context.configure(url='sqlite://', render_as_batch=True, **options)\n",
            "migrations/env.py, line 3: TypeError",
        ),
        ("import os\nos.environ['NO_SUCH_VARIABLE']\n", "migrations/env.py, line 2: KeyError"),
    ],
)
def test_a_mistake_in_env_is_named_with_file_and_line(
    env: str, said: str, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Runner(copy_project("plain", {"migrations/env.py": env})).upgrade(any_database)
    assert refusal.value.what.startswith(said)
    assert refusal.value.next.startswith("correct migrations/env.py, line")
    assert ("install what it lacks" in refusal.value.next) == ("ModuleNotFoundError" in said)
    assert refusal.value.state == "no revision was run"
    assert list_tables(any_database) == set()


def test_a_revision_that_does_not_import_is_named_with_file_and_line(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    with pytest.raises(
        ConfigurationError, match=r"migrations/versions/r3_third\.py, line 8: ZeroDivisionError"
    ):
        Runner(copy_project("plain", third_revision("pass", top="1 / 0"))).upgrade(any_database)
    assert list_tables(any_database) == set()


def test_a_revision_nobody_has_is_named(any_database: DatabaseUrl, copy_project: CopyProject) -> None:
    with pytest.raises(ConfigurationError, match="Can't locate revision identified by 'zzz'"):
        Runner(copy_project("plain")).upgrade(any_database, "zzz")


def test_an_env_for_another_engine_is_refused(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    with pytest.raises(
        ConfigurationError, match="connects to a postgresql database, but the target is sqlite"
    ):
        Runner(copy_project("own_engine")).upgrade(sqlite_database)


def test_connections_that_env_makes_itself_are_refused(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    env = settings.root / "migrations/env.py"
    own = "import sqlite3\nfrom sqlalchemy import create_engine\n"
    engine = "create_engine('sqlite://', creator=lambda: sqlite3.connect('own.db'))"
    text = env.read_text()
    start, end = text.index("engine_from_config(\n"), text.index("    with engine")
    env.write_text(own + text[:start] + engine + "\n" + text[end:])
    with pytest.raises(ConfigurationError, match=r"env\.py makes its database connections itself"):
        Runner(settings).upgrade(any_database)


def test_an_env_that_catches_everything_cannot_go_elsewhere(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    env = (
        "from app.database import engine\n"
        "for attempt in range(3):\n"
        "    try:\n"
        "        engine.connect()\n"
        "    except Exception:\n"
        "        continue\n"
    )
    with pytest.raises(ConfigurationError, match="postgresql"):
        Runner(copy_project("own_engine", {"migrations/env.py": env})).upgrade(sqlite_database)


def test_what_env_executes_before_configure_explains_a_lost_upgrade(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    env = settings.root / "migrations/env.py"
    early = "        connection.exec_driver_sql('SELECT 1')\n        context.configure(connection"
    env.write_text(env.read_text().replace("        context.configure(connection", early))
    outcome = Runner(settings).upgrade(any_database)
    assert outcome.error is None
    assert any("before context.configure()" in note for note in outcome.notes)
    assert read_version(any_database) == set(), "Alembic says it upgraded and nothing is there"


def test_a_database_that_is_not_there_is_unreachable(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    with pytest.raises(Unreachable, match="does not exist"):
        Runner(copy_project("plain")).upgrade(postgresql_database.with_database("nowhere"))


def test_models_that_no_database_accepts_are_named(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    with (settings.root / "app/models.py").open("a") as models:
        models.write(
            "\n\nfrom sqlalchemy import CheckConstraint, Table\n"
            "Table('odd', Base.metadata, Column('id', Integer), CheckConstraint('nonsense(('))\n"
        )
    with pytest.raises(ConfigurationError, match="the models cannot be created") as refusal:
        Runner(settings).create_all(any_database)
    assert "CREATE TABLE odd" in refusal.value.why


@pytest.mark.parametrize("models", ["app.models:Nothing", "app.models:User.id", "app.models:"])
def test_models_that_are_no_metadata_are_refused(
    models: str, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    with pytest.raises(ConfigurationError, match="is not a metadata"):
        Runner(replace(copy_project("plain"), models=models)).create_all(any_database)


def test_no_models_at_all_say_where_to_name_them(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    env = settings.root / "migrations/env.py"
    env.write_text(env.read_text().replace("target_metadata = Base.metadata", "target_metadata = None"))
    with pytest.raises(ConfigurationError, match="models were not found") as refusal:
        Runner(settings).create_all(any_database)
    assert 'models = "package.module:metadata"' in refusal.value.next


@pytest.mark.parametrize("program", ["no-such-program", "true", "directory"])
def test_an_interpreter_that_is_none_is_named(program: str, copy_project: CopyProject) -> None:
    settings = copy_project("plain")
    python = {
        "no-such-program": Path("/no/such/python"),
        "true": Path("/bin/true"),
        "directory": settings.root,
    }
    with pytest.raises(ToolMissing, match="the project's interpreter"):
        Runner(replace(settings, python=python[program])).describe()


def test_an_interpreter_without_alembic_gets_the_install_line(
    copy_project: CopyProject, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    settings = replace(copy_project("plain"), python=tmp_path / "bare/bin/python")
    with pytest.raises(ToolMissing, match="has no sqlalchemy") as refusal:
        Runner(settings).describe()
    assert "-m pip install 'sqlalchemy>=1.4'" in refusal.value.next


def test_no_password_is_in_anything_said(make_role: MakeRole, copy_project: CopyProject) -> None:
    role = make_role("canary", "c4n@ry%:/#'\"\\ö ")
    settings = copy_project("plain")
    env = settings.root / "migrations/env.py"
    url = "config.get_main_option('sqlalchemy.url')"
    prints = f"print({url})\nprint('x://u:other-secret@h')\ntarget_metadata"
    env.write_text(env.read_text().replace("target_metadata", prints, 1))
    events: list[Event] = []
    outcome = Runner(settings).stamp(role, "base", on_event=events.append)
    said = [outcome.output, repr(outcome), repr(events)]

    wrong = DatabaseUrl(role.text.replace("c4n", "wr0ng", 1), "postgresql")
    with pytest.raises(Unreachable) as unreachable:
        Runner(settings).stamp(wrong, "base")
    said.append(str(unreachable.value))

    env.write_text(env.read_text().replace("target_metadata", f"raise ValueError({url})\ntarget_metadata", 1))
    with pytest.raises(ConfigurationError) as refusal:
        Runner(settings).stamp(role, "base", on_event=events.append)
    said += [repr(events), str(refusal.value)]

    assert "***" in said[0]
    assert "***" in said[-1]
    for text in said:
        assert not any(secret in text for secret in ("n@ry", "n%40ry", "other-secret"))


def test_no_password_is_on_the_command_line_or_in_the_environment(
    make_role: MakeRole, copy_project: CopyProject
) -> None:
    seen: list[bytes] = []

    def look(event: Event) -> None:
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        for child in children:
            seen.extend(Path(f"/proc/{child}/{name}").read_bytes() for name in ("cmdline", "environ"))

    Runner(copy_project("plain")).stamp(make_role("canary", "c4nary"), "base", on_event=look)
    assert any(b"child" in text for text in seen)
    assert not any(b"c4nary" in text for text in seen)


def test_an_interrupt_cancels_the_statement_and_leaves_nothing(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, RevisionStarted) and event.revision == "r3":
            wait_until(lambda: "SELECT pg_sleep(60)" in backends(postgresql_database))
            raise KeyboardInterrupt

    settings = copy_project("plain", SLEEP)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Runner(settings).upgrade(postgresql_database, on_event=interrupt)
    assert time.monotonic() - began < 8
    assert backends(postgresql_database) == []
    assert list_tables(postgresql_database) == set()


def test_an_interrupt_stops_a_long_statement_of_sqlite(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    def interrupt(event: Event) -> None:
        if isinstance(event, RevisionStarted) and event.revision == "r3":
            time.sleep(0.5)
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Runner(copy_project("plain", third_revision(f'op.execute("{endless}")'))).upgrade(
            sqlite_database, on_event=interrupt
        )
    assert time.monotonic() - began < 8
    assert list_tables(sqlite_database) == set()


def test_a_killed_govern_takes_its_migration_along(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain", SLEEP)
    program = (
        "import sys\nfrom pathlib import Path\nfrom govern import config\n"
        "from govern.database.url import DatabaseUrl\nfrom govern.revisions.runner import Runner\n"
        "Runner(config.load(start=Path(sys.argv[1]))).upgrade(DatabaseUrl.parse(sys.argv[2]))\n"
    )
    arguments = [sys.executable, "-c", program, str(settings.root), postgresql_database.text]
    with subprocess.Popen(arguments) as govern:
        wait_until(lambda: "SELECT pg_sleep(60)" in backends(postgresql_database))
        govern.send_signal(signal.SIGKILL)
    wait_until(lambda: not backends(postgresql_database), seconds=5)
    assert list_tables(postgresql_database) == set()


def test_a_thread_that_never_ends_does_not_hold_up_the_end(
    sqlite_database: DatabaseUrl, copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "EXIT_SECONDS", 0.5)
    settings = copy_project("plain")
    env = settings.root / "migrations/env.py"
    env.write_text(
        f"import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n{env.read_text()}"
    )
    began = time.monotonic()
    assert Runner(settings).upgrade(sqlite_database).error is None
    assert time.monotonic() - began < 10
    assert read_version(sqlite_database) == {"r2"}


def test_every_error_says_what_why_next_and_state(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    with pytest.raises(GovernError) as refusal:
        Runner(
            copy_project("plain", {"migrations/env.py": "print('hint')\nimport sys\nsys.exit('bye')\n"})
        ).upgrade(any_database)
    error = refusal.value
    assert error.what == "migrations/env.py, line 3: sys.exit(bye) was called"
    assert "it printed last: hint" in error.why
    assert error.next
    assert error.state


def wait_until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def backends(url: DatabaseUrl) -> list[str]:
    """What other sessions of the database execute, or executed last."""
    query = (
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return [query for (query,) in read_rows(url, query)]
