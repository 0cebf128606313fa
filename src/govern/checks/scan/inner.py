"""Statements within statements: what a view shows, what EXPLAIN explains, what a function runs.

A database takes these as they are, and says what is wrong with them when they are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from govern.checks.scan.placeholders import Statement, split_statements
from govern.database.postgresql.grammar import Routine, read_routine

_NAME = r'(?:"[^"]+"|[\w.])+'
_OPTIONS = r"(?:\s+WITH\s*\([^()]*\))?"
_BEFORE = re.compile(
    r"\s*(?:"
    r"EXPLAIN(?:\s*\([^()]*\)|\s+(?:ANALYZE|VERBOSE|QUERY\s+PLAN))*"
    rf"|CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:TEMP|TEMPORARY|RECURSIVE|MATERIALIZED)\s+)*VIEW\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}"
    rf"(?:\s*\([^()]*\))?{_OPTIONS}\s+AS"
    rf"|CREATE\s+(?:(?:TEMP|TEMPORARY|UNLOGGED)\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}(?:\s*\([^()]*\))?{_OPTIONS}"
    r"(?:\s+ON\s+COMMIT\s+\w+(?:\s+ROWS)?)?\s+AS"
    rf"|DECLARE\s+{_NAME}\s+(?:\w+\s+)*?CURSOR\s+(?:WITH(?:OUT)?\s+HOLD\s+)?FOR"
    rf"|PREPARE\s+{_NAME}(?:\s*\([^()]*\))?\s+AS"
    r")(?=\s*\(?\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE|VALUES|MERGE)\b)",
    re.IGNORECASE,
)
_COPIED = re.compile(r"\s*COPY\s*\((?P<query>.*)\)\s*TO\b", re.IGNORECASE | re.DOTALL)
_AFTER = re.compile(
    r"\s+WITH\s+(?:NO\s+)?DATA\s*$|\s+WITH\s+(?:CASCADED\s+|LOCAL\s+)?CHECK\s+OPTION\s*$", re.IGNORECASE
)
_MAKES_ROUTINE = re.compile(r"\s*(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)|DO)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A statement that another one has within it, at the places where it stands there."""

    statement: Statement
    is_of_routine: bool
    """Whether a function runs it, so that not every name in it is the database's."""


def find_inner(statement: Statement, columns: frozenset[str], *, reads_grammar: bool) -> Iterator[Inner]:
    """Those of one statement. ``columns``: all names that columns have, which no variable is taken for."""
    sql = statement.sql
    if before := _BEFORE.match(sql):
        after = _AFTER.search(sql)
        yield _blanked(statement, before.end(), after.start() if after else len(sql))
    elif copied := _COPIED.match(sql):
        yield _blanked(statement, copied.start("query"), copied.end("query"))
    elif reads_grammar and _MAKES_ROUTINE.match(sql) and (routine := read_routine(sql)) is not None:
        yield from _of_routine(statement, routine, columns)


def _blanked(statement: Statement, begin: int, end: int) -> Inner:
    sql = re.sub(r"\S", " ", statement.sql[:begin]) + statement.sql[begin:end]
    inner = Statement(sql=sql, parameters=statement.parameters, origins=statement.origins)
    return Inner(statement=inner, is_of_routine=False)


def _of_routine(outer: Statement, routine: Routine, columns: frozenset[str]) -> Iterator[Inner]:
    """Each statement of the body, its variables left out."""
    variables = {name.lower() for name in routine.variables} - columns
    at = max(0, outer.sql.find(routine.body))
    for query in routine.queries:
        pieces, at = _locate(query, outer.sql, at)
        for sql, origins in _without_variables(query, pieces, variables, routine.records):
            for part in split_statements(sql) if routine.is_sql else (None,):
                inside = part or Statement(sql=sql, parameters=0, origins=((0, 0),))
                places = _chain(inside, origins, outer)
                yield Inner(
                    statement=Statement(sql=inside.sql, parameters=inside.parameters, origins=places),
                    is_of_routine=True,
                )


def _chain(
    inside: Statement, origins: list[tuple[int, int]], outer: Statement
) -> tuple[tuple[int, int], ...]:
    """From offsets of the innermost statement over those of its query to those of the text that all is in."""
    of_query = Statement(sql="", parameters=0, origins=tuple(origins))
    edges = {offset for offset, _ in inside.origins}
    edges |= {inner for offset, _ in origins for inner in _offsets_of(inside, offset)}
    return tuple(
        (edge, outer.find_origin(of_query.find_origin(inside.find_origin(edge)))) for edge in sorted(edges)
    )


def _offsets_of(inside: Statement, origin: int) -> Iterator[int]:
    """Where what stands at ``origin`` of the text is in the statement."""
    for (offset, begin), following in zip(
        inside.origins, (*inside.origins[1:], (len(inside.sql), 0)), strict=True
    ):
        if begin <= origin < begin + following[0] - offset:
            yield offset + origin - begin


def _locate(query: str, text: str, begin: int) -> tuple[list[tuple[int, int]], int]:
    """Where the parts of a query stand: PL/pgSQL blanks INTO out, and says SELECT for PERFORM."""
    pieces: list[tuple[int, int]] = []
    at = begin
    for part in re.finditer(r"\S+(?:\s\S+)*", query):
        word, found = _find_piece(part[0], text, at)
        if found < 0 and not pieces:  # a loop comes behind its body
            word, found = _find_piece(part[0], text, 0)
        if found >= 0:
            offset = part.end() - len(word)
            pieces.append((offset, found))
            at = max(at, found + len(word))
    if not pieces or pieces[0][0] != 0:
        pieces.insert(0, (0, max(0, pieces[0][1] - pieces[0][0]) if pieces else begin))
    return pieces, at


def _find_piece(piece: str, text: str, begin: int) -> tuple[str, int]:
    """Where it stands, or all but its first word, which is SELECT for PERFORM."""
    found = text.find(piece, begin)
    rest = piece.partition(" ")[2]
    return (piece, found) if found >= 0 or not rest else (rest, text.find(rest, begin))


def _without_variables(
    query: str, pieces: list[tuple[int, int]], variables: Iterable[str], records: Iterable[str]
) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """NULL in their place: a database knows them not, and takes NULL for whatever they are."""
    plain, dotted = "|".join(map(re.escape, variables)), "|".join(map(re.escape, records))
    forms = ["'(?:[^']|'')*'"]
    forms += [rf"(?P<record>(?<![\w.\"])(?:{dotted})(?:\.\w+|\b(?!\s*[.(\"])))"] if dotted else []
    forms += [rf"(?P<plain>(?<![\w.\"])(?<!\bas\s)(?:{plain})\b(?!\s*[.(\"]))"] if plain else []
    of_query = Statement(sql="", parameters=0, origins=tuple(pieces))
    parts: list[str] = []
    origins: list[tuple[int, int]] = []
    length = at = 0
    for found in (*re.finditer("|".join(forms), query, re.IGNORECASE), None):
        until = found.start() if found else len(query)
        origins += [(length, of_query.find_origin(at))]
        origins += [(length + offset - at, place) for offset, place in pieces if at < offset < until]
        parts.append(query[at:until])
        length += until - at
        if found is not None:
            origins.append((length, of_query.find_origin(found.start())))
            parts.append(found[0] if found[0].startswith("'") else "NULL")
            length += len(parts[-1])
            at = found.end()
    yield "".join(parts), origins
