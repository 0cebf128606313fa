"""What was seen to block a busy database: locks held while tables are rewritten or read, seen on a copy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from govern.checks.lint import recipes
from govern.checks.lint.pending import Pending
from govern.checks.lint.rules import (
    BLOCKING_REWRITE,
    BLOCKING_SCAN,
    CHECK_VALIDATED,
    CONSTRAINT_BUILDS_INDEX,
    FOREIGN_KEY_VALIDATED,
    INDEX_NOT_CONCURRENT,
    INVALID_INDEX,
    MANY_EXCLUSIVE_TABLES,
    NOT_NULL_SCAN,
    SLOW_STATEMENT,
    TYPE_CHANGE_REWRITE,
    VOLATILE_DEFAULT_REWRITE,
)
from govern.checks.lint.statements import (
    Act,
    AddColumn,
    AddConstraint,
    ChangeType,
    CreateIndex,
    DeleteRows,
    SetNotNull,
    read_statement,
)
from govern.core.finding import Finding, Rule
from govern.core.observation import Observation, TableLock
from govern.core.wording import name_seconds, name_size

_ENDS = re.compile(r"\s*(COMMIT|END|ROLLBACK|ABORT)\b(?!\s+TO\b)", re.IGNORECASE)
_LEAST_SECONDS = 0.1
"""Less is not worth a word, and on an empty copy it means nothing."""


def find_blocking(pending: Pending) -> Iterator[Finding]:
    """One finding for each part of a statement that blocks others while it works. Raises ToolMissing."""
    transaction: _Transaction | None = None
    for observation in pending.observations:
        if transaction is None or transaction.has_ended_before(observation, pending.commits_each):
            if transaction is not None:
                yield from _many_exclusive(transaction, pending)
            transaction = _Transaction(observation.revision)
        transaction.take(observation, pending)
        yield from _statement(_Seen(observation, transaction.held, pending))
    if transaction is not None:
        yield from _many_exclusive(transaction, pending)


@dataclass(slots=True)
class _Transaction:
    """The locks held so far on tables that others use."""

    revision: str
    in_transaction: bool = True
    held: dict[str, TableLock] = field(default_factory=dict)
    """The strongest of each table."""
    exclusive: dict[str, Observation] = field(default_factory=dict)
    """The statement that made each table unusable."""

    def has_ended_before(self, observation: Observation, commits_each: bool) -> bool:
        if not (self.in_transaction and observation.in_transaction):
            return True
        return commits_each and self.revision != observation.revision

    def take(self, observation: Observation, pending: Pending) -> None:
        self.in_transaction = observation.in_transaction and not _ENDS.match(observation.sql)
        for lock in _locks(observation):
            if pending.is_created(lock.table):
                continue
            if lock.blocks_reads:
                self.exclusive.setdefault(lock.table, observation)
            if lock.table not in self.held or _strength(lock) > _strength(self.held[lock.table]):
                self.held[lock.table] = lock


def _strength(lock: TableLock) -> int:
    return lock.blocks_reads + lock.blocks_writes


def _locks(observation: Observation) -> tuple[TableLock, ...]:
    """Those seen; of a statement that committed by itself, and whose locks were gone, those documented for it.

    postgresql.org/docs/current/explicit-locking.html: CREATE INDEX takes SHARE, most of ALTER TABLE ACCESS EXCLUSIVE.
    """
    costly = (*observation.rewrites, *observation.scans)
    if observation.locks or observation.in_transaction or not costly:
        return observation.locks
    for act in read_statement(observation.sql):
        if isinstance(act, CreateIndex) and not act.is_concurrent:
            return tuple(TableLock(table=table, mode="SHARE") for table in costly)
        if isinstance(act, AddColumn | AddConstraint | ChangeType | SetNotNull):
            return tuple(TableLock(table=table, mode="ACCESS EXCLUSIVE") for table in costly)
    return ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A statement, and the locks its transaction holds while it runs."""

    observation: Observation
    held: Mapping[str, TableLock]
    pending: Pending

    def blocks(self, table: str) -> bool:
        return table in self.held and self.held[table].blocks_writes

    def costs(self, tables: Iterable[str]) -> tuple[str, ...]:
        """Of the tables it worked through those whose users wait meanwhile."""
        return tuple(table for table in tables if self.blocks(table))

    def finding(self, rule: Rule, tables: tuple[str, ...], what: str, name: str, **more: str) -> Finding:
        """``name``: what the finding is about, ``kind:name``."""
        kind, _, called = name.partition(":")
        namespace, _, table = tables[0].rpartition(".")
        size = self.pending.size_of(tables[0])
        return Finding.of(
            rule,
            self.pending.subject(
                self.observation.revision,
                kind,
                called or table,
                line=self.pending.line_of(self.observation),
                namespace=namespace or None,
            ),
            f"{what} {self._consequence(tables)}",
            severity=self.pending.weigh(rule, tables),
            remedy=more.get("remedy", ""),
            evidence={
                "revision": self.observation.revision,
                "tables": list(tables),
                "lock": self.held[tables[0]].mode,
                "seconds": round(self.observation.seconds, 3),
                **({"rows": size.rows, "bytes": size.bytes} if size else {}),
                "sql": _shorten(self.observation.sql),
            },
        )

    def _consequence(self, tables: tuple[str, ...]) -> str:
        """``blocks all writes to users, 5.2 M rows, about 40 s in the rehearsal``."""
        is_unusable = any(self.held[table].blocks_reads for table in tables)
        whom = "all reads and writes of" if is_unusable else "all writes to"
        named = " and ".join(self._name(table) for table in tables)
        seconds = self.observation.seconds
        duration = f", about {name_seconds(seconds)} in the rehearsal" if seconds >= _LEAST_SECONDS else ""
        return f"blocks {whom} {named}{duration}"

    def _name(self, table: str) -> str:
        rows = self.pending.count_rows(table)
        return _short(table) if rows is None else f"{_short(table)}, {name_size(rows)} rows"


def _statement(seen: _Seen) -> Iterator[Finding]:
    observation = seen.observation
    open_tables = dict.fromkeys(seen.costs((*observation.rewrites, *observation.scans)))
    found = False
    for act in read_statement(observation.sql) if open_tables else ():
        tables = tuple(table for table in open_tables if _concerns(act, table))
        if _is_over_at_once(act, tables, observation):
            open_tables = {table: None for table in open_tables if table not in tables}
            continue
        finding = _explain(seen, act, tables) if tables else None
        if finding is not None:
            found = True
            yield finding
            open_tables = {table: None for table in open_tables if table not in tables}
    if open_tables:
        found = True
        yield _unexplained(seen, tuple(open_tables))
    if not found and observation.seconds >= seen.pending.thresholds.slow_seconds:
        yield from _slow(seen)
    yield from _invalid(seen)


def _is_over_at_once(act: Act, tables: tuple[str, ...], observation: Observation) -> bool:
    """TRUNCATE makes new files without a row in them. A column that is NOT NULL without a default is proven by
    reading the table, and refused at the first row; squawk has a rule for it."""
    if isinstance(act, DeleteRows):
        return act.verb == "TRUNCATE"
    return isinstance(act, AddColumn) and act.default is None and not set(tables) & set(observation.rewrites)


def _concerns(act: Act, table: str) -> bool:
    """A foreign key reads the referenced table, too."""
    is_target = isinstance(act, AddConstraint) and act.target is not None and act.target.is_called(table)
    return act.table.is_called(table) or is_target


def _explain(seen: _Seen, act: Act, tables: tuple[str, ...]) -> Finding | None:
    """The finding of the rule made for this act; None where it is not what costs."""
    if any(table in seen.observation.rewrites for table in tables):
        return _rewrite(seen, act, tables)
    match act:
        case CreateIndex(is_concurrent=False):
            name = act.name or f"on {act.table}"
            return seen.finding(
                INDEX_NOT_CONCURRENT,
                tables,
                f"building index {name}",
                f"index:{name}",
                remedy=recipes.build_concurrently(act),
            )
        case AddConstraint():
            return _constraint(seen, act, tables)
        case SetNotNull():
            column = f"{act.table.name}.{act.column}"
            return seen.finding(
                NOT_NULL_SCAN,
                tables,
                f"setting {column} NOT NULL",
                f"column:{column}",
                remedy=recipes.prove_not_null(act),
            )
        case ChangeType():
            return _retyping(seen, act, tables)
    return None


def _rewrite(seen: _Seen, act: Act, tables: tuple[str, ...]) -> Finding | None:
    match act:
        case AddColumn():
            column = f"{act.table.name}.{act.column}"
            has_recipe = act.is_numbered or act.default is not None
            return seen.finding(
                VOLATILE_DEFAULT_REWRITE,
                tables,
                f"adding {column} with a value for each row",
                f"column:{column}",
                remedy=recipes.fill_in_batches(act) if has_recipe else "",
            )
        case ChangeType():
            return _retyping(seen, act, tables)
    return None


def _retyping(seen: _Seen, act: ChangeType, tables: tuple[str, ...]) -> Finding:
    column = f"{act.table.name}.{act.column}"
    return seen.finding(
        TYPE_CHANGE_REWRITE,
        tables,
        f"changing the type of {column} to {act.type}",
        f"column:{column}",
        remedy=recipes.change_over(act),
    )


def _constraint(seen: _Seen, act: AddConstraint, tables: tuple[str, ...]) -> Finding:
    """Its own table is told first."""
    tables = tuple(sorted(tables, key=lambda table: not act.table.is_called(table)))
    called = act.name or " ".join(("of", f"{act.table.name}.{', '.join(act.columns)}"))
    subject = f"constraint:{act.table.name}.{act.name or ', '.join(act.columns)}"
    if act.kind == "foreign key":
        locked = seen.costs((*tables, *(t for t in seen.held if act.target and act.target.is_called(t))))
        return seen.finding(
            FOREIGN_KEY_VALIDATED,
            tuple(dict.fromkeys(locked)),
            f"validating foreign key {called}",
            subject,
            remedy=recipes.validate_later(act),
        )
    if act.kind == "check":
        return seen.finding(
            CHECK_VALIDATED,
            tables,
            f"validating check {called}",
            subject,
            remedy=recipes.validate_later(act),
        )
    return seen.finding(
        CONSTRAINT_BUILDS_INDEX,
        tables,
        f"building the index of {act.kind} {called}",
        subject,
        remedy="" if act.kind == "exclusion" else recipes.constrain_by_index(act),
    )


def _unexplained(seen: _Seen, tables: tuple[str, ...]) -> Finding:
    is_rewrite = any(table in seen.observation.rewrites for table in tables)
    rule = BLOCKING_REWRITE if is_rewrite else BLOCKING_SCAN
    done = "writing" if is_rewrite else "reading"
    return seen.finding(rule, tables, f"{done} all of {_listed(tables)}", "table:")


def _slow(seen: _Seen) -> Iterator[Finding]:
    tables = seen.costs(seen.held)
    if tables:
        yield seen.finding(SLOW_STATEMENT, tables, f"“{_shorten(seen.observation.sql, 60)}”", "table:")


def _invalid(seen: _Seen) -> Iterator[Finding]:
    observation = seen.observation
    for index in observation.invalid_indexes:
        namespace, _, name = index.rpartition(".")
        yield Finding.of(
            INVALID_INDEX,
            seen.pending.subject(
                observation.revision,
                "index",
                name,
                line=seen.pending.line_of(observation),
                namespace=namespace or None,
            ),
            f"index {index} is left invalid",
            remedy=recipes.rebuild_index(index),
            evidence={"revision": observation.revision, "sql": _shorten(observation.sql)},
        )


def _many_exclusive(transaction: _Transaction, pending: Pending) -> Iterator[Finding]:
    if len(transaction.exclusive) < 2:
        return
    tables = tuple(transaction.exclusive)
    last = tuple(transaction.exclusive.values())[-1]
    yield Finding.of(
        MANY_EXCLUSIVE_TABLES,
        pending.subject(last.revision, "revision", last.revision, line=pending.line_of(last)),
        f"one transaction makes {_listed(tables)} unusable, and keeps them all until its end",
        severity=pending.weigh(MANY_EXCLUSIVE_TABLES, tables),
        evidence={"tables": list(tables)},
    )


def _listed(tables: tuple[str, ...]) -> str:
    *others, last = map(_short, tables)
    return f"{', '.join(others)} and {last}" if others else last


def _short(table: str) -> str:
    return table.removeprefix("public.")


def _shorten(sql: str, longest: int = 200) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
