"""The embedded PostgreSQL: started on demand, once, as a user without rights, and found again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from govern.database import embedded
from govern.database.embedded.account import Account, run_as
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, NotPermitted, ToolMissing

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it as another user")

START = """
import pathlib, sys
from govern.database import embedded
from govern.errors import NotPermitted
try:
    print(embedded.ensure_running(pathlib.Path(sys.argv[1])).text)
except NotPermitted as error:
    print(error)
"""

MakeProject = Callable[..., Path]


@pytest.fixture
def make_project() -> Iterator[MakeProject]:
    """Makes project folders and returns their state folders; servers in them are stopped after the test."""
    parents: list[Path] = []
    made: list[Path] = []

    def make(name: str = "project", *, mode: int = 0o755) -> Path:
        parent = Path(tempfile.mkdtemp(prefix="embedded-"))
        parents.append(parent)
        parent.chmod(mode)
        project = parent / name
        project.mkdir(parents=True)
        made.append(project / ".govern")
        return project / ".govern"

    yield make
    for state_folder in made:
        if state_folder.exists():
            embedded.stop(state_folder)
    for parent in parents:
        shutil.rmtree(parent)


@pytest.fixture
def state_folder(make_project: MakeProject) -> Path:
    return make_project()


def start(state_folder: Path) -> DatabaseUrl:
    """As govern does, but for the time it takes to wait for the disk."""
    return embedded.ensure_running(state_folder, settings={"fsync": "off"})


def ask(url: DatabaseUrl, query: str) -> str:
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""


def running_pid(state_folder: Path) -> int:
    found = embedded.status(state_folder)
    assert found is not None
    assert found.pid is not None
    return found.pid


def test_the_first_call_makes_a_server_and_a_database(state_folder: Path) -> None:
    url = start(state_folder)
    assert ask(url, "SELECT current_database()") == "app"
    assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "True"
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SHOW data_checksums") == "on"


def test_the_users_data_is_synced_to_disk(state_folder: Path) -> None:
    url = embedded.ensure_running(state_folder)
    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW synchronous_commit") == "on"


def test_settings_given_at_the_start_win(state_folder: Path) -> None:
    url = embedded.ensure_running(state_folder, settings={"fsync": "off", "search_path": '"a b", public'})
    assert ask(url, "SHOW fsync") == "off"
    assert ask(url, "SHOW search_path") == '"a b", public'


def test_a_running_server_is_found_again(state_folder: Path) -> None:
    first = start(state_folder)
    pid = running_pid(state_folder)
    assert start(state_folder) == first
    assert running_pid(state_folder) == pid


def test_the_server_outlives_the_command_that_started_it(state_folder: Path) -> None:
    command = (sys.executable, "-c", START, str(state_folder))
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert ask(DatabaseUrl.parse(printed.strip()), "SELECT 1") == "1"


def test_ten_commands_at_once_start_one_server(state_folder: Path) -> None:
    command = (sys.executable, "-c", START, str(state_folder))
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(10)
    ]
    answers = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0] * 10, answers
    assert len({url for url, _ in answers}) == 1
    assert count_starts(state_folder) == 1


def test_a_server_killed_with_its_postmaster_comes_back_with_its_data(state_folder: Path) -> None:
    url = start(state_folder)
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        pid = running_pid(state_folder)
        os.kill(pid, signal.SIGKILL)
        again = start(state_folder)  # while a session of the old server may still end
    assert ask(again, "SELECT n FROM kept") == "42"
    assert running_pid(state_folder) != pid


def test_a_busy_session_of_a_killed_server_is_waited_for(state_folder: Path) -> None:
    url = start(state_folder)
    with contextlib.closing(psycopg.connect(url.conninfo, autocommit=True)) as connection:
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 12000000)")
        time.sleep(0.2)
        os.kill(running_pid(state_folder), signal.SIGKILL)
        assert ask(start(state_folder), "SELECT 1") == "1"


@as_root
def test_a_pid_file_that_names_somebody_else_by_now_does_not_matter(state_folder: Path) -> None:
    """After a reboot the number may belong to another process of the same user: PostgreSQL alone would
    refuse."""
    start(state_folder)
    data = state_folder / "postgresql-18" / "data"
    pid_file = data / "postmaster.pid"
    kept = pid_file.read_text(encoding="utf-8").split("\n", 1)[1]
    embedded.stop(state_folder)
    owner = data.stat()
    with subprocess.Popen(("sleep", "60"), user=owner.st_uid, group=owner.st_gid, extra_groups=[]) as other:
        pid_file.write_text(f"{other.pid}\n{kept}", encoding="utf-8")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        try:
            assert ask(start(state_folder), "SELECT 1") == "1"
            assert other.poll() is None
        finally:
            other.kill()


def test_an_initdb_that_was_killed_does_not_matter(state_folder: Path) -> None:
    unfinished = state_folder / "postgresql-18" / "data.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n", encoding="utf-8")
    assert ask(start(state_folder), "SELECT 1") == "1"
    assert not unfinished.exists()


def test_stop_ends_it_and_keeps_the_data(state_folder: Path) -> None:
    url = start(state_folder)
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        assert embedded.stop(state_folder)  # with a client connected
    stopped = embedded.status(state_folder)
    assert stopped is not None
    assert (stopped.is_running, stopped.pid, stopped.url) == (False, None, None)
    assert not embedded.stop(state_folder)
    assert ask(start(state_folder), "SELECT n FROM kept") == "42"


def test_nothing_is_known_or_made_where_it_never_ran(state_folder: Path) -> None:
    assert embedded.status(state_folder) is None
    assert not embedded.stop(state_folder)
    assert not state_folder.exists()


def test_nobody_commits_it(state_folder: Path) -> None:
    start(state_folder)
    assert (state_folder / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_what_the_caller_set_for_other_servers_does_not_matter(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "nowhere.invalid"}.items():
        monkeypatch.setenv(name, value)
    assert ask(start(state_folder), "SELECT 1") == "1"


def test_a_folder_with_signs_that_mean_something(make_project: MakeProject) -> None:
    state_folder = make_project('it\'s, a "test" & 100% $HOME;#')
    assert ask(start(state_folder), "SELECT 1") == "1"


def test_a_path_too_long_for_a_socket(make_project: MakeProject) -> None:
    state_folder = make_project("long-" + "x" * 120)
    url = start(state_folder)
    assert ask(url, "SELECT 1") == "1"
    socket_folder = (state_folder / "postgresql-18" / "socket").resolve()
    assert not socket_folder.is_relative_to(state_folder)
    assert start(state_folder) == url
    assert embedded.stop(state_folder)
    assert not socket_folder.parent.exists()


def test_a_short_socket_folder_that_is_gone_is_made_again(make_project: MakeProject) -> None:
    """As after a reboot, which empties the folder of temporary files."""
    state_folder = make_project("long-" + "x" * 120)
    start(state_folder)
    os.kill(running_pid(state_folder), signal.SIGKILL)
    shutil.rmtree((state_folder / "postgresql-18" / "socket").resolve().parent)
    assert ask(start(state_folder), "SELECT 1") == "1"


def test_a_socket_folder_that_somebody_else_put_there_is_not_used(make_project: MakeProject) -> None:
    state_folder = make_project("long-" + "x" * 120)
    start(state_folder)
    embedded.stop(state_folder)
    with tempfile.TemporaryDirectory() as planted:
        Path(planted).chmod(0o777)
        (Path(planted) / "socket").mkdir(mode=0o777)
        (state_folder / "postgresql-18" / "socket").symlink_to(Path(planted) / "socket")
        url = start(state_folder)
        assert planted not in url.text
        assert (Path(planted) / "socket").is_dir()


def needed_capabilities() -> int:
    """None where anybody can reach the programs; CAP_DAC_READ_SEARCH for a checkout in a closed folder."""
    is_open = all(folder.stat().st_mode & 0o001 for folder in embedded.find_programs().parents)
    return 0 if is_open else 1 << 2


@as_root
def test_it_never_runs_as_root_and_its_socket_is_closed_to_others(state_folder: Path) -> None:
    start(state_folder)
    assert Path(f"/proc/{running_pid(state_folder)}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert capabilities_of(running_pid(state_folder)) == needed_capabilities()
    for name in ("data", "socket"):
        assert (state_folder / "postgresql-18" / name).stat().st_mode & 0o077 == 0


@as_root
def test_it_runs_as_the_owner_of_the_project(state_folder: Path) -> None:
    owner = pwd.getpwnam("daemon")
    os.chown(state_folder.parent, owner.pw_uid, owner.pw_gid)
    start(state_folder)
    found = embedded.status(state_folder)
    assert found is not None
    assert found.account == "daemon"


@as_root
def test_it_runs_below_a_folder_closed_to_others(make_project: MakeProject) -> None:
    """A clone in root's own folder: the server gets the one capability it needs, and no folder is opened."""
    state_folder = make_project(mode=0o700)
    assert ask(start(state_folder), "SELECT 1") == "1"
    assert capabilities_of(running_pid(state_folder)) == 1 << 2  # CAP_DAC_READ_SEARCH
    assert state_folder.parent.parent.stat().st_mode & 0o777 == 0o700
    assert (state_folder / "postgresql-18").stat().st_mode & 0o777 == 0o700
    assert embedded.stop(state_folder)


@as_root
def test_it_runs_with_its_programs_below_a_folder_closed_to_others(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_folder = make_project()
    with tempfile.TemporaryDirectory() as closed:
        wheel = embedded.find_programs().parent.parent
        for folder in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, Path(closed) / folder.name, symlinks=True)
        programs = Path(closed) / wheel.name / "pginstall18" / "bin"
        monkeypatch.setattr(embedded, "find_programs", lambda: programs)
        url = start(state_folder)
        # a server that may read everything is reached through root's own folder alone
        assert (state_folder / "postgresql-18").stat().st_mode & 0o777 == 0o700
        assert ask(url, "SELECT 1") == "1"
        embedded.stop(state_folder)


@as_root
def test_without_the_capability_the_error_says_what_to_do(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_folder = make_project(mode=0o700)
    monkeypatch.setattr("govern.database.embedded.account._held_capabilities", lambda: 0)
    with pytest.raises(NotPermitted, match="cannot be started as nobody") as raised:
        start(state_folder)
    assert "CAP_DAC_READ_SEARCH" in raised.value.why
    assert "--url" in raised.value.next


@as_root
def test_a_user_who_is_not_root_runs_it_as_themselves(make_project: MakeProject) -> None:
    state_folder = make_project()
    daemon = pwd.getpwnam("daemon")
    os.chown(state_folder.parent, daemon.pw_uid, daemon.pw_gid)
    # the capability is only there for the interpreter, which may lie in root's own folder
    user = Account(uid=daemon.pw_uid, gid=daemon.pw_gid, capability="dac_read_search")
    finished = run_as(
        user, (sys.executable, "-c", START, str(state_folder)), folder=Path("/"), timeout_seconds=60
    )
    assert finished.returncode == 0, finished.stdout
    assert Path(f"/proc/{running_pid(state_folder)}").stat().st_uid == daemon.pw_uid


@as_root
def test_another_users_server_is_not_touched(make_project: MakeProject) -> None:
    state_folder = make_project()
    start(state_folder)
    embedded.stop(state_folder)
    daemon = pwd.getpwnam("daemon")
    user = Account(uid=daemon.pw_uid, gid=daemon.pw_gid, capability="dac_read_search")
    finished = run_as(
        user, (sys.executable, "-c", START, str(state_folder)), folder=Path("/"), timeout_seconds=60
    )
    assert finished.returncode == 0, finished.stdout
    assert "next:" in finished.stdout


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".govern").write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(NotPermitted, match="cannot be kept in") as raised:
        embedded.ensure_running(tmp_path / ".govern")
    assert "--url" in raised.value.next


def test_without_the_wheel_the_error_is_the_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ToolMissing) as raised:
        embedded.ensure_running(tmp_path / ".govern")
    assert "pip install 'govern[embedded]'" in raised.value.next
    assert not (tmp_path / ".govern").exists()


def test_a_server_that_does_not_start_is_quoted(state_folder: Path) -> None:
    with pytest.raises(CouldNotCheck, match="did not start") as raised:
        embedded.ensure_running(state_folder, settings={"shared_buffers": "a lot"})
    assert "shared_buffers" in raised.value.why
    assert ask(start(state_folder), "SELECT 1") == "1"


def count_starts(state_folder: Path) -> int:
    log = (state_folder / "postgresql-18" / "log").read_text(encoding="utf-8")
    return log.count("starting PostgreSQL 18")


def capabilities_of(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
