"""Tenants that are schemas of one database, as in Alembic's cookbook: neither models nor revisions name a schema."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from govern.database.postgresql import locks, server
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Done, Project, assert_told, execute
from tests.fixtures.databases import MakeRole

R1 = '''"""customers and orders: of each kind of object whose definition names another one"""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    op.execute("""
        CREATE TABLE customers (
            id serial PRIMARY KEY, plan_id integer NOT NULL REFERENCES public.plans (id),
            mood mood NOT NULL DEFAULT 'good', name text CHECK (length(name) > 0), home EXTENSION_TYPE
        )
    """)
    op.execute("""
        CREATE TABLE orders (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers,
            state varchar(10) CHECK (state IN ('open', 'done')), total numeric NOT NULL DEFAULT 0, note text
        )
    """)
    op.execute("COMMENT ON TABLE orders IS 'what was ordered'")
    op.execute("CREATE INDEX orders_customer ON orders (customer_id) WHERE total > 0")
    op.execute(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN UPDATE customers SET mood = 'good' WHERE id = NEW.customer_id; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER orders_touch BEFORE UPDATE OF total ON orders FOR EACH ROW EXECUTE FUNCTION touch()"
    )
    op.execute("CREATE RULE keep AS ON DELETE TO customers DO INSTEAD NOTHING")
    op.execute("CREATE STATISTICS order_facts ON customer_id, total FROM orders")
    op.execute("""
        CREATE VIEW big AS SELECT o.id, c.name, p.id AS plan
        FROM orders o JOIN customers c ON c.id = o.customer_id JOIN public.plans p ON p.id = c.plan_id
        WHERE o.total > 100 AND c.mood = 'good'
    """)
    op.execute("CREATE MATERIALIZED VIEW sums AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1")


def downgrade():
    raise NotImplementedError
'''
R2 = '''"""when it was ordered"""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.execute("ALTER TABLE orders ADD COLUMN ordered_at timestamptz NOT NULL DEFAULT now()")


def downgrade():
    op.execute("ALTER TABLE orders DROP COLUMN ordered_at")
'''
R3 = '''"""no notes"""

from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    op.execute("ALTER TABLE orders DROP COLUMN note")


def downgrade():
    raise NotImplementedError
'''
COOKBOOK = """from alembic import context
from sqlalchemy import engine_from_config, pool, text

config = context.config
engine = engine_from_config(
    config.get_section(config.config_ini_section), prefix="sqlalchemy.", poolclass=pool.NullPool
)
with engine.connect() as connection:
    tenant = context.get_x_argument(as_dictionary=True).get("tenant")
    connection.execute(text('set search_path to "%s", public' % tenant))
    connection.commit()
    connection.dialect.default_schema_name = tenant
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
R4 = '''"""commits midway"""

from alembic import op

revision = "r4"
down_revision = "r3"


def upgrade():
    op.execute("UPDATE customers SET name = name || '!'")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY customers_name ON customers (name)")
        op.execute("SELECT 1 / (length(name) - 4) FROM customers")
    op.execute("ALTER TABLE customers ADD COLUMN greeting text")


def downgrade():
    raise NotImplementedError
'''
MODELS = """from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass
"""
TARGETS = """
queries:
  - catalogue: {url_env: TENANTS_URL}
    sql: SELECT nspname AS name, nspname AS schema FROM pg_namespace WHERE nspname LIKE 'tenant\\_%' ORDER BY 1
"""
TENANTS = tuple("abcdef")
FLEET = ("--targets", "targets.yaml")


@pytest.fixture(scope="session")
def extensions() -> Iterator[Path]:
    """A folder with an extension that brings a type, as the contributed citext does."""
    folder = Path(tempfile.mkdtemp(prefix="govern-tenants-"))
    folder.chmod(0o755)  # the server may run as another user
    (folder / "extension").mkdir()
    (folder / "extension" / "places.control").write_text("default_version = '1.0'\n", encoding="utf-8")
    script = "CREATE TYPE place AS (street text, city text);"
    (folder / "extension" / "places--1.0.sql").write_text(script, encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def database(postgresql_database: DatabaseUrl, extensions: Path) -> DatabaseUrl:
    """With what tenants share: an extension and ``plans`` in ``public``; and six of them, all empty."""
    option = quote(f"-c extension_control_path=$system:{extensions}")
    with server.connect(postgresql_database) as connection:
        can_extend = int(connection.value("SHOW server_version_num")) >= 180000
    sign = "&" if "?" in postgresql_database.text else "?"
    url = (
        DatabaseUrl.parse(f"{postgresql_database.text}{sign}options={option}")
        if can_extend
        else postgresql_database
    )
    kind = "CREATE EXTENSION places" if can_extend else "CREATE TYPE place AS (street text, city text)"
    execute(url, kind, "CREATE TABLE plans (id integer PRIMARY KEY)", "INSERT INTO plans VALUES (1), (2)")
    execute(url, *(f"CREATE SCHEMA tenant_{tenant}" for tenant in TENANTS))
    return url


@pytest.fixture
def project(make_project: MakeProject, database: DatabaseUrl) -> Project:
    """Its configuration names the tenants, too, and one that is not there."""
    files = {
        "migrations/versions/r1_users.py": None,
        "migrations/versions/r2_notes.py": None,
        "migrations/versions/r1.py": R1.replace("EXTENSION_TYPE", "public.place"),
        "migrations/versions/r2.py": R2,
        "migrations/versions/r3.py": R3,
        "app/models.py": MODELS,
        "targets.yaml": TARGETS,
        "govern.toml": "".join(
            f'[targets.{tenant}]\nurl_env = "TENANTS_URL"\nschema = "tenant_{tenant}"\n'
            for tenant in (*TENANTS, "missing")
        ),
    }
    return make_project("plain", None, files).with_environment(TENANTS_URL=database.text)


def migrate(project: Project, tenant: str, to: str) -> Done:
    return project.succeed(
        "migrate", "--target", tenant, "--to", to, "--backup", "off", "--rehearse", "off",
        "--allow", "drops-column:orders.note",
    )  # fmt: skip


def of(database: DatabaseUrl, tenant: str) -> DatabaseUrl:
    return database.with_schema(f"tenant_{tenant}")


def read(url: DatabaseUrl, sql: str) -> Any:
    with server.connect(url) as connection:
        return connection.value(sql)


def ended(done: Done) -> dict[str, int]:
    return {target["name"].removeprefix("tenant_"): target["exit_code"] for target in done.report["targets"]}


def test_six_tenants_at_mixed_revisions_are_told_apart_compared_and_migrated(
    project: Project, database: DatabaseUrl
) -> None:
    with ThreadPoolExecutor(3) as threads:  # each has a lock and a ledger of its own
        done = threads.map(migrate, [project] * 4, "abcd", ("r2", "r2", "r2", "r1"))
        assert [one.exit_code for one in done] == [0] * 4
    migrate(project, "e", "r3")
    execute(database, "INSERT INTO tenant_a.customers (plan_id, name) VALUES (2, 'first')")
    execute(database, "INSERT INTO tenant_a.orders (customer_id, total) VALUES (1, 200)")
    execute(database, "DROP INDEX tenant_b.orders_customer", "DROP INDEX tenant_c.orders_customer")
    execute(database, "ALTER TABLE tenant_c.orders ALTER COLUMN note TYPE varchar(9)")
    execute(database, "CREATE TABLE public.of_nobody (id integer)")

    status = project.succeed("fleet", "status", *FLEET)
    revisions = {target["name"]: target["target"]["revision"] for target in status.report["targets"]}
    assert revisions == {
        "tenant_a": ["r2"], "tenant_b": ["r2"], "tenant_c": ["r2"], "tenant_d": ["r1"], "tenant_e": ["r3"],
        "tenant_f": None,
    }  # fmt: skip

    drift = project.ask("fleet", "drift", *FLEET)
    assert ended(drift) == {"a": 0, "b": 1, "c": 1, "d": 0, "e": 0, "f": 0}
    assert [(group["subject"], group["count"]) for group in drift.report["groups"]] == [
        ("index public.orders.orders_customer", 2),
        ("column public.orders.note", 1),
    ]
    assert len(drift.report["groups"][0]["variants"]) == 1  # one index, in the words of both tenants

    looked = project.ask("fleet", "check", *FLEET)
    assert ended(looked) == {"a": 1, "b": 1, "c": 1, "d": 1, "e": 0, "f": 1}
    said = {
        target["name"]: [one["rule"] for one in target["findings"]] for target in looked.report["targets"]
    }
    assert "startup.behind" in said["tenant_d"]
    assert "startup.empty-database" in said["tenant_f"]

    refused = project.ask("fleet", "migrate", *FLEET, "--stop-after", "6")
    assert refused.exit_code == 4  # nobody has allowed a loss yet
    allowed = project.ask(
        "fleet", "migrate", *FLEET, "--stop-after", "6", "--allow", "drops-column:orders.note"
    )
    assert ended(allowed) == {"a": 0, "b": 4, "c": 4, "d": 0, "e": 0, "f": 0}
    assert "as declared" in allowed.report["problems"][0]["what"]
    for tenant in "abcdef":
        revision = read(of(database, tenant), "SELECT version_num FROM alembic_version")
        assert revision == ("r2" if tenant in "bc" else "r3")
    assert read(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 2
    assert not project.ask("fleet", "migrate", *FLEET, "--select", "name=tenant_[adef]").exit_code

    clean = project.succeed("fleet", "drift", *FLEET, "--select", "name=tenant_[adef]")
    assert not clean.report["groups"]
    # as after migrations by Alembic itself: what nobody vouches for is compared, and then vouched for
    execute(database, "DROP SCHEMA govern_of_tenant_e CASCADE", "DROP VIEW tenant_f.big")
    assert ended(project.ask("fleet", "check", *FLEET)) == {"a": 0, "b": 1, "c": 1, "d": 0, "e": 1, "f": 1}
    project.succeed("fleet", "migrate", *FLEET, "--select", "name=tenant_e")
    assert ended(project.ask("fleet", "check", *FLEET, "--select", "name=tenant_e")) == {"e": 0}


def test_a_tenants_backup_has_its_rows_and_is_proven_beside_what_it_shares(
    project: Project, database: DatabaseUrl
) -> None:
    for tenant in "ab":
        migrate(project, tenant, "r2")
    execute(database, "INSERT INTO tenant_a.customers (plan_id, name) VALUES (2, 'first'), (1, 'second')")
    execute(database, "INSERT INTO tenant_b.customers (plan_id, name) VALUES (2, 'of another tenant')")
    done = project.succeed("backup", "create", "--target", "a")
    assert "every row of it" in done.entry("verify")["reason"]
    folder = project.root / "backups" / done.report["backup"]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["rows"] == {"tenant_a.customers": 2, "tenant_a.orders": 0}

    # whoever asks for it as if it were the whole database does not get one with all other tenants gone
    whole = project.with_url(database)
    assert whole.ask("restore", done.report["backup"]).exit_code != 0
    assert read(of(database, "b"), "SELECT name FROM customers") == "of another tenant"
    assert_told(project, "restore", "--target", "a", exit_code=4, said="is its schema tenant_a")


MANIFEST = """
critical_tables:
  - name: customers
    min_rows: 1
    unique: [name]
    never_empty: [name]
relationships:
  - from: orders.note
    to: customers.name
  - from: customers.plan_id
    to: public.plans.id
invariants:
  - name: no negative orders
    sql: SELECT count(*) FROM orders WHERE total < 0
    expect: 0
repairs:
  - name: lost-orders
    kind: delete_where
    table: orders
    where: total < 0
    owner: data
    reason: for a whole database alone
"""


def test_rows_of_a_tenant_are_looked_at_and_told_as_those_of_the_others(
    project: Project, database: DatabaseUrl
) -> None:
    project.write({"schema/governance.yaml": MANIFEST})
    project.edit("govern.toml", "[targets.a]", 'manifest = "schema/governance.yaml"\n[targets.a]')
    for tenant in "abc":
        migrate(project, tenant, "r2")
        execute(of(database, tenant), "INSERT INTO customers (plan_id, name) VALUES (1, 'first')")
    for tenant in "ab":
        execute(
            of(database, tenant),
            "SET session_replication_role = replica",
            "INSERT INTO customers (id, plan_id, name) VALUES (7, 9, 'first')",
            "INSERT INTO orders (customer_id, total, note) VALUES (8, -1, 'nobody')",
            "ALTER TABLE orders ADD CONSTRAINT cheap CHECK (total > 0) NOT VALID",
        )
    execute(
        of(database, "c"),
        "CREATE TABLE public.orders (id integer REFERENCES public.plans)",
        "SET session_replication_role = replica",
        "INSERT INTO public.orders VALUES (77)",
        "CREATE TABLE public.customers (name text)",
        "INSERT INTO public.customers VALUES ('shared'), ('shared')",
    )
    done = project.ask("fleet", "integrity", *FLEET, "--select", "name=tenant_[abcd]")
    assert ended(done) == {"a": 1, "b": 1, "c": 0, "d": 1}  # d has no tables, and no customer
    first, second, _, empty = done.report["targets"]
    assert {found["rule"] for found in empty["findings"]} == {"integrity.unusable-invariant"}
    told = {(found["rule"], found["subject"]["name"]) for found in first["findings"]}
    assert told == {
        ("integrity.broken-check", "orders.cheap"),
        ("integrity.duplicate", "customers (name)"),
        ("integrity.invariant", "no negative orders"),
        ("integrity.orphan", "customers.customers_plan_id_fkey"),
        ("integrity.orphan", "orders.orders_customer_id_fkey"),
        ("integrity.orphan", "customers.plan_id → plans.id"),
        ("integrity.orphan", "orders.note → customers.name"),
        ("integrity.sequence-behind", "customers_id_seq"),
    }
    assert first["findings"] == second["findings"]
    assert {group["count"] for group in done.report["groups"]} <= {1, 2}

    alone = project.ask("integrity", "--target", "a")
    assert [entry["status"] for entry in alone.report["entries"] if entry["name"] == "types"] == ["passed"]
    [behind] = [found for found in alone.findings if found["rule"] == "integrity.sequence-behind"]
    execute(of(database, "a"), *behind["fix"]["sql"])
    rules = [found["rule"] for found in project.ask("integrity", "--target", "a").findings]
    assert "integrity.sequence-behind" not in rules


@pytest.mark.parametrize(
    "command",
    [
        ("repair", "plan"),
        ("integrity", "--suggest"),
        ("backup", "prune"),
        ("monitor", "status"),
        ("serve", "--port", "0"),
    ],
)
def test_what_is_for_a_whole_database_is_refused_for_a_tenant(
    project: Project, command: tuple[str, ...]
) -> None:
    assert_told(project, *command, "--target", "a", exit_code=4, said="is for a whole database")


def test_a_schema_that_is_not_there_is_no_reason_to_create_tables_elsewhere(
    project: Project, database: DatabaseUrl
) -> None:
    for command in (("migrate", "--backup", "off"), ("drift",)):
        assert_told(
            project, *command, "--target", "missing", exit_code=3, said="CREATE SCHEMA tenant_missing"
        )
    project.write({"targets.yaml": "targets:\n  - {name: x, url_env: TENANTS_URL, schema: tenant_x}\n"})
    done = project.ask("fleet", "status", *FLEET)
    assert (done.exit_code, ended(done)) == (3, {"x": 3})
    assert "has no schema tenant_x" in done.report["targets"][0]["problem"]["what"]
    assert read(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1


def test_a_query_that_finds_no_tenant_is_an_error(project: Project) -> None:
    project.edit("targets.yaml", "tenant", "tenants")
    assert_told(project, "fleet", "migrate", *FLEET, exit_code=2, said="yields no row")


def test_an_env_py_of_the_cookbook_is_told_which_tenant(project: Project, database: DatabaseUrl) -> None:
    project.write({"migrations/env.py": COOKBOOK})
    project.succeed("migrate", "--target", "a", "--to", "r2", "--backup", "off")
    assert read(of(database, "a"), "SELECT version_num FROM tenant_a.alembic_version") == "r2"
    project.succeed("drift", "--target", "a")


def test_the_revision_of_what_is_shared_is_never_taken_for_a_tenants(
    project: Project, database: DatabaseUrl
) -> None:
    shared = "CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)"
    execute(database, shared, "INSERT INTO public.alembic_version VALUES ('shared')")
    table = 'CREATE TABLE "tenant_a"."alembic_version"'
    assert_told(project, "migrate", "--target", "a", "--backup", "off", exit_code=4, said=table)
    execute(database, shared.replace("public", "tenant_a"))
    migrate(project, "a", "r3")
    assert read(of(database, "a"), "SELECT version_num FROM tenant_a.alembic_version") == "r3"
    assert read(database, "SELECT version_num FROM public.alembic_version") == "shared"
    project.succeed("drift", "--target", "a")


def test_a_tenants_migration_keeps_no_other_tenant_waiting(project: Project, database: DatabaseUrl) -> None:
    with locks.hold_migration_lock(of(database, "a"), wait_seconds=0):
        project.edit("govern.toml", "[targets.a]", "lock_wait_seconds = 0.1\n[targets.a]")
        held = project.ask("migrate", "--target", "a", "--backup", "off")
        assert (held.exit_code, "held by another process" in held.problem["what"]) == (4, True)
        migrate(project, "b", "r1")


def test_what_broke_off_midway_is_gone_on_with_for_each_tenant_by_itself(
    project: Project, database: DatabaseUrl
) -> None:
    for tenant, name in zip("ab", ("Ann", "Bertha"), strict=True):
        migrate(project, tenant, "r3")
        execute(of(database, tenant), f"INSERT INTO customers (plan_id, name) VALUES (1, '{name}')")
    project.write({"migrations/versions/r4.py": R4})
    both = ("--select", "name=tenant_[ab]", "--stop-after", "2")
    assert ended(project.ask("fleet", "migrate", *FLEET, *both, "--backup", "off")) == {"a": 5, "b": 0}
    assert read(of(database, "a"), "SELECT name FROM customers") == "Ann!"

    project.edit("migrations/versions/r4.py", "length(name) - 4", "length(name) - 9")
    done = project.succeed("migrate", "--target", "a", "--backup", "off")
    assert "r4 goes on after 2 statements" in done.entry("resume")["reason"]
    names = [read(of(database, tenant), "SELECT name FROM customers") for tenant in "ab"]
    assert names == ["Ann!", "Bertha!"]
    for tenant in "ab":
        assert read(of(database, tenant), "SELECT count(*) FROM govern_of_tenant_a.progress") == 0
        project.succeed("drift", "--target", tenant)


def test_a_tenant_is_taken_back_stamped_and_found_in_the_chain(
    project: Project, database: DatabaseUrl
) -> None:
    for tenant in "ab":
        migrate(project, tenant, "r2")
    project.succeed("downgrade", "r1", "--target", "a", "--allow", "drops-column:orders.ordered_at")
    stamped = "SELECT version_num FROM alembic_version"
    assert [read(of(database, tenant), stamped) for tenant in "ab"] == ["r1", "r2"]
    project.succeed("drift", "--target", "a")

    # as those that the application has made by itself
    for tenant in "ab":
        execute(
            of(database, tenant),
            f"DROP TABLE tenant_{tenant}.alembic_version",
            f"DROP SCHEMA govern_of_tenant_{tenant} CASCADE",
        )
    assert_told(project, "stamp", "r2", "--target", "a", exit_code=4, said="does not have the schema of r2")
    project.succeed("stamp", "r1", "--target", "a")
    project.succeed("baseline", "--target", "b")
    assert [read(of(database, tenant), stamped) for tenant in "ab"] == ["r1", "r2"]
    project.succeed("drift", "--target", "b")

    execute(database, "ALTER TABLE tenant_b.alembic_version SET SCHEMA public")
    for command in (("stamp", "r2"), ("baseline",)):
        assert_told(
            project, *command, "--target", "b", exit_code=4, said="has no alembic_version, and public"
        )


@pytest.mark.parametrize("schema", ["public", "pg_catalog", "govern_of_tenant_a", "$user"])
def test_a_schema_that_is_nobodys_own_is_no_tenant(project: Project, schema: str) -> None:
    project.edit("govern.toml", "tenant_missing", schema)
    assert_told(project, "drift", "--target", "missing", exit_code=2, said="is nobody's own")


def test_a_role_that_may_not_use_the_schema_is_not_led_to_public(
    project: Project, database: DatabaseUrl, make_role: MakeRole
) -> None:
    role = make_role("reader", "s3cret").with_database(database.database)
    app = project.with_environment(TENANTS_URL=role.text)
    assert_told(app, "drift", "--target", "a", exit_code=3, said="do not begin in the schema tenant_a")
