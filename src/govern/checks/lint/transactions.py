"""What stands on the wrong side of an ``autocommit_block``; read from the revision's text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from govern.checks.lint import recipes
from govern.checks.lint.pending import Pending
from govern.checks.lint.rules import CONCURRENT_IF_NOT_EXISTS, CONCURRENTLY_IN_TRANSACTION, MIXED_AUTOCOMMIT
from govern.core.finding import Finding
from govern.core.wording import count_of
from govern.revisions.operations import Operation

_CHANGES_NOTHING = re.compile(r"\s*(SET|RESET|SELECT|SHOW)\b", re.IGNORECASE)
_CONCURRENTLY = re.compile(r"\bINDEX\s+CONCURRENTLY\b", re.IGNORECASE)
_IF_NOT_EXISTS = re.compile(
    r"\bINDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+(?P<name>\"?\w+\"?)(?:\s+ON\s+(?P<table>[\w.\"]+))?",
    re.IGNORECASE,
)
_END = re.compile(r"\s*(COMMIT|END)\b", re.IGNORECASE)


def find_misplaced(pending: Pending) -> Iterator[Finding]:
    """Statements beside an autocommit_block, and CONCURRENTLY outside one."""
    for file in pending.revisions:
        operations = [
            operation
            for operation in pending.texts[file.revision].upgrade
            if operation.name != "batch_alter_table"
        ]
        yield from _mixed(pending, file.revision, operations)
        yield from _in_transaction(pending, file.revision, operations)
        yield from _if_not_exists(pending, file.revision, operations)


def _mixed(pending: Pending, revision: str, operations: list[Operation]) -> Iterator[Finding]:
    inside = [operation for operation in operations if operation.in_autocommit]
    outside = [
        operation
        for operation in operations
        if not operation.in_autocommit and not _CHANGES_NOTHING.match(operation.sql or "")
    ]
    if inside and outside:
        lines = ", ".join(str(operation.line) for operation in outside)
        yield Finding.of(
            MIXED_AUTOCOMMIT,
            pending.subject(revision, "revision", revision, line=outside[0].line),
            f"{count_of(len(outside), 'operation')} (line {lines}) beside the autocommit_block at line "
            f"{inside[0].line}: revision {revision} can be left half applied",
        )


def _in_transaction(pending: Pending, revision: str, operations: list[Operation]) -> Iterator[Finding]:
    for position, operation in enumerate(operations):
        has_committed = any(_END.match(earlier.sql or "") for earlier in operations[:position])
        if _is_concurrent(operation) and not operation.in_autocommit and not has_committed:
            yield Finding.of(
                CONCURRENTLY_IN_TRANSACTION,
                pending.subject(revision, "revision", revision, line=operation.line),
                f"revision {revision} uses CONCURRENTLY inside Alembic's transaction",
                remedy=recipes.commit_before(operation.code),
            )


def _if_not_exists(pending: Pending, revision: str, operations: list[Operation]) -> Iterator[Finding]:
    if pending.texts[revision].asks_for_validity:
        return
    for operation in operations:
        found = _IF_NOT_EXISTS.search(operation.sql or "")
        if found:
            name, table = found["name"].strip('"'), found["table"]
        elif _is_concurrent(operation) and operation.flags.get("if_not_exists") is True:
            name, table = operation.target or "…", operation.table
        else:
            continue
        yield Finding.of(
            CONCURRENT_IF_NOT_EXISTS,
            pending.subject(revision, "index", name, line=operation.line),
            f"index {name} is created CONCURRENTLY only if it does not exist: an invalid one is taken for it",
            remedy=recipes.drop_leftover_first(name, table, _unconditional(operation.code)),
        )


def _unconditional(code: str) -> str:
    """The same creation, which fails where there is such an index."""
    code = re.sub(r",\s*if_not_exists=True", "", code)
    return re.sub(r"(?<=CONCURRENTLY)\s+IF\s+NOT\s+EXISTS\b", "", code, flags=re.IGNORECASE)


def _is_concurrent(operation: Operation) -> bool:
    if operation.name in ("create_index", "drop_index"):
        return operation.flags.get("postgresql_concurrently") is True
    return bool(_CONCURRENTLY.search(operation.sql or ""))
