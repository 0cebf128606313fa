"""What ``validate_on_startup`` says of a database that became another one, in this process: on each engine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from govern import SchemaRefused, validate_on_startup
from govern.core.finding import Finding, Severity
from govern.core.report import Report
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import CopyPrepared
from tests.acceptance.guarded import MANIFEST, prepare
from tests.acceptance.program import Project, dump, execute
from tests.fixtures.databases import MakeDatabase, MakeRole, with_credentials
from tests.fixtures.projects import CASES


@pytest.fixture
def postgresql(copy_prepared: CopyPrepared) -> Project:
    return copy_prepared("startup", prepare)


@pytest.fixture(scope="module")
def sqlite_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("startup") / "project"
    shutil.copytree(CASES / "plain", root, ignore=shutil.ignore_patterns("__pycache__"))
    prepare(Project(root=root, url=f"sqlite:///{root / 'database.sqlite'}"))
    return root


@pytest.fixture
def sqlite(sqlite_original: Path, tmp_path: Path) -> Project:
    shutil.copytree(sqlite_original, tmp_path / "sqlite")
    return Project(root=tmp_path / "sqlite", url=f"sqlite:///{tmp_path / 'sqlite' / 'database.sqlite'}")


@pytest.fixture(params=["postgresql", "sqlite"])
def project(request: pytest.FixtureRequest) -> Project:
    made: Project = request.getfixturevalue(request.param)
    return made


def start(project: Project, url: Any = None, **arguments: Any) -> Report:
    return validate_on_startup(url or project.url, config=project.root / "govern.toml", **arguments)


def refused(project: Project, url: Any = None, **arguments: Any) -> dict[str, Finding]:
    """The findings by rule; AssertionError where the application starts."""
    with pytest.raises(SchemaRefused) as caught:
        start(project, url, **arguments)
    findings = {finding.rule.id: finding for finding in caught.value.report.findings}
    assert caught.value.next
    assert all(finding.remedy for finding in findings.values())
    return findings


def test_it_starts_on_what_was_migrated_and_looks_at_it_once(project: Project) -> None:
    before = dump(project.database)
    report = start(project)
    assert report.status == "clean"
    assert report.target is not None
    assert (report.target.revision, report.target.heads) == (("r2",), ("r2",))
    assert dump(project.database) == before


ANY_ENGINE = {
    "stamped but empty": (("DROP TABLE notes", "DROP TABLE users"), "startup.empty-database"),
    "another application's": (
        (
            "DROP TABLE notes",
            "DROP TABLE users",
            "CREATE TABLE orders (id integer)",
            "UPDATE alembic_version SET version_num = 'x1'",
        ),
        "startup.wrong-database",
    ),
    "another application's, unstamped": (
        (
            "DROP TABLE notes",
            "DROP TABLE users",
            "CREATE TABLE orders (id integer)",
            "DROP TABLE alembic_version",
        ),
        "startup.wrong-database",
    ),
    "unstamped": (("DELETE FROM alembic_version",), "startup.behind"),
    "behind": (("UPDATE alembic_version SET version_num = 'r1'",), "startup.behind"),
    "unknown revision": (("UPDATE alembic_version SET version_num = 'ffff'",), "startup.unknown-revision"),
    "a row and the one before it": (
        ("INSERT INTO alembic_version VALUES ('r1')",),
        "startup.several-revisions",
    ),
    "a row and a stranger": (("INSERT INTO alembic_version VALUES ('ffff')",), "startup.several-revisions"),
    "column dropped": (
        ("DROP INDEX ix_notes_body", "ALTER TABLE notes DROP COLUMN body"),
        "drift.column-removed",
    ),
    "index dropped": (("DROP INDEX ix_notes_body",), "drift.index-removed"),
    "too few rows": (("DELETE FROM users",), "integrity.min-rows"),
}
ON_POSTGRESQL = {
    "column retyped": (("ALTER TABLE users ALTER id TYPE bigint",), "drift.column-changed"),
    "invalid index": (
        (
            "BEGIN; SET LOCAL allow_system_table_mods = on; UPDATE pg_index SET indisvalid = false"
            " WHERE indexrelid = 'ix_notes_body'::regclass; COMMIT",
        ),
        "drift.index-changed",
    ),
    "foreign key not valid": (
        (
            "ALTER TABLE notes DROP CONSTRAINT notes_user_id_fkey, ADD CONSTRAINT notes_user_id_fkey"
            " FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
        ),
        "drift.constraint-changed",
    ),
    "trigger disabled": (("ALTER TABLE users DISABLE TRIGGER touch",), "drift.trigger-changed"),
    "row security off": (("ALTER TABLE notes DISABLE ROW LEVEL SECURITY",), "drift.table-changed"),
    "applied, unhealthy": (
        (
            "UPDATE govern.runs SET validated = false,"
            ' run = run || \'{"result": "unhealthy", "error": "notes.body is missing"}\'',
        ),
        "startup.unhealthy-run",
    ),
}


@pytest.mark.parametrize(("statements", "rule"), ANY_ENGINE.values(), ids=ANY_ENGINE)
def test_it_refuses_on_each_engine(project: Project, statements: tuple[str, ...], rule: str) -> None:
    execute(project.database, *statements)
    finding = refused(project)[rule]
    assert finding.severity is Severity.CRITICAL


@pytest.mark.parametrize(("statements", "rule"), ON_POSTGRESQL.values(), ids=ON_POSTGRESQL)
def test_it_refuses_on_postgresql(postgresql: Project, statements: tuple[str, ...], rule: str) -> None:
    execute(postgresql.database, *statements)
    finding = refused(postgresql)[rule]
    assert finding.severity is Severity.CRITICAL


def test_a_wrong_database_is_named_with_what_is_in_it(project: Project) -> None:
    execute(project.database, *ANY_ENGINE["another application's"][0])
    message = refused(project)["startup.wrong-database"].message
    assert project.database.redacted in message
    assert "has 1 table (orders) and x1" in message


def test_rows_are_reported_beside_drift_but_not_of_another_revision(project: Project) -> None:
    execute(project.database, "DROP INDEX ix_notes_body", "DELETE FROM users")
    assert {"drift.index-removed", "integrity.min-rows"} == set(refused(project))
    execute(project.database, "UPDATE alembic_version SET version_num = 'r1'")
    assert set(refused(project)) == {"startup.behind"}


def test_more_rows_than_asked_for_are_not_counted_to_the_end(project: Project) -> None:
    execute(project.database, "INSERT INTO users (id, email) VALUES (2, 'b'), (3, 'c'), (4, 'd')")
    assert start(project).status == "clean"
    project.edit("schema/schema.lock", 'users": 1', 'users": 9')
    finding = refused(project)["integrity.min-rows"]
    assert finding.evidence == {"rows": 4, "min_rows": 9}


def test_another_lock_of_the_same_schema_starts_and_is_named_where_the_schema_differs(
    project: Project,
) -> None:
    project.edit("schema/schema.lock", 'users": 1', 'users": 0')
    assert start(project).status == "clean"
    execute(project.database, "DROP INDEX ix_notes_body")
    finding = refused(project)["startup.other-lock"]
    assert finding.severity is Severity.WARNING
    assert finding.evidence["validated"] != finding.evidence["application"]


@pytest.mark.parametrize("what", ["zero bytes", "a folder", "garbage", "nothing"])
def test_a_sqlite_file_that_is_none_is_left_as_it_is(sqlite: Project, what: str) -> None:
    file = sqlite.database.path
    file.unlink()
    match what:
        case "zero bytes":
            file.touch()
        case "a folder":
            file.mkdir()
        case "garbage":
            file.write_bytes(b"not a database at all" * 99)
    before = sorted(file.parent.iterdir()), file.is_file() and file.read_bytes()
    expected = "startup.empty-database" if what == "zero bytes" else "startup.unreachable"
    assert set(refused(sqlite)) == {expected}
    assert (sorted(file.parent.iterdir()), file.is_file() and file.read_bytes()) == before


def test_a_lock_without_its_line_asks_for_no_rows(project: Project) -> None:
    lines = (project.root / "schema/schema.lock").read_text().splitlines(keepends=True)
    older = "".join(line for line in lines if not line.startswith("critical_tables"))
    project.write({"schema/schema.lock": older})
    execute(project.database, "DELETE FROM users")
    assert start(project).status == "clean"


def test_a_refusal_says_how_long_it_waited_and_the_clock_decides(project: Project) -> None:
    execute(project.database, "UPDATE alembic_version SET version_num = 'r1'")
    now = [0.0]

    def sleep(seconds: float) -> None:
        assert 0 < seconds <= 10
        now[0] += seconds

    with pytest.raises(SchemaRefused, match=r"refuses to start after waiting 3 s: .* is at r1"):
        start(project, wait_seconds=3, clock=lambda: now[0], sleep=sleep)


def test_it_waits_for_a_database_that_is_healed_meanwhile(project: Project) -> None:
    execute(project.database, "UPDATE alembic_version SET version_num = 'r1'")

    def migrate(_seconds: float) -> None:
        execute(project.database, "UPDATE alembic_version SET version_num = 'r2'")

    assert start(project, wait_seconds=60, sleep=migrate).status == "clean"


def test_without_ledger_and_revision_files_nobody_knows_whether_it_is_ahead(
    project: Project, tmp_path: Path
) -> None:
    """A container has the lock alone."""
    execute(project.database, "UPDATE alembic_version SET version_num = 'r3'")
    (tmp_path / "container/schema").mkdir(parents=True)
    shutil.copy(project.root / "schema/schema.lock", tmp_path / "container/schema")
    (tmp_path / "container/govern.toml").touch()
    container = Project(root=tmp_path / "container", url=project.url)
    finding = refused(container, when_ahead="allow")["startup.unknown-revision"]
    assert "may be older, newer or another application's" in finding.why


# --- what the role may do ---------------------------------------------------------------------------------


@pytest.fixture
def app(make_role: MakeRole, postgresql: Project) -> DatabaseUrl:
    """The application's role, which may read its tables and the version table, and no ledger."""
    role = make_role("app", "s3cret-3f")
    user = role.text.partition("//")[2].partition(":")[0]
    # it is no owner: what it is granted is no drift, for the manifest says so
    postgresql.write(
        {
            "schema/governance.yaml": MANIFEST
            + 'drift: {ignore: [{kind: grant, name: "*", reason: r, owner: o, until: 2199-01-01}]}\n'
        }
    )
    execute(
        postgresql.database,
        f"GRANT USAGE ON SCHEMA public TO {user}",
        f"GRANT SELECT ON alembic_version, users, notes TO {user}",
    )
    return with_credentials(postgresql.database, user, "s3cret-3f")


def test_a_role_that_may_not_read_the_ledger_decides_by_the_schema(
    app: DatabaseUrl, postgresql: Project
) -> None:
    assert start(postgresql, app.text).status == "clean"
    execute(postgresql.database, "ALTER TABLE users ADD COLUMN age integer")
    assert set(refused(postgresql, app.text)) == {"drift.column-added"}


def test_rows_that_the_role_may_not_read_or_not_see_are_told_and_refuse_nothing(
    app: DatabaseUrl, postgresql: Project
) -> None:
    user = app.text.partition("//")[2].partition(":")[0]
    execute(postgresql.database, f"REVOKE SELECT ON users FROM {user}")
    told = {finding.rule.id: finding for finding in start(postgresql, app.text).findings}
    assert told["startup.unverified-rows"].severity is Severity.WARNING
    execute(
        postgresql.database,
        f"GRANT SELECT ON users TO {user}",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
    )
    found = refused(postgresql, app.text)
    assert set(found) == {"startup.unverified-rows", "drift.table-changed"}


def test_a_role_that_may_not_read_the_version_table_is_told_what_to_grant(
    app: DatabaseUrl, postgresql: Project
) -> None:
    user = app.text.partition("//")[2].partition(":")[0]
    execute(postgresql.database, f"REVOKE SELECT ON alembic_version FROM {user}")
    found = refused(postgresql, app.text)
    assert set(found) == {"startup.cannot-verify"}
    assert "GRANT SELECT" in found["startup.cannot-verify"].remedy


# --- govern doctor ----------------------------------------------------------------------------------------


def test_the_doctor_tells_the_story_of_a_refusal(project: Project) -> None:
    healthy = project.succeed("doctor")
    assert healthy.entry("startup")["reason"] == "an application starts on this database"
    execute(project.database, "DROP INDEX ix_notes_body")
    told = project.ask("doctor")
    assert told.exit_code == 1
    assert told.rules == {"drift.index-removed"}
    assert "r2, by schema/schema.lock (" in told.entry("expected")["reason"]
    last = told.entry("last validated")["reason"]
    assert last.startswith("migrate ")
    assert "base → r2, against this schema.lock" in last
    assert "changed by other means, after 20" in told.entry("since then")["reason"]


def test_the_doctor_finds_nothing_wrong_with_a_database_that_is_yet_to_be_migrated(
    project: Project, make_postgresql_database: MakeDatabase, tmp_path: Path
) -> None:
    if project.database.dialect == "postgresql":
        empty = make_postgresql_database("template0").text
    else:
        (tmp_path / "empty.sqlite").touch()
        empty = f"sqlite:///{tmp_path / 'empty.sqlite'}"
    entry = project.with_url(empty).succeed("doctor").entry("startup")
    assert entry["status"] == "skipped"
    assert "next: " in entry["reason"]
