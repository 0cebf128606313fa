"""What statements are seen to do to a PostgreSQL database, each kind on a table that was there before."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from govern import config
from govern.core.hazard import Hazard
from govern.core.observation import Observation
from govern.database.url import DatabaseUrl
from govern.revisions.runner import Outcome, Runner
from tests.acceptance.program import execute
from tests.fixtures.databases import MakeFromTemplate
from tests.fixtures.projects import CASES, CopyProject, read_rows

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
{body}


def downgrade():
    pass
"""
CONCURRENTLY = "with op.get_context().autocommit_block():\n    op.execute({!r})"

Observe = Callable[..., Outcome]


@pytest.fixture
def observe(postgresql_from_template: MakeFromTemplate, copy_project: CopyProject, tmp_path: Path) -> Observe:
    """Runs the body of a third revision on the project ``plain`` at its second one."""

    def fill(url: DatabaseUrl) -> None:
        root = tmp_path / "template"
        shutil.copytree(CASES / "plain", root)
        assert Runner(config.load(start=root, environ={})).upgrade(url).error is None
        execute(url, "CREATE TABLE sizes (id integer, name varchar(20), amount numeric(10, 2))")

    def run(body: str, name: str = "plain", prepare: str = "", env: tuple[str, str] | None = None) -> Outcome:
        url = postgresql_from_template("observed", fill)
        if prepare:
            execute(url, prepare)
        settings = copy_project(name)
        text = REVISION.format(body=textwrap.indent(body, "    "))
        (settings.root / "migrations/versions/r3_third.py").write_text(text)
        if env:
            file = settings.root / "migrations/env.py"
            assert env[0] in file.read_text()
            file.write_text(file.read_text().replace(*env))
        outcome = Runner(settings).upgrade(url, rehearsing=True)
        assert outcome.error is None, outcome
        assert outcome.notes == (), outcome
        assert read_rows(url, "SELECT version_num FROM alembic_version") == [("r3",)]
        return outcome

    return run


def only(outcome: Outcome) -> Observation:
    (observation,) = outcome.observations
    return observation


def locks(observation: Observation) -> set[tuple[str, str]]:
    """Those that keep somebody out who reads, writes or changes the schema."""
    weak = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE")
    return {(lock.table, lock.mode) for lock in observation.locks if lock.mode not in weak}


USERS, NOTES, SIZES = "public.users", "public.notes", "public.sizes"
EXCLUSIVE = "ACCESS EXCLUSIVE"


@pytest.mark.parametrize(
    ("statement", "locked", "rewrites", "scans"),
    [
        ("ALTER TABLE users ADD COLUMN age integer", {(USERS, EXCLUSIVE)}, (), ()),
        ("ALTER TABLE users ADD COLUMN age integer DEFAULT 3", {(USERS, EXCLUSIVE)}, (), ()),
        (
            "ALTER TABLE users ADD COLUMN at timestamptz DEFAULT clock_timestamp()",
            {(USERS, EXCLUSIVE), (USERS, "SHARE")},
            (USERS,),
            (),
        ),
        ("ALTER TABLE sizes ALTER COLUMN name TYPE varchar(40)", {(SIZES, EXCLUSIVE)}, (), ()),
        ("ALTER TABLE sizes ALTER COLUMN name TYPE text", {(SIZES, EXCLUSIVE)}, (), ()),
        (
            "ALTER TABLE sizes ALTER COLUMN id TYPE bigint",
            {(SIZES, EXCLUSIVE), (SIZES, "SHARE")},
            (SIZES,),
            (),
        ),
        ("CREATE INDEX extra ON users (email)", {(USERS, "SHARE")}, (), (USERS,)),
        ("ALTER TABLE sizes ALTER COLUMN name SET NOT NULL", {(SIZES, EXCLUSIVE)}, (), (SIZES,)),
        ("ALTER TABLE sizes ADD CHECK (id > 0)", {(SIZES, EXCLUSIVE)}, (), (SIZES,)),
        ("ALTER TABLE sizes ADD CHECK (id > 0) NOT VALID", {(SIZES, EXCLUSIVE)}, (), ()),
        ("ALTER TABLE sizes ADD UNIQUE (id)", {(SIZES, EXCLUSIVE), (SIZES, "SHARE")}, (), (SIZES,)),
        (
            "ALTER TABLE sizes ADD FOREIGN KEY (id) REFERENCES users (id) NOT VALID",
            {(SIZES, "SHARE ROW EXCLUSIVE"), (USERS, "SHARE ROW EXCLUSIVE")},
            (),
            (),
        ),
        ("DROP TABLE notes", {(NOTES, EXCLUSIVE), (USERS, EXCLUSIVE)}, (), ()),
        ("ALTER TABLE notes DROP COLUMN body", {(NOTES, EXCLUSIVE)}, (), ()),
        ("TRUNCATE notes", {(NOTES, EXCLUSIVE), (NOTES, "SHARE")}, (), ()),
        ("CREATE TABLE other (id integer PRIMARY KEY)", set(), (), ()),
        ("UPDATE users SET email = lower(email)", set(), (), ()),
        ("COMMENT ON TABLE users IS 'people'", {(USERS, "SHARE UPDATE EXCLUSIVE")}, (), ()),
    ],
)
def test_each_kind_of_statement(
    statement: str,
    locked: set[tuple[str, str]],
    rewrites: tuple[str, ...],
    scans: tuple[str, ...],
    observe: Observe,
) -> None:
    inside = only(observe(f"op.execute({statement!r})"))
    assert (locks(inside), inside.rewrites, inside.scans) == (locked, rewrites, scans)
    assert inside.in_transaction
    assert inside.sql == statement
    assert inside.seconds > 0


@pytest.mark.parametrize(
    ("statement", "locked", "rewrites", "scans"),
    [
        ("ALTER TABLE users ADD COLUMN age integer", {(USERS, EXCLUSIVE)}, (), ()),
        ("CREATE INDEX extra ON users (email)", {(USERS, "SHARE")}, (), (USERS,)),
        (
            "CREATE INDEX CONCURRENTLY extra ON users (email)",
            {(USERS, "SHARE UPDATE EXCLUSIVE")},
            (),
            (USERS,),
        ),
        ("DROP INDEX CONCURRENTLY known", {(USERS, "SHARE UPDATE EXCLUSIVE")}, (), ()),
        ("REINDEX TABLE CONCURRENTLY users", {(USERS, "SHARE UPDATE EXCLUSIVE")}, (), (USERS,)),
        ("VACUUM FULL users", {(USERS, EXCLUSIVE)}, (USERS,), (USERS,)),
        ("ALTER TABLE sizes VALIDATE CONSTRAINT positive", {(SIZES, "SHARE UPDATE EXCLUSIVE")}, (), (SIZES,)),
    ],
)
def test_each_kind_of_statement_that_commits_by_itself(
    statement: str,
    locked: set[tuple[str, str]],
    rewrites: tuple[str, ...],
    scans: tuple[str, ...],
    observe: Observe,
) -> None:
    constraint = "ALTER TABLE sizes ADD CONSTRAINT positive CHECK (id > 0) NOT VALID"
    prepare = f"CREATE INDEX known ON users (id, email); {constraint}"
    alone = only(observe(CONCURRENTLY.format(statement), prepare=prepare))
    assert (locks(alone), alone.rewrites) == (locked, rewrites)
    assert set(alone.scans) == set(scans) - set(rewrites)
    assert not alone.in_transaction


def test_a_validated_foreign_key_scans_the_table_that_refers(observe: Observe) -> None:
    added = only(observe('op.create_foreign_key(None, "sizes", "users", ["id"], ["id"])'))
    mode = "SHARE ROW EXCLUSIVE"
    assert locks(added) == {(SIZES, mode), (USERS, mode)}
    assert SIZES in added.scans
    assert all(lock.blocks_writes and not lock.blocks_reads for lock in added.locks if lock.mode == mode)


def test_validating_afterwards_lets_everybody_read_and_write(observe: Observe) -> None:
    body = 'op.execute("ALTER TABLE sizes VALIDATE CONSTRAINT sizes_id_fkey")'
    validated = only(
        observe(body, prepare="ALTER TABLE sizes ADD FOREIGN KEY (id) REFERENCES users (id) NOT VALID")
    )
    assert locks(validated) == {(SIZES, "SHARE UPDATE EXCLUSIVE")}
    assert SIZES in validated.scans
    assert not any(lock.blocks_writes for lock in validated.locks)


def test_not_null_that_a_valid_check_proves_scans_nothing(observe: Observe) -> None:
    prepare = "ALTER TABLE sizes ADD CHECK (name IS NOT NULL)"
    assert only(observe('op.alter_column("sizes", "name", nullable=False)', prepare=prepare)).scans == ()


def test_what_the_revision_itself_created_is_locked_for_nobody(observe: Observe) -> None:
    body = """
op.create_table("made", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
op.create_index("ix_made", "made", ["name"])
op.alter_column("made", "name", type_=sa.Integer, postgresql_using="name::integer")
op.drop_table("made")
"""
    outcome = observe(body)
    assert all(locks(one) == set() and one.rewrites == one.scans == () for one in outcome.observations)
    assert [one.creates for one in outcome.observations] == [("public.made",), (), (), ()]
    assert outcome.hazards == {}


@pytest.mark.parametrize(
    "rename",
    [
        'op.rename_table("made", "users_made")',
        """op.execute("DO $$ BEGIN EXECUTE 'ALTER TABLE made RENAME TO users_made'; END $$")""",
    ],
)
def test_what_it_created_is_known_under_a_new_name(observe: Observe, rename: str) -> None:
    body = f"""
op.create_table("made", sa.Column("id", sa.Integer, primary_key=True))
op.create_table("other", sa.Column("id", sa.Integer, primary_key=True))
{rename}
op.add_column("users_made", sa.Column("name", sa.Text))
op.add_column("users", sa.Column("made", sa.Integer))
"""
    outcome = observe(body)
    assert [one.creates for one in outcome.observations] == [
        ("public.made",), ("public.other",), ("public.users_made",), (), ()
    ]  # fmt: skip
    assert [bool(locks(one)) for one in outcome.observations] == [False] * 4 + [True]


def test_a_statement_is_asked_for_what_is_new_alone(observe: Observe) -> None:
    """Each table of many is told once, and a loss among them is seen as ever."""
    body = """
for number in range(40):
    op.create_table(f"made{number}", sa.Column("id", sa.Integer, primary_key=True))
op.drop_table("sizes")
"""
    outcome = observe(body)
    assert [one.creates for one in outcome.observations[:-1]] == [(f"public.made{n}",) for n in range(40)]
    assert outcome.hazards == {"r3": (Hazard("drops-table", "sizes"),)}


def test_a_lock_is_told_of_the_statement_that_took_it(observe: Observe) -> None:
    body = """
op.add_column("users", sa.Column("age", sa.Integer))
op.add_column("users", sa.Column("size", sa.Integer))
op.execute("UPDATE users SET age = 3")
op.create_index("ix_age", "users", ["age"])
"""
    first, second, third, fourth = observe(body).observations
    assert locks(first) == {(USERS, EXCLUSIVE)}
    assert locks(second) == locks(third) == set()
    assert third.scans == (USERS,), "read from end to end while nobody else may read it"
    assert locks(fourth) == {(USERS, "SHARE")}


def test_an_autocommit_block_ends_what_was_locked_before_it(observe: Observe) -> None:
    body = """
op.add_column("users", sa.Column("age", sa.Integer))
with op.get_context().autocommit_block():
    op.create_index("ix_age", "users", ["age"], postgresql_concurrently=True)
op.add_column("users", sa.Column("size", sa.Integer))
"""
    first, second, third = observe(body).observations
    assert [one.in_transaction for one in (first, second, third)] == [True, False, True]
    assert locks(first) == locks(third) == {(USERS, EXCLUSIVE)}
    assert locks(second) == {(USERS, "SHARE UPDATE EXCLUSIVE")}


def test_an_index_left_invalid_is_named(observe: Observe) -> None:
    body = """
with op.get_context().autocommit_block():
    try:
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY one_each ON sizes (id)")
    except sa.exc.IntegrityError:
        pass
    op.execute("CREATE INDEX CONCURRENTLY another ON sizes (name)")
"""
    outcome = observe(body, prepare="INSERT INTO sizes VALUES (1), (1)")
    assert only(outcome).invalid_indexes == ("public.one_each",)


def test_a_statement_that_fails_and_is_caught_leaves_the_transaction_usable(observe: Observe) -> None:
    body = """
try:
    with op.get_bind().begin_nested():
        op.execute("SELECT 1 / 0")
except sa.exc.DBAPIError:
    pass
op.add_column("users", sa.Column("age", sa.Integer))
with op.get_context().autocommit_block():
    try:
        op.execute("ALTER TABLE users ADD COLUMN age integer")
    except sa.exc.ProgrammingError:
        pass
    op.execute("ALTER TABLE users ADD COLUMN size integer")
"""
    *_, last = observe(body).observations
    assert locks(last) == {(USERS, EXCLUSIVE)}
    assert not last.in_transaction


def test_the_journal_tells_of_the_revisions_statements_alone(observe: Observe) -> None:
    body = 'for number in range(3):\n    op.execute(sa.text("UPDATE users SET id = id").bindparams())'
    outcome = observe(body)
    assert [one.sql for one in outcome.observations] == ["UPDATE users SET id = id"] * 3
    assert [done.statements for done in outcome.revisions] == [3]


def test_an_asynchronous_env_is_observed_alike(observe: Observe) -> None:
    body = 'op.add_column("users", sa.Column("age", sa.Integer))\n' + CONCURRENTLY.format(
        "CREATE INDEX CONCURRENTLY extra ON users (email)"
    )
    first, second = observe(body, name="asynchronous").observations
    assert locks(first) == {(USERS, EXCLUSIVE)}
    assert locks(second) == {(USERS, "SHARE UPDATE EXCLUSIVE")}
    assert second.scans == (USERS,)


def test_one_transaction_for_each_revision_is_observed_alike(observe: Observe) -> None:
    env = ("connection=connection,", "connection=connection, transaction_per_migration=True,")
    assert locks(only(observe('op.drop_table("notes")', env=env))) == {(NOTES, EXCLUSIVE), (USERS, EXCLUSIVE)}


@pytest.mark.parametrize(
    ("body", "hazards"),
    [
        ('op.drop_table("notes")', {Hazard("drops-table", "notes")}),
        ('op.drop_column("users", "email")', {Hazard("drops-column", "users.email")}),
        (
            'op.drop_column("users", "email")\nop.add_column("users", sa.Column("email", sa.String(200)))',
            {Hazard("drops-column", "users.email")},
        ),
        (
            'op.alter_column("sizes", "amount", type_=sa.Numeric(10, 1))',
            {Hazard("retypes-column", "sizes.amount")},
        ),
        ('op.alter_column("sizes", "id", type_=sa.BigInteger)', set()),
        ('op.alter_column("sizes", "name", type_=sa.String(10))', set()),
        (
            "op.execute('ALTER TABLE sizes ALTER name TYPE varchar(10) USING left(name, 10)')",
            {Hazard("retypes-column", "sizes.name")},
        ),
        ('op.rename_table("sizes", "measures")', set()),
        ('op.alter_column("users", "email", new_column_name="address")', set()),
        ('op.create_table("other", sa.Column("id", sa.Integer))', set()),
    ],
)
def test_what_a_revision_loses_is_a_hazard_by_name(body: str, hazards: set[Hazard], observe: Observe) -> None:
    assert set(observe(body).hazards.get("r3", ())) == hazards


def test_without_being_asked_nothing_is_observed(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    outcome = Runner(copy_project("plain")).upgrade(postgresql_database)
    assert outcome.observations == ()


def test_sqlite_tells_its_statements_without_locks(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    outcome = Runner(copy_project("plain")).upgrade(sqlite_database, rehearsing=True)
    assert {one.revision for one in outcome.observations} == {"r1", "r2"}
    assert all(one.in_transaction and one.locks == () for one in outcome.observations)
