"""Which tables a statement names, by PostgreSQL's own grammar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from govern.core.restoration import Place
from govern.database.postgresql.grammar import parse_sql, walk


def read_named(sql: str) -> tuple[frozenset[Place], frozenset[str]] | None:
    """The tables that it needs, and those that it creates for itself; None for what is no PostgreSQL.

    A name of WITH is neither. Raises ToolMissing without pglast.
    """
    parsed = parse_sql(sql, extra="scan")
    if parsed is None:
        return None
    nodes = list(walk(parsed))
    own = {node.ctename for node in nodes if type(node).__name__ == "CommonTableExpr"}
    created = {_place(node) for node in _find_created(nodes)}
    created |= {("", node.newname) for node in nodes if _is_renamed_table(node)}
    dropped = {place for node in nodes if type(node).__name__ == "DropStmt" for place in _dropped(node)}
    optional = {_place(node.relation) for node in nodes if _is_optional(node)}
    others = {_place(one) for node in nodes for one in _find_others(node)}
    named = (
        {_place(node) for node in nodes if type(node).__name__ == "RangeVar"} - optional - others
    ) | dropped
    needed = {(schema, name) for schema, name in named if (schema or name not in own) and schema != "pg_temp"}
    return frozenset(needed - created), frozenset(name for _, name in created)


def read_columns(sql: str) -> Iterator[tuple[Place, str]]:
    """The columns, with their tables, that a statement names which defines or copies: no database looks them up."""
    for node in parse_sql(sql, extra="scan") or ():
        kind = type(node).__name__
        if kind == "IndexStmt":
            yield from ((_place(node.relation), one.name) for one in node.indexParams if one.name)
        elif kind == "CopyStmt" and node.relation is not None:
            yield from ((_place(node.relation), one.sval) for one in node.attlist or ())
        elif kind == "CommentStmt" and node.objtype.name == "OBJECT_COLUMN":
            *schema, table, column = (part.sval for part in node.object)
            yield (schema[-1] if schema else "", table), column


def _find_created(nodes: list[Any]) -> Iterator[Any]:
    for node in nodes:
        kind = type(node).__name__
        if kind == "CreateStmt":
            yield node.relation
        elif kind == "CreateTableAsStmt":
            yield node.into.rel
        elif kind == "ViewStmt":
            yield node.view
        elif kind == "CreateSeqStmt":
            yield node.sequence
        elif kind == "SelectStmt" and node.intoClause is not None:
            yield node.intoClause.rel


def _is_renamed_table(node: Any) -> bool:
    return type(node).__name__ == "RenameStmt" and node.renameType.name in ("OBJECT_TABLE", "OBJECT_VIEW")


_NO_TABLES = frozenset({"OBJECT_INDEX", "OBJECT_TYPE", "OBJECT_ATTRIBUTE"})


def _find_others(node: Any) -> Iterator[Any]:
    """What the grammar writes as it does tables, and is none: composite types, indexes."""
    kind = type(node).__name__
    if kind == "CompositeTypeStmt":
        yield node.typevar
    is_renamed = kind == "RenameStmt" and node.renameType.name in _NO_TABLES and node.relation is not None
    is_altered = kind == "AlterTableStmt" and node.objtype.name in _NO_TABLES
    if is_renamed or is_altered or (kind == "ReindexStmt" and node.kind.name == "REINDEX_OBJECT_INDEX"):
        yield node.relation


def _is_optional(node: Any) -> bool:
    """Whether it is fine that the table is not there: ALTER TABLE IF EXISTS."""
    return type(node).__name__ in ("AlterTableStmt", "RenameStmt", "AlterObjectSchemaStmt") and bool(
        node.missing_ok
    )


def _dropped(node: Any) -> Iterator[Place]:
    if node.missing_ok or node.removeType.name not in ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"):
        return
    for names in node.objects:
        *schema, name = (part.sval for part in names)
        yield (schema[-1] if schema else "", name)


def _place(node: Any) -> Place:
    return (node.schemaname or "", node.relname)
