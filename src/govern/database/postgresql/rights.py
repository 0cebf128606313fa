"""Which of the rights that a migration needs the role has not, as the server itself decides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from govern.core.right import MissingRight, Right

if TYPE_CHECKING:
    from govern.database.connection import Connection

# MEMBER without USAGE: a role that does not inherit; env.py may say SET ROLE
_MISSING = """
WITH wanted AS (
  SELECT w.position, w.ability, w.kind, w.namespace, w.name
  FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS w (position, ability, kind, namespace, name)
),
found AS (
  SELECT w.position, w.ability, w.kind, coalesce(c.relowner, t.typowner, n.nspowner, d.datdba) AS owner,
    n.nspowner, c.oid AS relation, n.oid AS namespace, d.oid AS database,
    CASE w.kind WHEN 'database' THEN pg_catalog.quote_ident(d.datname) WHEN 'schema' THEN pg_catalog.quote_ident(w.name)
      ELSE pg_catalog.quote_ident(w.namespace) || '.' || pg_catalog.quote_ident(w.name) END AS written
  FROM wanted w
  LEFT JOIN pg_catalog.pg_namespace n ON w.kind <> 'database' AND n.nspname = w.namespace
  LEFT JOIN pg_catalog.pg_class c ON w.kind = 'relation' AND c.relnamespace = n.oid AND c.relname = w.name
  LEFT JOIN pg_catalog.pg_type t ON w.kind = 'type' AND t.typnamespace = n.oid AND t.typname = w.name
  LEFT JOIN pg_catalog.pg_database d ON w.kind = 'database' AND d.datname = pg_catalog.current_database()
  WHERE CASE w.kind WHEN 'relation' THEN c.oid WHEN 'type' THEN t.oid WHEN 'schema' THEN n.oid ELSE d.oid END
    IS NOT NULL
),
able AS (
  SELECT f.*, r.oid = pg_catalog.quote_ident(current_user)::regrole AS is_self, CASE f.ability
    WHEN 'owns' THEN pg_catalog.pg_has_role(r.oid, f.owner, 'USAGE')
    WHEN 'owns-or-drops' THEN
      pg_catalog.pg_has_role(r.oid, f.owner, 'USAGE') OR pg_catalog.pg_has_role(r.oid, f.nspowner, 'USAGE')
    WHEN 'references' THEN pg_catalog.has_table_privilege(r.oid, f.relation, 'REFERENCES')
      OR pg_catalog.has_any_column_privilege(r.oid, f.relation, 'REFERENCES')
    WHEN 'triggers' THEN pg_catalog.has_table_privilege(r.oid, f.relation, 'TRIGGER')
    ELSE CASE f.kind WHEN 'schema' THEN pg_catalog.has_schema_privilege(r.oid, f.namespace, 'CREATE')
      ELSE pg_catalog.has_database_privilege(r.oid, f.database, 'CREATE') END
    END AS is_able
  FROM found f
  JOIN pg_catalog.pg_roles r ON pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')
)
SELECT position, current_user::text, pg_catalog.pg_get_userbyid(owner)::text,
  CASE ability
    WHEN 'creates' THEN 'GRANT CREATE ON ' || upper(kind) || ' ' || written || ' TO '
    WHEN 'references' THEN 'GRANT REFERENCES ON ' || written || ' TO '
    WHEN 'triggers' THEN 'GRANT TRIGGER ON ' || written || ' TO '
    ELSE CASE WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = owner)  -- nobody is to be a member of that
      THEN 'ALTER ' || CASE kind WHEN 'relation' THEN 'TABLE' ELSE upper(kind) END || ' ' || written || ' OWNER TO '
      ELSE 'GRANT ' || owner::regrole || ' TO ' END END || pg_catalog.quote_ident(current_user),
  bool_or(is_able)
FROM able
GROUP BY position, ability, kind, owner, written
HAVING NOT coalesce(bool_or(is_able) FILTER (WHERE is_self), false)
ORDER BY position
"""


def find_missing_rights(connection: Connection, rights: Sequence[Right]) -> tuple[MissingRight, ...]:
    """Those of ``rights`` that the connection's role lacks, in their order. What is not there is nobody's to own."""
    columns = (
        list(range(len(rights))),
        [right.ability for right in rights],
        [right.kind for right in rights],
        [right.namespace for right in rights],
        [right.name for right in rights],
    )
    return tuple(
        MissingRight(
            right=rights[position], role=role, owner=owner, grant=grant, by_set_role=bool(by_set_role)
        )
        for position, role, owner, grant, by_set_role in connection.rows(_MISSING, columns)
    )
