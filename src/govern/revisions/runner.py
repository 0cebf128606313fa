"""Runs Alembic in a child process of the project's own interpreter, on exactly the database it is given.

Reports what the child said and decides nothing from it: whoever calls reads the database back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from govern.database.connection import SILENT_SECONDS
from govern.database.dialect import Limits, MigrationLock
from govern.database.engines import dialect_of
from govern.database.lock_file import hold_lock_file
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, GovernError
from govern.revisions.conversation import Run, converse
from govern.revisions.explain import explain_error, explain_stop
from govern.revisions.observed import hazards_of, observations_of
from govern.revisions.protocol import (
    ChildError,
    Committed,
    Created,
    Description,
    Destination,
    Event,
    ImportedModels,
    ModelTable,
    Orders,
    Paused,
    RefusedIndex,
    Result,
    RevisionDone,
    Stopped,
    WayBackFailed,
    parse_error,
)

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.hazard import Hazard
    from govern.core.observation import Observation

Asked = tuple[str, str | None, str, str | None]
"""An object as env.py's hooks know it: type, schema, table, and its own name unless it is the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the child said of a run. True or not: read the database back."""

    revisions: tuple[RevisionDone, ...] = ()
    """Those that ran to their end, in order; committed or not."""
    error: ChildError | None = None
    notes: tuple[str, ...] = ()
    """What may explain that the database is not as it should be."""
    observations: tuple[Observation, ...] = ()
    """What each statement of a rehearsal did."""
    hazards: Mapping[str, tuple[Hazard, ...]] | None = None
    """What a rehearsal's revisions lost, by revision; None where that was not observed."""
    output: str = ""
    """The end of what env.py and the revisions printed; no passwords."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How revisions did that were applied one by one, some of them taken back and applied again."""

    failures: tuple[WayBackFailed, ...]
    """One of a revision; each is in the database now, applied once."""
    unproven: tuple[str, ...] = ()
    """One before them left something half done, or they cannot go down and up in one transaction."""
    error: ChildError | None = None
    """Why it ended: a revision that does not even go up."""


def _do_nothing() -> None: ...


def _ignore(event: Event) -> None: ...


class Runner:
    """Alembic of one project."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def upgrade(
        self,
        url: DatabaseUrl,
        revision: str = "heads",
        *,
        lock: MigrationLock | None = None,
        wait_seconds: float = 0.0,
        on_locked: Callable[[], Orders | None] = _do_nothing,
        on_event: Callable[[Event], None] = _ignore,
        rehearsing: bool = False,
        committed: Committed = MappingProxyType({}),
    ) -> Outcome:
        """Runs the revisions up to ``revision`` on the database at ``url``, whatever env.py's own URL is.

        ``lock`` is waited for ``wait_seconds`` long; a scratch database needs none. ``on_locked`` is called
        while the lock is held and before anything is executed; if it raises, nothing is, and the exception
        comes through. It is called again in the rare case that env.py closes the connection that had the lock
        and opens another. ``on_event`` sees everything the child says. A lock also brings the limits of the settings
        with it: what waits too long for a table is tried again. ``rehearsing``: each statement is observed, and
        drivers that connect anywhere else than to ``url`` are refused. ``committed``: what of the revisions the
        database has already, and is not executed again; a run with a lock is told with its orders.

        Raises Refused where the lock is not to be had in time or a connection is refused; ConfigurationError,
        Unreachable or ToolMissing where Alembic could not begin. What fails once a revision or a statement runs
        is ``Outcome.error``.
        """
        facts = {"observe": rehearsing, "confine": rehearsing, "committed": dict(committed)}
        return self._migrate("upgrade", url, revision, lock, wait_seconds, on_locked, on_event, **facts)

    def downgrade(
        self,
        url: DatabaseUrl,
        revision: str,
        *,
        lock: MigrationLock | None = None,
        wait_seconds: float = 0.0,
        on_locked: Callable[[], Orders | None] = _do_nothing,
        on_event: Callable[[Event], None] = _ignore,
        rehearsing: bool = False,
        committed: Committed = MappingProxyType({}),
    ) -> Outcome:
        """Takes revisions back down to ``revision``; the rest as ``upgrade``."""
        facts = {"observe": rehearsing, "confine": rehearsing, "committed": dict(committed)}
        return self._migrate("downgrade", url, revision, lock, wait_seconds, on_locked, on_event, **facts)

    def going(self, direction: Literal["upgrade", "downgrade"]) -> Callable[..., Outcome]:
        """``upgrade`` or ``downgrade``, which take the same."""
        return self.upgrade if direction == "upgrade" else self.downgrade

    def stamp(
        self,
        url: DatabaseUrl,
        revision: str | tuple[str, ...],
        *,
        lock: MigrationLock | None = None,
        wait_seconds: float = 0.0,
        on_locked: Callable[[], Orders | None] = _do_nothing,
        on_event: Callable[[Event], None] = _ignore,
    ) -> Outcome:
        """Makes ``revision`` all that the version table says, and runs none; the rest as ``upgrade``."""
        return self._migrate("stamp", url, revision, lock, wait_seconds, on_locked, on_event)

    def walk(
        self,
        url: DatabaseUrl,
        revisions: Sequence[str],
        *,
        proven: Collection[str] = (),
        watched: Collection[str] = (),
        on_paused: Callable[[Paused], None],
    ) -> Walk:
        """Applies ``revisions`` to the scratch database at ``url`` in this order, those ``proven`` up, down and up.

        ``on_paused`` is called before a proven revision's upgrade and after its downgrade, and once a watched one is
        applied; nothing else runs meanwhile. Raises as ``upgrade``; CouldNotCheck where env.py does not let them be
        applied one by one.
        """

        def hear(event: Event) -> None:
            if isinstance(event, Paused):
                on_paused(event)

        facts = {"revisions": list(revisions), "proven": list(proven), "watched": list(watched)}
        request = self._request("walk", url, **facts, command_line=["upgrade", "heads"])
        run = converse(self._settings, request, url, _do_nothing, hear)
        outcome = self._judge(run, url)
        done = run.ending.facts if isinstance(run.ending, Result) else {}
        return Walk(failures=run.ways_back, error=outcome.error, unproven=tuple(done.get("unproven", ())))

    def create_all(self, url: DatabaseUrl, *, may_lack_models: bool = False) -> Created:
        """Creates the models' tables (and their schemas) in the database, but for indexes that it refuses.

        Raises ConfigurationError where there are no models, unless they may lack, or where they cannot be created.
        """
        facts = self._ask("create_all", url, may_lack_models=may_lack_models)
        refused = tuple(RefusedIndex(**index) for index in facts["refused"])
        return Created(tables=tuple(facts["tables"]), refused=refused)

    def describe(self, url: DatabaseUrl | None = None) -> Description:
        """The project's versions and models. Without a database env.py runs offline, up to its configure."""
        facts = dict(self._ask("describe", url))
        problem = facts.pop("problem")
        error = self._explain_problem(problem, url) if problem else None
        destination = facts.pop("destination")
        return Description(
            **{**facts, "tables": tuple(facts["tables"]), "models": _read_models(facts["models"])},
            destination=Destination(**destination) if destination else None,
            problem=error.what if error else None,
            why=error.why if error else "",
            next=error.next if error else "",
            needs_database=bool(problem) and problem.get("reason") == "no_database",
        )

    def import_models(
        self, modules: Sequence[tuple[str, str]], url: DatabaseUrl | None = None
    ) -> ImportedModels:
        """What modules bring that the project has not imported by itself, each with the module that makes its base.

        Without a database env.py runs offline. Raises ConfigurationError where there are no models.
        """
        facts = self._ask("import_models", url, modules=[list(pair) for pair in modules])
        tables = {module: tuple(names) for module, names in facts["tables"].items() if names}
        return ImportedModels(tables=tables, failures=facts["failures"])

    def find_left_out(self, url: DatabaseUrl, objects: Sequence[Asked]) -> frozenset[int]:
        """Positions of those among ``objects`` that env.py's ``include_object`` or ``include_name`` turns down.

        ``url``: a scratch database for an env.py that connects. Raises ConfigurationError where one of the two raises.
        """
        facts = self._ask("left_out", url, objects=[list(asked) for asked in objects])
        return frozenset(facts["left_out"])

    def revision(
        self,
        url: DatabaseUrl,
        message: str,
        *,
        upgrade: tuple[str, ...] = (),
        downgrade: tuple[str, ...] = (),
        may_lack_models: bool = False,
    ) -> Path | None:
        """Writes a revision file with the differences between the models and the database at ``url``.

        ``upgrade`` are statements to run after what autogenerate found, ``downgrade`` before it on the way back.
        Where models may lack, and do, they are all of it. Returns its path; None where a hook of env.py discarded it.
        """
        statements = {"upgrade": upgrade, "downgrade": downgrade}
        facts = self._ask("revision", url, message=message, **statements, may_lack_models=may_lack_models)
        return self._settings.root / facts["path"] if facts["path"] else None

    def _migrate(
        self,
        command: str,
        url: DatabaseUrl,
        revision: str | tuple[str, ...],
        lock: MigrationLock | None,
        wait_seconds: float,
        on_locked: Callable[[], Orders | None],
        on_event: Callable[[Event], None],
        **facts: Any,
    ) -> Outcome:
        names = [revision] if isinstance(revision, str) else [*revision]
        request = self._request(command, url, revision=revision, command_line=[command, *names], **facts)
        if lock is not None:
            request["lock"] = {
                "query": lock.query,
                "holder_query": lock.holder_query,
                "wait_seconds": wait_seconds,
            }
            request["session"] = _session(url, self._settings)
        with _hold_file(lock, wait_seconds) as held:
            run = converse(self._settings, request, url, on_locked, on_event, inherit=held)
        return self._judge(run, url)

    def _judge(self, run: Run, url: DatabaseUrl) -> Outcome:
        """The outcome of a run, or the error of one that never began."""
        if isinstance(run.ending, Stopped):
            raise explain_stop(run.ending, self._settings)
        error = run.ending if isinstance(run.ending, ChildError) else None
        if error is not None and _came_before_everything(error):
            raise explain_error(error, str(url), run.output)
        return Outcome(
            revisions=run.revisions,
            error=error,
            notes=run.notes,
            observations=observations_of(run.observed),
            hazards=hazards_of(run.observed, url.schema),
            output=run.output,
        )

    def _ask(self, command: str, url: DatabaseUrl | None, **facts: Any) -> Mapping[str, Any]:
        """The answer of a command that migrates nothing."""
        run = converse(self._settings, self._request(command, url, **facts), url, _do_nothing, _ignore)
        if isinstance(run.ending, Result):
            return run.ending.facts
        if isinstance(run.ending, Stopped):
            raise explain_stop(run.ending, self._settings)
        raise self._explain_failure(run.ending, str(url), run.output)

    def _explain_failure(self, error: ChildError, target: str, output: str) -> GovernError:
        if error.statement is None:
            return explain_error(error, target, output)
        return ConfigurationError(
            f"the models cannot be created in a database: {error.message}",
            why=f"the database refuses {_shorten(error.statement)}",
            next="correct the model of that name",
        )

    def _explain_problem(self, problem: dict[str, Any], url: DatabaseUrl | None) -> GovernError:
        if "reason" in problem:
            return explain_stop(Stopped(reason=problem["reason"], facts=problem), self._settings)
        return explain_error(parse_error(problem), str(url), "")

    def _request(self, command: str, url: DatabaseUrl | None, **facts: Any) -> dict[str, Any]:
        alembic = self._settings.alembic
        request = {
            "command": command,
            "dialect": url.dialect if url is not None else self._usual_dialect(),
            "address": _address(url) if url is not None else None,
            "lock": None,
            "session": None,
            "committed": {},
            "observe": False,
            "confine": False,
            "silent_seconds": SILENT_SECONDS,
            "config_file": str(alembic.file) if alembic.file is not None else None,
            "section": alembic.section,
            "script_location": str(alembic.script_location),
            "version_locations": [str(folder) for folder in alembic.version_locations]
            if alembic.has_own_locations
            else [],
            "hook": self._settings.hook,
            "models": self._settings.models,
            "command_line": [command] if command == "revision" else ["current"],
            **facts,
        }
        if url is not None and url.schema is not None:
            # what an env.py asks for that sets the search_path by itself (Alembic's cookbook, multi-tenancy)
            request["command_line"] = ["-x", f"tenant={url.schema}", *request["command_line"]]
        return request

    def _usual_dialect(self) -> str:
        return DatabaseUrl.parse(self._settings.url).dialect if self._settings.url else "postgresql"


def _came_before_everything(error: ChildError) -> bool:
    """Whether the project's configuration failed, rather than the work."""
    is_end_of_process = error.type in ("ChildDied", "KeyboardInterrupt")
    return error.phase != "revision" and error.statement is None and not is_end_of_process


@contextmanager
def _hold_file(lock: MigrationLock | None, wait_seconds: float) -> Iterator[tuple[int, ...]]:
    """Holds a lock that is a file, and yields what the child has to inherit, so that it outlives us if we are killed.

    One that is a query is taken by the child.
    """
    if lock is None or lock.file is None:
        yield ()
        return
    with hold_lock_file(lock.file, wait_seconds=wait_seconds) as descriptor:
        yield (descriptor,)


def _read_models(models: Mapping[str, Any]) -> dict[str, ModelTable]:
    return {
        name: ModelTable(
            columns=tuple(facts["columns"]),
            key=tuple(facts["key"]),
            references=tuple((tuple(own), table, tuple(its)) for own, table, its in facts["references"]),
        )
        for name, facts in sorted(models.items())
    }


def _session(url: DatabaseUrl, settings: Settings) -> dict[str, Any] | None:
    """The limits of a session that takes turns with others; None where the engine has no such thing."""
    limits = Limits(
        lock_timeout_seconds=settings.lock_timeout_seconds,
        statement_timeout_seconds=settings.statement_timeout_seconds,
    )
    queries = dialect_of(url).session_queries(limits)
    return {"queries": queries, "lock_retry_seconds": settings.lock_retry_seconds} if queries else None


def _address(url: DatabaseUrl) -> dict[str, str]:
    """The target as the child's drivers read it; a SQLite path is absolute, for the child works elsewhere."""
    if url.dialect == "sqlite":
        return {"url": url.text, "database": str(url.path.absolute()), "conninfo": ""}
    return {"url": url.text, "database": url.database, "conninfo": url.conninfo}


def _shorten(sql: str, longest: int = 200) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
