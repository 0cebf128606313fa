"""What one statement tells of a PostgreSQL database: version rows, the ledger's end, the watermark, a few rows."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from govern.core.glance import Glance, Validated
from govern.database.postgresql.ledger_name import quote_ledger
from govern.database.postgresql.watermark import standing_sql, stands

if TYPE_CHECKING:
    from govern.database.version_table import VersionTable

_DEFAULT = "public"
_GLANCE = """
SELECT json_build_object(
  'version', current_setting('server_version'),
  'stamped', (SELECT json_agg(version_num::text) FROM {version_table}),
  'run', (
    SELECT json_build_object(
      'to', run -> 'to_revision', 'lock', run -> 'lock_digest', 'watermark', run -> 'watermark'
    )
    FROM {ledger}.runs
    WHERE validated AND position = (SELECT pg_catalog.max(position) FROM {ledger}.runs)
  ),
  'standing', (SELECT json_build_array(xid, digest) FROM ({standing}) s (xid, digest)),
  'rows', ({rows})
)::text
"""
_ROWS = "SELECT json_object_agg(name, number) FROM ({counts}) c (name, number)"
# under row security the rows that a role sees are not those that there are
_COUNT = """SELECT {name}, CASE WHEN NOT pg_catalog.row_security_active({table_text}) THEN
  (SELECT pg_catalog.count(*) FROM (SELECT FROM {table} LIMIT {minimum}) t) END"""


@functools.lru_cache(maxsize=64)
def _glance_sql(table: VersionTable, minimum_rows: tuple[tuple[str, int], ...]) -> str:
    return _GLANCE.format(
        version_table=_quote(*((table.namespace,) if table.namespace else ()), table.name),
        ledger=quote_ledger(table.home),
        standing=standing_sql(),
        rows=count_sql(minimum_rows, table.home) if minimum_rows else "NULL",
    )


def glance_sql(table: VersionTable, minimum_rows: Mapping[str, int]) -> str:
    """One SELECT of one text, without parameters. Fails where a table is missing or may not be read."""
    return _glance_sql(table, tuple(minimum_rows.items()))


def count_sql(minimum_rows: Iterable[tuple[str, int]], home: str | None = None) -> str:
    """One SELECT of one JSON object: each table's rows up to the number given; null where they are not to be known.

    ``home``: the schema whose tables are meant by those of the default one.
    """
    from psycopg import sql

    counts = " UNION ALL ".join(
        _COUNT.format(
            name=sql.Literal(name).as_string(None),
            table_text=sql.Literal(_quote(*place_of(name, home))).as_string(None),
            table=_quote(*place_of(name, home)),
            minimum=minimum,
        )
        for name, minimum in minimum_rows
    )
    return _ROWS.format(counts=counts)


def place_of(name: str, home: str | None) -> tuple[str, ...]:
    """Schema and table of a full name."""
    namespace, *table = name.split(".")
    return (home, *table) if home is not None and namespace == _DEFAULT else (namespace, *table)


def read_glance(text: str, table: VersionTable) -> Glance:
    """What the statement answered."""
    told = json.loads(text)
    run, (transaction, digest) = told["run"], told["standing"]
    return Glance(
        server_version=told["version"].split()[0],
        stamped=tuple(sorted(told["stamped"] or ())),
        validated=Validated(tuple(run["to"]), run["lock"]) if run else None,
        is_untouched=bool(run and run["watermark"]) and stands(run["watermark"], table, transaction, digest),
        rows=told["rows"] or {},
    )


def _quote(*names: str) -> str:
    from psycopg import sql

    return sql.Identifier(*names).as_string(None)
