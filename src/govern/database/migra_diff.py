"""Repair statements as migra proposes them. The only importer of migra, which is imported only when asked.

Its verdicts are not used: what differs is decided by snapshots, and what is proposed here is proven elsewhere.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import CouldNotCheck

_LEDGER_SCHEMA = "govern"
_COPIES_SCHEMA = "govern_backup"


def propose_statements(
    *, live: DatabaseUrl, declared: DatabaseUrl, version_table: VersionTable
) -> tuple[str, ...]:
    """The SQL that, as migra sees it, turns the live PostgreSQL schema into the declared one.

    Both databases are only read. Statements on Alembic's version table, on the ledger and on copied rows are left out.
    Raises CouldNotCheck where migra crashes, as it does on some schemas.
    """
    import sqlalchemy

    migration_class = _import_migra()
    live_engine = sqlalchemy.create_engine(_sqlalchemy_url(live), poolclass=sqlalchemy.pool.NullPool)
    declared_engine = sqlalchemy.create_engine(_sqlalchemy_url(declared), poolclass=sqlalchemy.pool.NullPool)
    try:
        # connections, not URLs: sessions that migra opens itself it leaves open
        with live_engine.connect() as from_connection, declared_engine.connect() as to_connection:
            migration = migration_class(from_connection, to_connection, exclude_schema=_LEDGER_SCHEMA)
            migration.set_safety(False)
            migration.add_all_changes(privileges=True)
            return tuple(
                statement.strip().rstrip(";")
                for statement in migration.statements
                if version_table.name not in statement and _COPIES_SCHEMA not in statement
            )
    except Exception as error:
        raise CouldNotCheck(
            "migra could not compare the two schemas",
            why=f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else 'no message'}",
            next="write the repair by hand from the findings",
        ) from error
    finally:
        live_engine.dispose()
        declared_engine.dispose()


def _sqlalchemy_url(url: DatabaseUrl) -> str:
    return "postgresql+psycopg://" + url.conninfo.partition("://")[2]


def _import_migra() -> Any:
    with _pkg_resources_stand_in(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from migra import Migration
    return Migration


@contextmanager
def _pkg_resources_stand_in() -> Iterator[None]:
    """schemainspect imports ``pkg_resources.resource_stream``, which setuptools dropped in 81.

    It gets that one function for as long as its import lasts; whatever was there before is put back.
    """
    before = sys.modules.get("pkg_resources")
    stand_in = ModuleType("pkg_resources")
    stand_in.resource_stream = _open_resource  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = stand_in
    try:
        yield
    finally:
        if before is None:
            del sys.modules["pkg_resources"]
        else:
            sys.modules["pkg_resources"] = before


def _open_resource(package: str, name: str) -> IO[bytes]:
    file = sys.modules[package].__file__
    assert file is not None  # noqa: S101  # schemainspect is installed as files
    return (Path(file).parent / name).open("rb")
