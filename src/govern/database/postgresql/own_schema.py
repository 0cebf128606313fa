"""Whether sessions on one schema of a database really begin there."""

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
