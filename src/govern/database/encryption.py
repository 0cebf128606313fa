"""age (https://age-encryption.org): what holds rows in a backup can be encrypted while it is written.

Whoever writes needs public keys alone. So that a backup can be proven where nobody has a private one, each
process adds a key of its own, which is never written anywhere: it can read the backups that it made itself.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from govern.errors import ConfigurationError, NotPermitted, ToolMissing

if TYPE_CHECKING:
    from govern.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What to encrypt for and what to decrypt with. Never shown."""

    recipients: tuple[str, ...] = ()
    """Public keys: ``age1…``, ``ssh-ed25519 …``; empty: nothing is encrypted."""
    identity: Path | None = None
    """A file of private keys as age-keygen or ssh-keygen write it."""

    @classmethod
    def of(cls, settings: Settings) -> Keys:
        return cls(recipients=settings.backup_recipients, identity=settings.backup_identity)

    @property
    def wants_encryption(self) -> bool:
        """Whether anything is to be encrypted."""
        return bool(self.recipients)


NO_KEYS = Keys()


def encrypted_name(file: Path) -> Path:
    """Where what would be in ``file`` is, encrypted."""
    from govern.core.backup import ENCRYPTED_SUFFIX

    return file.with_name(f"{file.name}{ENCRYPTED_SUFFIX}")


class Readable(Protocol):
    """What can be read to its end."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(slots=True)
class Counted:
    """Content that tells how much of it was read."""

    content: IO[bytes]
    progress: Callable[[int], None] | None
    read_bytes: int = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self.content.read(size)
        self.read_bytes += len(chunk)
        if self.progress:
            self.progress(self.read_bytes)
        return chunk


def encrypt(content: Readable, file: IO[bytes], keys: Keys) -> None:
    """Writes ``content``, to its end, encrypted into ``file``, in constant memory.

    Raises ConfigurationError for what is no public key, ToolMissing without pyrage, OSError.
    """
    pyrage = _load()
    recipients = [_parse_recipient(text) for text in keys.recipients]
    pyrage.encrypt_io(content, file, [*recipients, _own_identity().to_public()])


def decrypt(file: IO[bytes], content: IO[bytes], keys: Keys) -> None:
    """Writes what ``file`` holds into ``content``, in constant memory; what comes before a damaged part, too.

    Raises NotPermitted where no key here reads it, Damaged where it is not as it was written, ConfigurationError
    for an identity that cannot be read, ToolMissing without pyrage, and OSError from ``content``.
    """
    pyrage = _load()
    sink = _Sink(content)
    try:
        pyrage.decrypt_io(file, sink, [*_read_identities(keys.identity), _own_identity()])
    except pyrage.DecryptError as error:
        if "No matching keys" not in str(error):
            raise Damaged(str(error)) from error
        raise NotPermitted(
            "the backup is encrypted, and no key here reads it",
            why=f"{keys.identity} has none of its keys" if keys.identity else "no private key was given",
            next="name the file with the private key: backup_identity, or GOVERN_BACKUP_IDENTITY",
        ) from error
    except OSError as error:
        if sink.failure is not None:
            raise sink.failure from error
        raise Damaged(str(error)) from error


@contextmanager
def decrypted(file: Path, keys: Keys) -> Iterator[IO[bytes]]:
    """What the file holds, as a pipe: another program may read it, to its end or not. Raises as ``decrypt`` does.

    That is raised at the end of the block, also in the place of what the reader made of half a content.
    """
    reader, writer = os.pipe()

    def write() -> None:
        # whoever has read enough closes the pipe
        with suppress(BrokenPipeError), os.fdopen(writer, "wb") as content, file.open("rb") as source:
            decrypt(source, content, keys)

    with ThreadPoolExecutor(1) as beside, os.fdopen(reader, "rb") as content:
        writing = beside.submit(write)
        try:
            yield content
        except BaseException:
            content.close()
            writing.result()
            raise
        content.close()
        writing.result()


class Damaged(Exception):
    """Encrypted content is not what was written."""


@dataclass(slots=True)
class _Sink:
    """Tells an error of who is written to from one of what is read."""

    content: IO[bytes]
    failure: OSError | None = None

    def write(self, chunk: bytes) -> int:
        try:
            return self.content.write(chunk)
        except OSError as error:
            self.failure = error
            raise

    def flush(self) -> None:
        self.content.flush()


def _load() -> Any:
    try:
        import pyrage
    except ImportError as error:
        raise ToolMissing(
            "encrypted backups need pyrage",
            why="it is not installed",
            next="pip install 'govern[encryption]'",
        ) from error
    return pyrage


@functools.cache
def _own_identity() -> Any:
    return _load().x25519.Identity.generate()


def _parse_recipient(text: str) -> Any:
    pyrage = _load()
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise ConfigurationError(
            f"backup_recipients has what is no public key of age: {text[:24]!r}…",
            why=str(error),
            next="make a pair with age-keygen, and give its public key: age1…",
        ) from error


def _read_identities(file: Path | None) -> Sequence[Any]:
    if file is None:
        return ()
    pyrage = _load()
    try:
        content = file.read_bytes()
        if b"AGE-SECRET-KEY-" not in content:
            return [pyrage.ssh.Identity.from_buffer(content)]
        lines = (line.strip() for line in content.decode().splitlines())
        return [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise ConfigurationError(
            f"the private key in {file} cannot be read",
            why=error.strerror or "" if isinstance(error, OSError) else str(error),
            next="backup_identity names a file that age-keygen or ssh-keygen wrote",
        ) from error
