"""The examples of the pages about ways back, applied, taken back and applied again."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.actions.round_trip import prove_ways_back
from govern.checks.chain import find_ways_back
from govern.database.url import DatabaseUrl
from govern.revisions.graph import read_project_chain
from tests.docs.markdown import DOCS
from tests.fixtures.projects import CopyProject, copy_project

__all__ = ["copy_project"]

RULES = ("downgrade-fails", "downgrade-leaves-trace", "upgrade-not-repeatable")
SCHEMA = "from alembic import op\n\n\ndef upgrade():\n    op.get_bind().exec_driver_sql({sql!r})\n"


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_the_bad_example_has_exactly_this_finding_and_the_good_one_none(
    kind: str, postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project(
        "plain", dict.fromkeys(f"migrations/versions/{id_}.py" for id_ in ("r1_users", "r2_notes"))
    )
    versions = settings.alembic.script_location / "versions"
    write(versions, "schema", None, SCHEMA.format(sql=(DOCS / "rules/lint/schema.sql").read_text()))
    for rule, before in zip(RULES, ("schema", *RULES), strict=False):
        write(versions, rule, before, (DOCS / f"rules/chain/{rule}/{kind}.py").read_text())
    chain = read_project_chain(settings)
    ids = [identify(rule) for rule in RULES]
    ways = prove_ways_back(settings, chain, ids, like=postgresql_database)
    findings = find_ways_back(chain, ways.traces, ways.failures, root=settings.root)
    told = {finding.subject.name: finding.rule.id for finding in findings}
    assert told == ({identify(rule): f"chain.{rule}" for rule in RULES} if kind == "bad" else {})
    assert ways.unproven == ()


def identify(rule: str) -> str:
    return rule.replace("-", "_")


def write(folder: Path, rule: str, before: str | None, text: str) -> None:
    down = identify(before) if before else None
    head = f"revision, down_revision = {identify(rule)!r}, {down!r}\n"
    (folder / f"{identify(rule)}.py").write_text(f"{text}\n\n{head}")
