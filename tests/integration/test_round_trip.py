"""Up, down and up again on real databases: what a downgrade leaves or cannot do is found, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.actions.round_trip import WaysBack, has_way_back, prove_ways_back
from govern.checks.chain import find_ways_back
from govern.config import Settings
from govern.core.finding import Finding
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck
from govern.revisions.graph import read_project_chain
from tests.fixtures.projects import CopyProject

REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = {id!r}, {down!r}


def refuse():
    raise NotImplementedError


def upgrade():
    {up}


def downgrade():
    {back}
"""
KEEPS_INDEX = (
    'op.create_table("kept", sa.Column("id", sa.Integer))\n    op.create_index("ix_body", "notes", ["body"])',
    'op.drop_table("kept")',
)
BLOCK = "with op.get_context().autocommit_block():\n        op.execute"
FAILS = (
    'op.create_table("f", sa.Column("id", sa.Integer))',
    'op.drop_table("f")\n    op.drop_table("nowhere")',
)
AGAIN = ('op.execute("CREATE TABLE once (id integer)")', 'op.execute("SELECT 1")')
GOOD = ('op.create_table("{id}", sa.Column("id", sa.Integer))', 'op.drop_table("{id}")')
ENUM = (
    'op.create_table("moods", sa.Column("mood", sa.Enum("glad", "sad", name="mood")))',
    'op.drop_table("moods")',
)
ENUM_DROPPED = (ENUM[0].replace("mood", "tone"), 'op.drop_table("tones")\n    op.execute("DROP TYPE tone")')
CHECK = (
    'op.add_column("notes", sa.Column("kind", sa.String(9)))\n'
    '    op.create_check_constraint("ck_kind", "notes", "kind IN (\'a\', \'b\')")',
    'op.drop_constraint("ck_kind", "notes")\n    op.drop_column("notes", "kind")',
)
DEPARSED = "(kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])"
"""As the server has it: made from this text the constraint reads otherwise, and means the same."""
CHECK_AGAIN = (
    'op.drop_constraint("ck_kind", "notes")',
    f'op.get_bind().exec_driver_sql("ALTER TABLE notes ADD CONSTRAINT ck_kind CHECK ({DEPARSED})")',
)


def write_revisions(settings: Settings, revisions: dict[str, tuple[object, tuple[str, str]]]) -> None:
    """By id: the parents, and the bodies of upgrade and downgrade."""
    for id_, (down, (up, back)) in revisions.items():
        text = REVISION.format(id=id_, down=down, up=up.format(id=id_), back=back.format(id=id_))
        Path(settings.alembic.script_location, "versions", f"{id_}.py").write_text(text)


def prove(settings: Settings, like: DatabaseUrl) -> tuple[WaysBack, tuple[Finding, ...]]:
    chain = read_project_chain(settings)
    chosen = [file.revision for file in chain.files if has_way_back(file)]
    ways = prove_ways_back(settings, chain, chosen, like=like)
    return ways, find_ways_back(chain, ways.traces, ways.failures, root=settings.root)


def told(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.subject.name: finding.rule.id.removeprefix("chain.") for finding in findings}


def test_each_way_back_that_does_not_work_is_found_and_none_that_does(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    write_revisions(
        settings,
        {
            "r3": ("r2", KEEPS_INDEX),
            "r4": ("r3", FAILS),
            "r5": ("r4", AGAIN),
            "r6": ("r5", ('op.create_table("{id}", sa.Column("id", sa.Integer))', "refuse()")),
            "left": ("r6", GOOD),
            "right": ("r6", GOOD),
            "merge": (("left", "right"), GOOD),
            "data": ("merge", ("op.execute(\"INSERT INTO notes VALUES (7, 1, 'x')\")", "pass")),
            "last": ("data", GOOD),
        },
    )
    ways, findings = prove(settings, any_database)
    # of r5 the upgrade alone shows what is wrong: the trace is what it stumbles over
    assert told(findings) == {
        "r3": "upgrade-not-repeatable",
        "r4": "downgrade-fails",
        "r5": "upgrade-not-repeatable",
        "r6": "missing-downgrade",
    }
    assert ways.proven == ("r1", "r2", *ways.proven[2:4], "merge", "last")
    assert set(ways.proven[2:4]) == {"left", "right"}
    assert ways.unproven == ()
    index, fails, *_ = findings
    assert "ix_body" in index.message
    assert (fails.subject.path, fails.subject.line) == ("migrations/versions/r4.py", 15)
    assert "nowhere" in fails.message


def test_what_is_left_is_named_and_what_only_reads_otherwise_is_not(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    write_revisions(
        settings,
        {
            "r3": ("r2", CHECK),
            "r4": ("r3", CHECK_AGAIN),
            "r5": ("r4", ENUM),
            "r6": ("r5", ENUM_DROPPED),
            "r7": (
                "r6",
                ('op.execute("CREATE SEQUENCE IF NOT EXISTS numbers")', 'op.drop_column("notes", "kind")'),
            ),
        },
    )
    ways, findings = prove(settings, postgresql_database)
    assert told(findings) == {"r5": "upgrade-not-repeatable", "r7": "downgrade-leaves-trace"}
    enum, trace = findings
    assert 'type "mood" already exists' in enum.message
    assert "column notes.kind is taken away" in trace.message
    assert "sequence numbers is left" in trace.message
    assert set(ways.proven) == {"r1", "r2", "r3", "r4", "r6", "r7"}


def test_what_commits_midway_is_proven_as_long_as_it_works(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    index = 'CREATE INDEX CONCURRENTLY ix_body ON notes (body)")'
    up, down = f'{BLOCK}("{index}', f'{BLOCK}("DROP INDEX CONCURRENTLY ix_body")'
    half = f'{down}\n    op.execute("SELECT 1 / 0")'
    good = {"r3": ("r2", (up, down)), "r4": ("r3", GOOD)}
    write_revisions(settings, dict(good))
    ways, findings = prove(settings, postgresql_database)
    assert (findings, ways.proven) == ((), ("r1", "r2", "r3", "r4"))
    write_revisions(settings, {"r3": ("r2", (up, half))})
    ways, findings = prove(settings, postgresql_database)
    assert told(findings) == {"r3": "downgrade-fails"}
    assert ways.unproven == ("r4",)


@pytest.mark.parametrize("name", ["asynchronous", "own_engine"])
def test_any_env_lets_its_revisions_be_taken_one_by_one(
    name: str, sqlite_database: DatabaseUrl, copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_URL", "sqlite:///elsewhere.db")
    ways, findings = prove(copy_project(name), sqlite_database)
    assert (findings, ways.proven) == ((), ("r1", "r2"))


def test_an_env_with_a_transaction_of_its_own_is_said_not_to_be_proven(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    env = settings.alembic.script_location / "env.py"
    env.write_text(env.read_text().replace(".connect() as", ".begin() as"))
    with pytest.raises(CouldNotCheck, match="one by one"):
        prove(settings, sqlite_database)
