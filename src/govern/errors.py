"""The error tree. Every error says what happened, why, what to do next, and what state things are in."""

from __future__ import annotations

from collections.abc import Iterable

from govern.core.closeness import find_close
from govern.core.report import (
    EXIT_FAILED,
    EXIT_REFUSED,
    EXIT_UNDECIDED,
    EXIT_USAGE,
    Entry,
    Problem,
    Report,
)

NOTHING_CHANGED = "nothing was changed"


def _hang(text: str) -> str:
    return text.replace("\n", "\n         ")  # as wide as the label before it


class GovernError(Exception):
    """Base of all errors govern raises on purpose."""

    exit_code = EXIT_UNDECIDED

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        next: str = "",
        state: str = NOTHING_CHANGED,
        entries: tuple[Entry, ...] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next = next
        self.state = state
        self.entries = entries
        self.report: Report | None = None
        """What was checked and done before the error, where a command got that far."""

    @property
    def problem(self) -> Problem:
        return Problem(
            what=self.what, why=self.why, next=self.next, state=self.state, exit_code=self.exit_code
        )

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  {label:<6} {_hang(text)}" for label, text in self._sentences() if text]
        return "\n".join(lines)

    def _sentences(self) -> tuple[tuple[str, str], ...]:
        return (("why:", self.why), ("next:", self.next), ("state:", self.state))


class ConfigurationError(GovernError):
    """The command line, the configuration, the manifest or alembic.ini is wrong; names file and line."""

    exit_code = EXIT_USAGE


class NoSuchName(ConfigurationError):
    """Something was named that there is not. ``meant``: what there is and is called nearly so, the closest first."""

    def __init__(self, what: str, *, wanted: str, known: Iterable[str], why: str = "", next: str) -> None:
        self.wanted = wanted
        self.meant = find_close(wanted, known)
        super().__init__(
            what, why=why, next=f"did you mean {' or '.join(self.meant)}?" if self.meant else next
        )


class CouldNotCheck(GovernError):
    """Something needed could not be reached, is not permitted or is not installed."""

    exit_code = EXIT_UNDECIDED


class Unreachable(CouldNotCheck):
    """The database server does not answer, or there is no such database."""


class NoSuchDatabase(Unreachable):
    """The server answers and has no database of that name; there is no such file."""


class NoSuchSchema(Unreachable):
    """The database is there and has no schema of that name."""


class Locked(Unreachable):
    """Another session, as a migration's, has locked what was to be read: it will be there again."""


class NotPermitted(CouldNotCheck):
    """The role, or the operating system's user, lacks a right; the message says which."""


class ToolMissing(CouldNotCheck):
    """A program or an optional package is not installed; ``next`` is the install line."""


class Refused(GovernError):
    """A guard said no before anything was touched."""

    exit_code = EXIT_REFUSED


class HeldUp(Refused):
    """Somebody else held what was needed for too long; nothing was changed, and it can be tried again."""


class FailedMidway(GovernError):
    """An action was tried and broke; ``state`` says exactly where things stand."""

    exit_code = EXIT_FAILED


class SchemaRefused(GovernError):
    """The database's schema is not the one this application was written for. ``report`` has the findings."""

    exit_code = EXIT_REFUSED
    report: Report

    def __init__(self, report: Report, what: str, *, why: str = "", next: str = "") -> None:
        super().__init__(what, why=why, next=next, entries=report.entries)
        self.report = report
