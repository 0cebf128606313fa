"""What the declared schema has to say about the SQL and the names of an application's code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from govern.checks.scan.ignores import Placed, apply_ignores
from govern.checks.scan.placeholders import NAME_HOLE, Statement, split_statements
from govern.checks.scan.relations import read_named
from govern.checks.scan.rules import (
    NOT_UNDERSTOOD,
    UNDEFINED_COLUMN,
    UNDEFINED_FUNCTION,
    UNDEFINED_TABLE,
    UNREAD,
    UNVERIFIED,
    WRONG_TYPE,
)
from govern.core.code import CodeFile, NameUse, SqlText
from govern.core.finding import Finding, Rule, Subject
from govern.core.objection import Objection, ObjectionKind
from govern.core.restoration import Place, name_place

Judge = Callable[[Statement], Objection | None]
Relations = Mapping[Place, tuple[str, ...]]

_RULES: Mapping[ObjectionKind, tuple[Rule, str]] = {
    "undefined-table": (UNDEFINED_TABLE, "table"),
    "undefined-column": (UNDEFINED_COLUMN, "column"),
    "undefined-function": (UNDEFINED_FUNCTION, "function"),
    "wrong-type": (WRONG_TYPE, "statement"),
}
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The declared schema, as statements meet it."""

    relations: Relations
    search_path: tuple[str, ...]
    """Where names without a schema are looked for; of SQLite no name at all."""
    judge: Judge
    reads_grammar: bool
    """Whether it is PostgreSQL's, so that its grammar can be asked which tables a statement names."""

    def find(self, schema: str, name: str) -> tuple[str, ...] | None:
        """The columns of a table; None where there is none of the name."""
        places = [(schema, name)] if schema else [(one, name) for one in self.search_path]
        return next((self.relations[place] for place in places if place in self.relations), None)


@dataclass(slots=True)
class Judged:
    """What came of it."""

    findings: list[Finding] = field(default_factory=list)
    statements: int = 0
    unverified: int = 0


def judge_code(files: Iterable[CodeFile], schema: Schema) -> Judged:
    """Everything that the files ask for, held against the schema."""
    files = tuple(files)
    judged = Judged()
    own = _find_created(files, schema)
    for file in files:
        if file.problem:
            judged.findings.append(_unread(file))
        judged.findings += apply_ignores(file, tuple(_judge_file(file, schema, own, judged)))
    return judged


def _judge_file(file: CodeFile, schema: Schema, own: frozenset[str], judged: Judged) -> Iterator[Placed]:
    for sql in file.sql:
        for finding in _judge_text(sql, schema, own, judged):
            yield Placed(finding=finding, begins=sql.spot.line)
    for finding in _judge_names(file.names, schema):
        yield Placed(finding=finding, begins=finding.subject.line or 0)


def _find_created(files: Iterable[CodeFile], schema: Schema) -> frozenset[str]:
    """Tables that the code makes for itself, as temporary ones."""
    if not schema.reads_grammar:
        return frozenset()
    texts = (
        sql.text for file in files for sql in file.sql if re.search(r"\bcreate\b|\binto\b", sql.text, re.I)
    )
    statements = (statement for text in texts for statement in split_statements(text))
    named = (read_named(statement.sql) for statement in statements)
    return frozenset(name for found in named if found for name in found[1])


def _judge_text(sql: SqlText, schema: Schema, own: frozenset[str], judged: Judged) -> Iterator[Finding]:
    tried = [_Tried.of(sql, hole, schema) for hole in ((None,) if sql.is_whole else (None, "", NAME_HOLE))]
    understood = next((one for one in tried if not one.is_misunderstood), None)
    chosen = understood or tried[0]
    judged.statements += max(1, len(chosen.statements))
    if understood is None and not sql.is_whole:
        judged.unverified += 1
        yield from _find_missing_tables(sql, tried[-1], schema, own)
        yield _unverified(sql)
        return
    for statement, objection in zip(chosen.statements, chosen.objections, strict=True):
        yield from _explain(sql, statement, objection, schema, own)
    if not sql.is_whole and _shapes_the_statement(sql):
        judged.unverified += 1
        yield _unverified(sql)


@dataclass(frozen=True, slots=True)
class _Tried:
    """A text as statements, with something in place of its holes."""

    statements: tuple[Statement, ...]
    objections: tuple[Objection | None, ...]

    @classmethod
    def of(cls, sql: SqlText, hole: str | None, schema: Schema) -> _Tried:
        statements = tuple(split_statements(sql.text, hole=hole))
        return cls(statements, tuple(map(schema.judge, statements)))

    @property
    def is_misunderstood(self) -> bool:
        return not self.statements or any(
            one is not None and (one.kind == "syntax" or NAME_HOLE in one.name) for one in self.objections
        )


def _find_missing_tables(
    sql: SqlText, tried: _Tried, schema: Schema, own: frozenset[str]
) -> Iterator[Finding]:
    """Of a statement that can only be read, and not prepared."""
    for statement, objection in zip(tried.statements, tried.objections, strict=True):
        for place in _find_missing(statement, objection, schema, own):
            yield _missing_table(sql, statement, place, schema)


_VALUE_BEFORE = re.compile(
    r"(?:[=<>(+\-*/|]|\b(?:LIKE|ILIKE|LIMIT|OFFSET|BETWEEN|IN|VALUES))\s*'?%?$", re.IGNORECASE
)


def _shapes_the_statement(sql: SqlText) -> bool:
    """Whether a hole may be more than a value: a name, a condition, a part of the statement."""
    before = sql.text.split("\ufffc")[:-1]
    return not all(_VALUE_BEFORE.search(part) for part in before)


def _explain(
    sql: SqlText, statement: Statement, objection: Objection | None, schema: Schema, own: frozenset[str]
) -> Iterator[Finding]:
    missing = _find_missing(statement, objection, schema, own)
    for place in missing:
        yield _missing_table(sql, statement, place, schema)
    if objection is None or missing or NAME_HOLE in objection.name:
        return
    if objection.kind == "undefined-table" and objection.name.rpartition(".")[2] in own:
        return
    if objection.kind == "syntax":
        if sql.reached == "statement":
            yield _finding(
                NOT_UNDERSTOOD, "statement", _excerpt(statement.sql), sql, statement, objection, ()
            )
        return
    if objection.kind in _RULES:
        rule, kind = _RULES[objection.kind]
        name = objection.name or _excerpt(statement.sql)
        close = _close_columns(objection, schema) if kind == "column" else ()
        yield _finding(rule, kind, name, sql, statement, objection, close)


_LOOKED_UP = re.compile(r"\s*(?:select|insert|update|delete|merge|with|values)\b", re.IGNORECASE)
"""What the database looks every name up of; the grammar, which takes longer, need not be asked."""


def _find_missing(
    statement: Statement, objection: Objection | None, schema: Schema, own: frozenset[str]
) -> tuple[Place, ...]:
    """All tables that there are not: a database names only the first, and none in what defines something."""
    if not schema.reads_grammar:
        if objection is not None and objection.kind == "undefined-table":
            return (("", objection.name.rpartition(".")[2]),)
        return ()
    is_looked_up = _LOOKED_UP.match(statement.sql) is not None
    if is_looked_up and (objection is None or objection.kind not in ("undefined-table", "syntax")):
        return ()
    named = read_named(statement.sql)
    needed = named[0] if named else frozenset()
    return tuple(
        place
        for place in sorted(needed, key=name_place)
        if schema.find(*place) is None and place[1] not in own and NAME_HOLE not in place[1]
    )


def _missing_table(sql: SqlText, statement: Statement, place: Place, schema: Schema) -> Finding:
    name = name_place(place)
    found = re.search(rf"(?<![\w.]){re.escape(place[1])}(?!\w)", statement.sql)
    objection = Objection(
        kind="undefined-table",
        message=f"there is no table {name}",
        name=name,
        offset=found.start() if found else None,
    )
    return _finding(UNDEFINED_TABLE, "table", name, sql, statement, objection, _close_tables(place, schema))


def _finding(
    rule: Rule,
    kind: str,
    name: str,
    sql: SqlText,
    statement: Statement,
    objection: Objection,
    close: tuple[str, ...],
) -> Finding:
    offset = objection.offset if objection.offset is not None else _first(statement.sql)
    spot = sql.find_spot(statement.find_origin(min(offset, max(0, len(statement.sql) - 1))))
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    return Finding.of(
        rule,
        Subject(kind=kind, name=name, path=spot.path, line=spot.line),
        f"{objection.message}{meant}",
        evidence={
            "column": spot.column,
            "via": sql.via,
            "statement": _excerpt(statement.sql),
            **({"did_you_mean": list(close)} if close else {}),
        },
    )


def _judge_names(names: Iterable[NameUse], schema: Schema) -> Iterator[Finding]:
    for use in names:
        table, column = (use.name, None) if use.kind == "table" else _split_column(use.name)
        place = _split(table)
        columns = schema.find(*place)
        if columns is None:
            close = _close_tables(place, schema)
            yield _name_finding(UNDEFINED_TABLE, "table", name_place(place), use, "there is no table", close)
        elif column is not None and column not in columns:
            near = tuple(difflib.get_close_matches(column, columns, 2))
            yield _name_finding(UNDEFINED_COLUMN, "column", use.name, use, "there is no column", near)


def _name_finding(
    rule: Rule, kind: str, name: str, use: NameUse, sentence: str, close: tuple[str, ...]
) -> Finding:
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    return Finding.of(
        rule,
        Subject(kind=kind, name=name, path=use.spot.path, line=use.spot.line),
        f"{sentence} {name}{meant}",
        evidence={
            "column": use.spot.column,
            "via": use.via,
            **({"did_you_mean": list(close)} if close else {}),
        },
    )


def _unverified(sql: SqlText) -> Finding:
    spot = sql.spot
    return Finding.of(
        UNVERIFIED,
        Subject(
            kind="statement", name=_excerpt(sql.text.replace("\ufffc", "…")), path=spot.path, line=spot.line
        ),
        "a part of the statement is only known when it runs",
        evidence={"column": spot.column, "via": sql.via},
    )


def _unread(file: CodeFile) -> Finding:
    return Finding.of(UNREAD, Subject(kind="file", name=file.path, path=file.path), file.problem)


def _split(name: str) -> Place:
    schema, _, table = name.rpartition(".")
    return (schema, table)


def _split_column(name: str) -> tuple[str, str | None]:
    """``auth.users`` and ``id``; a name alone is a table, whose column is the one that refers to it."""
    table, _, column = name.rpartition(".")
    return (table, column) if table else (name, None)


def _close_tables(place: Place, schema: Schema) -> tuple[str, ...]:
    """Tables of nearly this name, and of just this name in another schema."""
    ours = [one for one in schema.relations if one[0] not in ("pg_catalog", "information_schema", "pg_toast")]
    elsewhere = [name_place(one) for one in ours if one[1] == place[1]]
    near = difflib.get_close_matches(place[1], [one[1] for one in ours], 2, 0.75)
    return tuple(dict.fromkeys([*elsewhere, *near]))[:2]


def _close_columns(objection: Objection, schema: Schema) -> tuple[str, ...]:
    ours = {
        column
        for place, columns in schema.relations.items()
        if place[0] != "pg_catalog"
        for column in columns
    }
    return tuple(difflib.get_close_matches(objection.name.rpartition(".")[2], ours, 2, 0.75))


def _first(sql: str) -> int:
    return len(sql) - len(sql.lstrip())


def _excerpt(sql: str) -> str:
    """On one line, and not too long."""
    flat = " ".join(sql.split())
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"
