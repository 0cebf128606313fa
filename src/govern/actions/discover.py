"""Looks through folders for what could be restored from. Nothing of what is found is executed, and no link followed."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from govern.actions.backup.store import is_backup_folder, read_backup
from govern.core.backup import Backup
from govern.core.discovery import Discovery, FoundDump
from govern.core.finding import Finding
from govern.core.restoration import Place
from govern.database.engines import all_dialects
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError, NotPermitted
from govern.source.exports import BrokenExport, ExportFile, find_table, read_series, recognize

_DEEPEST = 8
"""Folders within folders."""
_MOST_ENTRIES = 200_000
_ENTRIES_A_SENTENCE = 5_000
_PASSED_BY = frozenset({".git", ".hg", ".svn", ".tox", ".venv", "__pycache__", "node_modules", "venv"})
_SERVER_MARK = "PG_VERSION"
"""Where it lies, a PostgreSQL server keeps its files: no backup of anything."""
_COUNTED_BYTES = 20_000_000
"""Rows of larger files of rows are not counted."""
_HEAD_BYTES = 4096
_FIRST_KEY = re.compile(r'\s*\{\s*"(?P<key>[^"\\]+)"\s*:\s*[\[{]')


@dataclass(slots=True)
class Search:
    """What a search found, and where it could not look."""

    found: list[Discovery] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    entries: int = 0
    is_cut_short: bool = False


def discover(
    live: LiveDatabase,
    folder: Path,
    tables: tuple[Place, ...],
    *,
    narrate: Callable[[str], None],
) -> Search:
    """Dumps, database files, folders with rows of ``tables``, and backups elsewhere, newest first.

    Raises ConfigurationError where there is no such folder, NotPermitted where it may not be read.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}", next="correct the path")
    searching = _Searching(live, tables, narrate)
    try:
        searching.look_into(folder, depth=0)
    except OSError as error:
        why = error.strerror or str(error)
        raise NotPermitted(
            f"the folder {folder} cannot be read", why=why, next="see to its permissions"
        ) from error
    searching.search.found.sort(key=lambda one: one.made_at, reverse=True)
    return searching.search


class _Searching:
    """One walk through a tree of folders."""

    def __init__(
        self,
        live: LiveDatabase,
        tables: tuple[Place, ...],
        narrate: Callable[[str], None],
    ) -> None:
        self.search = Search()
        self._settings = live.settings
        self._dialect = live.dialect
        self._database = None if live.dialect.is_server else live.url.path.resolve()
        self._dialects = all_dialects()
        self._tables = tables
        self._narrate = narrate

    def look_into(self, folder: Path, *, depth: int) -> None:
        """Raises OSError where the folder itself may not be read."""
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        if any(entry.name == _SERVER_MARK for entry in entries):
            return
        files = [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]
        with self._noting_unread(folder):
            self.search.found += self._find_rows(folder, files)
        for path in files:
            self._count()
            with self._noting_unread(path):
                self._recognize(path)
        for path in (Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)):
            self._count()
            with self._noting_unread(path):
                # what is something as a whole has nothing in it that is anything by itself
                if not self._recognize_backup(path) and not self._recognize(path):
                    self._go_down(path, depth=depth + 1)

    def _go_down(self, folder: Path, *, depth: int) -> None:
        if folder.name in _PASSED_BY or folder.resolve() == self._settings.backups.resolve():
            return
        if depth > _DEEPEST or self.search.entries > _MOST_ENTRIES:
            self.search.is_cut_short = True
            return
        self.look_into(folder, depth=depth)

    def _count(self) -> None:
        self.search.entries += 1
        if self.search.entries % _ENTRIES_A_SENTENCE == 0:
            self._narrate(
                f"searching: {self.search.entries:,} files and folders, {len(self.search.found):,} found"
            )

    def _recognize_backup(self, folder: Path) -> bool:
        if not is_backup_folder(folder):
            return False
        self.search.found.append(self._of_backup(folder, read_backup(self._settings, folder)))
        return True

    def _recognize(self, path: Path) -> bool:
        if path.resolve() == self._database:
            return False
        for dialect in self._dialects:
            if (dump := dialect.recognize_dump(path)) is not None:
                self.search.found.append(self._of_dump(dump))
                return True
        return False

    @contextmanager
    def _noting_unread(self, path: Path) -> Iterator[None]:
        """What may not be read, or is gone at this moment, is told and passed by."""
        try:
            yield
        except OSError as error:
            self.search.unread.append(f"{path}: {error.strerror or error}")
        except NotPermitted as error:
            self.search.unread.append(f"{path}: {error.why}")

    def _of_dump(self, dump: FoundDump) -> Discovery:
        is_ours = dump.dialect == self._dialect.name
        other = f"it is of {dump.dialect}, the target is {self._dialect.name}"
        return Discovery(
            path=dump.path,
            kind=dump.kind,
            made_at=dump.made_at or _written_at(dump.path),
            is_own_time=dump.made_at is not None,
            bytes=_size_of(dump.path),
            tables=dump.tables,
            rows=sum(dump.rows.values()) if dump.rows else None,
            server_version=dump.server_version,
            trouble=dump.trouble or ("" if is_ours else other),
            next=f"govern backup adopt {shlex.quote(str(dump.path))}" if is_ours else "",
        )

    def _of_backup(self, folder: Path, read: Backup | Finding) -> Discovery:
        if isinstance(read, Finding):
            made_at, size = _written_at(folder), _size_of(folder)
            return Discovery(
                path=folder,
                kind="govern backup",
                made_at=made_at,
                is_own_time=False,
                bytes=size,
                trouble=read.message,
            )
        manifest = read.manifest
        return Discovery(
            path=folder,
            kind="govern backup",
            made_at=manifest.created_at,
            is_own_time=True,
            bytes=read.bytes,
            tables=tuple(sorted(name.removeprefix("public.") for name in manifest.rows)),
            rows=sum(manifest.rows.values()),
            server_version=manifest.server_version,
            next=f"govern backup adopt {shlex.quote(str(folder))}"
            if manifest.dialect == self._dialect.name
            else "",
        )

    def _find_rows(self, folder: Path, files: list[Path]) -> Iterator[Discovery]:
        """The folder, if files in it are called as tables are; and each file that has tables by name in it."""
        recognized = [file for path in files if (file := recognize(path)) is not None]
        of_a_table = [file for file in recognized if find_table(file.name, self._tables) is not None]
        if of_a_table:
            yield self._of_rows(folder, "folder of rows", of_a_table)
            return
        for file in recognized:
            if file.format == "json" and not file.is_compressed and self._begins_with_table(file.path):
                yield self._of_rows(file.path, "file of rows", [file])

    def _begins_with_table(self, path: Path) -> bool:
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as text:
                first = _FIRST_KEY.match(text.read(_HEAD_BYTES))
        except OSError:
            return False
        return first is not None and find_table(first["key"], self._tables) is not None

    def _of_rows(self, path: Path, kind: str, files: list[ExportFile]) -> Discovery:
        counts, troubles = dict[str, int | None](), []
        for file in files:
            try:
                counts |= self._count_rows(file)
            except BrokenExport as error:
                counts[file.name] = None
                troubles.append(f"{file.path.name}: {error.why}")
        rows = [count for count in counts.values() if count is not None]
        return Discovery(
            path=path,
            kind=kind,
            made_at=max(_written_at(file.path) for file in files),
            is_own_time=False,
            bytes=sum(_size_of(file.path) for file in files),
            tables=tuple(sorted(counts)),
            rows=sum(rows) if len(rows) == len(counts) else None,
            trouble="; ".join(troubles),
            next=f"govern restore --from {shlex.quote(str(path))} --plan",
        )

    def _count_rows(self, file: ExportFile) -> dict[str, int | None]:
        """Rows by table; None for those of a large file. Raises BrokenExport."""
        if file.path.stat().st_size > _COUNTED_BYTES:
            return {file.name: None}
        series = read_series(file, lambda name: find_table(name, self._tables) is not None)
        return {one.name: sum(1 for _ in one.read()) for one in series}


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _size_of(path: Path) -> int:
    if path.is_dir():
        return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size
