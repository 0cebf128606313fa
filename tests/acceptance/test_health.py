"""Health over HTTP: the documents of the contract, a 200 for what is usable and for nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from govern import config
from govern.actions.backup import amend_manifest, find_backup
from govern.actions.notebook import Notebook
from govern.api.examination import Examiner
from govern.core.health import EXACT_ROWS, Status
from govern.core.probed import Probed, ProbedSequence
from govern.core.report import Report
from govern.database.engines import dialect_of
from govern.database.look import Look
from govern.database.url import DatabaseUrl
from govern.startup import Question
from govern.web.health import PATHS, Answer, Health
from tests.acceptance.program import Project, execute
from tests.docs.markdown import DOCS, read_blocks
from tests.fixtures.backups import make_older
from tests.fixtures.databases import MakeRole, with_credentials

on_postgresql = pytest.mark.parametrize("watched", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("watched", ["sqlite"], indirect=True)
_PASSWORD = "sécret%@:/#'\"word"


def ask(project: Project, path: str = "/health", *, judges_backups: bool = True) -> tuple[int, Any]:
    """What a process that begins now answers."""
    answer = _answer(project, path, judges_backups=judges_backups)
    return answer.status, json.loads(answer.body)


def _answer(project: Project, path: str, *, judges_backups: bool = True) -> Answer:
    assert project.url is not None
    settings = project.root / "govern.toml"
    settings.touch()
    health = Health(project.url, config=settings, judges_backups=judges_backups)
    answer = health.answer(path)
    health.close()
    return answer


def test_a_usable_database_is_healthy_in_exactly_these_words(watched: Project) -> None:
    assert ask(watched) == (
        200,
        {
            "status": "healthy",
            "database": {
                "exists": True,
                "schema_valid": True,
                "missing_tables": [],
                "table_counts": {"notes": 0, "users": 1},
                "revision": "r2",
                "heads": ["r2"],
            },
            "checks": {
                "database_exists": "✓",
                "schema_valid": "✓",
                "has_notes": "✓",
                "has_users": "✓",
                "backed_up": "✓",
            },
            "message": "the database has the schema that this application was written for",
        },
    )


_SICKNESSES: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "table missing": (
        "DROP TABLE notes",
        "critical",
        {"missing_tables": ["notes"], "schema_valid": False, "exists": True},
    ),
    "column missing": ("ALTER TABLE notes DROP COLUMN body", "critical", {"schema_valid": False}),
    "rows missing": ("DELETE FROM users", "critical", {"table_counts": {"notes": 0, "users": 0}}),
    "behind": (
        "UPDATE alembic_version SET version_num = 'r1'",
        "critical",
        {"revision": "r1", "heads": ["r2"]},
    ),
    "of nobody": ("UPDATE alembic_version SET version_num = 'x7'", "critical", {"revision": "x7"}),
    "twice stamped": ("INSERT INTO alembic_version VALUES ('r1')", "critical", {"revision": "r1, r2"}),
    "not stamped": ("DELETE FROM alembic_version", "critical", {"revision": None}),
    "empty": ("DROP TABLE notes; DROP TABLE users", "critical", {"missing_tables": ["notes", "users"]}),
    "another table": ("CREATE TABLE strange (id integer)", "degraded", {"schema_valid": False}),
}


@pytest.mark.parametrize("sickness", _SICKNESSES)
def test_a_database_that_is_not_usable_is_never_told_to_be(watched: Project, sickness: str) -> None:
    statements, status, facts = _SICKNESSES[sickness]
    execute(watched.database, *statements.split("; "))
    code, document = ask(watched)
    assert (code, document["status"]) == (503, status), document
    assert facts.items() <= document["database"].items(), document
    assert "✗" in document["checks"].values()
    assert "next: " in document["message"]
    assert ask(watched, "/health/ping") == (200, {"status": "ok", "message": "pong"})


_POSTGRESQL_SICKNESSES = {
    "an index is invalid": "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_email_key'::regclass",
    "a foreign key is not valid": "ALTER TABLE notes DROP CONSTRAINT notes_user_id_fkey, ADD CONSTRAINT "
    "notes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
    "triggers are disabled": "ALTER TABLE notes DISABLE TRIGGER ALL",
    "row security is on": "ALTER TABLE notes ENABLE ROW LEVEL SECURITY",
}


@on_postgresql
@pytest.mark.parametrize("sickness", _POSTGRESQL_SICKNESSES)
def test_what_the_catalog_alone_knows_is_not_usable_either(watched: Project, sickness: str) -> None:
    execute(watched.database, _POSTGRESQL_SICKNESSES[sickness])
    code, document = ask(watched)
    assert (code, document["database"]["schema_valid"]) == (503, False), document


def test_a_run_that_left_the_schema_unhealthy_shows_and_its_words_do_not(watched: Project) -> None:
    if watched.database.dialect == "postgresql":
        told = """jsonb_set(run, '{result}', '"unhealthy"') || '{"error": "Key (email)=(a@b.c) exists"}'"""
        execute(watched.database, f"UPDATE govern.runs SET run = {told}, validated = false")
    else:
        told = "json_set(run, '$.result', 'unhealthy', '$.error', 'Key (email)=(a@b.c) exists')"
        execute(watched.database, f"UPDATE govern_runs SET run = {told}, validated = 0")
    code, document = ask(watched)
    assert code == 503
    assert document["message"].startswith("the last run left the schema unhealthy; next: ")
    assert "a@b.c" not in json.dumps(document)


def test_a_database_that_is_not_there_is_not_created(watched: Project) -> None:
    url = watched.database
    if url.dialect == "postgresql":
        gone = watched.with_url(url.with_database("not_there"))
    else:
        gone = watched.with_url(f"sqlite:///{watched.root}/not_there.sqlite")
    for _ in range(2):
        code, document = ask(gone)
        assert (code, document["database"]["exists"], document["status"]) == (503, False, "critical")
        assert document["message"].startswith("there is no such database; next: ")
        assert ask(gone, "/health/database")[0] == 503


@on_sqlite
def test_a_backup_that_is_not_proven_or_too_old_degrades_it_where_backups_are_its_affair(
    watched: Project,
) -> None:
    settings = config.load(start=watched.root, environ={})
    backup = find_backup(settings)
    amend_manifest(backup, lambda manifest: replace(manifest, verified=None))
    code, document = ask(watched)
    assert (code, document["status"], document["checks"]["backed_up"]) == (503, "degraded", "✗")
    assert "govern backup" in document["message"]
    assert ask(watched, judges_backups=False)[0] == 200
    assert watched.ask("health").exit_code == 1
    assert watched.succeed("health", "--no-backups").report["health"]["status"] == "healthy"


@on_sqlite
def test_a_backup_that_the_manifest_asks_for_must_be_there(watched: Project) -> None:
    watched.write({"schema/governance.yaml": "backups: {max_age: 2 d}\n"})
    assert ask(watched)[0] == 200
    settings = config.load(start=watched.root, environ={})
    make_older(find_backup(settings), 3)
    assert ask(watched)[1]["checks"]["backed_up"] == "✗"
    shutil.rmtree(watched.root / "backups")
    code, document = ask(watched)
    assert (code, document["status"]) == (503, "degraded")


def test_a_database_that_went_on_is_healthy_and_says_so(watched: Project) -> None:
    watched.write(
        {
            "migrations/versions/r3.py": '"""more"""\nfrom alembic import op\nrevision = "r3"\ndown_revision = "r2"\n'
            'def upgrade():\n    op.execute("CREATE TABLE more (id integer PRIMARY KEY)")\n'
        }
    )
    execute(
        watched.database,
        "CREATE TABLE more (id integer PRIMARY KEY)",
        "UPDATE alembic_version SET version_num = 'r3'",
    )
    code, document = ask(watched)
    assert (code, document["status"]) == (200, "healthy")
    assert "newer than the application's r2" in document["message"]
    execute(watched.database, "ALTER TABLE notes RENAME TO remarks")
    code, document = ask(watched)
    assert (code, document["status"], document["checks"]["has_notes"]) == (503, "critical", "✗")
    assert document["message"].startswith(f"critical table {_full('notes', watched)} does not exist; next: ")
    assert watched.ask("health").exit_code == 1
    shutil.rmtree(watched.root / "backups")
    watched.write({"schema/governance.yaml": "backups: {max_age: 2 d}\n"})
    assert ask(watched)[1]["status"] == "critical"


def _full(table: str, project: Project) -> str:
    return f"public.{table}" if project.database.dialect == "postgresql" else table


def test_a_large_table_is_estimated_and_says_so(watched: Project) -> None:
    if watched.database.dialect == "postgresql":
        more = f"INSERT INTO notes SELECT n, 1, 'x' FROM generate_series(1, {EXACT_ROWS + 500}) n"
    else:
        more = (
            f"WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {EXACT_ROWS + 500}) "
            "INSERT INTO notes SELECT n, 1, 'x' FROM s"
        )
    execute(watched.database, more)
    execute(watched.database, "ANALYZE")
    database = ask(watched, judges_backups=False)[1]["database"]
    assert database["table_counts"]["users"] == 1
    assert database["estimated_counts"] == ["notes"]
    assert abs(database["table_counts"]["notes"] - EXACT_ROWS - 500) <= 500
    tables = ask(watched, "/health/database")[1]["tables"]
    assert (tables["users"]["estimated"], tables["notes"]["estimated"]) == (False, True)
    execute(watched.database, f"DELETE FROM notes WHERE id > {EXACT_ROWS}")
    assert "estimated_counts" not in ask(watched)[1]["database"]


def test_what_the_database_carries_is_told(watched: Project) -> None:
    code, document = ask(watched, "/health/database")
    backup = document.pop("backup")
    assert code == 200
    assert backup["verified"] is True
    assert 0 <= backup["age_seconds"] < 3600
    assert document["bytes"] > 8000
    assert document["tables"]["users"]["rows"] == 1
    if watched.database.dialect == "sqlite":
        assert document["connections"] == {"used": None, "max": None}
        assert document["tables"]["users"] == {
            "rows": 1,
            "estimated": False,
            "bytes": None,
            "last_analysed": None,
        }
        return
    assert document["tables"]["users"]["bytes"] > 8000
    assert 1 <= document["connections"]["used"] <= document["connections"]["max"] == 300
    assert document["locks_waiting"] == 0
    execute(watched.database, "ANALYZE users", "ALTER TABLE notes RENAME TO remarks")
    code, document = ask(watched, "/health/database")
    assert document["tables"]["users"]["last_analysed"].endswith("Z")
    assert (code, document["missing_tables"]) == (503, ["notes"])


@on_postgresql
def test_a_role_that_may_read_no_table_gets_estimates_and_no_secret_is_told(
    watched: Project, make_role: MakeRole
) -> None:
    role = make_role("watcher", _PASSWORD)
    name = DatabaseUrl.parse(role.text).conninfo.partition("//")[2].partition(":")[0]
    mine = with_credentials(watched.database, name, _PASSWORD)
    execute(watched.database, f'GRANT SELECT ON alembic_version TO "{name}"')
    asking = watched.with_url(mine)
    for path in PATHS:
        told = _answer(asking, path).body.decode()
        assert "word" not in told
        assert name not in told
    database = ask(asking)[1]["database"]
    assert database["estimated_counts"] == ["notes", "users"]
    revoke = f'REVOKE ALL ON alembic_version FROM "{name}"'
    execute(watched.database, revoke, f"ALTER ROLE \"{name}\" PASSWORD 'another'")
    for path in PATHS:
        told = _answer(asking, path).body.decode()
        assert "word" not in told.replace("password", "")
        assert name not in told


def test_metrics_are_what_prometheus_reads(watched: Project) -> None:
    answer = _answer(watched, "/metrics")
    assert answer.status == 200
    assert answer.media_type.startswith("text/plain")
    lines = set(answer.body.decode().splitlines())
    table = _full("users", watched)
    assert {
        'govern_health_status{status="healthy"} 1.0',
        'govern_health_status{status="critical"} 0.0',
        "govern_schema_valid 1.0",
        "govern_migration_pending 0.0",
        "govern_backup_verified 1.0",
        f'govern_critical_table_rows{{table="{table}"}} 1.0',
        f'govern_critical_table_rows_estimated{{table="{table}"}} 0.0',
        'govern_findings{family="drift",severity="critical"} 0.0',
    } <= lines
    execute(watched.database, "UPDATE alembic_version SET version_num = 'r1'")
    later = set(_answer(watched, "/metrics").body.decode().splitlines())
    found = 'govern_findings{family="startup",severity="critical"} 1.0'
    assert {"govern_schema_valid 0.0", "govern_migration_pending 1.0", found} <= later


@on_sqlite
def test_metrics_of_what_cannot_be_looked_at_are_not_made_up(watched: Project) -> None:
    os.truncate(watched.database.path, 100)
    told = _answer(watched, "/metrics").body.decode()
    assert 'govern_health_status{status="critical"} 1.0' in told
    assert "govern_schema_valid 0.0" in told
    assert "govern_migration_pending" not in told
    assert "govern_critical_table_rows{" not in told


@on_sqlite
def test_a_file_that_somebody_is_writing_is_looked_at_all_the_same_or_not_called_healthy(
    watched: Project,
) -> None:
    with closing(sqlite3.connect(watched.database.path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        code, document = ask(watched)
        assert (code, document["status"]) == (503, "critical")
        assert "has not answered for" in document["message"]
        writer.execute("ROLLBACK")
    assert ask(watched)[0] == 200


def test_govern_health_says_the_same_to_people(watched: Project) -> None:
    execute(watched.database, "DELETE FROM users")
    told = watched.govern("health")
    assert told.exit_code == 1
    assert "critical: " in told.out
    assert "users  0 rows" in told.out
    assert watched.ask("health").report["health"] == ask(watched)[1]


_AT = datetime(2031, 5, 6, 12, tzinfo=UTC)


def _write_probed(project: Project) -> None:
    """As the monitor does, after the application has answered."""
    sequences = (
        ProbedSequence(name="accounts", status="found", findings=2, seconds=1.5, reason="said 'secret'"),
        ProbedSequence(name="pages", status="passed", findings=0, seconds=0.012),
    )
    settings = config.load(start=project.root, url=project.url)
    probed = Probed(at=_AT, by="monitor", sequences=sequences)
    assert not Notebook(settings, project.database).write(probed=probed)


def test_how_the_application_last_answered_is_shown_whoever_asked_it(watched: Project) -> None:
    _write_probed(watched)
    status, document = ask(watched)
    assert status == 200
    assert document["probes"] == {
        "at": "2031-05-06T12:00:00Z",
        "by": "monitor",
        "sequences": {
            "accounts": {"status": "found", "findings": 2, "ms": 1500},
            "pages": {"status": "passed", "findings": 0, "ms": 12},
        },
    }
    assert "  accounts  found, 2 findings in 1.5 s" in watched.govern("health").out
    told = set(_answer(watched, "/metrics").body.decode().splitlines())
    assert {
        'govern_probe_up{sequence="accounts"} 0.0',
        'govern_probe_up{sequence="pages"} 1.0',
        'govern_probe_duration_seconds{sequence="accounts"} 1.5',
    } <= told
    dialect = dialect_of(watched.database)
    with dialect.connect(watched.database) as connection:
        (run, *_) = dialect.read_runs(connection, 1)
        proof = {"name": "pages", "status": "passed", "ms": 7, "exchanges": []}
        later = replace(run, finished_at=_AT + timedelta(hours=1), probes=(proof,))
        dialect.record_run(connection, later)
    document = ask(watched)[1]
    assert document["probes"]["by"] == run.command
    assert document["probes"]["sequences"] == {"pages": {"status": "passed", "findings": 0, "ms": 7}}


@on_postgresql
def test_the_page_about_health_shows_what_is_answered(watched: Project) -> None:
    shown = [json.loads(block.text) for block in read_blocks(DOCS / "health.md") if block.language == "json"]
    assert shown[0] == ask(watched)[1]
    assert _shape(shown[1]) == _shape(ask(watched, "/health/database")[1])
    _write_probed(watched)
    told = {
        line.split(" ")[2]
        for line in _answer(watched, "/metrics").body.decode().splitlines()
        if "# HELP" in line
    }
    page = (DOCS / "health.md").read_text(encoding="utf-8")
    assert told == set(re.findall(r"^\| `(govern_\w+)", page, re.M))


def _shape(value: Any) -> Any:
    return {key: _shape(one) for key, one in value.items()} if isinstance(value, dict) else None


@on_postgresql
def test_what_a_closer_look_found_is_remembered_until_something_was_written(
    watched: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.load(start=watched.root, url=watched.url, environ={})
    examiner = Examiner(settings, watched.database, judges_backups=False)
    looks: list[Report] = []
    look_closer = Question.look_closer

    def count(question: Question, look: Look) -> Report:
        looks.append(look_closer(question, look))
        return looks[-1]

    monkeypatch.setattr(Question, "look_closer", count)

    def examine() -> tuple[Status, int]:
        before = len(looks)
        return examiner.examine().condition.status, len(looks) - before

    assert examine() == ("healthy", 0)
    execute(watched.database, "CREATE TABLE strange (id integer)")
    assert [examine() for _ in range(3)] == [("degraded", 1), ("degraded", 0), ("degraded", 0)]
    execute(watched.database, "ALTER TABLE notes DROP COLUMN body")
    assert [examine() for _ in range(2)] == [("critical", 1), ("critical", 0)]
    execute(watched.database, "DELETE FROM users")
    assert "users" in examiner.examine().condition.lacking_tables[0]
    execute(watched.database, "UPDATE alembic_version SET version_num = 'r1'")
    assert [examiner.examine().condition.is_pending for _ in range(2)] == [True, True]
    execute(watched.database, "DROP TABLE strange", "ALTER TABLE notes ADD COLUMN body text NOT NULL")
    execute(
        watched.database,
        "INSERT INTO users VALUES (1, 'a@b.c')",
        "UPDATE alembic_version SET version_num = 'r2'",
    )
    assert [examine() for _ in range(2)] == [("healthy", 1), ("healthy", 0)]
