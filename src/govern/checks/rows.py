"""What a database's own rows and files say against it: duplicates, sequences, broken promises, damage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.core.finding import Finding, Fix, Rule, Severity, Subject
from govern.core.identifiers import quote_place
from govern.core.restoration import name_place
from govern.core.rows import (
    BrokenPromise,
    Damage,
    Duplicates,
    LostPromises,
    NotLookedAt,
    Promise,
    SequencePosition,
    Unique,
)
from govern.core.wording import count_of
from govern.database.connection import Connection
from govern.database.dialect import Dialect
from govern.database.integrity import home_of_rows

if TYPE_CHECKING:  # with pydantic, which is slow to import
    from govern.source.manifest import CriticalTable, Manifest

DUPLICATE = Rule(
    id="integrity.duplicate",
    name="rows that share what should tell them apart",
    severity=Severity.ERROR,
    condition="columns that the manifest calls unique, or a unique index or constraint that is lost or invalid, have "
    "a value twice",
    effect="code that expects one row finds two, and the unique index cannot be built",
    remedy="decide which row stays; then let an index keep it so",
)
SEQUENCE_BEHIND = Rule(
    id="integrity.sequence-behind",
    name="a sequence is behind its column",
    severity=Severity.ERROR,
    condition="the largest value of a column is larger than the last that its sequence gave",
    effect="inserts fail with duplicate keys until the sequence has passed it: rows were loaded without it",
    remedy="move the sequence on",
)
BROKEN_CHECK = Rule(
    id="integrity.broken-check",
    name="rows break a constraint",
    severity=Severity.ERROR,
    condition="a check or NOT NULL constraint is NOT VALID or NOT ENFORCED, or declared and lost, and rows break it",
    effect="the next update of such a row fails, or the constraint cannot be made again",
    remedy="correct the rows, or declare a repair: set_null or delete_where; then validate the constraint, or let "
    "govern repair apply schema bring it back",
)
FOREIGN_VALUE = Rule(
    id="integrity.foreign-value",
    name="values that the column's type does not have",
    severity=Severity.ERROR,
    condition="a column that is declared as an enum or a domain holds values that the type refuses, and so does one of "
    "numbers in SQLite that holds texts",
    effect="code fails on these rows when it reads them, and the column cannot be given its type",
    remedy="correct the values, or declare a repair: set_null or delete_where; then let govern repair apply schema "
    "bring the type back",
)
DAMAGED = Rule(
    id="integrity.damaged",
    name="the database's files are damaged",
    severity=Severity.CRITICAL,
    condition="SQLite's integrity_check, or PostgreSQL's amcheck, says so",
    effect="queries answer wrongly or fail, and backups take the damage along",
    remedy="stop writing, keep a copy of the files as they are, and restore: govern backup list",
)
RULES = (DUPLICATE, SEQUENCE_BEHIND, BROKEN_CHECK, FOREIGN_VALUE, DAMAGED)

EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCheck:
    """What was found, and what could not be looked at."""

    findings: tuple[Finding, ...]
    not_looked_at: tuple[NotLookedAt, ...]


def check_rows(
    connection: Connection,
    dialect: Dialect,
    manifest: Manifest | None,
    lost: LostPromises,
    *,
    path: str | None,
    seconds: float,
) -> RowCheck:
    """All of them, on a read-only connection; no statement takes longer than ``seconds``.

    ``lost``: what is declared of rows and not kept by the database. ``path`` is the manifest's.
    """
    tables = _find_unique(manifest, home_of_rows(connection, dialect))
    uniques = (*tables, *(one for one in lost.uniques if not any(map(one.is_as, tables))))
    found = (
        *dialect.find_duplicates(connection, uniques, examples=EXAMPLES, seconds=seconds),
        *dialect.read_sequence_positions(connection),
        *dialect.find_broken(connection, lost.promises, examples=EXAMPLES, seconds=seconds),
        *dialect.find_damage(connection, seconds=seconds),
    )
    return RowCheck(
        findings=tuple(finding for one in found for finding in _judge(one, tables, path)),
        not_looked_at=tuple(one for one in found if isinstance(one, NotLookedAt)),
    )


def _find_unique(manifest: Manifest | None, home: str) -> dict[Unique, CriticalTable]:
    tables = manifest.critical_tables if manifest else ()
    return {
        Unique.of_columns((table.namespace or home, table.table), columns): table
        for table in tables
        for columns in table.unique
    }


def _judge(
    found: Duplicates | SequencePosition | BrokenPromise | Damage | NotLookedAt,
    tables: Mapping[Unique, CriticalTable],
    path: str | None,
) -> Iterator[Finding]:
    match found:
        case Duplicates() if found.values:
            yield _duplicate(found, tables.get(found.unique), path)
        case SequencePosition() if found.is_behind:
            yield _sequence_behind(found)
        case BrokenPromise() if found.rows:
            yield _broken_promise(found)
        case Damage():
            yield _damaged(found)


def _duplicate(found: Duplicates, critical: CriticalTable | None, path: str | None) -> Finding:
    unique = found.unique
    where = f"{name_place(unique.table)} ({', '.join(unique.columns)})"
    verb = "is" if found.values == 1 else "are"
    lost = f": {unique.name} is declared, and the database has it not" if unique.name else ""
    subject = (
        Subject(kind="table", name=where, path=path, line=critical.line)
        if critical
        else Subject(kind="table", name=where)
    )
    return Finding.of(
        DUPLICATE,
        subject,
        f"{count_of(found.values, 'value')} of {where} {verb} there more than once{lost}: "
        f"{'; '.join(found.examples)}",
        severity=critical.severity if critical else None,
        remedy=f"see them: {found.query}",
        evidence={"values": found.values, "keys": list(found.examples), "query": found.query},
    )


def _sequence_behind(found: SequencePosition) -> Finding:
    sequence, column = name_place(found.sequence), f"{name_place(found.table)}.{found.column}"
    last = "has given no value yet" if found.last is None else f"gave {found.last} last"
    literal = quote_place(found.sequence).replace("'", "''")
    move = f"SELECT setval('{literal}', {found.largest});"
    return Finding.of(
        SEQUENCE_BEHIND,
        Subject(kind="sequence", namespace=found.sequence[0] or None, name=found.sequence[1]),
        f"the sequence {sequence} {last}, and {column} goes up to {found.largest}",
        remedy=f"move it on: {move}",
        evidence={"last": found.last, "largest": found.largest},
        fix=Fix(sql=(move,)),
    )


def _broken_promise(found: BrokenPromise) -> Finding:
    promise = found.promise
    rule = BROKEN_CHECK if promise.kind in ("check", "not null") else FOREIGN_VALUE
    keys = f"; keys: {'; '.join(found.examples)}" if found.examples else ""
    return Finding.of(
        rule,
        _subject_of(promise),
        f"{count_of(found.rows, 'row')} of {name_place(promise.table)} {_say_broken(found)}: {promise.doubt}{keys}",
        remedy=f"see them: {found.query}",
        evidence={
            "rows": found.rows,
            "keys": list(found.examples),
            "query": found.query,
            "repair": _suggest_repair(promise),
        },
    )


def _say_broken(found: BrokenPromise) -> str:
    promise, is_one = found.promise, found.rows == 1
    if promise.kind == "check":
        return f"{'breaks' if is_one else 'break'} the check {promise.name}"
    if promise.kind == "not null":
        return f"{'has' if is_one else 'have'} no {promise.column}, in spite of {promise.name}"
    return f"{'has' if is_one else 'have'} a {promise.column} that is no {promise.name}"


def _subject_of(promise: Promise) -> Subject:
    namespace, table = promise.table
    if promise.column is not None:
        return Subject(kind="column", namespace=namespace or None, name=f"{table}.{promise.column}")
    return Subject(kind="constraint", namespace=namespace or None, name=f"{table}.{promise.name}")


def _suggest_repair(promise: Promise) -> dict[str, str]:
    """A repair for the manifest, but for its name, reason and owner."""
    table = name_place(promise.table)
    if promise.column is not None and promise.kind != "not null":
        return {"kind": "set_null", "column": f"{table}.{promise.column}", "where": promise.broken}
    return {"kind": "delete_where", "table": table, "where": promise.broken}


def _damaged(found: Damage) -> Finding:
    subject = Subject(kind="index", name=found.what) if found.what else Subject(kind="database", name="file")
    return Finding.of(DAMAGED, subject, f"{found.what or 'the file'} is damaged: {found.said}")
