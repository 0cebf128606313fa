"""Statements as PostgreSQL prepares them: parsed and looked up, never run.

The Parse message of the protocol is all that is sent (PostgreSQL manual, 54.2.3), so that nothing can happen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from psycopg import pq

from govern.core.objection import Objection, ObjectionKind
from govern.core.restoration import Place
from govern.database.connection import Connection

if TYPE_CHECKING:
    import psycopg

_RELATIONS = """
SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE NOT a.attisdropped)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
GROUP BY n.nspname, c.relname
"""
_KINDS: Mapping[str, ObjectionKind] = {
    "42P01": "undefined-table",
    "3F000": "undefined-table",
    "42703": "undefined-column",
    "42883": "undefined-function",
    "42804": "wrong-type",
    "42846": "wrong-type",
    "42725": "wrong-type",
    "22P02": "wrong-type",
    "42601": "syntax",
    "42602": "syntax",
    "42622": "syntax",
    "42P02": "syntax",
    "42704": "unknown-type",
}
"""By SQLSTATE (PostgreSQL manual, appendix A)."""
_UNKNOWN_PARAMETER = frozenset({"42P18", "42P08"})
"""Only whoever runs it knows the parameter's type."""
_NAMED = re.compile(r'(?:relation|column|function|schema) "?([^"\s(]+(?:"?\."?[^"\s(]+)*)"?')


def judge(connection: Connection, sql: str, parameters: int) -> Objection | None:
    """See ``govern.database.judging``."""
    del parameters  # PostgreSQL finds them itself
    driver = cast("psycopg.Connection[object]", connection.driver)
    result = driver.pgconn.prepare(b"", sql.encode())
    if result.status == pq.ExecStatus.COMMAND_OK:
        return None

    def field(of: pq.DiagnosticField) -> str:
        return (result.error_field(of) or b"").decode(errors="replace")

    state, message = field(pq.DiagnosticField.SQLSTATE), field(pq.DiagnosticField.MESSAGE_PRIMARY)
    if state in _UNKNOWN_PARAMETER:
        return None
    if not state:
        raise ConnectionError(driver.pgconn.get_error_message())
    kind = _KINDS.get(state, "other")
    if kind == "undefined-function" and message.startswith("operator"):
        kind = "wrong-type"
    position = field(pq.DiagnosticField.STATEMENT_POSITION)
    found = _NAMED.search(message)
    return Objection(
        kind=kind,
        message=message,
        name=found[1] if found else "",
        offset=int(position) - 1 if position else None,
    )


def read_relations(connection: Connection) -> Mapping[Place, tuple[str, ...]]:
    """See ``govern.database.judging``."""
    rows = connection.rows(_RELATIONS)
    return {(namespace, name): tuple(columns or ()) for namespace, name, columns in rows}
