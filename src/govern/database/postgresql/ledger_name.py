"""Where the ledger of a PostgreSQL database is: the schema ``govern``; that of one schema in one beside it."""

from __future__ import annotations

import functools
import re

from govern.errors import ConfigurationError

_DATABASES = "govern"
_OF_ONE_SCHEMA = "govern_of_"
_LONGEST_BYTES = 63
_USABLE = re.compile(r"[\w $.-]+")


def ledger_of(schema: str | None) -> str:
    """The name of the ledger's schema.

    Not inside of a tenant's own: ``alembic revision --autogenerate`` would propose to drop its tables. Raises
    ConfigurationError for a schema whose name leads to none.
    """
    if schema is None:
        return _DATABASES
    name = _OF_ONE_SCHEMA + schema
    if len(name.encode()) > _LONGEST_BYTES or not _USABLE.fullmatch(schema):
        raise ConfigurationError(
            f"the schema {schema!r} cannot be governed by itself, for its name",
            why=f"its ledger would be in the schema {name!r}: a name of at most {_LONGEST_BYTES} bytes, "
            "of letters, digits, spaces and _ $ . -",
            next="rename it: ALTER SCHEMA … RENAME TO …",
        )
    return name


@functools.lru_cache(maxsize=1024)
def in_ledger(statement: str, schema: str | None) -> str:
    """A statement with ``{ledger}`` in it, where tables are named, and ``{name}``, where the name is a value."""
    name = ledger_of(schema)
    return statement.replace("{ledger}", quote_ledger(schema)).replace("{name}", name)


def quote_ledger(schema: str | None) -> str:
    """The name as statements have it."""
    return _DATABASES if schema is None else f'"{ledger_of(schema)}"'
