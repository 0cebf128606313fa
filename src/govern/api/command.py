"""What every command has in common: a draft that becomes its report, also when it fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from govern.config import Settings
from govern.core.report import Draft, Report
from govern.errors import GovernError, Refused

P = ParamSpec("P")
Narrate = Callable[[str], None]
"""Called with one short sentence when a step that takes time begins."""


def silent(_: str) -> None:
    """Narrates nothing."""


def local_today() -> date:
    """The day as it is here: what a person means who writes one into a file."""
    return datetime.now().astimezone().date()


FOR_ONE_SCHEMA = frozenset(
    {
        "backup create",
        "backup list",
        "backup show",
        "baseline",
        "downgrade",
        "drift",
        "history",
        "integrity",
        "migrate",
        "plan",
        "snapshot",
        "stamp",
    }
)
"""The commands that can be about one schema of a database, as a tenant's is; every other one is about all of it."""


def refuse_one_schema(name: str, *arguments: object) -> None:
    """A backup, a repair or a lock of the whole database is not what is asked for by the name of one tenant."""
    for settings in arguments:
        if isinstance(settings, Settings) and settings.schema is not None and name not in FOR_ONE_SCHEMA:
            raise Refused(
                f"govern {name} is for a whole database, and the target {settings.target} is its schema "
                f"{settings.schema}",
                why=f"for one schema there are {', '.join(sorted(FOR_ONE_SCHEMA))}",
                next="name a target without a schema; docs/fleets.md says what is done for tenants",
            )


def command(name: str) -> Callable[[Callable[Concatenate[Draft, P], None]], Callable[P, Report]]:
    """Makes a function that fills in a draft into one that returns the report.

    A GovernError passes on with ``report`` set to what was checked and done before it.
    """

    def decorate(work: Callable[Concatenate[Draft, P], None]) -> Callable[P, Report]:
        @wraps(work)
        def run(*args: P.args, **kwargs: P.kwargs) -> Report:
            draft = Draft(name, datetime.now(UTC))
            try:
                refuse_one_schema(name, *args)
                work(draft, *args, **kwargs)
            except GovernError as error:
                error.report = draft.finish(datetime.now(UTC), error.problem)
                raise
            return draft.finish(datetime.now(UTC))

        return run

    return decorate
