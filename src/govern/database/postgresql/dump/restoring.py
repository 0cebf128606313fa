"""pg_restore at work: all of an archive; where its rows break foreign keys, those keys come back NOT VALID.

A database can hold rows without parents under a key that is said to be valid: after a load with triggers off, a crash,
a restore of single tables. No restore can make such a key valid again, and without one there would be no backup of a
database that needs one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from govern.database.connection import Connection
from govern.database.postgresql.dump.archive import Archive
from govern.database.postgresql.dump.clients import Client
from govern.database.postgresql.dump.programs import ProgramFailed, run_program_group, run_tool
from govern.database.url import DatabaseUrl
from govern.log import Log

log = Log(__name__)

# each statement of a parallel restore is a transaction; the first commit of whoever uses the database makes all durable
_SETTINGS = {"synchronous_commit": "off"}
# ``3456; 2606 16420 FK CONSTRAINT public notes notes_user_id_fkey app``, where 2606 is pg_constraint
_FOREIGN_KEY = re.compile(rb"\d+; 2606 \d+ FK CONSTRAINT ")
_ADDITION = re.compile(r"^ALTER TABLE .*?;[ \t]*$", re.MULTILINE | re.DOTALL)
_COUNT_KEYS = "SELECT count(*) FROM pg_catalog.pg_constraint WHERE contype = 'f' AND conparentid = 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """One archive on its way into one database, which is empty."""

    client: Client
    archive: Archive
    url: DatabaseUrl
    options: Sequence[str]
    """Of pg_restore, but for what says how it goes on after an error and in how many jobs."""
    jobs: int
    left_out: re.Pattern[bytes] | None
    """Lines of the archive's list that there is nothing to be done for."""
    folder: Path
    """For lists."""

    def restore(self, connection: Connection) -> None:
        """Raises ProgramFailed, or psycopg.Error for a foreign key that cannot be made at all.

        One job is one transaction, which is tried as a whole first. Several commit as they go: foreign keys then wait
        until all rows are there.
        """
        if self.jobs == 1:
            try:
                self._run(
                    ["--exit-on-error", "--single-transaction"], self._list_all() if self.left_out else None
                )
            except ProgramFailed:
                rest, keys = self._split_list()
                if not keys:
                    raise
                self._run(["--exit-on-error", "--single-transaction"], rest)
                self._add_keys(connection, keys)
            return
        rest, keys = self._split_list()
        self._run(["--exit-on-error", f"--jobs={self.jobs}"], rest)
        if keys:
            self._add_keys(connection, keys)

    def _add_keys(self, connection: Connection, keys: list[bytes]) -> None:
        """All of them at once; where not all of them can be, each for itself."""
        before = connection.value(_COUNT_KEYS)
        try:
            self._run([f"--jobs={self.jobs}"] if not self.archive.is_encrypted else [], keys)
        except ProgramFailed as error:
            log.info("foreign_keys_not_all_restored", words=error.words)
            if connection.value(_COUNT_KEYS) == before + len(keys):
                return
            for key in keys:
                self._add_key(connection, key)

    def _add_key(self, connection: Connection, key: bytes) -> None:
        found = _ADDITION.search(self._write_statement(key))
        if found is None:
            raise ProgramFailed("pg_restore", 0, f"it wrote no statement for {key.decode(errors='replace')}")
        statement = found[0].rstrip().removesuffix(";")
        try:
            connection.execute(statement)
        except psycopg.errors.DuplicateObject:
            pass  # it was added with the others
        except psycopg.errors.ForeignKeyViolation as error:
            log.info("foreign_key_not_valid", constraint=error.diag.constraint_name)
            connection.execute(f"{statement} NOT VALID")

    def _write_statement(self, key: bytes) -> str:
        listing = self._write_list([key])
        with (
            self.archive.handed_over() as (path, stdin),
            run_tool(
                self.client.pg_restore, ["--file=-", f"--use-list={listing}", *path], stdin=stdin
            ) as output,
        ):
            return output.read().decode()

    def _run(self, options: Sequence[str], lines: list[bytes] | None) -> None:
        chosen = [f"--use-list={self._write_list(lines)}"] if lines is not None else []
        with (
            self.archive.handed_over() as (path, stdin),
            run_program_group(
                self.client.pg_restore,
                [*self.options, *options, *chosen, *path],
                self.url,
                _SETTINGS,
                stdin=stdin,
            ),
        ):
            pass

    def _split_list(self) -> tuple[list[bytes], list[bytes]]:
        """What there is to restore, and of that the foreign keys."""
        lines = self._list_all()
        keys = [line for line in lines if _FOREIGN_KEY.match(line)]
        return [line for line in lines if line not in set(keys)], keys

    def _list_all(self) -> list[bytes]:
        with (
            self.archive.handed_over() as (path, stdin),
            run_tool(self.client.pg_restore, ["--list", *path], stdin=stdin) as output,
        ):
            return [line for line in output if not (self.left_out and self.left_out.match(line))]

    def _write_list(self, lines: list[bytes]) -> Path:
        listing = self.folder / "list"
        listing.write_bytes(b"".join(lines))
        return listing
