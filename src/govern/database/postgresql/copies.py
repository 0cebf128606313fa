"""A database copied in the server: its files or pages as they are, no statement is run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.database.postgresql.server import choose_strategy, connect_beside, explained

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl

# what ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET have said, which is kept beside the database
_SETTINGS = """
SELECT s.setrole <> 0, setting FROM pg_catalog.pg_db_role_setting s
JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
CROSS JOIN unnest(s.setconfig) setting
WHERE d.datname = %s AND s.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user))
"""


def copy_database(source: DatabaseUrl, copy: DatabaseUrl) -> None:
    """``copy`` with all that is in ``source``, and its settings. Raises as ``create_database``.

    The server waits five seconds for others to leave ``source`` (manual, "Template Databases").
    """
    from psycopg import sql

    with (
        connect_beside(source) as connection,
        explained(f"the database {copy.database} could not be copied from {source.database}", source),
    ):
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}{}").format(
            sql.Identifier(copy.database), sql.Identifier(source.database), choose_strategy(connection)
        )
        connection.execute(statement)
        _copy_settings(connection, source, copy)


def _copy_settings(connection: Connection, source: DatabaseUrl, copy: DatabaseUrl) -> None:
    from psycopg import sql

    for is_of_role, setting in connection.rows(_SETTINGS, (source.database,)):
        name, _, value = setting.partition("=")
        connection.rows("SELECT set_config(%s, %s, false)", (name, value))
        of_whom = "ALTER ROLE CURRENT_USER IN DATABASE {} SET {} FROM CURRENT"
        statement = of_whom if is_of_role else "ALTER DATABASE {} SET {} FROM CURRENT"
        connection.execute(sql.SQL(statement).format(sql.Identifier(copy.database), sql.Identifier(name)))
