"""What the schemas of one database share, in a scratch database: extensions, and what is in ``public``.

A tenant's revisions name types of extensions, and tables that foreign keys lead to; there they have to be found.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from govern.database.encryption import NO_KEYS
from govern.database.postgresql import server
from govern.database.postgresql.dump.archive import Archive, write_stream
from govern.database.postgresql.dump.clients import Client, choose_for_dump, find_clients
from govern.database.postgresql.dump.extensions import Extension, read_extensions
from govern.database.postgresql.dump.programs import ProgramFailed, quote_pattern
from govern.database.postgresql.dump.restoring import Restoring
from govern.database.scratch import scratch_folder
from govern.errors import CouldNotCheck

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl

_SHARED = "public"
_LOCK_TIMEOUT = "10000"  # milliseconds
_NOT_REFERRED_TO = """
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'm', 'S') AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class own ON own.oid = k.conrelid
  JOIN pg_catalog.pg_namespace ours ON ours.oid = own.relnamespace
  WHERE k.contype = 'f' AND ours.nspname = %s
    AND c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(k.confrelid) UNION SELECT k.confrelid)
)
"""
# ``5; 2615 2200 SCHEMA - public pg_database_owner``: every new database has it
_ITSELF = re.compile(rb"\d+; 2615 \d+ SCHEMA - public ")


def surround(
    live: DatabaseUrl, scratch: DatabaseUrl, version_table: str, *, with_rows: bool = False
) -> DatabaseUrl:
    """The empty database ``scratch`` with what is around the schema of ``live``, and that schema, empty.

    ``version_table``: the name of Alembic's; one in ``public`` is another history's, and would be found first.
    ``with_rows``: of the shared tables that the schema's foreign keys lead to; else the tables are empty.
    Raises CouldNotCheck where something shared cannot be made there.
    """
    url = replace(scratch, schema=None)
    with server.connect(live, read_only=True) as connection:
        extensions = read_extensions(connection)
        major = int(connection.value("SHOW server_version_num")) // 10000
        rows = _choose_rows(connection) if with_rows else ["--schema-only"]
    try:
        with server.connect(url) as connection:
            for extension in extensions:
                _create_extension(connection, extension)
            client = choose_for_dump(major, find_clients())
            _copy_shared(connection, client, live, url, [_leave_out("table", version_table), *rows])
            connection.execute(_create_schema(live.schema or ""))
    except (ProgramFailed, psycopg.Error) as error:
        words = error.words if isinstance(error, ProgramFailed) else str(error)
        raise CouldNotCheck(
            f"what the schema {live.schema} shares with others could not be copied into a scratch database",
            why=words.strip(),
            next="shared are the extensions and the schema public; that may need nothing of other schemas",
        ) from error
    return scratch if scratch.schema == live.schema else scratch.with_schema(live.schema)


def _choose_rows(connection: Connection) -> list[str]:
    """Options of pg_dump: no rows but those of tables that the schema's foreign keys lead to."""
    tables = connection.rows(_NOT_REFERRED_TO, (_SHARED, connection.schema))
    return [_leave_out("table-data", name) for (name,) in tables]


def _leave_out(what: str, name: str) -> str:
    return f"--exclude-{what}={_SHARED}.{quote_pattern(name)}"


def _create_extension(connection: Connection, extension: Extension) -> None:
    schema = sql.Identifier(extension["schema"])
    if extension["schema"] not in (_SHARED, "pg_catalog"):
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
    name = sql.Identifier(extension["name"])
    connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}").format(name, schema))


def _copy_shared(
    connection: Connection, client: Client, live: DatabaseUrl, url: DatabaseUrl, chosen: list[str]
) -> None:
    """The schema ``public``, of it what is ``chosen``, without owners and privileges."""
    options = ("--no-owner", "--no-privileges")
    with scratch_folder("shared") as folder:
        file: Path = folder / "shared.pgdump"
        write_stream(
            client,
            [f"--schema={_SHARED}", *chosen, f"--lock-wait-timeout={_LOCK_TIMEOUT}"],
            live,
            file,
            keys=NO_KEYS,
            progress=None,
        )
        Restoring(
            client=client,
            archive=Archive(file),
            url=url,
            options=options,
            jobs=1,
            left_out=_ITSELF,
            folder=folder,
        ).restore(connection)


def _create_schema(name: str) -> sql.Composed:
    return sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name))
