"""What belongs to a database and is in no dump of it: owner, privileges, settings, comment, limit of connections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from psycopg import sql

from govern.database.connection import Connection

_FACTS = """
SELECT pg_catalog.pg_get_userbyid(datdba)::text, datconnlimit, datacl IS NOT NULL
FROM pg_catalog.pg_database WHERE datname = %s
"""
_GRANTS = """
SELECT CASE WHEN acl.grantee <> 0 THEN pg_catalog.pg_get_userbyid(acl.grantee)::text END,
  acl.privilege_type, acl.is_grantable
FROM pg_catalog.pg_database d CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) acl
WHERE d.datname = %s
"""
_SETTINGS = """
SELECT CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole)::text END,
  split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
FROM pg_catalog.pg_db_role_setting s
JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
CROSS JOIN LATERAL unnest(s.setconfig) WITH ORDINALITY AS u (setting, position)
WHERE d.datname = %s
ORDER BY s.setrole, u.position
"""
_TABLESPACE = """
SELECT t.spcname::text FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
WHERE d.datname = %s
"""

# of these the server keeps a list of quoted names in one text (GUC_LIST_QUOTE in guc_tables.c)
_LISTS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
_ITEM = re.compile(r'"((?:[^"]|"")*)"|([^\s,]+)')


def read_comment(connection: Connection, database: str) -> str | None:
    """The comment on a database; None where there is none."""
    comment: str | None = connection.value(
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = %s",
        (database,),
    )
    return comment


def set_comment(connection: Connection, database: str, comment: str | None) -> None:
    connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(database), sql.Literal(comment))
    )


def copy_tablespace(connection: Connection, source: str, target: str) -> None:
    """Moves ``target``, which is empty and unused, to where ``source`` is. Raises psycopg's errors."""
    wanted, current = (connection.value(_TABLESPACE, (name,)) for name in (source, target))
    if wanted != current:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(
                sql.Identifier(target), sql.Identifier(wanted)
            )
        )


def copy_surroundings(connection: Connection, source: str, target: str) -> None:
    """Gives one database another's owner, privileges, settings and limit; not its comment. All or nothing.

    Who granted something is not copied: the owner did. Raises psycopg's errors for what the role may not do.
    """
    ((owner, limit, has_privileges),) = connection.rows(_FACTS, (source,))
    ((present_owner, *_),) = connection.rows(_FACTS, (target,))
    database, role = sql.Identifier(target), sql.Identifier(owner)
    with connection.transaction():
        if owner != present_owner:
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
        connection.execute(
            sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(database, sql.Literal(limit))
        )
        for statement in _settings(connection, source, database):
            connection.execute(statement)
        if has_privileges:  # else everybody has what everybody has by default
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(database, role))
            for statement in _grants(connection, source, database):
                connection.execute(statement)


def _settings(connection: Connection, source: str, database: sql.Composable) -> Iterator[sql.Composable]:
    for role, name, value in connection.rows(_SETTINGS, (source,)):
        where = sql.SQL("DATABASE {}").format(database)
        if role is not None:
            where = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), database)
        yield sql.SQL("ALTER {} SET {} TO {}").format(where, _parameter(name), _value(name, value))


def _parameter(name: str) -> sql.Composable:
    """An extension's own parameter has a dot in its name."""
    return sql.SQL(".").join(map(sql.Identifier, name.split(".")))


def _value(name: str, value: str) -> sql.Composable:
    if name.lower() not in _LISTS:
        return sql.Literal(value)
    items = [
        quoted.replace('""', '"') if bare is None or not bare else bare.lower()
        for quoted, bare in _ITEM.findall(value)
    ]
    return sql.SQL(", ").join(map(sql.Literal, items or [""]))


def _grants(connection: Connection, source: str, database: sql.Composable) -> Iterator[sql.Composable]:
    for grantee, privilege, is_grantable in connection.rows(_GRANTS, (source,)):
        yield sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
            sql.SQL(privilege),
            database,
            sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee),
            sql.SQL(" WITH GRANT OPTION" if is_grantable else ""),
        )
