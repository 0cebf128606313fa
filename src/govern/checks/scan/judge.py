"""What the declared schema has to say about the SQL and the names of an application's code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from govern.checks.scan.findings import unread
from govern.checks.scan.ignores import Placed, apply_ignores
from govern.checks.scan.names import judge_names
from govern.checks.scan.schema import Schema
from govern.checks.scan.statements import find_created, judge_text
from govern.checks.scan.understanding import understand
from govern.core.code import CodeFile
from govern.core.finding import Finding


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
    understood = understand((sql for file in files for sql in file.sql), schema)
    own = find_created(files, schema)

    def judge_file(file: CodeFile) -> Iterator[Placed]:
        for sql in file.sql:
            verdict = judge_text(sql, understood[sql.text], schema, own)
            judged.statements += verdict.statements
            judged.unverified += verdict.is_unverified
            for finding in verdict.findings:
                yield Placed(finding=finding, begins=sql.spot.line)
        for finding in judge_names(file.names, schema):
            yield Placed(finding=finding, begins=finding.subject.line or 0)

    for file in files:
        if file.problem:
            judged.findings.append(unread(file))
        judged.findings += apply_ignores(file, tuple(judge_file(file)))
    return judged
