"""What was aimed at: how many times govern's another program is to take; and what keeps govern from it."""

from __future__ import annotations

import math
from typing import NamedTuple


class Target(NamedTuple):
    benchmark: str
    case: str
    program: str
    ratio: float
    why_missed: str = ""


class Bound(NamedTuple):
    """What govern itself is to keep to, whatever others take."""

    benchmark: str
    case: str
    program: str
    of: str
    """``seconds``, ``megabytes``, or what is counted, of which the share is meant."""
    least: float = 0.0
    most: float = math.inf
    why_missed: str = ""

    def show(self, value: float) -> str:
        units = {"seconds": f"{value * 1000:,.1f} ms", "megabytes": f"{value:,.0f} MB"}
        return units.get(self.of, f"{value:.1%}")


_START = (
    "the limit, a process that imports psycopg, opens both sessions, asks the same and throws the answers away, is "
    "itself 4.1 times as fast as migra. Importing the driver is half of govern's processor time at 40 tables"
)
_DEFINITIONS = (
    "the limit, which throws the answers away, is itself 5.1 times as fast as migra and 10 times as fast as alembic "
    "check. Half of what a server takes is writing definitions: each check and each condition of an index opens its "
    "table"
)
_FACTS = (
    "the limit, which throws the answers away, would be 19 times as fast; what govern takes beyond it is Python's, "
    "which makes facts of rows. To make those of equal rows once for both databases was tried: as "
    "rows come in any order, finding the equal ones takes as long as making the facts"
)
_INTERPRETER = (
    "pg_dump is a program in C, and takes more of the processors than govern. A third of a second of govern's is the "
    "start of the interpreter"
)
_SMALL = (
    "a session that only counts the same rows, the floor, is itself less than 5 × as fast as the plain queries: each "
    "table and its indexes have to be opened by a new session, for which it reads the catalogs"
)
_RESTORED = (
    "three quarters of the processor's time are the server's, most of it to load every row and build every index in "
    "the restore: `pg_restore -j2` of the same archive alone takes half of the time of `pg_dump -Fc`. Both cores are "
    "busy but for the end of the largest table"
)
_SESSION = (
    "this machine takes twice as long for all of it as the one that the bound is of, where a bare psycopg process took "
    "0.14 s and not 0.30. Most of it is the server's: a new session plans one statement over 45 catalogs, which it has "
    "to open first"
)

TARGETS = (
    *(Target("drift", f"{size} tables", "migra", 4.0, _START) for size in ("40", "81")),
    *(Target("drift", f"{size} tables", "migra", 5.0, _DEFINITIONS) for size in ("500", "2,000")),
    Target("drift", "10,000 tables", "migra", 15.0, _FACTS),
    Target("drift", "500 tables", "alembic check", 12.0, _DEFINITIONS),
    Target("drift", "2,000 tables", "pg_dump -s twice, diff", 1.0, _INTERPRETER),
    Target("chain", "2,000 revision files", "alembic history", 2.0),
    Target("chain", "2,000 revision files, a fresh checkout", "alembic history", 2.0),
    *(
        Target("startup", f"{size} tables", "bare psycopg, version row", 1 / 1.5)
        for size in ("40", "81", "500")
    ),
    Target("backup", "PostgreSQL, 2 GB", "pg_dump -Fc", 1 / 0.7, _RESTORED),
    Target("backup", "PostgreSQL, 2 GB", "its own parts, bare", 1 / 1.25),
    Target("backup", "SQLite, 1 GB", "its own parts, bare", 1 / 1.3),
    Target("orphans", "indexed", "VALIDATE CONSTRAINT", 1 / 1.2),
    Target("orphans", "indexed", "plain LEFT JOIN", 3.0),
    Target("orphans", "not indexed", "VALIDATE CONSTRAINT", 1 / 1.2),
    Target("orphans", "500 small keys, over a socket", "plain LEFT JOIN", 5.0, _SMALL),
    Target("orphans", "500 small keys, 1 ms away", "plain LEFT JOIN", 5.0),
)

_ALTER, _DRIFT = "ALTER TABLE behind a reader of 15 s", "govern drift --against URL"
BOUNDS = (
    Bound("drift", "10,000 tables", _DRIFT, "megabytes", most=350),
    Bound("startup", "81 tables, in a running process", "govern, by URL", "seconds", 0.0, 0.015, _SESSION),
    Bound("startup", "500 tables, in a running process", "govern, by URL", "seconds", most=0.080),
    Bound("repair", "single changes, both ways", "govern", "seen", least=1.0),
    Bound("repair", "single changes, both ways", "govern", "converges", least=0.95),
    Bound("blocking", _ALTER, "govern migrate", "over 100 ms", most=0.005),
    Bound("blocking", _ALTER, "govern migrate", "seconds", most=0.5),
)
