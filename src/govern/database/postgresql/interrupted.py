"""What is left of a restore that was killed while it exchanged two databases; whoever finds none of the name asks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.database.connection import Connection

KEPT, SIDE = "_before_restore_", "_restored_"
"""What follows the live database's name, and comes before the moment, in the names of the two others."""

_LONGEST_NAME = 63  # bytes (manual, "Identifiers and Key Words")
_MOMENT_LENGTH = 14
_LONGEST_STEM = _LONGEST_NAME - _MOMENT_LENGTH - max(len(KEPT), len(SIDE))
_DIGEST_LENGTH = 6

_MARK = "govern restore: not complete, to take the place of "
_MARKED = """
SELECT d.datname::text FROM pg_catalog.pg_database d
WHERE pg_catalog.shobj_description(d.oid, 'pg_database') = %s ORDER BY 1
"""
_EXISTS = "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %s)"

_KEY = "pg_catalog.hashtextextended(%s, 0)"
_TRY = f"SELECT pg_catalog.pg_try_advisory_lock({_KEY})"
# a bigint key is shown as its two halves, with objsubid 1 (manual, pg_locks)
_IS_RUNNING = f"""
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_locks l
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND ((l.classid::bigint << 32) | l.objid::bigint) = {_KEY}
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
)
"""  # noqa: S608 - constants alone


@dataclass(frozen=True, slots=True)
class Names:
    """How the two databases are called that a restore has beside the live one."""

    side: str
    """What is to take its place."""
    kept: str
    """What the live one is called once it is out of use."""

    @classmethod
    def at(cls, live: str, moment: str) -> Names:
        """``moment`` has 14 digits. A long name is cut, and a digest of it takes the place of the rest."""
        stem = _shorten(live)
        return cls(f"{stem}{SIDE}{moment}", f"{stem}{KEPT}{moment}")


def find_unfinished(connection: Connection, live: str) -> tuple[Names, ...]:
    """Databases that restores of ``live`` made and neither put in its place nor dropped."""
    marked = connection.rows(_MARKED, (mark(live),))
    return tuple(Names.at(live, side[-_MOMENT_LENGTH:]) for (side,) in marked)


def find_taken_out(connection: Connection, live: str) -> Names | None:
    """What was killed between its two renames: ``live`` is not there, and what it was is; None if nothing was."""
    if connection.value(_EXISTS, (live,)):
        return None
    for names in find_unfinished(connection, live):
        if connection.value(_EXISTS, (names.kept,)):
            return names
    return None


def mark(live: str) -> str:
    """The comment on a database that is to take the place of ``live``."""
    return f"{_MARK}{live}"


def try_restore_lock(connection: Connection, live: str) -> bool:
    """Takes the lock that serialises restores of ``live``, on a connection to another database, with which it ends."""
    return bool(connection.value(_TRY, (mark(live),)))


def is_restore_running(connection: Connection, live: str) -> bool:
    return bool(connection.value(_IS_RUNNING, (mark(live),)))


def _shorten(name: str) -> str:
    encoded = name.encode()
    if len(encoded) <= _LONGEST_STEM:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:_DIGEST_LENGTH]
    return encoded[: _LONGEST_STEM - _DIGEST_LENGTH - 1].decode(errors="ignore") + "_" + digest
