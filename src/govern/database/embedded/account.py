"""Which user runs the embedded PostgreSQL, and how its programs are started as that user.

PostgreSQL refuses to run as root. No user and no mode of the machine is touched for that.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from govern.errors import NotPermitted, ToolMissing

_CAPABILITIES = (("dac_read_search", 2), ("dac_override", 1))
"""What lets a user pass folders closed to it, the lesser right first, and its number in capability.h."""
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
"""All that the programs get: no PGDATA, PGPORT or PGOPTIONS of the caller's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the operating system, and the capability it needs to reach the programs and the data."""

    uid: int
    gid: int
    capability: str | None = None
    """Set where a folder above is closed to the user, such as a clone below root's own 0700 folder."""

    @property
    def is_own(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


def choose_account(*, data: Path, project: Path, needed: Sequence[Path]) -> Account:
    """The user that owns ``data``; without data ourselves, or as root the owner of ``project``, else nobody.

    ``needed`` are paths the server must reach. Raises NotPermitted where the data belongs to somebody else,
    and where root lacks the capability to let an unprivileged user reach the paths.
    """
    account = _owner_of(data) if data.exists() else _account_for(project)
    if account.is_own:
        return account
    if os.geteuid() != 0:
        raise NotPermitted(
            f"the embedded PostgreSQL belongs to {account.name}",
            why=f"{data} was created by another user",
            next=f"run govern as {account.name} or root, or give --url",
        )
    if _is_reachable(needed, account):
        return account
    return Account(uid=account.uid, gid=account.gid, capability=_available_capability(account))


def run_as(
    account: Account, command: Sequence[str | Path], *, folder: Path, timeout_seconds: float
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end in ``folder`` as the account; all it printed comes back in ``stdout``."""
    identity: dict[str, int | list[int]] = {}
    if account.capability:
        command = (*_setpriv(account, account.capability), *command)
    elif not account.is_own:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]  # the stubs cannot see through **identity
        [os.fspath(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=_ENVIRONMENT,
        text=True,
        errors="replace",
        timeout=timeout_seconds,
        check=False,
        **identity,
    )


def give_to(account: Account, path: Path) -> None:
    """Makes the account the owner of something that was just created."""
    if not account.is_own:
        os.chown(path, account.uid, account.gid)


def _owner_of(path: Path) -> Account:
    owner = path.stat()
    return Account(uid=owner.st_uid, gid=owner.st_gid)


def _account_for(project: Path) -> Account:
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid())
    owner = _owner_of(project)
    # initdb looks its user up and fails where there is no such entry
    if owner.uid != 0 and owner.name != f"uid {owner.uid}":
        return owner
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NotPermitted(
            "the embedded PostgreSQL cannot run as root",
            why="PostgreSQL refuses to, and this machine has no user 'nobody' to run it as",
            next="run govern as another user, or give --url",
        ) from None
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _is_reachable(paths: Sequence[Path], account: Account) -> bool:
    """Whether the user itself can read and pass every path; mode bits alone would miss ACLs and mounts."""
    script = 'for path in "$@"; do test -r "$path" -a -x "$path" || exit 1; done'
    command: tuple[str | Path, ...] = ("/bin/sh", "-c", script, "sh", *paths)
    return run_as(account, command, folder=Path("/"), timeout_seconds=30).returncode == 0


def _available_capability(account: Account) -> str:
    held = _held_capabilities()
    closed = "the project or the Python environment lies in a folder closed to that user"
    if shutil.which("setpriv", path=_search_path()) is None:
        raise ToolMissing(
            f"the embedded PostgreSQL cannot be started as {account.name}",
            why=f"{closed}, and 'setpriv' (util-linux), which could let it pass, is not installed",
            next="install util-linux, or open the folders above for traversal, or give --url",
        )
    for name, number in _CAPABILITIES:
        if held >> number & 1:
            return name
    raise NotPermitted(
        f"the embedded PostgreSQL cannot be started as {account.name}",
        why=f"{closed}, and root here may not grant CAP_DAC_READ_SEARCH or CAP_DAC_OVERRIDE",
        next="move the project to a folder other users can pass, run govern as another user, or give --url",
    )


def _held_capabilities() -> int:
    """The capabilities of this process that a child may get, as bits (proc(5)); none outside Linux."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return int(fields.get("CapEff", "0"), 16) & int(fields.get("CapBnd", "0"), 16)


def _search_path() -> str:
    return f"{os.defpath}:/usr/sbin:/sbin:/usr/local/bin"


def _setpriv(account: Account, capability: str) -> tuple[str, ...]:
    """The account with one capability and no way to gain more.

    ``no_setuid_fixup`` makes access(2), which PostgreSQL's programs use to find each other, respect it.
    """
    only = f"-all,+{capability}"
    return (
        shutil.which("setpriv", path=_search_path()) or "setpriv",
        f"--reuid={account.uid}",
        f"--regid={account.gid}",
        "--clear-groups",
        f"--inh-caps={only}",
        f"--ambient-caps={only}",
        f"--bounding-set={only}",
        "--securebits=+no_setuid_fixup",
        "--no-new-privs",
    )
