"""Where names without a schema lead, in a scratch database as in the one that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.database.postgresql.server import connect, explained

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl


def prepare_replay(source: DatabaseUrl, database: DatabaseUrl, version_table: str) -> None:
    """Gives an empty ``database`` what a migration of ``source`` found when it began: schema and search_path.

    Names that a revision leaves unqualified go where the search_path says, which can be set on a database or
    a role; whoever looks may have another one than whoever migrates. But Alembic makes its version table
    before the first revision runs: where that is was the first schema of the path, and was there. Raises
    NotPermitted.
    """
    from psycopg import sql

    with connect(source, read_only=True) as connection:
        path = str(connection.value("SELECT current_setting('search_path')"))
        homes = connection.rows(_HOMES, (version_table,))
    with (
        connect(database) as connection,
        explained(f"the database {database.database} could not be prepared", database),
    ):
        if len(homes) == 1 and homes[0][0] != "public":
            schema, owner = (sql.Identifier(name) for name in homes[0][:2])
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
            if homes[0][2]:
                connection.execute(sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(schema, owner))
        if len(homes) == 1 and not homes[0][3]:
            path = homes[0][4] + (f", {path}" if path else "")
        _set_search_path(connection, database, path)


def copy_search_path(source: DatabaseUrl, database: DatabaseUrl) -> None:
    """Lets sessions on ``database`` look for unqualified names where those on ``source`` do."""
    with connect(source, read_only=True) as connection:
        path = str(connection.value("SELECT current_setting('search_path')"))
    with connect(database) as connection:
        _set_search_path(connection, database, path)


def _set_search_path(connection: Connection, database: DatabaseUrl, path: str) -> None:
    from psycopg import sql

    if connection.value("SELECT current_setting('search_path')") != path:
        connection.rows("SELECT set_config('search_path', %s, false)", (path,))
        connection.execute(
            sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET search_path FROM CURRENT").format(
                sql.Identifier(database.database)
            )
        )


# where the version table is: schema, its owner, whether we may give ours to that role, whether Alembic looks there
_HOMES = """
SELECT n.nspname, pg_get_userbyid(n.nspowner), pg_has_role(n.nspowner, 'MEMBER'),
  n.nspname = ANY (current_schemas(false)), quote_ident(n.nspname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind IN ('r', 'p')
"""
