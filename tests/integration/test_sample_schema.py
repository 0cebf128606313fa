"""The sample application: its models and SQL files, and its history, must tell one story."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from govern.database.url import DatabaseUrl
from schema.models import metadata
from tests.fixtures.databases import MakeFromTemplate

ROOT = Path(__file__).parents[2]

# fmt: off
TABLES = (
    "users", "roles", "permissions", "user_roles", "role_permissions", "user_sessions", "auth_tokens",
    "mfa_configurations", "security_events", "access_audit_logs", "conversation_states",
    "conversation_messages", "memory_context_items", "sms_router_configs", "sms_usage_logs",
    "user_phone_mappings", "user_settings", "todos", "tasks", "ai_tasks", "task_results", "reminders",
    "events", "event_creation_logs", "event_processing_log", "recurrence_patterns", "expenses",
    "expense_categories", "ltm_memories", "ltm_contexts", "ltm_memory_access", "ltm_memory_relationships",
    "ltm_memory_tags", "notes", "note_sync_log", "grocery_items", "grocery_deals", "grocery_analysis",
)
# fmt: on

FACTS = {
    "tables": """
        SELECT relname, relkind::text, relrowsecurity, relforcerowsecurity, reloptions,
               obj_description(oid, 'pg_class')
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    """,
    # row_number, for a column that was dropped and added again leaves a gap in attnum
    "columns": """
        SELECT relname, row_number() OVER (PARTITION BY relname ORDER BY attnum), attname,
               format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity::text,
               attgenerated::text, attcollation::regcollation::text, col_description(attrelid, attnum)
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid AND relkind IN ('r', 'p', 'v', 'm')
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype::text, convalidated, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
    "indexes": """
        SELECT pg_get_indexdef(indexrelid), indisvalid
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = 'public'::regnamespace
    """,
    "types": "SELECT typname, typtype::text FROM pg_type WHERE typnamespace = 'public'::regnamespace",
    "enums": """
        SELECT enumtypid::regtype::text, array_agg(enumlabel::text ORDER BY enumsortorder)
        FROM pg_enum GROUP BY enumtypid
    """,
    "sequences": """
        SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle,
               cache_size
        FROM pg_sequences WHERE schemaname = 'public'
    """,
    "functions": """
        SELECT pg_get_functiondef(oid), obj_description(oid, 'pg_proc')
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """,
    "triggers": """
        SELECT pg_get_triggerdef(oid), tgenabled::text, obj_description(oid, 'pg_trigger')
        FROM pg_trigger WHERE NOT tgisinternal
    """,
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'",
    "policies": """
        SELECT policyname, tablename, permissive, roles::text, cmd, qual, with_check,
               obj_description(pg_policy.oid, 'pg_policy')
        FROM pg_policies JOIN pg_policy ON polname = policyname AND polrelid = tablename::regclass
    """,
}

Facts = Mapping[str, frozenset[str]]


def read_facts(url: DatabaseUrl) -> Facts:
    """The schema of a database, but for Alembic's version table."""
    with psycopg.connect(url.conninfo) as connection:
        found = {kind: connection.execute(query).fetchall() for kind, query in FACTS.items()}
    return {
        kind: frozenset(text for text in map(repr, rows) if "alembic_version" not in text)
        for kind, rows in found.items()
    }


def differences(one: Facts, other: Facts) -> dict[str, list[str]]:
    return {kind: sorted(one[kind] ^ other[kind]) for kind in FACTS if one[kind] != other[kind]}


def configure(url: DatabaseUrl) -> Config:
    """As `alembic -c alembic.ini` would, but for its logging: that is the test run's own."""
    sqlalchemy_url = make_url(url.text).set(drivername="postgresql+psycopg")
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option(
        "sqlalchemy.url", sqlalchemy_url.render_as_string(hide_password=False).replace("%", "%%")
    )
    return config


def upgrade(url: DatabaseUrl, revision: str = "head") -> None:
    command.upgrade(configure(url), revision)


def downgrade(url: DatabaseUrl, revision: str = "base") -> None:
    command.downgrade(configure(url), revision)


def create_declared(url: DatabaseUrl) -> None:
    """The models' tables, then the SQL files in the order of their names."""
    engine = create_engine(make_url(url.text).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    metadata.create_all(engine)
    with psycopg.connect(url.conninfo) as connection:
        for file in sorted((ROOT / "schema/sql").glob("*.sql")):
            connection.execute(file.read_bytes())


def query(url: DatabaseUrl, statement: str) -> Any:
    """The first column of the first row."""
    with psycopg.connect(url.conninfo) as connection:
        row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return row[0]


def execute(url: DatabaseUrl, *statements: str) -> None:
    with psycopg.connect(url.conninfo) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def read_manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((ROOT / "schema/governance.yaml").read_text(encoding="utf-8"))
    return manifest


def read_revisions() -> list[str]:
    """Their ids, oldest first."""
    script = ScriptDirectory(str(ROOT / "migrations"))
    return [revision.revision for revision in script.walk_revisions()][::-1]


@pytest.fixture
def migrated(postgresql_from_template: MakeFromTemplate) -> DatabaseUrl:
    """A database at the newest revision, without users."""
    return postgresql_from_template("sample_schema_migrated", upgrade)


@pytest.fixture
def populated(migrated: DatabaseUrl) -> DatabaseUrl:
    """The same with Ada and Bob, and a conversation of Ada's."""
    execute(
        migrated,
        """
        INSERT INTO users (id, email, display_name)
        VALUES ('00000000-0000-0000-0000-00000000000a', 'ada@example.org', 'Ada'),
               ('00000000-0000-0000-0000-00000000000b', 'bob@example.org', 'Bob')
        """,
        """
        INSERT INTO conversation_states (id, user_id)
        VALUES ('00000000-0000-0000-0000-0000000000c1', '00000000-0000-0000-0000-00000000000a')
        """,
    )
    return migrated


def test_the_models_declare_the_38_tables_and_no_other() -> None:
    assert len(TABLES) == 38
    assert set(metadata.tables) == set(TABLES)


def test_models_and_sql_files_give_the_schema_the_revisions_give(
    migrated: DatabaseUrl, postgresql_database: DatabaseUrl
) -> None:
    create_declared(postgresql_database)
    declared = read_facts(postgresql_database)
    assert {kind for kind in FACTS if not declared[kind]} == set()
    assert differences(declared, read_facts(migrated)) == {}


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER TABLE notes DISABLE ROW LEVEL SECURITY", "tables"),
        ("COMMENT ON COLUMN users.full_name IS 'changed'", "columns"),
        ("ALTER TABLE grocery_deals ALTER COLUMN price TYPE numeric(14, 2)", "columns"),
        ("ALTER TABLE todos DROP CONSTRAINT ck_todos_priority_in_range", "constraints"),
        ("DROP INDEX ix_ltm_memories_source", "indexes"),
        ("CREATE DOMAIN forgotten AS text", "types"),
        ("ALTER TYPE channel ADD VALUE 'fax'", "enums"),
        ("ALTER SEQUENCE task_number_seq INCREMENT 2", "sequences"),
        ("ALTER FUNCTION touch_updated_at() SECURITY DEFINER", "functions"),
        ("ALTER TABLE users DISABLE TRIGGER touch_updated_at", "triggers"),
        ("ALTER VIEW open_sessions RENAME TO sessions_open", "views"),
        ("ALTER POLICY notes_of_one_user ON notes USING (true)", "policies"),
    ],
)
def test_a_change_by_hand_would_be_seen_by_the_comparison(
    migrated: DatabaseUrl, statement: str, kind: str
) -> None:
    before = read_facts(migrated)
    execute(migrated, statement)
    assert kind in differences(before, read_facts(migrated))


def test_alembic_finds_nothing_to_generate(migrated: DatabaseUrl) -> None:
    command.check(configure(migrated))


def test_every_revision_can_be_taken_back_exactly(postgresql_database: DatabaseUrl) -> None:
    previous, before = "base", read_facts(postgresql_database)
    for revision in read_revisions():
        upgrade(postgresql_database, revision)
        after = read_facts(postgresql_database)
        assert after != before
        downgrade(postgresql_database, previous)
        assert differences(before, read_facts(postgresql_database)) == {}, (
            f"{revision} leaves something behind"
        )
        upgrade(postgresql_database, revision)
        assert differences(after, read_facts(postgresql_database)) == {}, (
            f"{revision} is another one afterwards"
        )
        previous, before = revision, after


def test_downgrading_to_base_leaves_nothing_and_upgrading_again_works(
    migrated: DatabaseUrl, postgresql_database: DatabaseUrl
) -> None:
    empty, full = read_facts(postgresql_database), read_facts(migrated)
    downgrade(migrated)
    assert differences(empty, read_facts(migrated)) == {}
    upgrade(migrated)
    assert differences(full, read_facts(migrated)) == {}
    assert query(migrated, "SELECT count(*) FROM roles") == 3


def test_revisions_do_not_import_the_application() -> None:
    """History must not change when the models do."""
    files = sorted((ROOT / "migrations/versions").glob("*.py"))
    assert len(files) == len(read_revisions())
    for file in files:
        imported: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or ".")
        assert {name.partition(".")[0] for name in imported} <= {"alembic", "sqlalchemy"}, file.name


def test_the_revisions_seed_roles_permissions_and_categories(migrated: DatabaseUrl) -> None:
    assert query(migrated, "SELECT array_agg(name ORDER BY name) FROM roles") == ["admin", "guest", "member"]
    assert query(migrated, "SELECT count(*) FROM permissions") == 10
    assert query(migrated, "SELECT count(*) FROM role_permissions") == 18
    assert query(migrated, "SELECT count(*) FROM expense_categories WHERE user_id IS NULL") == 7
    assert query(migrated, "SELECT count(*) FROM users") == 0


def test_names_survive_the_change_to_display_names_and_back(postgresql_database: DatabaseUrl) -> None:
    upgrade(postgresql_database, "9f3507c6be81")
    execute(
        postgresql_database,
        """
        INSERT INTO users (email, full_name)
        VALUES ('ada@example.org', ' Ada Lovelace '), ('b@example.org', ' ')
        """,
    )
    upgrade(postgresql_database, "c60be2f7194d")
    names = "SELECT array_agg(display_name ORDER BY email) FROM users"
    assert query(postgresql_database, names) == ["Ada Lovelace", "b"]
    execute(postgresql_database, "UPDATE users SET full_name = NULL WHERE email = 'b@example.org'")
    downgrade(postgresql_database, "9f3507c6be81")
    names = "SELECT array_agg(full_name ORDER BY email) FROM users"
    assert query(postgresql_database, names) == [" Ada Lovelace ", "b"]


def test_messages_are_counted_once_more_before_the_trigger_counts_them(populated: DatabaseUrl) -> None:
    downgrade(populated, "c60be2f7194d")
    message = "INSERT INTO conversation_messages (conversation_id, position, author, body) VALUES "
    conversation = "('00000000-0000-0000-0000-0000000000c1', {}, 'user', 'Hello')"
    execute(populated, message + conversation.format(1))
    count = "SELECT message_count FROM conversation_states"
    assert query(populated, count) == 0
    upgrade(populated)
    assert query(populated, count) == 1
    execute(populated, message + conversation.format(2) + ", " + conversation.format(3))
    assert query(populated, count) == 3
    newest = "SELECT last_message_id = (SELECT max(id) FROM conversation_messages) FROM conversation_states"
    assert query(populated, newest) is True


def test_every_table_with_updated_at_has_the_trigger_that_keeps_it(migrated: DatabaseUrl) -> None:
    without = """
        SELECT count(*) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attname = 'updated_at'
          AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = attrelid AND tgname = 'touch_updated_at')
    """
    assert query(migrated, without) == 0
    execute(migrated, "DROP TRIGGER touch_updated_at ON todos")
    assert query(migrated, without) == 1


def test_a_changed_row_says_when(populated: DatabaseUrl) -> None:
    execute(populated, "UPDATE users SET locale = 'de', updated_at = '2000-01-01'")
    assert query(populated, "SELECT min(updated_at) > now() - interval '1 hour' FROM users") is True


def test_users_see_their_own_notes_only(populated: DatabaseUrl) -> None:
    execute(
        populated,
        """
        INSERT INTO notes (user_id, title)
        VALUES ('00000000-0000-0000-0000-00000000000a', 'Ada''s'),
               ('00000000-0000-0000-0000-00000000000b', 'Bob''s')
        """,
    )
    assert query(populated, "SELECT count(*) FROM notes") == 2  # the owner's view
    with psycopg.connect(populated.conninfo) as connection:
        # a role that does not outlive this transaction: it is rolled back
        connection.execute("CREATE ROLE sample_schema_reader")
        connection.execute("GRANT SELECT, INSERT ON notes TO sample_schema_reader")
        connection.execute("SET LOCAL ROLE sample_schema_reader")
        assert connection.execute("SELECT title FROM notes").fetchall() == []
        connection.execute("SET LOCAL app.user_id = '00000000-0000-0000-0000-00000000000a'")
        assert connection.execute("SELECT title FROM notes").fetchall() == [("Ada's",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute("INSERT INTO notes (user_id) VALUES ('00000000-0000-0000-0000-00000000000b')")
        connection.rollback()


def test_every_foreign_key_begins_an_index(migrated: DatabaseUrl) -> None:
    without_index = """
        SELECT count(*) FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_index
            WHERE indrelid = conrelid AND indpred IS NULL
              AND (indkey::smallint[])[0:cardinality(conkey) - 1] @> conkey
        )
    """
    assert query(migrated, without_index) == 0
    execute(migrated, "DROP INDEX ix_user_roles_granted_by")
    assert query(migrated, without_index) == 1


def test_the_manifest_names_only_what_there_is_and_holds_after_a_migration(migrated: DatabaseUrl) -> None:
    manifest = read_manifest()
    columns = """
        SELECT json_object_agg(relname || '.' || attname, format_type(atttypid, atttypmod))
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
    """
    types = query(migrated, columns)
    assert 6 <= len(manifest["critical_tables"]) <= 8
    for table in manifest["critical_tables"]:
        required = table["required_columns"]
        named = required if isinstance(required, dict) else dict.fromkeys(required)
        for column, type_text in named.items():
            assert type_text in (None, types[f"{table['name']}.{column}"])
        assert {f"{table['name']}.{column}" for column in table.get("never_empty", ())} <= set(types)
        assert query(migrated, f"SELECT count(*) FROM {table['name']}") >= table.get("min_rows", 0)
    for relationship in manifest["relationships"]:
        assert types[relationship["from"]] == types[relationship["to"]]
    for invariant in manifest["invariants"]:
        assert query(migrated, invariant["sql"]) == invariant["expect"], invariant["name"]


@pytest.mark.parametrize(
    ("harm", "broken"),
    [
        ("DELETE FROM role_permissions", "every role that ships with the application may do something"),
        (
            "INSERT INTO permissions (code, description) VALUES ('a:b', '')",
            "administrators may do everything",
        ),
        ("DELETE FROM expense_categories", "there are expense categories for everyone"),
    ],
)
def test_an_invariant_is_broken_by_what_it_guards_against(
    migrated: DatabaseUrl, harm: str, broken: str
) -> None:
    execute(migrated, harm)
    found = {
        invariant["name"]: query(migrated, invariant["sql"]) == invariant["expect"]
        for invariant in read_manifest()["invariants"]
    }
    assert found[broken] is False
