"""A digest of the live schema, computed inside the server in one statement.

It is made of the very queries that make the snapshot, and of the raw rows of what few databases have, so it
changes with every fact. The digests of two databases mean nothing beside each other, nor do those of two releases
of govern or of PostgreSQL.
"""

from __future__ import annotations

from govern.database.connection import Connection
from govern.database.dialect import VersionTable
from govern.database.postgresql.catalog import queries

# Each step needs the one before, so the server cannot reorder them: remember the session's settings, set
# ours, digest, give the session its own back. CASE evaluates in order (PostgreSQL manual, 4.2.14).
_DIGEST = """
WITH {scope},
before AS MATERIALIZED (
  SELECT name, current_setting(name) AS value FROM unnest(ARRAY[{names}]) AS name
),
setting AS MATERIALIZED (
  SELECT concat((SELECT count(*) FROM before), {settings}) AS done
),
part (kind, rows) AS (
{parts}
),
digest AS MATERIALIZED (
  SELECT CASE WHEN (SELECT done FROM setting) IS NOT NULL THEN (
    SELECT encode(sha256(convert_to(
      string_agg(kind || ' ' || rows, chr(10) ORDER BY kind COLLATE "C"), getdatabaseencoding()
    )), 'hex') FROM part
  ) END AS text
)
SELECT digest.text
FROM digest
WHERE (
  SELECT count(set_config(name, value, true)) FROM before WHERE digest.text IS NOT NULL
) > 0
"""

_PART = """  SELECT '{kind}', encode(sha256(convert_to(
    string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C"), getdatabaseencoding()
  )), 'hex')
  FROM (
{body}
  ) t"""


def read_fingerprint(connection: Connection, table: VersionTable) -> str:
    """64 hexadecimal digits that change whenever a fact of the snapshot does, never by use of the data."""
    with queries.reading(connection):
        return str(connection.value(fingerprint_sql(table)))


def fingerprint_sql(table: VersionTable) -> str:
    """One SELECT of one row and one text column, for any driver and role, without parameters.

    It sets what it needs and gives the session its settings back; it needs no transaction and writes nothing.
    """
    bodies = {kind: queries.body_sql(kind) for kind in queries.kinds() if kind not in queries.rare_kinds()}
    bodies["other"] = queries.rare_rows_sql()
    parts = "\n  UNION ALL\n".join(_PART.format(kind=kind, body=body) for kind, body in bodies.items())
    return _DIGEST.format(
        scope=queries.scope_sql(parts, table, has_rare=False),
        names=", ".join(f"'{name}'" for name in queries.SETTINGS),
        settings=queries.settings_calls(),
        parts=parts,
    )
