"""The declared schema as a database: models and SQL files, or replayed revisions, in a scratch database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from govern.core.changes import Change, accept, diff
from govern.core.snapshot import Snapshot, join_name
from govern.core.wording import name_revisions
from govern.database.engines import dialect_of
from govern.database.live import LiveDatabase
from govern.database.scratch import scratch_database, scratch_folder
from govern.database.version_table import version_table
from govern.errors import ConfigurationError, CouldNotCheck
from govern.source.lock import read_lock
from govern.source.sql_files import make_tables, read_sql_files

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.scope import Scope
    from govern.database.dialect import Dialect, OpenScratch
    from govern.database.url import DatabaseUrl
    from govern.revisions.protocol import ChildError, Description, Event, RefusedIndex


def ignore(event: Event) -> None:
    """Nobody wants to know how far a replay is."""


class ReplayFailed(CouldNotCheck):
    """The revisions do not run from an empty database. ``error`` says where and why."""

    def __init__(self, error: ChildError) -> None:
        super().__init__(
            "the revisions do not replay from an empty database",
            why=f"{error.type}: {error.message}",
            next="govern check names the revision and the statement",
        )
        self.error = error


@dataclass(frozen=True, slots=True)
class Declared:
    """A scratch database that holds the declared schema, for as long as its context lasts."""

    url: DatabaseUrl
    snapshot: Snapshot
    refused: tuple[RefusedIndex, ...] = ()
    """Indexes of models that no database takes: the snapshot is without them."""

    def narrow(self, scope: Scope) -> Scope:
        """``scope`` without what could not be created: there is nothing to hold a database against."""
        names = ((("index", join_name(one.table, one.index))) for one in self.refused)
        return replace(scope, undeclared=frozenset(names))


def heed_env(scope: Scope, live: LiveDatabase, changes: Sequence[Change]) -> Scope:
    """``scope`` without those ``changes`` that env.py keeps from autogenerate; it is asked once, and if there are any.

    An env.py may connect while it is asked: it gets an empty scratch database beside ``live``.
    """
    if scope.left_out is not None or not changes:
        return scope
    from govern.revisions.left_out import env_filters, find_left_out  # with all that starts Alembic

    if not env_filters(live.settings):
        return scope
    with scratch_database(live.settings, like=live.url, label="hooks") as url:
        return replace(scope, left_out=find_left_out(live.settings, url, changes))


def describe_project(settings: Settings, *, is_online: bool = False) -> Description:
    """The project as its own interpreter sees it; one that connects while it is loaded gets a scratch database.

    ``is_online``: so does any other, for env.py may give Alembic more where it has a connection.
    """
    from govern.database.target import declared_like
    from govern.revisions.explain import NeedsDatabase
    from govern.revisions.runner import Runner

    if not is_online:
        with suppress(NeedsDatabase):
            described = Runner(settings).describe()
            if not described.needs_database:
                return described
    with scratch_database(settings, like=declared_like(settings), label="describe") as url:
        return Runner(settings).describe(url)


@contextmanager
def declared_by_models(settings: Settings, *, like: DatabaseUrl) -> Iterator[Declared]:
    """Models and SQL files, created in a scratch database of the same engine and major as ``like``.

    SQL files that create tables may do without models.
    Raises ConfigurationError for models that cannot be loaded or a SQL file that does not run.
    """
    from govern.revisions.runner import Runner

    with scratch_database(settings, like=like, label="models") as url:
        dialect_of(url).prepare_replay(like, url, version_table(settings))
        may_lack_models = make_tables(settings.sql)
        refused = Runner(settings).create_all(url, may_lack_models=may_lack_models).refused
        _run_sql_files(settings, url)
        yield Declared(url, LiveDatabase(settings, url).read_snapshot(), refused)


@contextmanager
def declared_by_revisions(
    settings: Settings,
    revisions: tuple[str, ...],
    *,
    like: DatabaseUrl,
    on_event: Callable[[Event], None] = ignore,
) -> Iterator[Declared]:
    """The revisions up to and including ``revisions``, replayed in a scratch database; none of them is base.

    ``on_event`` is told all that the child says meanwhile. Raises ReplayFailed.
    """
    with scratch_database(settings, like=like, label="replay") as url:
        dialect_of(url).prepare_replay(like, url, version_table(settings))
        for revision in revisions:
            replay(LiveDatabase(settings, url), revision, on_event=on_event)
        yield Declared(url, LiveDatabase(settings, url).read_snapshot())


def replay(scratch: LiveDatabase, revision: str, *, on_event: Callable[[Event], None] = ignore) -> None:
    """Upgrades a scratch database, and reads back that something was persisted. Raises ReplayFailed."""
    from govern.revisions.runner import Runner

    settings = scratch.settings
    outcome = Runner(settings).upgrade(scratch.url, revision, on_event=on_event)
    if outcome.error is not None:
        raise ReplayFailed(outcome.error)
    if not scratch.read_stamped():
        raise CouldNotCheck(
            "the revisions ran, but nothing was persisted",
            why="env.py executed something on the connection before context.configure() and did not commit it, "
            "or never ran the migrations",
            next=f"correct {settings.relative(settings.alembic.script_location / 'env.py')}",
        )


@contextmanager
def schema_copy(live: LiveDatabase) -> Iterator[LiveDatabase]:
    """A scratch database with the schema of a live one, without its rows."""
    with (
        scratch_folder("schema") as folder,
        scratch_database(live.settings, like=live.url, label="copy") as url,
    ):
        live.dialect.dump(live.url, folder, schema_only=True)
        live.dialect.restore(folder, url, schema_only=True)
        yield LiveDatabase(live.settings, url)


def in_words_of(live: Snapshot, declared: Snapshot, dialect: Dialect, scratch: OpenScratch) -> Snapshot:
    """``declared`` with the texts of ``live`` wherever both mean the same.

    A server describes one expression in two ways, before and after a dump and a restore; which of them is
    meant is asked in ``scratch``, a database that holds either schema. It is opened only where texts differ.
    """
    if (declared.dialect, declared.server_major) != (live.dialect, live.server_major):
        return declared  # not to be compared at all
    changes = diff(declared, live)
    return accept(declared, live, dialect.find_equal_texts(changes, scratch)) if changes else declared


def beside(declared: Declared) -> OpenScratch:
    """The declared schema's own database, as the scratch database that is asked."""
    return lambda: nullcontext(declared.url)


def copied(live: LiveDatabase) -> OpenScratch:
    """A copy of the live schema, where the declared one stands in no database."""

    @contextmanager
    def copy() -> Iterator[DatabaseUrl]:
        with schema_copy(live) as made:
            yield made.url

    return copy


def _run_sql_files(settings: Settings, url: DatabaseUrl) -> None:
    scratch = LiveDatabase(settings, url)
    with scratch.connect(read_only=False) as connection:
        for file in read_sql_files(settings.sql):
            try:
                scratch.dialect.run_script(connection, file.text)
            except Exception as error:
                raise ConfigurationError(
                    f"{settings.relative(file.path)} does not run on the declared schema",
                    why=str(error).strip(),
                    next="correct the file; SQL files run in name order, after the models' tables were created",
                ) from error


def expected_at(
    live: LiveDatabase,
    revision: tuple[str, ...],
    schema: Snapshot,
    *,
    on_event: Callable[[Event], None] = ignore,
) -> tuple[Snapshot, str]:
    """What to hold ``schema`` (the live one) against at ``revision``, in its own words, and where that comes from.

    The lock's snapshot where it speaks of that revision on that engine and major, else a replay, of which ``on_event``
    is told. Raises ReplayFailed where a replay is needed and breaks.
    """
    settings = live.settings
    # one schema is told in other words than a whole database, of which the lock is
    lock = read_lock(settings.lock) if settings.schema is None else None
    if lock is not None and lock.speaks_of(schema) and set(lock.heads) == set(revision):
        try:
            expected = in_words_of(schema, lock.snapshot, live.dialect, copied(live))
        except CouldNotCheck:  # no scratch database is to be had: the texts have to do
            expected = lock.snapshot
        return expected, settings.relative(settings.lock)
    with declared_by_revisions(settings, revision, like=live.url, on_event=on_event) as declared:
        expected = in_words_of(schema, declared.snapshot, live.dialect, beside(declared))
        return expected, f"a replay of the revisions up to {name_revisions(revision)}"
