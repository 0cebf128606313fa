"""Extensions at the versions they had: pg_dump writes none, so that a restore has those a server offers first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from govern.database.connection import Connection

_EXTENSIONS = """
SELECT e.extname, e.extversion, n.nspname, n.oid, pg_catalog.pg_get_userbyid(n.nspowner), ARRAY(
  SELECT needed.extname::text
  FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_extension AS needed ON needed.oid = d.refobjid
  WHERE d.classid = e.tableoid AND d.objid = e.oid AND d.refclassid = e.tableoid
)
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend AS member
  WHERE member.classid = n.tableoid AND member.objid = n.oid AND member.deptype = 'e'
)
ORDER BY e.oid
"""
_FIELDS = ("name", "version", "schema", "schema_oid", "schema_owner", "requires")

# what is offered, but not first
_OTHER_VERSIONS = """
SELECT v.name, v.version
FROM pg_catalog.pg_available_extension_versions AS v
JOIN pg_catalog.pg_available_extensions AS e USING (name)
WHERE v.version <> e.default_version AND e.installed_version IS NULL
"""
_SCHEMAS = "SELECT nspname FROM pg_catalog.pg_namespace"

Extension = Mapping[str, Any]


def read_extensions(connection: Connection) -> list[Extension]:
    """What is to be known of each extension to make it again at its version, each after those it requires."""
    return [dict(zip(_FIELDS, row, strict=True)) for row in connection.rows(_EXTENSIONS)]


@contextmanager
def creating_extensions(
    connection: Connection, extensions: Sequence[Extension], *, with_owners: bool
) -> Iterator[re.Pattern[bytes] | None]:
    """Makes those that a restore would give another version, and takes them away again if the block raises.

    Gives the pattern of the archive's lines to leave out: of schemas that had to be made for them; None where
    nothing was made. A version that the server does not offer, or cannot make, is left to the restore: it has another
    one then.
    """
    wanted = _find_wanted(connection, extensions)
    present = {name for (name,) in connection.rows(_SCHEMAS)}
    schemas = {e["schema"]: e for e in wanted if e["schema"] not in present}
    creations = [_create_schema(schema, with_owners=with_owners) for schema in schemas.values()]
    if not wanted or not _run_all(connection, (*creations, *map(_create_extension, wanted))):
        yield None
        return
    try:
        yield _lines_of([e["schema_oid"] for e in schemas.values()])
    except BaseException:
        drops = [_drop("EXTENSION", extension["name"]) for extension in reversed(wanted)]
        _run_all(connection, (*drops, *(_drop("SCHEMA", name) for name in schemas)))
        raise


def _run_all(connection: Connection, statements: Sequence[sql.Composable]) -> bool:
    """All or nothing."""
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
    except psycopg.Error:
        return False
    return True


def _find_wanted(connection: Connection, extensions: Sequence[Extension]) -> list[Extension]:
    """Those of another version than the server's first, and what they require, but for what is there already."""
    offered = set(connection.rows(_OTHER_VERSIONS))
    names = {e["name"] for e in extensions if (e["name"], e["version"]) in offered}
    for extension in reversed(extensions):
        if extension["name"] in names:
            names.update(extension["requires"])
    names -= {name for (name,) in connection.rows("SELECT extname FROM pg_catalog.pg_extension")}
    return [
        {**e, "is_offered": (e["name"], e["version"]) in offered} for e in extensions if e["name"] in names
    ]


def _create_schema(extension: Extension, *, with_owners: bool) -> sql.Composable:
    statement = sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(extension["schema"]))
    if with_owners:
        statement += sql.SQL(" AUTHORIZATION {}").format(sql.Identifier(extension["schema_owner"]))
    return statement


def _create_extension(extension: Extension) -> sql.Composable:
    statement = sql.SQL("CREATE EXTENSION {} SCHEMA {}").format(
        sql.Identifier(extension["name"]), sql.Identifier(extension["schema"])
    )
    if extension["is_offered"]:
        statement += sql.SQL(" VERSION {}").format(sql.Literal(extension["version"]))
    return statement


def _drop(kind: str, name: str) -> sql.Composable:
    return sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.Identifier(name))


def _lines_of(schemas: Sequence[int]) -> re.Pattern[bytes]:
    """Of pg_restore's list: ``5; 2615 16385 SCHEMA - ext postgres``, where 2615 is pg_namespace."""
    oids = b"|".join(b"%d" % oid for oid in schemas)
    return re.compile(rb"\d+; 2615 (?:%b) SCHEMA " % oids)
