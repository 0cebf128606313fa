"""What a statement was seen to do on a copy: the locks it took, what it rewrote, scanned or left invalid.

Seen, not guessed from its text: pg_locks and the catalog are read before and after each statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLock:
    """A lock on a relation that existed before the revision began; nobody waits for one that did not."""

    table: str
    """``schema.name``; of an index: its table."""
    mode: str
    """As PostgreSQL's documentation names it: ``ACCESS EXCLUSIVE``, ``SHARE UPDATE EXCLUSIVE``, …"""

    def __str__(self) -> str:
        return f"{self.mode} on {self.table}"

    @property
    def blocks_reads(self) -> bool:
        """Whether a plain SELECT waits (postgresql.org/docs/current/explicit-locking.html, table 13.2)."""
        return self.mode == "ACCESS EXCLUSIVE"

    @property
    def blocks_writes(self) -> bool:
        """Whether INSERT, UPDATE and DELETE wait."""
        return self.mode in ("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One statement of one revision, as it ran on a copy."""

    revision: str
    sql: str
    seconds: float
    in_transaction: bool
    """False inside an ``autocommit_block`` and for what commits by itself."""
    locks: tuple[TableLock, ...] = ()
    """Those it added to what the transaction already held; empty where the engine has no such locks."""
    rewrites: tuple[str, ...] = ()
    """Tables whose files were replaced (relfilenode changed): every row was written again."""
    scans: tuple[str, ...] = ()
    """Tables read from end to end, though not rewritten: to validate a check or a foreign key, to build an index."""
    creates: tuple[str, ...] = ()
    """Tables that did not exist before the revision began, and that it made or gave this name."""
    invalid_indexes: tuple[str, ...] = ()
    """Indexes that this statement left invalid."""

    @property
    def is_concurrent(self) -> bool:
        """Whether it builds, rebuilds or drops an index and waits for every older transaction meanwhile."""
        return _CONCURRENTLY.match(self.sql) is not None


_CONCURRENTLY = re.compile(r"\s*(CREATE|DROP|REINDEX|ALTER)\b.*\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)
