"""Signs backups, and lets none be restored whose signature is not right, unless that is allowed by name.

The keys are in GOVERN_BACKUP_KEY, else in a file of the user's own that is made at first use: outside the project,
because whoever can write into the backups must not find it there. The first key signs; all of them are accepted.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from govern.config import find_secret, find_user_folder
from govern.core.finding import Finding, Subject
from govern.core.hazard import Hazard
from govern.core.signature import KEY_NOT_KEPT, WRONG_SIGNATURE, SignatureState, SigningKey
from govern.errors import ConfigurationError, Refused

if TYPE_CHECKING:
    from govern.core.backup import Backup, BackupManifest

VARIABLE = "GOVERN_BACKUP_KEY"
FILE = "signing.key"
_SHORTEST = 32
_HEADING = "# Signs govern's backups: keep it where the backups are not. A new key goes above the old ones.\n"

_HAZARDS = {"unsigned": "unsigned-backup", "unknown-key": "unknown-key", "wrong": "wrong-signature"}


def sign(manifest: BackupManifest) -> BackupManifest:
    """Signed with the first key there is; one is made where there is none.

    Where it cannot be kept, the key ends with this process, as ``find_unkept_key`` tells. Raises ConfigurationError
    for what is no key, and Refused for a file of keys that others can read.
    """
    kept = _read_keys()
    return manifest.signed_with(kept[0] if kept else _make_key())


def judge_signature(manifest: BackupManifest) -> SignatureState:
    """What the keys that are here say of it. Raises as ``sign`` does; makes no key."""
    return manifest.judge_signature(_find_keys())


def find_wrong_signature(backup: Backup) -> Iterator[Finding]:
    """A finding where the manifest is not what was signed."""
    if judge_signature(backup.manifest) == "wrong":
        subject = Subject(kind="backup", name=backup.id)
        message = f"backup {backup.id}: its manifest is not what was signed"
        yield Finding.of(WRONG_SIGNATURE, subject, message)


def find_unkept_key(backup: Backup) -> Iterator[Finding]:
    """A finding where the backup is signed with the key that ends with this process."""
    signature = backup.manifest.signature
    if signature is not None and signature.key == _own_key().id:
        subject = Subject(kind="backup", name=backup.id)
        place = find_user_folder()
        where = f"{place / FILE} cannot be read, or written" if place else "this user has no home folder"
        yield Finding.of(KEY_NOT_KEPT, subject, f"backup {backup.id}: {where}")


def require_signature(backup: Backup, *, allow: tuple[str, ...] = ()) -> Backup:
    """The backup, if its signature is right, or is allowed not to be. Raises Refused."""
    state = judge_signature(backup.manifest)
    if state == "right" or backup.is_allowed:
        return backup
    hazard = Hazard(_HAZARDS[state], backup.id)
    if str(hazard) in allow:
        return replace(backup, is_allowed=True)
    raise _refuse(backup, state, hazard)


def _refuse(backup: Backup, state: SignatureState, hazard: Hazard) -> Refused:
    if state == "wrong":
        return Refused(
            f"the signature of the backup {backup.id} is wrong",
            why="its manifest was changed after it was signed, by somebody without the key: it may hold anything",
            next=f"restore another one: govern backup list; or all the same: --allow {hazard}",
        )
    if state == "unknown-key":
        here = ", ".join(key.id for key in _read_keys()) or "none"
        signature = backup.manifest.signature
        return Refused(
            f"nobody here can say whether the backup {backup.id} is as it was made",
            why=f"it is signed with the key {signature.key if signature else ''}, and here there are: {here}",
            next=f"bring the key of whoever made it, in {VARIABLE} or {VARIABLE}_FILE; if you know without it that "
            f"nobody else wrote the backup: --allow {hazard}",
        )
    return Refused(
        f"the backup {backup.id} is not signed",
        why="it is of an earlier release, or somebody without the key has written it; what it holds runs in the "
        "server, with the rights of your role",
        next=f"if you know that it is yours: --allow {hazard}, or once and for all: govern backup sign {backup.id}",
    )


def _find_keys() -> tuple[SigningKey, ...]:
    return (*_read_keys(), _own_key())


def _read_keys() -> tuple[SigningKey, ...]:
    """Those that stay: of the environment, then of the user's file."""
    given = find_secret(VARIABLE)
    keys = _parse_keys(given, VARIABLE) if given else ()
    file = _key_file()
    if file is None:
        return keys
    try:
        text = _read_private(file)
    except OSError:
        return keys  # also where HOME is another user's: no reason not to make a backup
    return keys + _parse_keys(text, str(file))


def _read_private(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as content:
        if os.fstat(content.fileno()).st_mode & 0o077:
            raise Refused(
                f"others may read or change the key that signs backups: {file}",
                why="whoever has it can make a backup that is restored without a question",
                next=f"chmod 600 {file}; if somebody may have read it, write a new key into its first line",
            )
        return content.read()


def _parse_keys(text: str, source: str) -> tuple[SigningKey, ...]:
    lines = (line.partition("#")[0] for line in text.splitlines())
    words = [word for line in lines for word in line.split()]
    if not words or any(len(word) < _SHORTEST for word in words):
        raise ConfigurationError(
            f"{source} has no key for signatures, or a short one",
            why=f"a key has at least {_SHORTEST} characters, and no blanks: a short one can be guessed",
            next="make one: python3 -c 'import secrets; print(secrets.token_hex(32))'",
        )
    return tuple(SigningKey(word.encode()) for word in words)


def _make_key() -> SigningKey:
    """A new key in the user's file; that of whoever was faster; or where no file can be, this process's own."""
    file = _key_file()
    if file is None:
        return _own_key()
    text = f"{_HEADING}{secrets.token_hex(32)}\n"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(file, text)
    except OSError:
        return _own_key()
    return _read_keys()[0]


def _write_once(file: Path, text: str) -> None:
    """The whole file, or what is there already. Raises OSError."""
    partial = file.with_name(f".{file.name}-{secrets.token_hex(6)}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as content:
            content.write(text)
            content.flush()
            os.fsync(content.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(partial, file)
    finally:
        partial.unlink(missing_ok=True)


@functools.cache
def _own_key() -> SigningKey:
    return SigningKey(secrets.token_bytes(32))


def _key_file() -> Path | None:
    folder = find_user_folder()
    return folder / FILE if folder else None
