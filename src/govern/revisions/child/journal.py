"""Which revision and which statement runs, told as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from .parent import Parent

LONGEST_STATEMENT = 100_000  # characters
MOST_STATEMENTS = 10_000  # told of one revision: a data migration may execute millions; all are counted


class Journal:
    """Follows Alembic's steps and the statements they execute."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self.revision: str | None = None
        self.statement: str | None = None
        self.has_started = False
        """Whether any revision began."""
        self.starts = 0
        """How often one began."""
        self.version_table = ""
        self.is_of_version_table = False
        """Whether the statement is the version table's own."""
        self.has_committed = False
        """Whether something of the running revision was committed before its end."""
        self._is_stamped = False
        self._statements = 0
        self._began = 0.0

    def follow(self, steps_of: Any) -> Any:
        """``fn`` of an EnvironmentContext, which yields a run's steps, with each step reported."""
        if steps_of is None or hasattr(steps_of, "is_followed"):
            return steps_of

        def followed(heads: Any, context: Any) -> Iterator[Any]:
            self.version_table = context.version_table
            for step in steps_of(heads, context):
                revision, direction = _name_step(step.info)
                began = time.monotonic()
                self._start(revision, direction)
                yield step
                # the next step is asked for only after the version table was updated for this one
                self._end(revision, direction, time.monotonic() - began)

        followed.is_followed = True  # type: ignore[attr-defined]
        return followed

    def _start(self, revision: str, direction: str) -> None:
        self.revision, self.has_started, self._statements = revision, True, 0
        self.starts, self.has_committed, self._is_stamped = self.starts + 1, False, False
        self._parent.emit("revision_started", revision=revision, direction=direction)

    def _end(self, revision: str, direction: str, seconds: float) -> None:
        self.revision = None
        self._parent.emit(
            "revision_done",
            revision=revision,
            direction=direction,
            seconds=seconds,
            statements=self._statements,
        )

    @property
    def is_midway(self) -> bool:
        """Whether a revision runs that has not written its version row yet."""
        return self.revision is not None and not self._is_stamped

    def forget(self) -> None:
        """What ran was taken back."""
        self.revision = self.statement = None

    def begin_statement(self, sql: str, context: Any) -> None:
        """``context`` is SQLAlchemy's ExecutionContext; the version table's own statements are told apart."""
        self.statement, self._began = sql.strip()[:LONGEST_STATEMENT], time.monotonic()
        table = getattr(getattr(getattr(context, "compiled", None), "statement", None), "table", None)
        self.is_of_version_table = getattr(table, "name", None) == self.version_table
        self._is_stamped |= self.is_of_version_table and self.revision is not None

    def end_statement(self, observe: Callable[[], dict[str, Any] | None], *, is_skipped: bool) -> None:
        """``is_skipped``: it was committed before, and not executed again."""
        seconds = time.monotonic() - self._began
        revision = None if self.is_of_version_table else self.revision
        self._statements += revision is not None
        observed = None if is_skipped else observe()
        if self._statements <= MOST_STATEMENTS:
            self._parent.emit(
                "statement",
                sql=self.statement,
                seconds=seconds,
                revision=revision,
                observed=observed,
                is_skipped=is_skipped,
            )
        self.statement = None


def _name_step(info: Any) -> tuple[str, str]:
    """The revision a step applies, takes back or stamps, and which of the three."""
    revision = ", ".join(info.up_revision_ids) or "base"
    return revision, "stamp" if info.is_stamp else "upgrade" if info.is_upgrade else "downgrade"
