"""What backups and restores ask of a database engine: dumps, what tables hold, databases in the place of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from govern.database.connection import Connection
from govern.database.encryption import NO_KEYS, Keys

if TYPE_CHECKING:
    from govern.core.contents import Contents
    from govern.core.discovery import FoundDump
    from govern.core.exports import BadCell, Column, StagedRow, Tables
    from govern.core.restoration import Place, TableDigest
    from govern.core.retention import KeptDatabase
    from govern.core.snapshot import ColumnOrder
    from govern.database.transfer import Transfer
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable

Progress = Callable[[int], None]
"""Called with the bytes written so far."""

OpenConnection = Callable[[], AbstractContextManager[Connection]]
"""Opens a connection for as long as the context lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is dumped, for others to look at: every connection sees exactly that."""

    connection: Connection
    open_another: OpenConnection


Witness = Callable[[Moment], None]
"""Called with the moment that is dumped, for as long as the call lasts."""

Judge = Callable[[Connection], None]
"""Reads a database that nobody writes to; raises if it is to be left as it is."""


class Replacement(Protocol):
    """A database that is made to take the place of a live one. What does not come to its end is undone."""

    @property
    def side(self) -> DatabaseUrl:
        """Empty at first, beside the live one and like it; dropped unless it takes its place."""

    @property
    def kept_as(self) -> str:
        """The name under which the live one is kept afterwards."""

    @property
    def how_to_drop(self) -> str:
        """What a person types to be rid of it."""

    @property
    def is_missing(self) -> bool:
        """Whether there is no live one."""

    @property
    def put_back(self) -> str | None:
        """The name under which an interrupted restore had left the live one; it was put back first."""

    def exchange(self, judge: Judge | None) -> None:
        """Puts ``side`` in the live one's place, which is kept.

        ``judge`` is called once nobody can write to the live database any more, and not where there is none; if it
        raises, the live one goes on as it was. Without it the live one is not read. Nobody may be connected to
        ``side``. Raises Refused or CouldNotCheck where nothing was changed, FailedMidway otherwise.
        """


class Keeping(Protocol):
    """The part of a dialect that keeps rows and brings them back."""

    copies_files: bool
    """Whether a dump is the database's file, and a restore gives back its very bytes, and compares them: then nothing
    is to be gained from checksums of its tables."""

    def dump(
        self,
        url: DatabaseUrl,
        folder: Path,
        *,
        schema_only: bool = False,
        jobs: int = 1,
        keys: Keys = NO_KEYS,
        progress: Progress | None = None,
        witness: Witness | None = None,
    ) -> str:
        """Writes the database into ``folder`` (exists, empty); returns the tool and version that did.

        ``jobs``: how many tables at once, at most. What has rows is encrypted where ``keys`` have recipients.
        """

    def restore(
        self,
        folder: Path,
        url: DatabaseUrl,
        *,
        schema_only: bool = False,
        jobs: int = 1,
        keys: Keys = NO_KEYS,
        digests: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[str, ...]:
        """Restores a ``dump`` into an existing, empty database. Raises FailedMidway with the tool's words.

        ``digests``: the SHA-256 of the dump's files by their names, where it is known; what is restored by copying a
        file is compared with it, else with the file. ``keys`` read what is encrypted; raises NotPermitted where none
        does. With several ``jobs`` what fails leaves a part of it: such a
        database is dropped then. Returns the kinds of snapshot objects that had to be left out because the target
        lacks the roles.
        """

    def recognize_dump(self, path: Path) -> FoundDump | None:
        """A dump or database file of this engine that somebody else made; None for anything else.

        Nothing of it is executed. Raises OSError.
        """

    def restore_dump(self, dump: FoundDump, url: DatabaseUrl) -> None:
        """Restores what ``recognize_dump`` found into an existing, empty database; without owners and privileges.

        Raises Refused with the reason where that does not work.
        """

    def read_tables(self, connection: Connection, table: VersionTable) -> ColumnOrder:
        """The tables that rows are kept in, and their columns; without Alembic's version table and govern's own."""

    def digest_tables(self, connection: Connection, columns: ColumnOrder) -> Mapping[Place, TableDigest]:
        """Of each table the rows, over the columns given, at one moment. Comparable within one server alone."""

    def digest_contents(
        self,
        connection: Connection,
        open_another: OpenConnection,
        table: VersionTable,
        *,
        jobs: int = 1,
        algorithm: str | None = None,
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> Contents | None:
        """The rows of every table of ``read_tables``, but for what is generated, on several connections at once.

        ``on_rows`` is told of each table how many it was, from several threads. All of them see the same moment.
        A transaction of ``connection`` has other settings afterwards.
        ``algorithm``: that of the digests to compare with; None: the fastest. Returns None where that algorithm is
        not known here, or the dialect copies files.
        """

    def read_row_hashes(
        self, connection: Connection, place: Place, columns: tuple[str, ...]
    ) -> Iterator[int]:
        """A number for each row over these columns, ascending."""

    def replacing(self, url: DatabaseUrl, *, wait_seconds: float) -> AbstractContextManager[Replacement]:
        """Makes an empty database beside the live one, and keeps migrations away from both for the whole block.

        An interrupted replacement of the same database is put back first. Raises Refused after ``wait_seconds``
        for a lock, NotPermitted for what the role lacks; then nothing was changed.
        """

    def find_kept(self, url: DatabaseUrl) -> tuple[KeptDatabase, ...]:
        """Databases that are called as restores call what they take out of use, oldest first."""

    def drop_kept(self, url: DatabaseUrl, database: KeptDatabase) -> bool:
        """Drops one of them unless somebody uses it: then False. No error if it is gone. Raises NotPermitted."""

    def transferring(
        self, live: DatabaseUrl, source: DatabaseUrl, table: VersionTable, *, read_only: bool
    ) -> AbstractContextManager[Transfer]:
        """A transaction on ``live`` that sees the rows of ``source``; committed at the end of the context.

        ``read_only``: only to look. Raises Refused, NotPermitted or CouldNotCheck for what the database refuses; then
        all was rolled back.
        """

    def read_columns(self, connection: Connection, table: VersionTable) -> Tables:
        """The tables that rows of files can be written to, and what their columns expect."""

    def release_rows(self, connection: Connection) -> None:
        """Lets a scratch copy of a schema take rows in any order, and each as it is: no references, no triggers."""

    def stage_rows(
        self, connection: Connection, place: Place, columns: Sequence[Column], rows: Iterable[StagedRow]
    ) -> tuple[int, tuple[BadCell, ...]]:
        """Writes the rows to a table of a scratch copy, all or none; how many, and what is wrong with them.

        ``columns`` are those that rows have cells of; all others get their defaults.
        """
