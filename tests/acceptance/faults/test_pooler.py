"""PgBouncer in front of the server: in transaction mode a migration is refused, in session mode it is done."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from govern import SchemaRefused, validate_on_startup
from govern.core.report import Report
from govern.database.postgresql import server, silence
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import execute
from tests.fixtures.projects import list_tables, read_version

PROGRAM = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = 3
ignore_startup_parameters = {ignored}
logfile = {folder}/log
"""
MakePool = Callable[..., DatabaseUrl]

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="PgBouncer is not installed (apt-get install pgbouncer)"
)


def test_a_statement_that_has_the_last_session_of_a_pool_is_waited_for(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks what it is doing is let in, and gets no answer."""
    monkeypatch.setattr(silence, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(silence, "_ANSWER_SECONDS", 1)

    def sleep(_: int) -> object:
        with server.connect(url) as connection:
            return connection.value("SELECT 'done' FROM pg_sleep(4)")

    url = make_pool("session")
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(sleep, range(3))) == ["done"] * 3


def _become(owner: os.stat_result, socket: Path) -> list[str]:
    """PgBouncer does not run as root; below a folder that is closed to others it may pass, as the server may."""
    if os.geteuid() != 0:
        return []
    is_open = all(folder.stat().st_mode & stat.S_IXOTH for folder in socket.parents)
    passing = [] if is_open else [f"--{what}-caps=-all,+dac_read_search" for what in ("inh", "ambient")]
    return ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", *passing]


@pytest.fixture
def make_pool(postgresql_database: DatabaseUrl) -> Iterator[MakePool]:
    """Starts PgBouncer in a pool mode; returns the URL of ``postgresql_database`` through it."""
    started: list[tuple[subprocess.Popen[bytes], Path]] = []
    query = parse_qs(urlsplit(postgresql_database.text).query)
    host, port = query["host"][0], query["port"][0]
    owner = Path(host).stat()

    def make(mode: str, ignored: str = "extra_float_digits,options") -> DatabaseUrl:
        folder = Path(tempfile.mkdtemp(prefix="govern-pool-"))
        folder.chmod(0o755)
        (folder / "ini").write_text(
            CONFIGURATION.format(host=host, port=port, folder=folder, mode=mode, ignored=ignored)
        )
        (folder / "users").write_text('"postgres" ""\n')
        os.chown(folder, owner.st_uid, owner.st_gid)
        process = subprocess.Popen(
            [*_become(owner, Path(host)), str(PROGRAM), "-q", str(folder / "ini")],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        started.append((process, folder))
        url = f"postgresql://postgres@/{postgresql_database.database}?host={folder}&port=6432"
        _wait_until_answering(url, process, folder)
        return DatabaseUrl.parse(url)

    yield make
    for process, folder in started:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder)


def _wait_until_answering(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 20
    while not _answers(url):
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pool_that_gives_each_transaction_another_session_is_refused(
    mode: str, make_pool: MakePool, make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", make_pool(mode))
    for _ in range(3):
        refused = project.ask("migrate", "--backup", "off")
        assert refused.exit_code == 4, refused
        assert refused.problem["what"] == "this URL leads to a connection pool in transaction mode"
        assert refused.problem["state"] == "nothing was changed"
    assert list_tables(postgresql_database) == set()


def test_an_application_starts_through_a_pool_and_leaves_nothing_in_its_sessions(
    make_pool: MakePool, make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    """A pool as it is by default: it takes no options at the start of a session."""
    project = make_project("plain", postgresql_database, {"govern.toml": ""})
    project.succeed("lock")
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
    pools = [make_pool(mode, ignored="extra_float_digits").text for mode in ("transaction", "session")]

    def start(pool: str) -> Report:
        return validate_on_startup(pool, config=project.root / "govern.toml")

    assert {start(pool).status for pool in pools * 3} == {"clean"}
    execute(postgresql_database, "ALTER TABLE notes DROP COLUMN body")
    for pool in pools:
        with pytest.raises(SchemaRefused, match=r"notes\.body"):
            start(pool)
        with psycopg.connect(pool, autocommit=True, prepare_threshold=None) as session:
            for setting in ("statement_timeout", "lock_timeout", "transaction_read_only", "search_path"):
                (left,) = session.execute(f"SHOW {setting}".encode()).fetchone() or ("",)
                assert left in ("0", "off", '"$user", public')


def test_a_pool_of_sessions_serves(
    make_pool: MakePool, make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", make_pool("session"))
    done = project.ask("migrate", "--backup", "off")
    assert read_version(postgresql_database) == {"r2"}, done
