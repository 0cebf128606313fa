"""Row counts and Alembic's version rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from govern.errors import NotPermitted

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

_BATCH = 100  # tables a statement; each holds a lock until it ends, and a server has 6,400 by default

_EXISTING = """
SELECT wanted.namespace, wanted.name
FROM unnest(%s::text[], %s::text[]) AS wanted (namespace, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.namespace
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
WHERE c.relkind IN ('r', 'p', 'm', 'f')
"""

_VERSION_TABLE = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind IN ('r', 'p') AND CASE
  WHEN %s::text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = %s
END
"""

# schemas on the search_path that the role may not look into: the server leaves them out without a word
_HIDDEN_VERSION_TABLE = """
SELECT n.nspname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind IN ('r', 'p')
  AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND n.nspname = ANY (
    SELECT CASE p.name WHEN '"$user"' THEN current_user::text ELSE pg_catalog.btrim(p.name, '"') END
    FROM pg_catalog.regexp_split_to_table(pg_catalog.current_setting('search_path'), ', *') p(name)
  )
"""

_PLACES = """
SELECT n.nspname::text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind IN ('r', 'p')
ORDER BY n.nspname
"""


def find_version_tables(connection: Connection, table: VersionTable) -> tuple[str, ...]:
    """The namespaces that have a table of that name, on the search_path or not."""
    return tuple(namespace for (namespace,) in connection.rows(_PLACES, (table.name,)))


def read_version_rows(connection: Connection, table: VersionTable) -> tuple[str, ...] | None:
    """The stamped revisions, sorted; None where there is no version table.

    Without a namespace the table is looked for where Alembic does: on the role's search_path. Raises
    NotPermitted where it is there, and the role may not read it.
    """
    found = locate_version_table(connection, table)
    if found is None:
        _refuse_hidden(connection, table)
        return None
    from psycopg import sql

    query = sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(*found))
    with _permission_to_read(table.name):
        return tuple(sorted(str(revision) for (revision,) in connection.rows(query)))


def locate_version_table(connection: Connection, table: VersionTable) -> tuple[str, str] | None:
    """Namespace and name of the one that Alembic would use; None where there is none."""
    found = connection.rows(_VERSION_TABLE, (table.name, table.namespace, table.namespace))
    return (found[0][0], found[0][1]) if found else None


def _refuse_hidden(connection: Connection, table: VersionTable) -> None:
    """What a role may not see is not absent."""
    if table.namespace is None and (hidden := connection.value(_HIDDEN_VERSION_TABLE, (table.name,))):
        raise NotPermitted(
            f"the rows of {table.name} cannot be read",
            why=f"the role may not look into the schema {hidden}, where it is",
            next=f"let its owner run: GRANT USAGE ON SCHEMA {hidden} TO the role, "
            f"and GRANT SELECT ON {table.name}",
        )


def count_rows(connection: Connection, tables: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    """Exact rows of each (namespace, table), by ``namespace.table``; a table that is not there is left out.

    One statement for every hundred tables. Raises NotPermitted where the role may not read a table, or where
    row security would hide some of its rows.
    """
    wanted = sorted(set(tables))
    existing = connection.rows(_EXISTING, ([name for name, _ in wanted], [name for _, name in wanted]))
    counts: dict[str, int] = {}
    for start in range(0, len(existing), _BATCH):
        counts |= _count_batch(connection, existing[start : start + _BATCH])
    return counts


def _count_batch(connection: Connection, tables: list[tuple[str, ...]]) -> dict[str, int]:
    from psycopg import sql

    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, count(*) FROM {}").format(sql.Literal(".".join(table)), sql.Identifier(*table))
        for table in tables
    )
    names = ".".join(tables[0]) if len(tables) == 1 else f"{len(tables)} tables"
    with _permission_to_read(names), connection.transaction("BEGIN READ ONLY"):
        # an error instead of a count of the visible rows
        connection.execute("SET LOCAL row_security = off")
        return {str(name): int(count) for name, count in connection.rows(query)}


@contextmanager
def _permission_to_read(what: str) -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            f"the rows of {what} cannot be read",
            why=error.diag.message_primary or "the role may not read them",
            next="use a role that may read every row, or GRANT SELECT (BYPASSRLS under row security)",
        ) from error
