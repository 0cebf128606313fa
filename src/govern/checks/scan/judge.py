"""What the declared schema has to say about the SQL and the names of an application's code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from govern.checks.scan.dialects import find_engine
from govern.checks.scan.findings import another_database, unread
from govern.checks.scan.ignores import Placed, apply_ignores
from govern.checks.scan.models import Models
from govern.checks.scan.names import judge_names
from govern.checks.scan.placeholders import split_text
from govern.checks.scan.schema import Schema
from govern.checks.scan.statements import find_common, find_created, judge_text
from govern.checks.scan.understanding import Understood, understand
from govern.core.code import CodeFile, SqlText
from govern.core.finding import Finding


@dataclass(slots=True)
class Judged:
    """What came of it."""

    findings: list[Finding] = field(default_factory=list)
    statements: int = 0
    unverified: int = 0
    elsewhere: int = 0
    """Statements that are meant for another database."""

    @classmethod
    def sum(cls, parts: Iterable[Judged]) -> Judged:
        """Of several files."""
        whole = cls()
        for part in parts:
            whole.findings += part.findings
            whole.statements += part.statements
            whole.unverified += part.unverified
            whole.elsewhere += part.elsewhere
        return whole


def judge_code(files: Iterable[CodeFile], schema: Schema) -> Judged:
    """Everything that the files ask for, held against the schema."""
    files = tuple(files)
    return Judged.sum(judge_each(files, schema, files))


def judge_each(
    files: Iterable[CodeFile],
    schema: Schema,
    surroundings: Iterable[CodeFile],
    *,
    narrate: Callable[[str], None] = lambda _: None,
) -> Iterator[Judged]:
    """Each of the files by itself; ``surroundings``: of all files of the code, these among them."""
    files, surroundings = (
        tuple(replace(file, sql=tuple(part for sql in file.sql for part in _split(sql))) for file in some)
        for some in (files, surroundings)
    )
    understood = understand((sql for file in files for sql in file.sql), schema, narrate=narrate)
    own = find_created(surroundings, schema)
    models = Models(surroundings, schema)
    for file in files:
        judged = Judged()
        if file.problem:
            judged.findings.append(unread(file))
        placed = (
            *_judge_sql(file, understood, schema, own, judged),
            *_judge_names(file, schema, own, models),
        )
        judged.findings += apply_ignores(file, placed)
        yield judged


def _judge_sql(
    file: CodeFile,
    understood: Mapping[str, Understood],
    schema: Schema,
    own: frozenset[str],
    judged: Judged,
) -> Iterator[Placed]:
    others: dict[str, list[SqlText]] = {}
    own_and_common = own | find_common(file.sql) if any(map(_is_piece, file.sql)) else own
    for sql in file.sql:
        if sql.engine not in ("", schema.engine):
            others.setdefault(sql.engine, []).append(sql)
            continue
        verdict = judge_text(sql, understood[sql.text], schema, own_and_common if _is_piece(sql) else own)
        if verdict.findings and (engine := find_engine(sql.text, schema.engine)):
            others.setdefault(engine, []).append(sql)
            continue
        judged.statements += verdict.statements
        judged.unverified += verdict.is_unverified
        for finding in verdict.findings:
            yield Placed(finding=finding, begins=sql.spot.line)
    for engine, meant in others.items():
        judged.elsewhere += len(meant)
        yield Placed(finding=another_database(file, engine, meant), begins=meant[0].spot.line)


def _is_piece(sql: SqlText) -> bool:
    """Whether the rest of the statement may stand elsewhere."""
    return sql.reached == "constant" or not sql.is_whole


def _split(sql: SqlText) -> Iterable[SqlText]:
    """The statements of a file each for itself, where not all of it is known: what is not is of one of them."""
    return (sql,) if sql.is_whole or sql.via != "file" else split_text(sql)


def _judge_names(file: CodeFile, schema: Schema, own: frozenset[str], models: Models) -> Iterator[Placed]:
    for finding in (*judge_names(file.names, schema, own), *models.judge(file)):
        yield Placed(finding=finding, begins=finding.subject.line or 0)
