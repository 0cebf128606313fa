"""The tables that a project declares: what files of rows can be named after, whether the database has them or not."""

from __future__ import annotations

from govern.core.restoration import Place
from govern.core.snapshot import Snapshot
from govern.database.live import LiveDatabase
from govern.declared import declared_by_models
from govern.errors import CouldNotCheck, GovernError
from govern.log import Log
from govern.source.lock import read_lock

log = Log(__name__)


def read_known_tables(live: LiveDatabase) -> tuple[Place, ...]:
    """Those that schema.lock has, and those of the live database, if it answers; no declared schema is made."""
    return tuple(dict.fromkeys((*_read_locked_tables(live), *_read_live_tables(live))))


def read_declared_tables(live: LiveDatabase) -> tuple[Place, ...]:
    """The tables that schema.lock has, or else the models; none where neither can be read."""
    try:
        lock = read_lock(live.settings.lock)
        if lock is not None:
            return _tables_of(lock.snapshot, live)
        with declared_by_models(live.settings, like=live.url) as declared:
            return _tables_of(declared.snapshot, live)
    except GovernError as error:
        log.info("declared_tables_not_read", error=error.what)
        return ()


def _tables_of(snapshot: Snapshot, live: LiveDatabase) -> tuple[Place, ...]:
    """A lock may be of a server, and the live database have no namespaces."""
    return tuple(
        (key.namespace if live.dialect.is_server else "", key.name) for key in snapshot.of_kind("table")
    )


def _read_locked_tables(live: LiveDatabase) -> tuple[Place, ...]:
    try:
        lock = read_lock(live.settings.lock)
    except GovernError as error:
        log.info("lock_not_read", error=error.what)
        return ()
    return _tables_of(lock.snapshot, live) if lock is not None else ()


def _read_live_tables(live: LiveDatabase) -> tuple[Place, ...]:
    try:
        with live.connect() as connection:
            return tuple(live.dialect.read_columns(connection, live.table))
    except CouldNotCheck as error:  # whoever looks for a backup may have no database
        log.info("live_tables_not_read", error=error.what)
        return ()
