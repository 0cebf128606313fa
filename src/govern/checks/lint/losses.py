"""What is lost by an upgrade or a downgrade: tables, columns, rows; and rows changed in one go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from govern.checks.lint import recipes
from govern.checks.lint.pending import Pending
from govern.checks.lint.rules import (
    DOWNGRADE_LOSES_DATA,
    DROPS_COLUMN,
    DROPS_TABLE,
    HAZARDS,
    IRREVERSIBLE_STEP,
    UNBATCHED_CHANGE,
)
from govern.checks.lint.statements import DeleteRows, DropColumn, DropTable, read_change, read_statement
from govern.core.finding import Finding, Rule, Severity
from govern.core.hazard import Hazard, hazard_of
from govern.core.wording import name_size
from govern.errors import ToolMissing
from govern.revisions.graph import RevisionFile
from govern.revisions.operations import Operation

_TRUNCATE = re.compile(r"\s*TRUNCATE\b", re.IGNORECASE)


def find_losses(pending: Pending) -> Iterator[Finding]:
    """Losses of each revision: by the statements that ran where they can be read, else by the revision's text."""
    for file in pending.revisions:
        seen = dict.fromkeys((*_ran(pending, file.revision), *_written(pending, file.revision)))
        told: set[tuple[str, str]] = set()
        for loss in seen:
            if (loss.what, _bare(loss.table)) not in told and not pending.is_created(loss.table):
                told.add((loss.what, _bare(loss.table)))
                yield _loss(pending, file.revision, loss)
        yield from _unbatched(pending, file.revision)
        yield from _downgrade(pending, file)


def read_hazards(pending: Pending) -> tuple[Hazard, ...]:
    """What the revisions' texts say for certain that they drop: for runs of which nothing was seen.

    What is computed, retyped, or executed as SQL that cannot be read is not in it.
    """
    operations = (
        operation for file in pending.revisions for operation in pending.texts[file.revision].upgrade
    )
    return tuple(sorted({hazard for one in operations for hazard in _read_hazards(pending, one)}))


def _read_hazards(pending: Pending, operation: Operation) -> Iterator[Hazard]:
    if _dropped(operation) is not None and not pending.is_created(operation.table):
        schema = str(operation.flags.get("schema") or "")
        column = (str(operation.target),) if operation.name == "drop_column" else ()
        yield hazard_of(f"drops-{'column' if column else 'table'}", schema, str(operation.table), *column)
    if operation.name != "execute" or not operation.sql or "?" in operation.sql:
        return
    try:
        acts = read_statement(operation.sql)
    except ToolMissing:
        return  # no grammar to read it by
    for act in acts:
        if isinstance(act, DropTable | DropColumn) and not pending.is_created(str(act.table)):
            column = (act.column,) if isinstance(act, DropColumn) else ()
            kind = "column" if column else "table"
            yield hazard_of(f"drops-{kind}", act.table.namespace or "", act.table.name, *column)


@dataclass(frozen=True, slots=True)
class _Loss:
    rule: Rule
    table: str
    what: str
    """``users.nick`` or, of a table, its name."""
    line: int


def _ran(pending: Pending, revision: str) -> Iterator[_Loss]:
    for observation in pending.observations:
        if observation.revision != revision:
            continue
        try:
            acts = read_statement(observation.sql)
        except ToolMissing:
            return  # the revision's text tells what it can
        for act in acts:
            if isinstance(act, DropTable | DropColumn | DeleteRows):
                rule = {DropTable: DROPS_TABLE, DropColumn: DROPS_COLUMN}.get(type(act), IRREVERSIBLE_STEP)
                what = f"{act.table.name}.{act.column}" if isinstance(act, DropColumn) else act.table.name
                yield _Loss(rule, str(act.table), what, pending.line_of(observation))


def _written(pending: Pending, revision: str) -> Iterator[_Loss]:
    for operation in pending.texts[revision].upgrade:
        if (dropped := _dropped(operation)) is not None:
            rule = DROPS_TABLE if operation.name == "drop_table" else DROPS_COLUMN
            yield _Loss(rule, operation.table or "", dropped, operation.line)
        elif operation.changes_rows == "DELETE" or _TRUNCATE.match(operation.sql or ""):
            if operation.table is not None:
                yield _Loss(IRREVERSIBLE_STEP, operation.table, _bare(operation.table), operation.line)
            elif not any(seen.revision == revision for seen in pending.observations):  # else it was seen
                yield _Loss(IRREVERSIBLE_STEP, "a table", "a table", operation.line)


def _dropped(operation: Operation) -> str | None:
    """``users`` or ``users.nick``, where an operation drops it and says so as text."""
    if operation.name == "drop_table":
        return operation.table
    if operation.name == "drop_column" and operation.table and operation.target:
        return f"{operation.table}.{operation.target}"
    return None


def _loss(pending: Pending, revision: str, loss: _Loss) -> Finding:
    count = pending.count_rows(loss.table)
    rows = "" if count is None else f", {name_size(count)} rows"
    kind = "column" if loss.rule is DROPS_COLUMN else "table"
    verb = "rows are deleted from" if loss.rule is IRREVERSIBLE_STEP else f"drops {kind}"
    hazard = HAZARDS.get(loss.rule.id)
    namespace, _, _ = loss.table.rpartition(".")
    return Finding.of(
        loss.rule,
        pending.subject(revision, kind, loss.what, line=loss.line, namespace=namespace or None),
        f"revision {revision}: {verb} {loss.what}{rows}",
        remedy=f"{loss.rule.remedy}; {recipes.allow(hazard, loss.what)}" if hazard else "",
        evidence={"revision": revision, **({} if count is None else {"rows": count})},
    )


def _unbatched(pending: Pending, revision: str) -> Iterator[Finding]:
    for operation in pending.texts[revision].upgrade:
        table = operation.table
        if operation.changes_rows is None or operation.in_loop or pending.is_created(table):
            continue
        count = pending.count_rows(table)
        rows = "" if count is None else f", {name_size(count)} rows"
        yield Finding.of(
            UNBATCHED_CHANGE,
            pending.subject(revision, "table", table or "?", line=operation.line),
            f"revision {revision} runs {operation.changes_rows} on {table or 'a table'}{rows} in one go",
            severity=pending.weigh(UNBATCHED_CHANGE, [table] if table else []),
            remedy=recipes.change_in_batches(operation.changes_rows, table or "…", _change(operation)),
        )


def _change(operation: Operation) -> tuple[str, str | None] | None:
    try:
        return read_change(operation.sql) if operation.sql and "?" not in operation.sql else None
    except ToolMissing:
        return None


def _downgrade(pending: Pending, file: RevisionFile) -> Iterator[Finding]:
    text = pending.texts[file.revision]
    created = {_created(operation) for operation in text.upgrade}
    dropped = {
        name: operation
        for operation in text.downgrade
        if (name := _dropped(operation)) and not pending.is_created(operation.table)
    }
    foreign = [name for name in dropped if name not in created and name.partition(".")[0] not in created]
    if not dropped:
        return
    named = ", ".join(foreign or dropped)
    first = dropped[foreign[0]] if foreign else next(iter(dropped.values()))
    not_made = ", which its upgrade did not create" if foreign else ""
    yield Finding.of(
        DOWNGRADE_LOSES_DATA,
        pending.subject(file.revision, "revision", file.revision, line=first.line),
        f"downgrade of revision {file.revision} drops {named}{not_made}",
        severity=Severity.WARNING if foreign else None,
        evidence={"drops": list(foreign or dropped)},
    )


def _created(operation: Operation) -> str | None:
    if operation.name == "create_table":
        return operation.table
    if operation.name == "add_column" and operation.table and operation.target:
        return f"{operation.table}.{operation.target}"
    return None


def _bare(table: str) -> str:
    return table.rpartition(".")[2]
