"""What every command has in common: a draft that becomes its report, also when it fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from govern.core.report import Draft, Report
from govern.errors import GovernError

P = ParamSpec("P")
Narrate = Callable[[str], None]
"""Called with one short sentence when a step that takes time begins."""


def silent(_: str) -> None:
    """Narrates nothing."""


def local_today() -> date:
    """The day as it is here: what a person means who writes one into a file."""
    return datetime.now().astimezone().date()


def command(name: str) -> Callable[[Callable[Concatenate[Draft, P], None]], Callable[P, Report]]:
    """Makes a function that fills in a draft into one that returns the report.

    A GovernError passes on with ``report`` set to what was checked and done before it.
    """

    def decorate(work: Callable[Concatenate[Draft, P], None]) -> Callable[P, Report]:
        @wraps(work)
        def run(*args: P.args, **kwargs: P.kwargs) -> Report:
            draft = Draft(name, datetime.now(UTC))
            try:
                work(draft, *args, **kwargs)
            except GovernError as error:
                error.report = draft.finish(datetime.now(UTC), error.problem)
                raise
            return draft.finish(datetime.now(UTC))

        return run

    return decorate
