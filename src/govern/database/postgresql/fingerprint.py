"""A digest of the live schema, computed inside the server in one statement.

It is made of the very queries that make the snapshot, and of the raw rows of what few databases have, so it
changes with every fact. A kind that there is nothing of has no part in it. The digests of two databases mean
nothing beside each other, nor do those of two releases of govern or of PostgreSQL.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from govern.database.postgresql.catalog import queries

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

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

_DIGEST_OF_ROWS = """encode(sha256(convert_to(
    string_agg((t::text) COLLATE "C", chr(10) ORDER BY (t::text) COLLATE "C"), getdatabaseencoding()
  )), 'hex')"""
_DIGEST_OF_KIND = """SELECT {digest}
FROM (
{body}
) t"""
_PART = """  SELECT '{kind}', {digest}
  FROM (
{body}
  ) t"""


def read_fingerprint(connection: Connection, table: VersionTable) -> str:
    """64 hexadecimal digits that change whenever a fact of the snapshot does, never by use of the data.

    The same as ``fingerprint_sql`` gives, by one statement a kind: each is planned for what there is.
    """
    with queries.reading(connection, table.home):
        absent = queries.find_absent_kinds(connection)
        parts = {
            kind: connection.value(
                queries.with_scope(
                    _DIGEST_OF_KIND.format(digest=_DIGEST_OF_ROWS, body=body),
                    table,
                    has_rare=table.home is not None,
                )
            )
            for kind, body in _bodies(table.home).items()
            if kind not in absent
        }
    lines = "\n".join(f"{kind} {digest}" for kind, digest in sorted(parts.items()) if digest is not None)
    return hashlib.sha256(lines.encode()).hexdigest()


def fingerprint_sql(table: VersionTable) -> str:
    """One SELECT of one row and one text column, for any driver and role, without parameters.

    It sets what it needs and gives the session its settings back; it needs no transaction and writes nothing.
    """
    parts = "\n  UNION ALL\n".join(
        _PART.format(kind=kind, digest=_DIGEST_OF_ROWS, body=body)
        for kind, body in _bodies(table.home).items()
    )
    return _DIGEST.format(
        scope=queries.scope_sql(parts, table, has_rare=table.home is not None),
        names=", ".join(f"'{name}'" for name in queries.SETTINGS),
        settings=queries.settings_calls(table.home),
        parts=parts,
    )


def _bodies(home: str | None) -> dict[str, str]:
    """The queries whose rows are digested, by kind; the rare kinds by the raw rows that they are made of.

    Those do not say which schema they are of: of a ``home`` the rare kinds are digested as the others are.
    """
    if home is not None:
        return {kind: queries.body_sql(kind, home) for kind in queries.kinds()}
    bodies = {kind: queries.body_sql(kind) for kind in queries.kinds() if kind not in queries.rare_kinds()}
    return {**bodies, queries.OTHER: queries.rare_rows_sql()}
