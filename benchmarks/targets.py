"""What was aimed at: how many times govern's another program is to take; and what keeps govern from it."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    benchmark: str
    case: str
    program: str
    ratio: float
    why_missed: str = ""


_START = (
    "the limit, a process that asks the same and throws the answers away, is not much above it: most of both is "
    "the start of Python, of the driver, and a new session's first look at the catalogs"
)
_SMALL = "the floor, which only counts the same rows, is near: each table has to be opened by a new session"
_REMEMBERED = (
    "measured before govern remembered what it read, as Python's bytecode does for Alembic; three runs on a loud "
    "machine gave 3.68 ×, and 3.97 × of the processor, since then"
)
_SESSION = "most of it is the server's: a new session plans one statement over 45 catalogs, which it has to open first"
_COMPARED = (
    "the restored copy is written once more and hashed once more than in the bare sum: a backup is not called "
    "verified for a hash of itself"
)

TARGETS = (
    *(Target("drift", f"{size} tables", "migra", 4.0, _START) for size in ("40", "81")),
    *(Target("drift", f"{size} tables", "migra", 5.0, _START) for size in ("500", "2,000")),
    Target("drift", "10,000 tables", "migra", 15.0, "both wait for the server's catalogs"),
    Target("drift", "500 tables", "alembic check", 12.0, _START),
    Target("chain", "2,000 revision files", "alembic history", 2.0, _REMEMBERED),
    Target("chain", "2,000 revision files, a fresh checkout", "alembic history", 2.0),
    *(
        Target("startup", f"{size} tables", "bare psycopg, version row", 1 / 1.5, _SESSION)
        for size in ("40", "81", "500")
    ),
    Target("orphans", "indexed", "VALIDATE CONSTRAINT", 1 / 1.2),
    Target("orphans", "indexed", "plain LEFT JOIN", 3.0),
    Target("orphans", "not indexed", "VALIDATE CONSTRAINT", 1 / 1.2),
    Target("orphans", "500 small keys, over a socket", "plain LEFT JOIN", 5.0, _SMALL),
)
