"""One schema of a database by itself: whether sessions really begin there, and how places of rows are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govern.errors import NoSuchSchema, NotPermitted

if TYPE_CHECKING:
    import psycopg

    from govern.database.url import DatabaseUrl

# a path leaves out without a word what is not there, or may not be entered: names would lead to the next schema of it
_HOME = """
SELECT pg_catalog.current_schema(), EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %(name)s),
  pg_catalog.quote_ident(%(name)s)
"""


def name_namespace(namespace: str, home: str | None) -> str:
    """As the place of rows has it: the ``home`` that names without a schema lead to has none."""
    return "" if namespace == home else namespace


def find_namespace(named: str, home: str | None) -> str:
    """What the catalogs call it."""
    return named or home or ""


def require_home(driver: psycopg.Connection[Any], url: DatabaseUrl, schema: str) -> None:
    """Closes ``driver`` and raises NoSuchSchema or NotPermitted, unless names without a schema lead to ``schema``."""
    first, is_there, quoted = driver.execute(_HOME, {"name": schema}).fetchone() or (None, False, schema)
    if first == schema:
        return
    driver.close()
    if not is_there:
        raise NoSuchSchema(
            f"the database {url.database} has no schema {schema}",
            why="a tenant's schema is made by who takes the tenant in, with its owner and privileges",
            next=f"correct schema; or let the application make it, or run: CREATE SCHEMA {quoted}",
        )
    raise NotPermitted(
        f"sessions on the database {url.database} do not begin in the schema {schema}",
        why="the role may not use it, or a connection pool drops the option search_path",
        next=f"GRANT USAGE ON SCHEMA {quoted} TO …; or give the URL of PostgreSQL itself",
    )
