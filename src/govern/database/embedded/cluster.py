"""One PostgreSQL cluster on disk: created by initdb, run by pg_ctl, reached through a Unix socket.

Nothing here takes a lock; ``govern.database.embedded`` does. The programs work in the cluster's own folder
and get relative paths: they pass paths through a shell without quoting all that means something there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from govern.database.embedded.account import Account, give_to, run_as
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck

ROLE = "postgres"
"""Not ``govern``: ``"$user"`` in search_path would make the ledger's schema the default one."""
PORT = 5432  # only the name of the socket's file: nothing listens on the network
_SOCKET_FILE = f".s.PGSQL.{PORT}"
_SOCKET_PATH_BYTES = 100  # sun_path holds 108 bytes on Linux, 104 on macOS, its end included
_PLAIN_PATH = re.compile(rb"[\w./+~@ -]+")
_LOG_BYTES = 10_000_000
_INITDB_SECONDS = 120.0
_STOP_SECONDS = 60.0

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # costs more than it saves on small data
    "io_method": "sync",  # no worker processes of its own
    "max_wal_size": "256MB",
}
"""A small local server. fsync stays on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where a cluster's parts lie. ``home`` is ours; what is in it belongs to the account that runs the
    server."""

    home: Path
    programs: Path
    """The folder of postgres, initdb and pg_ctl."""

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def socket_link(self) -> Path:
        """The folder of the socket, or a link to it where no socket can be used here."""
        return self.home / "socket"


def create(cluster: Cluster, account: Account, *, sync: bool) -> None:
    """Runs initdb; data appears under its final name only when complete. Raises CouldNotCheck."""
    unfinished = cluster.home / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)  # of an initdb that was killed
    unfinished.mkdir(mode=0o700)
    give_to(account, unfinished)
    # trust is safe here: the socket lies in a folder that only the account and root can enter
    command = (
        cluster.programs / "initdb",
        f"--pgdata={unfinished.name}",
        f"--username={ROLE}",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *(() if sync else ("--no-sync",)),
    )
    finished = run_as(account, command, folder=cluster.home, timeout_seconds=_INITDB_SECONDS)
    if finished.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise CouldNotCheck(
            "the embedded PostgreSQL could not be created",
            why=last_lines(finished.stdout) or f"initdb ended with {finished.returncode}",
            next=f"see to the cause ({cluster.home}), or give --url",
        )
    unfinished.rename(cluster.data)


def start(
    cluster: Cluster, account: Account, *, settings: Mapping[str, str], timeout_seconds: float
) -> DatabaseUrl:
    """Starts the server and waits until it is ready; it outlives this process. Raises CouldNotCheck.

    A server killed a moment ago may leave processes that still end: the start is then tried again.
    """
    socket_folder = _prepare_socket_folder(cluster, account)
    _prepare_log(cluster, account)
    options = {**_SETTINGS, "unix_socket_directories": f'"{socket_folder}"', **settings}
    deadline = time.monotonic() + timeout_seconds
    was_killed = remove_stale_pid_file(cluster)
    while not _try_start(cluster, account, options, seconds=max(1.0, deadline - time.monotonic())):
        if not was_killed or time.monotonic() > deadline:
            raise CouldNotCheck(
                "the embedded PostgreSQL did not start",
                why=last_lines(_read_log(cluster)) or "its log is empty",
                next=f"see {cluster.log}, or give --url",
            )
        time.sleep(0.3)
        remove_stale_pid_file(cluster)
    return url_of(socket_folder, cluster)


def stop(cluster: Cluster, account: Account) -> None:
    """Ends the server, disconnecting its clients, and removes a socket folder outside of ``home``."""
    command = (
        cluster.programs / "pg_ctl",
        "stop",
        "--silent",
        "--wait",
        "--mode=fast",
        f"--timeout={_STOP_SECONDS:.0f}",
        f"--pgdata={cluster.data.name}",
    )
    finished = run_as(account, command, folder=cluster.home, timeout_seconds=_STOP_SECONDS + 30)
    if finished.returncode != 0 and read_pid(cluster) is not None:
        raise CouldNotCheck(
            "the embedded PostgreSQL did not stop",
            why=last_lines(finished.stdout),
            next=f"see {cluster.log}; pid {read_pid(cluster)}",
            state="it may still be running",
        )
    _remove_outside_socket_folder(cluster)


def find_socket_folder(cluster: Cluster) -> Path | None:
    """The folder the socket lies in; None where there is none, or none that only its owner can enter."""
    folder = cluster.socket_link
    if folder.is_symlink():
        folder = folder.readlink()
        # the outer folder: nobody else may have put a folder of their own in its place, say after a reboot
        if not _is_private(folder.parent, {os.geteuid()}):
            return None
    return folder if folder.is_dir() and _is_private(folder, {_owner(cluster)}) else None


def url_of(socket_folder: Path, cluster: Cluster, database: str = "postgres") -> DatabaseUrl:
    """The port is written out, so that PGPORT does not matter."""
    folder = socket_folder if socket_folder.is_absolute() else cluster.data / socket_folder
    return DatabaseUrl.parse(
        f"postgresql://{ROLE}@/{database}?host={quote(os.path.normpath(folder), safe='/')}&port={PORT}"
    )


def read_pid(cluster: Cluster) -> int | None:
    """The postmaster that the pid file names, if it is alive and this cluster's."""
    import psutil  # comes with the wheel that has the programs

    try:
        pid = int((cluster.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return None
        return pid if Path(process.cwd()).samefile(cluster.data) else None
    except psutil.AccessDenied:
        return pid  # cannot tell: it may be ours
    except (OSError, ValueError, psutil.Error):
        return None


def remove_stale_pid_file(cluster: Cluster) -> bool:
    """Removes a pid file whose process is gone or somebody else's by now; says whether there was one.

    PostgreSQL does so itself, unless the number was given to another process of the same user (after a
    reboot, or in a new container): then it would refuse to start for ever.
    """
    file = cluster.data / "postmaster.pid"
    if not file.exists() or read_pid(cluster) is not None:
        return False
    file.unlink(missing_ok=True)
    return True


def last_lines(text: str, count: int = 6) -> str:
    return " / ".join(line.strip() for line in text.strip().splitlines()[-count:])


def _try_start(cluster: Cluster, account: Account, options: Mapping[str, str], *, seconds: float) -> bool:
    command = (
        cluster.programs / "pg_ctl",
        "start",
        "--silent",
        "--wait",
        f"--timeout={seconds:.0f}",
        f"--pgdata={cluster.data.name}",
        f"--log={cluster.log.name}",
        "--options=" + " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items()),
    )
    try:
        finished = run_as(account, command, folder=cluster.home, timeout_seconds=seconds + 30)
    except subprocess.TimeoutExpired:
        return False
    return finished.returncode == 0


def _prepare_socket_folder(cluster: Cluster, account: Account) -> Path:
    """An empty private folder, as the server is told of it: relative to its data where clients can use
    that."""
    _remove_outside_socket_folder(cluster)
    if _is_usable_by_clients(cluster.socket_link):
        cluster.socket_link.mkdir(mode=0o700, exist_ok=True)
        give_to(account, cluster.socket_link)
        return Path("../socket")
    outer = Path(tempfile.mkdtemp(prefix="govern-", dir=_short_temp_folder()))
    if not account.capability:
        outer.chmod(0o711)
    inner = outer / "socket"
    inner.mkdir(mode=0o700)
    give_to(account, inner)
    if cluster.socket_link.is_dir():
        shutil.rmtree(cluster.socket_link)
    cluster.socket_link.symlink_to(inner)
    return inner


def _is_usable_by_clients(folder: Path) -> bool:
    """Short enough for a socket, and without the signs that separate hosts and ports in URLs."""
    socket = os.fsencode(folder / _SOCKET_FILE)
    return len(socket) < _SOCKET_PATH_BYTES and _PLAIN_PATH.fullmatch(socket) is not None


def _remove_outside_socket_folder(cluster: Cluster) -> None:
    link = cluster.socket_link
    if link.is_symlink():
        folder = find_socket_folder(cluster)
        link.unlink()
        if folder is not None:
            shutil.rmtree(folder.parent, ignore_errors=True)


def _short_temp_folder() -> str:
    candidates = (tempfile.gettempdir(), "/tmp", "/var/tmp")  # noqa: S108  # mkdtemp makes a private one inside
    return min(candidates, key=lambda folder: (len(os.fsencode(folder)) > 50, candidates.index(folder)))


def _prepare_log(cluster: Cluster, account: Account) -> None:
    if cluster.log.exists() and cluster.log.stat().st_size > _LOG_BYTES:
        cluster.log.replace(cluster.home / "log.1")
    cluster.log.touch(mode=0o600)
    give_to(account, cluster.log)


def _read_log(cluster: Cluster) -> str:
    with cluster.log.open("rb") as file:
        file.seek(max(0, cluster.log.stat().st_size - 8192))
        return file.read().decode("utf-8", errors="replace")


def _owner(cluster: Cluster) -> int:
    return cluster.data.stat().st_uid


def _is_private(folder: Path, owners: set[int]) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid in owners and not status.st_mode & 0o022
