"""Nothing is called drift that is none: the same schema reads the same however it came about and is looked at."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from govern import api, config
from govern.checks.drift import judge_drift
from govern.checks.startup import Expectation, check_startup
from govern.config import Settings
from govern.core.changes import describe_change, diff
from govern.core.finding import Severity
from govern.core.report import Report
from govern.core.snapshot import ObjectKey, Snapshot
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.declared import (
    beside,
    declared_by_models,
    declared_by_revisions,
    in_words_of,
)
from govern.errors import CouldNotCheck, NotPermitted
from govern.revisions.graph import build_chain
from govern.source.lock import parse_lock, render_lock
from tests.fixtures.databases import MakeDatabase, MakeFromTemplate, MakeRole, with_credentials
from tests.fixtures.projects import CopyProject
from tests.fixtures.server import skip_before, wanted_major

ROOT = Path(__file__).parent.parent.parent
TABLE = VersionTable()
EXPRESSIONS = {
    13: ROOT / "tests/cases/schemas/expressions.sql",
    14: ROOT / "tests/cases/schemas/expressions-14.sql",
    15: ROOT / "tests/cases/schemas/expressions-15.sql",
}
"""By the major version that takes them, together with those before."""
PORTABLE = """
    CREATE TABLE users (id integer PRIMARY KEY, email varchar(320) NOT NULL, age integer DEFAULT 1 CHECK (age > 0));
    CREATE TABLE notes (id integer PRIMARY KEY, user_id integer REFERENCES users (id) ON DELETE CASCADE, body text);
    CREATE UNIQUE INDEX notes_body ON notes (lower(body), id) WHERE body IS NOT NULL;
    CREATE VIEW adults AS SELECT id FROM users WHERE age > 17;
"""
PARTITIONED = """
    CREATE TABLE p (a integer NOT NULL, b text, c integer) PARTITION BY LIST (a);
    CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY RANGE (c);
    CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (1) TO (9);
    CREATE TABLE a_partition_with_a_name_so_long_that_there_is_no_room_for_more PARTITION OF p FOR VALUES IN (2);
    CREATE INDEX mine ON p11 (b);
    CREATE INDEX p_b ON p (b) INCLUDE (c);
    CREATE INDEX p_only ON ONLY p (c);
    CREATE INDEX p_lower ON p (lower(b), (c + 1));
    ALTER TABLE p11 ADD CONSTRAINT of_one UNIQUE (a, c);
    CREATE UNIQUE INDEX of_all ON p (a, c);
    ALTER TABLE p ADD CONSTRAINT once PRIMARY KEY (a, c);
    ALTER TABLE p RENAME COLUMN b TO renamed;
    ALTER TABLE p11 RENAME TO other;
"""


# --- the same database, dumped and restored ---------------------------------------------------------------


def test_a_dump_and_a_restore_of_every_shape_of_expression_are_no_drift(
    expressions: DatabaseUrl, make_postgresql_database: MakeDatabase
) -> None:
    restored = make_postgresql_database("template0")
    copy(expressions, restored)
    before, after = read(expressions), read(restored)
    assert diff(before, after), "the server writes some of them in another way"
    for scratch in (expressions, restored):
        assert differences(before, after, scratch) == []
        assert differences(after, before, scratch) == []


def test_what_the_server_reads_twice_it_writes_the_same_way(
    expressions: DatabaseUrl, make_postgresql_database: MakeDatabase
) -> None:
    once, twice = make_postgresql_database("template0"), make_postgresql_database("template0")
    copy(expressions, once)
    copy(once, twice)
    assert diff(read(once), read(twice)) == ()


def test_a_dump_and_a_restore_are_no_drift(
    any_database: DatabaseUrl, make_postgresql_database: MakeDatabase, tmp_path: Path
) -> None:
    run(any_database, PORTABLE)
    restored = (
        make_postgresql_database("template0") if is_server(any_database) else sqlite_file(tmp_path, "b")
    )
    copy(any_database, restored)
    assert diff(read(any_database), read(restored)) == ()


def test_a_dump_and_a_restore_of_partitioned_indexes_are_no_drift(
    make_postgresql_database: MakeDatabase,
) -> None:
    original, restored = make_postgresql_database("template0"), make_postgresql_database("template0")
    run(original, PARTITIONED)
    copy(original, restored)
    schema = read(original)
    assert schema.objects[ObjectKey("constraint", "public", "other.of_one")]["attached_to"] == "public.of_all"
    assert diff(schema, read(restored)) == ()


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
        "CREATE TABLE p1 (LIKE p INCLUDING INDEXES); ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1)",
        "CREATE TABLE p1 (LIKE p); ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1)",
        "CREATE SEQUENCE p1_b_idx; CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); DROP SEQUENCE p1_b_idx",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); DROP INDEX p_b; CREATE INDEX p_b ON p (b)",
    ],
)
def test_names_that_the_server_makes_for_a_partitions_indexes_are_no_drift(
    make_postgresql_database: MakeDatabase, made: str
) -> None:
    one, other = make_postgresql_database("template0"), make_postgresql_database("template0")
    table = (
        "CREATE TABLE p (a integer NOT NULL, b text) PARTITION BY LIST (a); CREATE INDEX p_b ON p (b);"
        "ALTER TABLE p ADD CONSTRAINT p_key PRIMARY KEY (a); ALTER TABLE p ADD CONSTRAINT p_once UNIQUE (b, a)"
    )
    run(one, f"{table}; CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
    run(other, f"{table}; {made}")
    assert diff(read(one), read(other)) == ()


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ("CHECK ((a OR b) AND c)", "CHECK (a OR (b AND c))"),
        ("CHECK (d IN ('x', 'y'))", "CHECK (d IN ('x', 'z'))"),
        ("CHECK (d IN ('x', 'y'))", "CHECK (d NOT IN ('x', 'y'))"),
        ("CHECK (d = 'x'::varchar(3))", "CHECK (d = 'x'::varchar(4))"),
        ("CHECK (e::text = '1')", "CHECK (e::text = '1'::char(2))"),
        ("CHECK (a)", "CHECK (a) NOT VALID"),
        ("CHECK (a)", "CHECK (a) NO INHERIT"),
        ("UNIQUE (d, e)", "UNIQUE (e, d)"),
        ("UNIQUE (d)", "UNIQUE (d) DEFERRABLE"),
    ],
)
def test_texts_that_mean_something_else_are_drift(
    make_postgresql_database: MakeDatabase, declared: str, live: str
) -> None:
    one, other = make_postgresql_database("template0"), make_postgresql_database("template0")
    table = "CREATE TABLE t (a boolean, b boolean, c boolean, d varchar(10), e integer)"
    run(one, f"{table}; ALTER TABLE t ADD CONSTRAINT k {declared}")
    run(other, f"{table}; ALTER TABLE t ADD CONSTRAINT k {live}")
    for scratch in (one, other):
        assert differences(read(one), read(other), scratch) == ["drift.constraint-changed"]


RETURNING = "CREATE FUNCTION f(x boolean, y boolean, z boolean) RETURNS boolean RETURN {}"
EXPRESSION_STATISTICS = "CREATE STATISTICS s ON ({}), a FROM t"
SINCE = {RETURNING: 14, EXPRESSION_STATISTICS: 14}
"""The major version that came with a definition."""


@pytest.mark.parametrize(
    ("definition", "declared", "live"),
    [
        ("CREATE VIEW v AS SELECT a FROM t WHERE {}", "(a OR b) AND c", "a OR (b AND c)"),
        ("CREATE MATERIALIZED VIEW v AS SELECT a FROM t WHERE {}", "(a OR b) AND c", "a OR (b AND c)"),
        ("CREATE INDEX i ON t (d) WHERE {}", "(a OR b) AND c", "a OR (b AND c)"),
        ("CREATE INDEX i ON t ({})", "d", "d DESC"),
        (EXPRESSION_STATISTICS, "d || 'x'", "d || 'y'"),
        ("CREATE POLICY p ON t USING ({})", "(a OR b) AND c", "a OR (b AND c)"),
        ("CREATE POLICY p ON t WITH CHECK ({})", "(a OR b) AND c", "a OR (b AND c)"),
        ("ALTER TABLE t ALTER d SET DEFAULT {}", "'x' || 'yz'", "'xy' || 'z'"),
        (
            "ALTER TABLE t ADD g boolean GENERATED ALWAYS AS ({}) STORED",
            "(a OR b) AND c",
            "a OR (b AND c)",
        ),
        ("CREATE DOMAIN dom AS varchar CHECK ({})", "VALUE IN ('a', 'b')", "VALUE IN ('a', 'c')"),
        ("CREATE DOMAIN dom AS varchar CONSTRAINT {} CHECK (VALUE > '')", "one", "other"),
        ("CREATE DOMAIN dom AS varchar DEFAULT {}", "'x'", "'y'"),
        (RETURNING, "(x OR y) AND z", "x OR (y AND z)"),
        (
            "CREATE RULE r AS ON UPDATE TO t WHERE {} DO INSTEAD NOTHING",
            "(old.a OR old.b)",
            "(old.a AND old.b)",
        ),
        (
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN ({})"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "(old.a OR old.b) AND old.c",
            "old.a OR (old.b AND old.c)",
        ),
        ("CREATE TABLE p (a text) PARTITION BY LIST ({})", "(a || 'x')", "(a || 'y')"),
    ],
)
def test_other_definitions_are_drift_of_every_kind(
    make_postgresql_database: MakeDatabase,
    pytestconfig: pytest.Config,
    definition: str,
    declared: str,
    live: str,
) -> None:
    skip_before(SINCE.get(definition, 0), pytestconfig)
    one, other = make_postgresql_database("template0"), make_postgresql_database("template0")
    table = "CREATE TABLE t (a boolean, b boolean, c boolean, d varchar(10), e integer)"
    run(one, f"{table}; {definition.format(declared)}")
    run(other, f"{table}; {definition.format(live)}")
    for scratch in (one, other):
        assert len(differences(read(one), read(other), scratch)) == 1


def test_the_names_of_the_current_time_are_no_drift_and_its_precision_is(
    make_postgresql_database: MakeDatabase,
) -> None:
    one, other = make_postgresql_database("template0"), make_postgresql_database("template0")
    table = "CREATE TABLE t (a timestamptz DEFAULT {}, b timestamptz DEFAULT {}, c timestamptz DEFAULT {})"
    run(one, table.format("now()", "CURRENT_TIMESTAMP", "now()"))
    run(other, table.format("CURRENT_TIMESTAMP", "transaction_timestamp()", "CURRENT_TIMESTAMP(3)"))
    expected = in_words_of(read(other), read(one), dialect_of(one), lambda: nullcontext(one))
    assert [change.key.name for change in diff(expected, read(other))] == ["t.c"]


def test_asking_leaves_the_scratch_database_as_it_was(
    expressions: DatabaseUrl, make_postgresql_database: MakeDatabase
) -> None:
    restored = make_postgresql_database("template0")
    copy(expressions, restored)
    before = read(expressions)
    differences(before, read(restored), expressions)
    assert diff(before, read(expressions)) == ()


def test_an_application_starts_on_a_restored_database_and_is_told_of_the_spelling(
    expressions: DatabaseUrl, make_postgresql_database: MakeDatabase
) -> None:
    restored = make_postgresql_database("template0")
    copy(expressions, restored)
    lock = parse_lock(render_lock(read(expressions), ("r1",)), Path("schema.lock"))
    stamp = "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('r1')"
    run(restored, stamp)
    expected = Expectation(heads=("r1",), lock=lock, read_chain=lambda: build_chain(()))
    dialect = dialect_of(restored)
    with dialect.connect(restored, read_only=True) as connection:
        told = check_startup(connection, dialect, TABLE, expected, subject="app")
    assert told
    assert {finding.severity for finding in told} == {Severity.WARNING}
    run(restored, "ALTER TABLE t ALTER a SET DEFAULT 'other'")
    with dialect.connect(restored, read_only=True) as connection:
        told = check_startup(connection, dialect, TABLE, expected, subject="app")
    serious = [finding.subject.name for finding in told if finding.severity >= Severity.ERROR]
    assert serious == ["t.a"]


# --- the same statements, by another hand -----------------------------------------------------------------


def test_the_same_statements_twice_are_no_drift(
    any_database: DatabaseUrl,
    make_postgresql_database: MakeDatabase,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    other = make_postgresql_database("template0") if is_server(any_database) else sqlite_file(tmp_path, "b")
    schema = PORTABLE + (read_expressions(pytestconfig) if is_server(any_database) else "")
    for database in (any_database, other):
        run(database, schema)
    assert read(any_database) == read(other)


def test_models_and_revisions_that_mean_the_same_are_no_drift(
    copy_project: CopyProject, any_database: DatabaseUrl
) -> None:
    settings = copy_project("plain")
    with (
        declared_by_models(settings, like=any_database) as models,
        declared_by_revisions(settings, ("r2",), like=any_database) as revisions,
    ):
        assert diff(models.snapshot, revisions.snapshot) == ()


def test_the_samples_models_and_revisions_are_no_drift(postgresql_database: DatabaseUrl) -> None:
    settings = config.load(start=ROOT, environ={})
    with declared_by_models(settings, like=postgresql_database) as models:
        wanted = models.snapshot
    with declared_by_revisions(settings, ("heads",), like=postgresql_database) as revisions:
        expected = in_words_of(revisions.snapshot, wanted, dialect_of(postgresql_database), beside(revisions))
        assert [describe_change(change) for change in diff(expected, revisions.snapshot)] == []


def test_columns_in_another_order_are_no_drift(
    any_database: DatabaseUrl, make_postgresql_database: MakeDatabase, tmp_path: Path
) -> None:
    other = make_postgresql_database("template0") if is_server(any_database) else sqlite_file(tmp_path, "b")
    run(any_database, "CREATE TABLE t (a integer, b text, c date)")
    run(other, "CREATE TABLE t (c date)")
    run(other, "ALTER TABLE t ADD COLUMN b text; ALTER TABLE t ADD COLUMN a integer")
    assert diff(read(any_database), read(other)) == ()


def test_columns_that_were_dropped_in_between_are_no_drift(
    postgresql_database: DatabaseUrl, make_postgresql_database: MakeDatabase
) -> None:
    other = make_postgresql_database("template0")
    run(postgresql_database, "CREATE TABLE t (a integer, b text); CREATE INDEX i ON t (b)")
    run(other, "CREATE TABLE t (x integer, a integer, y integer, b text); ALTER TABLE t DROP x, DROP y")
    run(other, "CREATE INDEX i ON t (b)")
    assert read(postgresql_database) == read(other)


# --- the same schema, in use -------------------------------------------------------------------------------

# VACUUM FULL of everything would lock what all databases share, and wait for tests that are in a transaction
SERVER_USE = """
    INSERT INTO users SELECT n, n || '@example.org', n FROM generate_series(1, 500) n;
    INSERT INTO notes SELECT n, n, 'note ' || n FROM generate_series(1, 500) n;
    INSERT INTO counted DEFAULT VALUES;
    DELETE FROM notes WHERE id % 3 = 0;
    ANALYZE;
    VACUUM;
    VACUUM FULL users, notes, counted, totals, pg_catalog.pg_class, pg_catalog.pg_attribute;
    REINDEX TABLE notes;
    REINDEX INDEX CONCURRENTLY notes_body;
    CLUSTER notes USING notes_pkey;
    ALTER TABLE notes SET WITHOUT CLUSTER;
    REFRESH MATERIALIZED VIEW totals;
    REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
    TRUNCATE notes;
    SELECT setval('counted_id_seq', 5000);
"""
FILE_USE = """
    INSERT INTO users VALUES (1, 'a', 1), (2, 'b', 2);
    INSERT INTO notes VALUES (1, 1, 'x');
    DELETE FROM notes;
    ANALYZE;
    REINDEX;
    VACUUM;
"""


def test_use_and_upkeep_are_no_drift(any_database: DatabaseUrl) -> None:
    run(any_database, PORTABLE)
    if is_server(any_database):
        run(
            any_database,
            "CREATE TABLE counted (id serial PRIMARY KEY, other bigint GENERATED BY DEFAULT AS IDENTITY);"
            "CREATE MATERIALIZED VIEW totals AS SELECT id, count(*) AS n FROM users GROUP BY id;"
            "CREATE UNIQUE INDEX totals_id ON totals (id)",
        )
    before, fingerprint = read(any_database), read_fingerprint(any_database)
    for statement in (SERVER_USE if is_server(any_database) else FILE_USE).split(";"):
        if statement.strip():
            run(any_database, statement)  # VACUUM stands in no transaction
    assert diff(before, read(any_database)) == ()
    assert read_fingerprint(any_database) == fingerprint


# --- the same schema, seen with other settings -------------------------------------------------------------

SEARCH_PATHS = ("", "app", "app, public", "pg_catalog, public", '"$user", other, app')


@pytest.mark.parametrize("path", SEARCH_PATHS)
@pytest.mark.parametrize("where", ["session", "database", "role"])
def test_a_search_path_is_no_drift(
    expressions: DatabaseUrl, make_role: MakeRole, path: str, where: str
) -> None:
    run(expressions, "CREATE TABLE app.t (id int, a varchar CHECK (a IN ('x', 'y'))); CREATE SCHEMA other")
    before, fingerprint = read(expressions), read_fingerprint(expressions)
    looking = expressions
    if where == "session":
        looking = with_options(expressions, path)
    elif where == "database":
        statement = sql.SQL("ALTER DATABASE {} SET search_path = {}")
        run(expressions, statement.format(sql.Identifier(expressions.database), path_list(path)))
    else:
        looking = as_role(expressions, make_role, "seeker")
        statement = sql.SQL("ALTER ROLE {} SET search_path = {}")
        run(expressions, statement.format(sql.Identifier(role_of(looking)), path_list(path)))
    with dialect_of(looking).connect(looking) as connection:
        assert not path or connection.value("SHOW search_path").replace(", ", ",") == path.replace(", ", ",")
    assert read(looking) == before
    assert read_fingerprint(looking) == fingerprint


@pytest.mark.parametrize(
    ("where", "path"),
    [("database", "app, public"), ("role", "public, app"), ("role", '"$user", app, public')],
)
def test_a_project_migrated_with_another_search_path_has_not_drifted(
    make_role: MakeRole, copy_project: CopyProject, postgresql_database: DatabaseUrl, path: str, where: str
) -> None:
    settings = with_url(copy_project("plain"), postgresql_database)
    looking = as_role(postgresql_database, make_role, "owner", createdb=True)
    role, database = sql.Identifier(role_of(looking)), sql.Identifier(postgresql_database.database)
    run(postgresql_database, sql.SQL("CREATE SCHEMA app AUTHORIZATION {}").format(role))
    run(postgresql_database, sql.SQL("ALTER SCHEMA public OWNER TO {}").format(role))
    run(postgresql_database, sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, role))
    whose = (
        sql.SQL("DATABASE {}").format(database) if where == "database" else sql.SQL("ROLE {}").format(role)
    )
    run(postgresql_database, sql.SQL("ALTER {} SET search_path = {}").format(whose, path_list(path)))
    first = "public" if path.startswith("public") else "app"
    settings = with_url(settings, looking)
    if first == "public":  # else it must have been there before, and is seen to have been
        add_statement(settings, {"migrations/versions/r1_users.py": "CREATE SCHEMA IF NOT EXISTS app"})
    api.migrate(settings, backup="off")
    assert {key.namespace for key in read(looking).of_kind("table")} == {first}
    assert findings(api.drift(settings)) == []


@pytest.mark.parametrize("path", ["pg_catalog", "other", ""])
def test_a_version_table_outside_of_a_readers_search_path_is_found(
    make_role: MakeRole, copy_project: CopyProject, postgresql_database: DatabaseUrl, path: str
) -> None:
    settings = with_url(copy_project("plain"), postgresql_database)
    reader = as_role(postgresql_database, make_role, "reader", createdb=True)
    role = sql.Identifier(role_of(reader))
    run(postgresql_database, sql.SQL("ALTER ROLE {} SET search_path = {}").format(role, path_list(path)))
    api.migrate(settings, backup="off")
    run(postgresql_database, sql.SQL("GRANT SELECT ON alembic_version TO {}").format(role))
    assert findings(api.drift(with_url(settings, reader))) == []


def test_a_search_path_of_the_url_where_nothing_can_be_created_is_no_verdict(
    copy_project: CopyProject, postgresql_database: DatabaseUrl
) -> None:
    settings = with_url(copy_project("plain"), postgresql_database)
    api.migrate(settings, backup="off")
    with pytest.raises(CouldNotCheck, match="do not replay") as told:
        api.drift(with_url(settings, with_options(postgresql_database, "pg_catalog")))
    assert findings(told.value.report) == []


# --- the same schema, seen by a role that may do little ---------------------------------------------------


def test_a_role_without_any_right_reads_the_same_schema(
    expressions: DatabaseUrl, make_role: MakeRole
) -> None:
    run(expressions, "CREATE SCHEMA hidden; CREATE TABLE hidden.t (id int DEFAULT 1 CHECK (id > 0))")
    run(expressions, "CREATE FUNCTION hidden.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    run(expressions, "REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON FUNCTION hidden.f() FROM PUBLIC")
    stranger = as_role(expressions, make_role, "stranger")
    assert diff(read(expressions), read(stranger)) == ()
    assert read_fingerprint(stranger) == read_fingerprint(expressions)


@pytest.mark.parametrize("right", ["nothing", "USAGE on the schema", "SELECT on the version table"])
def test_a_role_that_may_not_read_the_stamp_cannot_verify(
    make_role: MakeRole, copy_project: CopyProject, postgresql_database: DatabaseUrl, right: str
) -> None:
    settings = with_url(copy_project("plain"), postgresql_database)
    api.migrate(settings, backup="off")
    stranger = as_role(postgresql_database, make_role, "stranger")
    role = sql.Identifier(role_of(stranger))
    run(postgresql_database, "REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    if right == "USAGE on the schema":
        run(postgresql_database, sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
    if right == "SELECT on the version table":
        run(postgresql_database, sql.SQL("GRANT SELECT ON alembic_version TO {}").format(role))
    with pytest.raises(NotPermitted, match="alembic_version") as told:
        api.drift(with_url(settings, stranger))
    assert told.value.exit_code == 3
    assert findings(told.value.report) == []


def test_a_role_that_may_only_read_the_stamp_verifies(
    make_role: MakeRole, copy_project: CopyProject, postgresql_database: DatabaseUrl
) -> None:
    settings = with_url(copy_project("plain"), postgresql_database)
    api.migrate(settings, backup="off")
    reader = as_role(postgresql_database, make_role, "reader", createdb=True)
    grant = sql.SQL("GRANT SELECT ON alembic_version TO {}").format(sql.Identifier(role_of(reader)))
    run(postgresql_database, grant)
    assert findings(api.drift(with_url(settings, reader))) == []


# --- a schema that is being changed ------------------------------------------------------------------------


def test_a_running_migration_is_said_to_run_and_is_no_drift(
    copy_project: CopyProject, any_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = with_url(copy_project("plain"), any_database)
    api.migrate(settings, backup="off")
    run(any_database, "CREATE TABLE half_done (id integer)")
    monkeypatch.setattr("govern.api.drifting._LOCK_WAIT_SECONDS", 0.2)
    with (
        dialect_of(any_database).hold_migration_lock(any_database, wait_seconds=1),
        pytest.raises(CouldNotCheck, match="in progress") as told,
    ):
        api.drift(settings)
    assert told.value.exit_code == 3
    assert findings(told.value.report) == []
    assert "drift.table-added half_done" in findings(api.drift(settings))


# --- what differs between environments -----------------------------------------------------------------


def test_another_version_of_an_extension_is_a_warning() -> None:
    def schema(version: str, namespace: str) -> Snapshot:
        facts = {"version": version, "schema": namespace}
        objects = {ObjectKey("extension", "", "vector"): facts}
        return Snapshot(dialect="postgresql", server_version="18.4", objects=objects)

    assert severities(schema("0.8", "public"), schema("0.7", "public")) == [Severity.WARNING]
    assert severities(schema("0.8", "public"), schema("0.7", "other")) == [Severity.ERROR]
    missing = replace(schema("0.8", "public"), objects={})
    assert severities(schema("0.8", "public"), missing) == [Severity.ERROR]


# --- tools --------------------------------------------------------------------------------------------------


@pytest.fixture
def expressions(postgresql_from_template: MakeFromTemplate, pytestconfig: pytest.Config) -> DatabaseUrl:
    """A database with every shape of expression, in every place that takes one."""
    script = read_expressions(pytestconfig)
    return postgresql_from_template("expressions", lambda url: run(url, script))


def read_expressions(config: pytest.Config) -> str:
    """What the run's major version takes."""
    major = wanted_major(config)
    return "\n".join(
        file.read_text(encoding="utf-8") for since, file in EXPRESSIONS.items() if since <= major
    )


def differences(declared: Snapshot, live: Snapshot, scratch: DatabaseUrl) -> list[str]:
    """The rules of what is left once the server was asked what the texts mean."""
    expected = in_words_of(live, declared, dialect_of(scratch), lambda: nullcontext(scratch))
    return [change.rule_id for change in diff(expected, live)]


def severities(declared: Snapshot, live: Snapshot) -> list[Severity]:
    from datetime import date

    from govern.core.scope import Scope

    return [
        finding.severity for finding in judge_drift(declared, live, scope=Scope(), today=date.min).findings
    ]


def findings(report: Report | None) -> list[str]:
    assert report is not None
    return [f"{finding.rule.id} {finding.subject.name}" for finding in report.findings]


def read(url: DatabaseUrl) -> Snapshot:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        return dialect.read_snapshot(connection, TABLE)


def read_fingerprint(url: DatabaseUrl) -> str:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        return dialect.read_fingerprint(connection, TABLE)


def run(url: DatabaseUrl, statements: str | sql.Composable) -> None:
    dialect = dialect_of(url)
    with dialect.connect(url) as connection:
        if is_server(url):
            connection.execute(statements)
        else:
            connection.driver.executescript(statements)  # type: ignore[attr-defined]


def copy(source: DatabaseUrl, target: DatabaseUrl) -> None:
    """By a dump and a restore."""
    dialect = dialect_of(source)
    with tempfile.TemporaryDirectory() as folder:
        dialect.dump(source, Path(folder))
        dialect.restore(Path(folder), target)


def is_server(url: DatabaseUrl) -> bool:
    return url.dialect == "postgresql"


def sqlite_file(folder: Path, name: str) -> DatabaseUrl:
    file = folder / f"{name}.sqlite"
    file.touch()
    return DatabaseUrl.parse(f"sqlite:///{file}")


def with_options(url: DatabaseUrl, path: str) -> DatabaseUrl:
    """Sessions begin with this search_path."""
    value = path.replace(" ", "").replace('"', "%22").replace("$", "%24").replace(",", "%2C")
    mark = "&" if "?" in url.text else "?"
    return DatabaseUrl.parse(f"{url.text}{mark}options=-csearch_path%3D{value}")


def with_url(settings: Settings, url: DatabaseUrl) -> Settings:
    return replace(settings, url=url.text)


def as_role(url: DatabaseUrl, make_role: MakeRole, name: str, *, createdb: bool = False) -> DatabaseUrl:
    maintenance = make_role(name, "s3cret", createdb=createdb)
    return with_credentials(url, role_of(maintenance), "s3cret")


def role_of(url: DatabaseUrl) -> str:
    return psycopg.conninfo.conninfo_to_dict(url.conninfo)["user"] or ""


def path_list(path: str) -> sql.Composable:
    return sql.SQL(path or "''")  # type: ignore[arg-type]  # SQL of this test's own


def add_statement(settings: Settings, statements: dict[str, str]) -> None:
    """Lets a revision run a statement first."""
    for name, statement in statements.items():
        file = settings.root / name
        text = file.read_text(encoding="utf-8")
        file.write_text(
            text.replace("def upgrade():\n", f'def upgrade():\n    op.execute("{statement}")\n'),
            encoding="utf-8",
        )
