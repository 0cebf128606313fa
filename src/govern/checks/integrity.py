"""Is what the manifest says of critical tables true? Reads rows' counts, never rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.identifiers import quote, quote_place
from govern.core.snapshot import default_namespace
from govern.core.wording import first_line

if TYPE_CHECKING:  # with pydantic, which is slow to import
    from govern.database.connection import Connection
    from govern.database.dialect import Dialect
    from govern.source.manifest import CriticalTable, Invariant, Manifest

MIN_ROWS = Rule(
    id="integrity.min-rows",
    name="fewer rows than a critical table must have",
    severity=Severity.CRITICAL,
    condition="a critical table has fewer rows than min_rows in the manifest",
    effect="the application finds no roles, no plans, no users: it starts, and nobody can use it",
    remedy="restore the table from a backup, or run the revision that seeds it",
)
EMPTY_VALUE = Rule(
    id="integrity.empty-value",
    name="empty values in a column that is never empty",
    severity=Severity.ERROR,
    condition="a never_empty column of the manifest holds NULL or blank text",
    effect="code that relies on the value fails on these rows only",
    remedy="fill the rows in, then let the schema refuse more: NOT NULL and a check constraint",
)
INVARIANT = Rule(
    id="integrity.invariant",
    name="an invariant does not hold",
    severity=Severity.ERROR,
    condition="the SQL of an invariant of the manifest does not return what it expects",
    effect="what the team declared to be always true is not",
    remedy="find the rows with the invariant's SQL and correct them",
)
UNUSABLE_INVARIANT = Rule(
    id="integrity.unusable-invariant",
    name="an invariant cannot be asked",
    severity=Severity.ERROR,
    condition="the SQL of an invariant of the manifest fails, is more than one statement, writes, or takes too long",
    effect="nobody knows whether what the team declared to be always true is",
    remedy="correct the SQL in the manifest: one SELECT that reads one value, from an index where the table is large",
)
RULES = (MIN_ROWS, EMPTY_VALUE, INVARIANT, UNUSABLE_INVARIANT)

INVARIANT_SECONDS = 60.0
"""How long one may take."""

_COUNT_EMPTY = "SELECT count(*) FROM {table} WHERE {column} IS NULL OR trim(CAST({column} AS text)) = ''"


def check_integrity(
    connection: Connection, dialect: Dialect, manifest: Manifest, *, path: str
) -> tuple[Finding, ...]:
    """Minimum rows, never-empty columns and invariants of the manifest, on a read-only connection.

    ``path`` is the manifest's, for the findings. The tables must exist: a missing one is drift, found elsewhere.
    """
    findings: list[Finding] = []
    home = connection.schema or default_namespace(dialect.name)
    tables = {(table.namespace or home, table.table): table for table in manifest.critical_tables}
    counts = dialect.count_rows(connection, tables)
    for (schema, name), table in tables.items():
        rows = counts.get(f"{schema}.{name}" if schema else name)
        if rows is None:
            continue
        if rows < table.min_rows:
            findings.append(_too_few_rows(table, rows, path))
        for column in table.never_empty:
            findings += _empty_values(connection, (schema, name), column, table, path)
    for invariant in manifest.invariants:
        findings += _check_invariant(connection, dialect, invariant, path)
    return tuple(findings)


def _too_few_rows(table: CriticalTable, rows: int, path: str) -> Finding:
    return Finding.of(
        MIN_ROWS,
        Subject(kind="table", name=table.name, path=path, line=table.line),
        f"{table.name} has {rows} rows, the manifest asks for at least {table.min_rows}",
        severity=table.severity,
        evidence={"rows": rows, "min_rows": table.min_rows},
    )


def _empty_values(
    connection: Connection, table_name: tuple[str, str], column: str, table: CriticalTable, path: str
) -> tuple[Finding, ...]:
    qualified = quote_place(table_name)
    count = connection.value(_COUNT_EMPTY.format(table=qualified, column=quote(column)))
    if not count:
        return ()
    return (
        Finding.of(
            EMPTY_VALUE,
            Subject(kind="column", name=f"{table.name}.{column}", path=path, line=table.line),
            f"{count} rows of {table.name} have no {column}",
            severity=table.severity,
            evidence={"rows": count},
        ),
    )


def _check_invariant(
    connection: Connection, dialect: Dialect, invariant: Invariant, path: str
) -> tuple[Finding, ...]:
    subject = Subject(kind="invariant", name=invariant.name, path=path, line=invariant.line)
    try:
        found = dialect.ask(connection, invariant.sql, seconds=INVARIANT_SECONDS)
    except dialect.errors() as error:
        message = f"{invariant.name} cannot be asked: {first_line(error)}"
        return (Finding.of(UNUSABLE_INVARIANT, subject, message, severity=invariant.severity),)
    if found == invariant.expect:
        return ()
    return (
        Finding.of(
            INVARIANT,
            subject,
            f"{invariant.name}: expected {invariant.expect!r}, found {found!r}",
            severity=invariant.severity,
            evidence={"expected": invariant.expect, "found": str(found)},
        ),
    )
