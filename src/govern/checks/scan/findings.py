"""What a scan finds, in words, and where it stands in the code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from govern.checks.scan.placeholders import Statement
from govern.checks.scan.rules import ANOTHER_DATABASE, UNDEFINED_TABLE, UNREAD, UNVERIFIED
from govern.checks.scan.schema import Schema
from govern.core.code import HOLE, CodeFile, NameUse, SqlText
from govern.core.finding import Finding, Rule, Subject
from govern.core.objection import Objection
from govern.core.restoration import Place, name_place
from govern.core.wording import count_of

_LONGEST = 300
_LONGEST_NAME = 72
_QUIET = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def refused_statement(
    rule: Rule,
    subject: tuple[str, str],
    sql: SqlText,
    statement: Statement,
    objection: Objection,
    close: tuple[str, ...] = (),
) -> Finding:
    """``subject``: its kind and its name; ``close``: what may be meant instead."""
    offset = objection.offset if objection.offset is not None else _first(statement.sql)
    spot = sql.find_spot(statement.find_origin(min(offset, max(0, len(statement.sql) - 1))))
    kind, name = subject
    return Finding.of(
        rule,
        Subject(kind=kind, name=name, path=spot.path, line=spot.line),
        f"{objection.message}{_suggest(close)}",
        evidence={
            "column": spot.column,
            "via": sql.via,
            "statement": excerpt(statement.sql),
            **({"did_you_mean": list(close)} if close else {}),
        },
    )


def missing_table(sql: SqlText, statement: Statement, place: Place, schema: Schema) -> Finding:
    """A table that a statement needs and that there is not."""
    name = name_place(place)
    quiet = _QUIET.sub(lambda found: " " * len(found[0]), statement.sql)
    found = re.search(rf"(?<![\w.]){re.escape(place[1])}(?!\w)", quiet)
    objection = Objection(
        kind="undefined-table",
        message=f"there is no table {name}",
        name=name,
        offset=found.start() if found else None,
    )
    close = schema.find_close_tables(place)
    return refused_statement(UNDEFINED_TABLE, ("table", name), sql, statement, objection, close)


def undefined_name(
    rule: Rule, subject: tuple[str, str], use: NameUse, sentence: str, close: tuple[str, ...]
) -> Finding:
    """A name that code uses outside SQL; ``sentence``: what there is not."""
    kind, name = subject
    return Finding.of(
        rule,
        Subject(kind=kind, name=name, path=use.spot.path, line=use.spot.line),
        f"{sentence} {name}{_suggest(close)}",
        evidence={
            "column": use.spot.column,
            "via": use.via,
            **({"did_you_mean": list(close)} if close else {}),
        },
    )


def unverified(sql: SqlText) -> Finding:
    """A statement that only running it can tell all of."""
    spot = sql.spot
    return Finding.of(
        UNVERIFIED,
        Subject(
            kind="statement", name=name_statement(sql.text.replace(HOLE, "…")), path=spot.path, line=spot.line
        ),
        "a part of the statement is only known when it runs",
        evidence={"column": spot.column, "via": sql.via},
    )


def another_database(file: CodeFile, engine: str, meant: Sequence[SqlText]) -> Finding:
    """Statements of a file that the declared schema says nothing of."""
    spot = meant[0].spot
    return Finding.of(
        ANOTHER_DATABASE,
        Subject(kind="database", name=engine, path=file.path, line=spot.line),
        f"{count_of(len(meant), 'statement')} for {engine} {'are' if len(meant) > 1 else 'is'} not judged",
        evidence={"lines": [sql.spot.line for sql in meant]},
    )


def unread(file: CodeFile) -> Finding:
    """A file that could not be read, or not all of it."""
    return Finding.of(UNREAD, Subject(kind="file", name=file.path, path=file.path), file.problem)


def excerpt(sql: str, longest: int = _LONGEST) -> str:
    """On one line, and not too long."""
    flat = " ".join(sql.split())
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


def name_statement(sql: str) -> str:
    """What a finding calls a statement: enough to see which one, and short of a line with its place."""
    return excerpt(sql, _LONGEST_NAME)


def _suggest(close: tuple[str, ...]) -> str:
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _first(sql: str) -> int:
    return len(sql) - len(sql.lstrip())
