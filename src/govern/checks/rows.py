"""What a database's own rows and files say against it: duplicates, sequences, checks never made, damage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.core.finding import Finding, Fix, Rule, Severity, Subject
from govern.core.identifiers import quote_place
from govern.core.restoration import name_place
from govern.core.rows import BrokenCheck, Damage, Duplicates, NotLookedAt, SequencePosition, Unique
from govern.core.snapshot import default_namespace
from govern.core.wording import count_of
from govern.database.connection import Connection
from govern.database.dialect import Dialect

if TYPE_CHECKING:  # with pydantic, which is slow to import
    from govern.source.manifest import CriticalTable, Manifest

DUPLICATE = Rule(
    id="integrity.duplicate",
    name="rows that share what should tell them apart",
    severity=Severity.ERROR,
    condition="columns that the manifest calls unique, or an invalid unique index covers, have a value twice",
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
    name="rows break a check constraint",
    severity=Severity.ERROR,
    condition="a check constraint is NOT VALID or NOT ENFORCED, and rows break it",
    effect="the next update of such a row fails, whatever it is about",
    remedy="correct the rows; then ALTER TABLE … VALIDATE CONSTRAINT",
)
DAMAGED = Rule(
    id="integrity.damaged",
    name="the database's files are damaged",
    severity=Severity.CRITICAL,
    condition="SQLite's integrity_check, or PostgreSQL's amcheck, says so",
    effect="queries answer wrongly or fail, and backups take the damage along",
    remedy="stop writing, keep a copy of the files as they are, and restore: govern backup list",
)
RULES = (DUPLICATE, SEQUENCE_BEHIND, BROKEN_CHECK, DAMAGED)

EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCheck:
    """What was found, and what could not be looked at."""

    findings: tuple[Finding, ...]
    not_looked_at: tuple[NotLookedAt, ...]


def check_rows(
    connection: Connection, dialect: Dialect, manifest: Manifest | None, *, path: str | None, seconds: float
) -> RowCheck:
    """All four, on a read-only connection; no statement takes longer than ``seconds``. ``path`` is the manifest's."""
    tables = _find_unique(manifest, dialect)
    found = (
        *dialect.find_duplicates(connection, tuple(tables), examples=EXAMPLES, seconds=seconds),
        *dialect.read_sequence_positions(connection),
        *dialect.find_unchecked(connection, seconds=seconds),
        *dialect.find_damage(connection, seconds=seconds),
    )
    return RowCheck(
        findings=tuple(finding for one in found for finding in _judge(one, tables, path)),
        not_looked_at=tuple(one for one in found if isinstance(one, NotLookedAt)),
    )


def _find_unique(manifest: Manifest | None, dialect: Dialect) -> dict[Unique, CriticalTable]:
    tables = manifest.critical_tables if manifest else ()
    return {
        ((table.namespace or default_namespace(dialect.name), table.table), columns): table
        for table in tables
        for columns in table.unique
    }


def _judge(
    found: Duplicates | SequencePosition | BrokenCheck | Damage | NotLookedAt,
    tables: Mapping[Unique, CriticalTable],
    path: str | None,
) -> Iterator[Finding]:
    match found:
        case Duplicates() if found.values:
            yield _duplicate(found, tables.get((found.table, found.columns)), path)
        case SequencePosition() if found.is_behind:
            yield _sequence_behind(found)
        case BrokenCheck() if found.rows:
            yield _broken_check(found)
        case Damage():
            yield _damaged(found)


def _duplicate(found: Duplicates, critical: CriticalTable | None, path: str | None) -> Finding:
    where = f"{name_place(found.table)} ({', '.join(found.columns)})"
    verb = "is" if found.values == 1 else "are"
    subject = (
        Subject(kind="table", name=where, path=path, line=critical.line)
        if critical
        else Subject(kind="table", name=where)
    )
    return Finding.of(
        DUPLICATE,
        subject,
        f"{count_of(found.values, 'value')} of {where} {verb} there more than once: {'; '.join(found.examples)}",
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
        Subject(kind="sequence", namespace=found.sequence[0], name=found.sequence[1]),
        f"the sequence {sequence} {last}, and {column} goes up to {found.largest}",
        remedy=f"move it on: {move}",
        evidence={"last": found.last, "largest": found.largest},
        fix=Fix(sql=(move,)),
    )


def _broken_check(found: BrokenCheck) -> Finding:
    verb = "breaks" if found.rows == 1 else "break"
    return Finding.of(
        BROKEN_CHECK,
        Subject(kind="constraint", namespace=found.table[0] or None, name=f"{found.table[1]}.{found.name}"),
        f"{count_of(found.rows, 'row')} of {name_place(found.table)} {verb} the check {found.name}: {found.doubt}",
        remedy=f"see them: {found.query}",
        evidence={"rows": found.rows, "query": found.query},
    )


def _damaged(found: Damage) -> Finding:
    subject = Subject(kind="index", name=found.what) if found.what else Subject(kind="database", name="file")
    return Finding.of(DAMAGED, subject, f"{found.what or 'the file'} is damaged: {found.said}")
