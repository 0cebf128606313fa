"""What is linted: revisions, what their text says, and what was seen when they ran on a copy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from govern.core.finding import Rule, Severity, Subject
from govern.core.observation import Observation
from govern.core.plan import TableSize
from govern.revisions.graph import RevisionFile
from govern.revisions.operations import Operation, Revision, read_operations, tables_created


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From when on something matters; the manifest's ``lint`` section."""

    small_table_rows: int = 10_000
    slow_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """One run of revisions that is still to come."""

    revisions: tuple[RevisionFile, ...]
    """In apply order."""
    texts: Mapping[str, Revision]
    """What each does, by its id."""
    root: Path
    created: frozenset[str] = frozenset()
    """Tables that the run itself creates: nobody uses them yet. As written, and as ``schema.name``."""
    observations: tuple[Observation, ...] = ()
    """Empty where nothing could be run."""
    sizes: Mapping[str, TableSize] = field(default_factory=dict)
    """Of the live tables, by ``schema.name``; empty where they are not known."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    commits_each: bool = False
    """``transaction_per_migration``; otherwise Alembic runs all of them in one transaction."""

    def is_created(self, table: str | None) -> bool:
        """Whether the run creates the table, however it is spelled."""
        return table is not None and any(_are_one(table, made) for made in self.created)

    def size_of(self, table: str) -> TableSize | None:
        """Of a table with or without its namespace; without, only if no two namespaces have it."""
        found = self.sizes.get(table)
        if found is not None or "." in table:
            return found
        alike = [size for name, size in self.sizes.items() if name.endswith(f".{table}")]
        return alike[0] if len(alike) == 1 else None

    def count_rows(self, table: str | None) -> int | None:
        """Estimated; None where nobody knows."""
        size = self.size_of(table) if table else None
        return size.rows if size else None

    def weigh(self, rule: Rule, tables: Iterable[str]) -> Severity:
        """The rule's severity, or info where every table concerned is known to be small."""
        counts = [self.count_rows(table) for table in tables]
        is_small = bool(counts) and all(
            rows is not None and rows < self.thresholds.small_table_rows for rows in counts
        )
        return Severity.INFO if is_small else rule.severity

    def subject(
        self, revision: str, kind: str, name: str, *, line: int, namespace: str | None = None
    ) -> Subject:
        """Something at a line of a revision's file."""
        path = next(file.path for file in self.revisions if file.revision == revision)
        shown = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        return Subject(kind=kind, name=name, namespace=namespace, path=shown, line=line)

    def line_of(self, observation: Observation) -> int:
        """The line of the operation that ran the statement, as far as names tell; else of ``upgrade``."""
        operations = self.texts[observation.revision].upgrade
        sql = _normal(observation.sql)
        ranked = [(_likeness(operation, sql), operation.line) for operation in operations]
        best = max((likeness for likeness, _ in ranked), default=0.0)
        if best > 0:
            return next(line for likeness, line in ranked if likeness == best)
        return next(file for file in self.revisions if file.revision == observation.revision).line_of(
            "upgrade"
        )


def read_pending(
    revisions: tuple[RevisionFile, ...],
    *,
    root: Path,
    observations: Iterable[Observation] = (),
    sizes: Mapping[str, TableSize] | None = None,
    thresholds: Thresholds | None = None,
    commits_each: bool = False,
) -> Pending:
    """Reads the revisions' files. Observations of other revisions are left out."""
    texts = {file.revision: read_operations(file.path) for file in revisions}
    seen = tuple(observation for observation in observations if observation.revision in texts)
    return Pending(
        revisions=revisions,
        texts=texts,
        root=root,
        created=tables_created(texts.values()).union(*(observation.creates for observation in seen)),
        observations=seen,
        sizes=sizes or {},
        thresholds=thresholds or Thresholds(),
        commits_each=commits_each,
    )


def _are_one(table: str, other: str) -> bool:
    """Whether both can name one table; a name without a namespace can be in any."""
    if "." in table and "." in other:
        return table == other
    return table.rpartition(".")[2] == other.rpartition(".")[2]


_SQL_OF: Mapping[str, str] = {
    "add_column": r"\bADD COLUMN\b|\bFOREIGN KEY\b|\bCREATE (UNIQUE )?INDEX\b|\bCOMMENT ON COLUMN\b",
    "alter_column": r"\bALTER COLUMN\b|\bRENAME\b|\bCOMMENT ON COLUMN\b",
    "bulk_insert": r"^INSERT\b",
    "create_check_constraint": r"\bCHECK\b",
    "create_exclude_constraint": r"\bEXCLUDE\b",
    "create_foreign_key": r"\bFOREIGN KEY\b",
    "create_index": r"^CREATE (UNIQUE )?INDEX\b",
    "create_primary_key": r"\bPRIMARY KEY\b",
    "create_table": r"^CREATE (TABLE|(UNIQUE )?INDEX|TYPE)\b|^COMMENT ON\b",
    "create_unique_constraint": r"\bUNIQUE\b",
    "drop_column": r"\bDROP COLUMN\b",
    "drop_constraint": r"\bDROP CONSTRAINT\b",
    "drop_index": r"^DROP INDEX\b",
    "drop_table": r"^DROP TABLE\b",
    "rename_table": r"\bRENAME TO\b",
}
"""What the statements of an operation look like."""


def _likeness(operation: Operation, sql: str) -> float:
    """0: the statement is not this operation's; 1: all the names in the one occur in the other; 2: it is the text."""
    if operation.name == "execute":
        written = _normal(operation.sql or "").rstrip("; ")
        return 2.0 if written and "?" not in written and written in sql else _share(operation, sql) / 10
    pattern = _SQL_OF.get(operation.name)
    if pattern is None or not re.search(pattern, sql, re.IGNORECASE):
        return 0.0
    return 0.1 + _share(operation, sql)


def _share(operation: Operation, sql: str) -> float:
    names = {text for text in (*operation.texts, operation.table or "") if text.isidentifier()}
    found = sum(bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql)) for name in names)
    return found / len(names) if names else 0.0


def _normal(sql: str) -> str:
    return " ".join(sql.split())
