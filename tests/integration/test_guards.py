"""The guards of a migration: each says no where it should, and is silent at its twin."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from govern import api
from govern.actions import precautions
from govern.actions.backup.store import amend_manifest, list_backups
from govern.actions.guards import Asking, ask_after, ask_before
from govern.actions.rehearse import Rehearsal
from govern.api.project import read_project
from govern.checks.guard import Room, check_space
from govern.cli.main import run as run_command
from govern.config import Settings
from govern.core import guard as guards
from govern.core.guard import GUARDS
from govern.core.observation import Observation, TableLock
from govern.core.report import Draft, Entry, Report
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.errors import Refused
from govern.revisions.graph import read_project_chain
from govern.revisions.graph.destination import Destination, Way
from tests.fixtures.databases import MakeFromTemplate, MakeRole, with_credentials
from tests.fixtures.projects import CopyProject, read_version

THIRD = """
import sqlalchemy as sa
from alembic import op
revision = "r3"
down_revision = "r2"


def upgrade():
    {body}
"""
ADD = 'op.add_column("notes", sa.Column("title", sa.Text))'
MANIFEST = """
drift:
  ignore: [{kind: table, name: stray, reason: a trial, owner: ada, until: 2099-12-31}]
"""
LOCKS_USERS = Observation(
    revision="r3",
    sql="ALTER TABLE users ADD COLUMN nick text",
    seconds=0.0,
    in_transaction=True,
    locks=(TableLock(table="public.users", mode="ACCESS EXCLUSIVE"),),
)


@pytest.fixture
def settings(copy_project: CopyProject, postgresql_from_template: MakeFromTemplate) -> Settings:
    """The project plain with a third revision, and a database that govern has brought to the second."""
    project = copy_project("plain")

    def fill(template: DatabaseUrl) -> None:
        api.migrate(replace(project, url=template.text), backup="off", rehearse="off")

    database = postgresql_from_template("guarded", fill)
    write_third(project, ADD)
    return replace(project, url=database.text)


def write_third(project: Settings, body: str) -> None:
    file = project.alembic.script_location / "versions" / "r3_third.py"
    file.write_text(THIRD.format(body=body), encoding="utf-8")


def live_of(settings: Settings) -> LiveDatabase:
    return LiveDatabase(settings, DatabaseUrl.parse(str(settings.url)))


def execute(settings: Settings, *statements: str) -> None:
    with psycopg.connect(live_of(settings).url.conninfo, autocommit=True) as session:
        for statement in statements:
            session.execute(statement.encode())


@contextmanager
def in_transaction(settings: Settings, statement: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody who has executed it and neither commits nor goes."""
    with psycopg.connect(live_of(settings).url.conninfo, application_name="by hand") as session:
        session.execute(statement.encode())
        yield session
        session.rollback()


def asking(settings: Settings, *, is_migrating: bool = True) -> Asking:
    draft = Draft("migrate", datetime.now(UTC))
    return Asking(live=live_of(settings), draft=draft, is_migrating=is_migrating, narrate=lambda _: None)


def entry(asked: Asking | Report, name: str) -> Entry:
    entries = asked.draft.entries if isinstance(asked, Asking) else asked.entries
    (found,) = [one for one in entries if one.name == name]
    return found


def way_up(settings: Settings) -> Way:
    return Destination().find_way(read_project_chain(settings), ("r2",))


def ask_unrehearsed(asked: Asking, *, allow: tuple[str, ...] = ()) -> None:
    settings = asked.live.settings
    manifest = read_project(settings).manifest
    ask_after(asked, None, way_up(settings), manifest, allow=allow, plan=None, is_resumed=False)


def ask_rehearsed(asked: Asking, *observations: Observation) -> None:
    rehearsal = Rehearsal(how="schema", observations=observations)
    ask_after(asked, rehearsal, way_up(asked.live.settings), None, allow=(), plan=None, is_resumed=False)


# --- all of them ------------------------------------------------------------------------------------------


def test_guards_are_listed_without_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert run_command(["migrate", "--list-guards", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)["guards"]
    assert [guard["name"] for guard in listed] == [guard.name for guard in GUARDS]
    assert all(guard["asks"].endswith("?") and guard["passes"] for guard in listed)
    assert run_command(["migrate", "--list-guards"]) == 0
    assert f"  if not: {guards.RIGHTS.passes}" in capsys.readouterr().out


def test_every_guard_tells_its_answer_under_its_name_and_in_its_order(settings: Settings) -> None:
    planned = [one.name for one in api.plan(settings).entries]
    report = api.migrate(settings)
    told = [one.name for one in report.entries]
    answers = told[: told.index("apply")]
    expected = [guard for guard in GUARDS if guard not in (guards.WAY_BACK, guards.SAVED_PLAN, guards.RESUME)]
    assert answers == [guard.name for guard in expected]
    assert planned == [*(guard.name for guard in expected if guard.is_asked_by_plan), "plan"]
    assert report.exit_code() == 0
    assert read_version(live_of(settings).url) == {"r3"}


# --- uncommitted ------------------------------------------------------------------------------------------


def test_a_hand_that_has_not_committed_is_told_by_plan_and_refuses_a_migration(settings: Settings) -> None:
    with in_transaction(settings, "ALTER TABLE users ADD COLUMN nick text -- secret words") as session:
        pid = session.info.backend_pid
        asked = asking(settings, is_migrating=False)
        ask_before(asked, with_backup=False)
        with pytest.raises(Refused) as refused:
            api.migrate(settings)
    (finding,) = entry(asked, "uncommitted").findings
    assert finding.rule.id == "guard.uncommitted-change"
    assert refused.value.what.startswith(f"pid {pid} (by hand of postgres), idle in transaction, open for ")
    assert "locks on public.users" in refused.value.why
    assert f"pg_terminate_backend({pid})" in refused.value.next
    assert "secret" not in str(refused.value)
    assert read_version(live_of(settings).url) == {"r2"}


def test_a_transaction_that_ends_in_a_moment_is_waited_for(settings: Settings) -> None:
    with in_transaction(settings, "CREATE TABLE stray (id integer)") as session:
        waited: list[float] = []

        def end_it(seconds: float) -> None:
            waited.append(seconds)
            session.rollback()
            time.sleep(seconds)

        asked = replace(asking(settings), sleep=end_it)
        ask_before(asked, with_backup=False)
    assert entry(asked, "uncommitted").status == "passed"
    assert len(waited) == 1


# --- transactions -----------------------------------------------------------------------------------------


def test_a_long_transaction_is_a_warning_and_refuses_where_calm_is_waited_for(settings: Settings) -> None:
    eager = replace(settings, long_transaction_seconds=0.0)
    with in_transaction(settings, "SELECT * FROM users"):
        asked = asking(eager)
        ask_rehearsed(asked, LOCKS_USERS)
        (finding,) = entry(asked, "transactions").findings
        assert "by hand" in finding.message
        assert "holds public.users" in finding.message
        with pytest.raises(Refused, match="by hand"):
            ask_rehearsed(asking(replace(eager, calm_wait_seconds=0.3)), LOCKS_USERS)

        patient = asking(settings)
        ask_rehearsed(patient, LOCKS_USERS)
        assert entry(patient, "transactions").status == "passed", "it is not long yet"
        other = asking(eager)
        ask_rehearsed(other, replace(LOCKS_USERS, locks=()))
        assert entry(other, "transactions").status == "passed", "it is in nobody's way"
        concurrent = replace(LOCKS_USERS, sql="CREATE INDEX CONCURRENTLY i ON notes (body)", locks=())
        waits = asking(eager)
        ask_rehearsed(waits, concurrent)
        assert entry(waits, "transactions").status == "found", "CONCURRENTLY waits for every transaction"


# --- rights -----------------------------------------------------------------------------------------------


def test_a_role_that_does_not_own_the_table_is_refused_with_what_to_grant(
    make_role: MakeRole, settings: Settings
) -> None:
    role = make_role("app", "a-password", createdb=True)
    parts = urlsplit(role.text)
    user, url = str(parts.username), live_of(settings).url
    execute(
        settings,
        f"GRANT ALL ON SCHEMA public, govern TO {user}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public, govern TO {user}",
        f"GRANT CREATE ON DATABASE {url.database} TO {user}",
    )
    app = replace(settings, url=with_credentials(url, user, unquote(str(parts.password))).text)
    with pytest.raises(Refused) as refused:
        api.migrate(app, backup="off")
    assert refused.value.what == f"{user} does not own public.notes, which the revisions change"
    assert refused.value.why == "public.notes belongs to postgres"
    assert f"ALTER TABLE public.notes OWNER TO {user}" in refused.value.next
    assert read_version(url) == {"r2"}

    execute(settings, f"ALTER TABLE notes OWNER TO {user}")
    report = api.plan(app)
    assert entry(report, "rights").status == "passed"


# --- drift ------------------------------------------------------------------------------------------------


def test_without_a_rehearsal_the_live_schema_must_be_that_of_its_revision(settings: Settings) -> None:
    untouched = asking(settings)
    ask_unrehearsed(untouched)
    assert entry(untouched, "drift").reason.endswith("left it, which was validated")

    execute(settings, "CREATE TABLE stray (id integer)")
    with pytest.raises(Refused, match="is not the one of revision r2") as refused:
        api.migrate(settings, backup="off", rehearse="off")
    assert "table public.stray exists, but is not declared" in refused.value.why
    assert read_version(live_of(settings).url) == {"r2"}

    accepted = settings.root / "schema" / "governance.yaml"
    accepted.parent.mkdir(exist_ok=True)
    accepted.write_text(MANIFEST, encoding="utf-8")
    asked = asking(replace(settings, manifest=accepted))
    ask_unrehearsed(asked)
    assert entry(asked, "drift").reason.endswith("1 ignored")


def test_a_schema_that_is_changed_while_a_migration_is_prepared_refuses_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    conclude = precautions.conclude

    def change_it_first(rehearsal: Rehearsal, draft: Draft) -> None:
        execute(settings, "CREATE TABLE stray (id integer)")
        conclude(rehearsal, draft)

    monkeypatch.setattr(precautions, "conclude", change_it_first)
    with pytest.raises(Refused, match="changed while the migration was prepared"):
        api.migrate(settings, backup="off")
    assert read_version(live_of(settings).url) == {"r2"}


# --- hazards ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "hazard"),
    [
        ('op.drop_column("notes", "body")', "drops-column:notes.body"),
        ('op.drop_table("parts", schema="stock")', "drops-table:stock.parts"),
        ('op.execute("ALTER TABLE notes DROP COLUMN body")', "drops-column:notes.body"),
    ],
)
def test_what_the_text_drops_is_allowed_by_name_also_where_nothing_is_rehearsed(
    body: str, hazard: str, settings: Settings
) -> None:
    write_third(settings, body)
    with pytest.raises(Refused, match="can lose data") as refused:
        ask_unrehearsed(asking(settings))
    assert refused.value.next == f"allow each by name: --allow {hazard}"
    asked = asking(settings)
    ask_unrehearsed(asked, allow=(hazard,))
    allowed = entry(asked, "hazards")
    assert (allowed.status, allowed.is_optional) == ("skipped", True)
    assert allowed.reason.endswith(f"allowed by name: {hazard}")


def test_where_nothing_is_rehearsed_it_is_said_that_nobody_looked_for_losses(settings: Settings) -> None:
    write_third(settings, 'op.execute(" ".join(["DROP", "TABLE", "notes"]))')
    asked = asking(settings)
    ask_unrehearsed(asked)
    assert entry(asked, "hazards").status == "skipped"
    assert "nobody looked for losses" in entry(asked, "hazards").reason
    assert {entry(asked, name).status for name in ("rights", "transactions")} == {"skipped"}


def test_a_saved_plan_knows_what_is_lost_without_a_rehearsal(settings: Settings) -> None:
    write_third(settings, 'op.execute(" ".join(["DROP", "TABLE", "notes"]))')
    plan = settings.root / "plan.json"
    assert entry(api.plan(settings, out=plan), "hazards").status == "found"
    with pytest.raises(Refused) as refused:
        api.migrate(settings, plan=plan, backup="off", rehearse="off")
    assert refused.value.next == "allow each by name: --allow drops-table:notes"
    assert read_version(live_of(settings).url) == {"r2"}


# --- disk -------------------------------------------------------------------------------------------------


def test_what_does_not_fit_on_a_disk_is_said_with_both_numbers(tmp_path: Path) -> None:
    there = tmp_path / "not" / "made" / "yet"
    fits = Room(purpose="the backup", folder=there, bytes=1)
    assert check_space([fits])[0] == ()
    (finding,), _ = check_space([fits, Room(purpose="the copy", folder=tmp_path, bytes=10**18)])
    assert "the backup and the copy: it takes about 1000000.0 TB, " in finding.message, "they share a disk"
    assert finding.evidence["needed_bytes"] == 10**18 + 1


def test_an_earlier_backup_tells_how_much_the_next_one_takes(
    copy_project: CopyProject, sqlite_database: DatabaseUrl
) -> None:
    settings = replace(copy_project("plain"), url=sqlite_database.text)
    api.migrate(settings)
    asked = asking(settings)
    ask_before(asked, with_backup=True)
    assert entry(asked, "disk").status == "passed"
    (earlier,) = list_backups(settings)
    assert earlier.manifest.table_bytes is not None

    # as if the same rows had taken a million terabytes then
    huge = tuple(replace(file, bytes=10**18) for file in earlier.manifest.files)
    amend_manifest(earlier, lambda manifest: replace(manifest, files=huge, table_bytes=1))
    write_third(settings, ADD)
    with pytest.raises(Refused, match="too little room for the backup"):
        api.migrate(settings)
    assert read_version(sqlite_database) == {"r2"}
    asked = asking(settings)
    ask_before(asked, with_backup=False)
    assert [one.name for one in asked.draft.entries] == [], (
        "--backup off needs no room, a file has no sessions"
    )
