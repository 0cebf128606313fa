"""What an application was written for, and whether a glance at a database shows just that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from govern.core.glance import Glance
    from govern.core.scope import Scope
    from govern.revisions.graph import Chain
    from govern.source.lock import Lock

WhenAhead = Literal["allow", "warn", "refuse"]


def _decide_nothing() -> Scope:
    from govern.core.scope import Scope

    return Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an application was written for."""

    heads: tuple[str, ...]
    """Of the lock; of the revision files where it comes without one."""
    lock: Lock | None
    read_chain: Callable[[], Chain]
    """The revision files, if any came along; asked only if the heads are not the database's, for reading
    thousands of files takes time."""
    read_scope: Callable[[], Scope] = _decide_nothing
    """What the project decided about drift; asked only if the schema is not the one that was last validated."""
    critical_tables: Mapping[str, int] = field(default_factory=dict)
    """Of the lock; of the manifest where it comes without one. By full name, each with the rows it must have."""
    today: date = date.min
    """Decides which ignored differences have expired; the default: none."""

    @property
    def minimum_rows(self) -> dict[str, int]:
        """The critical tables that must have rows, each with their number."""
        return {table: rows for table, rows in self.critical_tables.items() if rows > 0}


def is_as_validated(glance: Glance, expected: Expectation) -> bool:
    """Whether the database certainly is what ``expected`` asks for: untouched since a migration validated it."""
    run = glance.validated
    return (
        glance.stamped == tuple(sorted(expected.heads)) != ()
        and run is not None
        and set(run.to_revision) == set(expected.heads)
        and (expected.lock is None or run.lock_digest == expected.lock.digest)
        and glance.is_untouched
        and all((glance.rows.get(table) or 0) >= rows for table, rows in expected.minimum_rows.items())
    )
