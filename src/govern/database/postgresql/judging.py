"""Statements as PostgreSQL prepares them: parsed and looked up, never run.

The Parse message of the protocol is all that is sent (PostgreSQL manual, 54.2.3), so that nothing can happen.
"""

from __future__ import annotations

import itertools
import re
import select
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from psycopg import pq

from govern.core.identifiers import quote
from govern.core.objection import Objection, ObjectionKind
from govern.core.restoration import Place
from govern.database.connection import Connection
from govern.database.judging import Asked

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
_LOOK_IN = "SELECT set_config('search_path', %s, false)"
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
_AT_A_TIME = 200
"""Statements that are sent before the first answer is read."""
_NAMED = re.compile(r'(?:relation|column|function|schema|entry for table) "?([^"\s(]+(?:"?\."?[^"\s(]+)*)"?')


def judge(connection: Connection, asked: Iterable[Asked]) -> list[Objection | None]:
    """See ``govern.database.judging``. Many statements are on their way at a time, each one on its own."""
    driver = cast("psycopg.Connection[object]", connection.driver)
    judged: list[Objection | None] = []
    rest, unanswered = iter(asked), 0
    with _pipeline(driver.pgconn) as server:
        while some := tuple(itertools.islice(rest, _AT_A_TIME)):  # made while the server is at those before
            for sql, _ in some:  # PostgreSQL finds the parameters itself
                server.send_prepare(b"", _encode(sql))
                server.pipeline_sync()
            server.flush()
            judged += [_read_objection(server) for _ in range(unanswered)]
            unanswered = len(some)
        judged += [_read_objection(server) for _ in range(unanswered)]
    return judged


def _encode(sql: str) -> bytes:
    """As far as the protocol can say it: a null ends a text there, and would hide what follows."""
    return sql.replace("\0", "\ufffd").encode(errors="replace")


def look_in(connection: Connection, schemas: Sequence[str]) -> None:
    """See ``govern.database.judging``."""
    connection.rows(_LOOK_IN, (", ".join(map(quote, schemas)),))


def read_relations(connection: Connection) -> Mapping[Place, tuple[str, ...]]:
    """See ``govern.database.judging``."""
    rows = connection.rows(_RELATIONS)
    return {(namespace, name): tuple(columns or ()) for namespace, name, columns in rows}


def read_search_path(connection: Connection) -> tuple[str, ...]:
    """See ``govern.database.judging``."""
    return tuple(connection.value("SELECT current_schemas(false)"))


@contextmanager
def _pipeline(server: pq.abc.PGconn) -> Iterator[pq.abc.PGconn]:
    """See the libpq manual, 34.5: neither side waits for the other to read."""
    blocks = server.nonblocking
    server.nonblocking = 1
    server.enter_pipeline_mode()
    try:
        yield server
    finally:
        if server.status == pq.ConnStatus.OK and server.transaction_status == pq.TransactionStatus.IDLE:
            server.exit_pipeline_mode()
        server.nonblocking = blocks


def _read_objection(server: pq.abc.PGconn) -> Objection | None:
    """Of the statement whose answer is the next: the answer, its end, and the end of what belongs to it."""
    answer = _next_result(server)
    if answer is None:
        raise ConnectionError(server.get_error_message())
    while (other := _next_result(server)) is None or other.status != pq.ExecStatus.PIPELINE_SYNC:
        if server.status != pq.ConnStatus.OK:
            raise ConnectionError(server.get_error_message())
    return _explain(answer) if answer.status != pq.ExecStatus.COMMAND_OK else None


def _next_result(server: pq.abc.PGconn) -> pq.abc.PGresult | None:
    while server.is_busy():
        unsent = server.flush()
        waiting = select.poll()
        waiting.register(server.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
        waiting.poll()
        server.consume_input()
    return server.get_result()


def _explain(refused: pq.abc.PGresult) -> Objection | None:
    def field(of: pq.DiagnosticField) -> str:
        return (refused.error_field(of) or b"").decode(errors="replace")

    state, message = field(pq.DiagnosticField.SQLSTATE), field(pq.DiagnosticField.MESSAGE_PRIMARY)
    if state in _UNKNOWN_PARAMETER:
        return None
    if not state:
        raise ConnectionError(refused.error_message.decode(errors="replace"))
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
