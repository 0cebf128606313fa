"""What the schema has to say about one text of SQL, in findings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from govern.checks.scan.findings import missing_table, name_statement, refused_statement, unverified
from govern.checks.scan.inner import find_inner
from govern.checks.scan.placeholders import NAME_HOLE, Statement, split_statements
from govern.checks.scan.reconsidering import reconsider
from govern.checks.scan.relations import read_columns, read_named
from govern.checks.scan.rules import (
    NOT_UNDERSTOOD,
    UNDEFINED_COLUMN,
    UNDEFINED_FUNCTION,
    UNDEFINED_TABLE,
    WRONG_TYPE,
)
from govern.checks.scan.schema import Schema
from govern.checks.scan.understanding import Understood
from govern.core.code import HOLE, CodeFile, SqlText
from govern.core.finding import Finding, Rule
from govern.core.objection import Objection, ObjectionKind
from govern.core.restoration import Place, name_place

_RULES: Mapping[ObjectionKind, tuple[Rule, str]] = {
    "undefined-table": (UNDEFINED_TABLE, "table"),
    "undefined-column": (UNDEFINED_COLUMN, "column"),
    "undefined-function": (UNDEFINED_FUNCTION, "function"),
    "wrong-type": (WRONG_TYPE, "statement"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one text."""

    findings: tuple[Finding, ...]
    statements: int
    is_unverified: bool
    """Whether a part of it is only known when it runs, and that part is no value."""


def judge_text(sql: SqlText, understood: Understood, schema: Schema, own: frozenset[str]) -> Verdict:
    """``own``: the tables that the code makes for itself."""
    if understood.is_only_read:
        findings = list(_find_missing_tables(sql, understood, schema, own))
    else:
        findings = [
            finding
            for statement, objection in understood.each
            for finding in (
                tuple(_explain(sql, statement, objection, schema, own))
                or (_explain_inner(sql, statement, schema, own) if objection is None else ())
            )
        ]
    is_unverified = understood.is_only_read or (not sql.is_whole and _shapes_the_statement(sql))
    if is_unverified:
        findings.append(unverified(sql))
    return Verdict(findings=tuple(findings), statements=understood.count, is_unverified=is_unverified)


_CREATED = re.compile(
    r"\brename\s+to\s+[\"`\[]?(\w+)|"
    r"\bcreate\s+(?:(?:temp\w*|local|global|unlogged|virtual|foreign|materialized)\s+)*(?:table|view)\s+(?:if\s+not\s+exists\s+)?(?:\w+\.)?[\"`\[]?(\w+)",
    re.IGNORECASE,
)


def find_created(files: Iterable[CodeFile], schema: Schema) -> frozenset[str]:
    """Tables that the code makes for itself, as temporary ones, in whichever file."""
    files = tuple(files)
    made = frozenset(name.rpartition(".")[2] for file in files for name in file.makes)
    texts = {sql.text for file in files for sql in file.sql if sql.may_create}
    if not schema.reads_grammar:
        return made | {found[found.lastindex or 1] for text in texts for found in _CREATED.finditer(text)}
    statements = [
        statement for text in texts for statement in split_statements(text, hole="" if HOLE in text else None)
    ]
    statements += [
        inner.statement
        for statement in statements
        for inner in find_inner(statement, schema.columns, reads_grammar=True)
        if inner.is_of_routine
    ]
    return made.union(*(_name_created(statement) for statement in statements))


def _name_created(statement: Statement) -> Iterable[str]:
    """By the grammar, and by how it begins where half of it is not known."""
    named = read_named(statement.sql)
    return named[1] if named else (found[found.lastindex or 1] for found in _CREATED.finditer(statement.sql))


_COMMON = re.compile(
    r"(?:\bWITH(?:\s+RECURSIVE)?|,|\))\s*(\w+)\s*(?:\([^()]*\))?\s+AS\s+(?:NOT\s+)?"
    r"(?:MATERIALIZED\s*)?\(",
    re.IGNORECASE,
)


_TEMPORARY = re.compile(
    r"\bTEMP(?:ORARY)?\s+(?:TABLE\s+|VIEW\s+)?(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)", re.IGNORECASE
)


def find_temporary(texts: Iterable[SqlText]) -> frozenset[str]:
    """Temporary tables of the code, which hide those of the schema that are called like them."""
    return frozenset(found[1] for sql in texts if sql.may_create for found in _TEMPORARY.finditer(sql.text))


def find_common(texts: Iterable[SqlText]) -> frozenset[str]:
    """What statements of a file call their queries in WITH: what is a piece of a statement may name them."""
    return frozenset(found[1].lower() for sql in texts for found in _COMMON.finditer(sql.text))


def _find_missing_tables(
    sql: SqlText, understood: Understood, schema: Schema, own: frozenset[str]
) -> Iterator[Finding]:
    """Of a statement that can only be read, and not prepared."""
    for statement, objection in understood.each:
        for place in _find_missing(statement, objection, schema, own):
            yield missing_table(sql, statement, place, schema)


_LOOKED_BACK = 400
"""Characters: rows of VALUES are longer at most where a program wrote them."""
_VALUE_BEFORE = re.compile(
    r"(?:[=<>(+\-*/|]|\b(?:LIKE|ILIKE|LIMIT|OFFSET|BETWEEN|IN|VALUES)|\b(?:VALUES|IN)\s*(?:\([^()]*\)\s*,\s*)*\([^()]*,)\s*'?%?$",
    re.IGNORECASE,
)


def _shapes_the_statement(sql: SqlText) -> bool:
    """Whether a hole may be more than a value: a name, a condition, a part of the statement."""
    holes = (found.start() for found in re.finditer(HOLE, sql.text))
    return not all(_VALUE_BEFORE.search(sql.text[max(0, at - _LOOKED_BACK) : at]) for at in holes)


def _explain(
    sql: SqlText, statement: Statement, objection: Objection | None, schema: Schema, own: frozenset[str]
) -> Iterator[Finding]:
    missing = _find_missing(statement, objection, schema, own)
    for place in missing:
        yield missing_table(sql, statement, place, schema)
    if objection is None and schema.reads_grammar and not missing and _NAMES_COLUMNS.match(statement.sql):
        yield from _find_missing_columns(sql, statement, schema)
    if objection is not None and not missing:
        objection = reconsider(sql, statement, objection, schema)
    if objection is None or missing or NAME_HOLE in objection.name or _lacks_its_tables(sql, objection):
        return
    if objection.kind == "undefined-table" and _is_own(objection.name.rpartition(".")[2], own):
        return
    if objection.name.startswith("pg_temp."):
        return
    if objection.kind == "syntax":
        if sql.reached == "statement":
            subject = ("statement", name_statement(statement.sql))
            yield refused_statement(NOT_UNDERSTOOD, subject, sql, statement, objection)
        return
    if objection.kind in _RULES:
        rule, kind = _RULES[objection.kind]
        name = objection.name or name_statement(statement.sql)
        bare = objection.name.rpartition(".")[2]
        close = schema.find_close_columns(bare, statement.sql) if kind == "column" else ()
        yield refused_statement(rule, (kind, name), sql, statement, objection, close)


_CLAUSES = re.compile(
    r"\b(SELECT|FROM|JOIN|ON|USING|WITH|WHERE|SET|BY|LIMIT|VALUES|RETURNING|HAVING|INTO|UPDATE|CONFLICT)\b",
    re.IGNORECASE,
)
_OF_TABLES = frozenset({"FROM", "JOIN", "ON", "USING", "WITH", "UPDATE", "INTO"})


def _lacks_its_tables(sql: SqlText, objection: Objection) -> bool:
    """Whether a table that the objection misses may be in what is not known: a piece of a statement, a hole in it."""
    if objection.kind == "undefined-table" and objection.message.startswith("missing FROM-clause"):
        return sql.reached == "constant" or not sql.is_whole
    if objection.kind != "undefined-column":
        return False
    if _OF_ROWS.search(objection.name) and _ROWS.search(sql.text):
        return True
    return any(_brings_tables(*parts) for parts in _around_holes(sql.text))


_ROWS = re.compile(rf"\bVALUES\s*(?:{HOLE}|%s|%\(|:\w)", re.IGNORECASE)
"""VALUES of which nobody knows how many columns its rows have."""
_OF_ROWS = re.compile(r"\bcolumn\d+$")
"""How PostgreSQL calls those columns."""


def _around_holes(text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(HOLE, text):
        yield text[: found.start()], text[found.end() :]


def _brings_tables(before: str, after: str) -> bool:
    """Whether a hole between these may name tables, with a FROM of its own or after one."""
    if _VALUE_BEFORE.search(before):
        return False
    clauses = _CLAUSES.findall(before)
    last = clauses[-1].upper() if clauses else "WITH"
    return last in _OF_TABLES or (last == "SELECT" and re.search(r"\bFROM\b", after, re.IGNORECASE) is None)


def _explain_inner(
    sql: SqlText, statement: Statement, schema: Schema, own: frozenset[str]
) -> Iterator[Finding]:
    """What is wrong with the statements within one that the database takes."""
    for inner in find_inner(statement, schema.columns, reads_grammar=schema.reads_grammar):
        [objection] = schema.judge([(inner.statement.sql, inner.statement.parameters)])
        if inner.is_of_routine and not _is_sure_in_routine(objection, inner.statement, statement):
            continue
        yield from _explain(sql, inner.statement, objection, schema, own)


def _is_sure_in_routine(objection: Objection | None, inner: Statement, routine: Statement) -> bool:
    """Whether the routine's variables and arguments, which may be rows, have no part in it."""
    if objection is None or objection.message.startswith("missing FROM-clause"):
        return False
    word = rf"(?<!\w){re.escape(objection.name)}(?!\w)"
    is_declared = len(re.findall(word, routine.sql)) > len(re.findall(word, inner.sql))
    return objection.kind == "undefined-table" or (objection.kind == "undefined-column" and not is_declared)


def _find_missing_columns(sql: SqlText, statement: Statement, schema: Schema) -> Iterator[Finding]:
    """Of a statement that defines or copies."""
    for place, column in read_columns(statement.sql):
        columns = schema.find(*place)
        if columns is None or column in columns:
            continue
        found = re.search(rf"(?<![\w.]){re.escape(column)}(?!\w)", statement.sql)
        objection = Objection(
            kind="undefined-column",
            message=f"there is no column {name_place(place)}.{column}",
            name=column,
            offset=found.start() if found else None,
        )
        close = tuple(difflib.get_close_matches(column, columns, 2))
        yield refused_statement(UNDEFINED_COLUMN, ("column", column), sql, statement, objection, close)


_NAMES_COLUMNS = re.compile(r"\s*(?:create\s+(?:unique\s+)?index|copy|comment)\b", re.IGNORECASE)
_LOOKED_UP = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*+(?:select|insert|update|delete|merge|with|values)\b",
    re.IGNORECASE | re.DOTALL,
)
"""What the database looks every name up of; the grammar, which takes longer, need not be asked."""


def _find_missing(
    statement: Statement, objection: Objection | None, schema: Schema, own: frozenset[str]
) -> tuple[Place, ...]:
    """All tables that there are not: a database names only the first, and none in what defines something."""
    if not schema.reads_grammar:
        name = objection.name.rpartition(".")[2] if objection is not None else ""
        is_missing = objection is not None and objection.kind == "undefined-table" and not _is_own(name, own)
        return (("", name),) if is_missing and NAME_HOLE not in name else ()
    is_looked_up = _LOOKED_UP.match(statement.sql) is not None
    if is_looked_up and (objection is None or objection.kind not in ("undefined-table", "syntax")):
        return ()
    named = read_named(statement.sql)
    needed = named[0] if named else frozenset()
    return tuple(
        place
        for place in sorted(needed, key=name_place)
        if schema.find(*place) is None and not _is_own(place[1], own) and NAME_HOLE not in name_place(place)
    )


def _is_own(name: str, own: frozenset[str]) -> bool:
    """Of a name that the code puts together what is known of it is enough: ``…_tmp``."""
    if name in own or any(pattern.fullmatch(name) for pattern in _compile_own(own)):
        return True
    return NAME_HOLE in own and _FOR_NOW.search(name) is not None


_FOR_NOW = re.compile(r"_(?:te?mp|new|old|staging|swap|next|prev|previous)\d*$", re.IGNORECASE)
"""How tables are called that a program makes beside the ones of the schema, under names that it puts together."""


@lru_cache(maxsize=8)
def _compile_own(own: frozenset[str]) -> tuple[re.Pattern[str], ...]:
    half_known = (name for name in own if NAME_HOLE in name and name.replace(NAME_HOLE, "").strip("_"))
    return tuple(re.compile(re.escape(name).replace(NAME_HOLE, r"\w+")) for name in half_known)
