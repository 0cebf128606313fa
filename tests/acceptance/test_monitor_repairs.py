"""The monitor makes the repairs that the manifest declares and its policy names, and takes them back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from govern.api.rows import integrity
from govern.config import load
from govern.core.issue import issue_of
from govern.core.monitoring import Event
from govern.monitor.preview import preview_fix, preview_rollback
from tests.acceptance.program import Project, dump, execute
from tests.acceptance.test_integrity import let_sequences_pass
from tests.acceptance.test_monitor import (
    DROP,
    answering,
    ask,
    monitoring,
    postgresql_project,
    set_mode,
    status_of,
)
from tests.fixtures.faults import wait_until
from tests.fixtures.projects import read_rows

__all__ = ["postgresql_project"]

MANIFEST = """
critical_tables:
  - name: users
  - name: notes
repairs:
  - name: empty-notes
    kind: delete_where
    table: notes
    where: body = ''
    severity: critical
    reason: the editor saved them before it was fixed
    owner: notes
  - name: first-user
    kind: insert_missing
    table: users
    select: SELECT 'root@example.org' AS email WHERE NOT EXISTS (SELECT 1 FROM users WHERE email = 'root@example.org')
    severity: critical
    reason: nobody could log in
    owner: accounts
monitor:
  fixes:
    mode: apply
    allow:
      - {repair: empty-notes, most_rows: 2}
"""
LEFT = "INSERT INTO notes (id, user_id, body) VALUES ({0}, 1, ''), ({1}, 1, '')"
NOTES = "SELECT id FROM notes ORDER BY id"


@pytest.fixture
def neglected(governed: Project) -> Project:
    """With two rows for the repair that is allowed, and one for another that is not."""
    governed.write({"schema/governance.yaml": MANIFEST})
    execute(governed.database, LEFT.format(81, 82))
    let_sequences_pass(governed)
    return governed


def test_what_the_policy_names_is_repaired_and_the_rest_is_listed(neglected: Project) -> None:
    looked = neglected.ask("monitor", "run", "--once")
    assert looked.entry("monitor")["reason"] == "critical; 1 fixed", looked
    assert read_rows(neglected.database, NOTES) == []
    assert read_rows(neglected.database, "SELECT count(*) FROM users WHERE email = 'root@example.org'") == [
        (0,)
    ]
    [left] = [
        one for one in neglected.succeed("monitor", "status").report["issues"] if one["tier"] == "critical"
    ]
    assert (left["repair"], left["fix"], left["issue_type"]) == ("first-user", "insert_missing", "REPAIR_DUE")
    [run, *_] = neglected.succeed("history").report["runs"]
    assert (run["command"], run["result"], run["repairs"]) == ("repair", "applied", ["empty-notes"])
    assert run["backup"]


def test_more_rows_than_are_allowed_are_left_to_a_person(neglected: Project) -> None:
    execute(neglected.database, LEFT.format(83, 84))
    neglected.ask("monitor", "run", "--once")
    assert len(read_rows(neglected.database, NOTES)) == 4
    assert neglected.succeed("monitor", "status").report["events"][0]["kind"] == "paged"


AGAIN = {
    "postgresql": (
        """
        CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO notes (user_id, body) VALUES (1, ''), (1, ''), (1, ''); RETURN NULL; END $$
        """,
        "CREATE TRIGGER again AFTER UPDATE ON govern.runs FOR EACH ROW "
        "WHEN (new.run->>'result' = 'applied' AND new.run->>'command' = 'repair') EXECUTE FUNCTION again()",
    ),
    "sqlite": (
        "CREATE TRIGGER again AFTER UPDATE ON govern_runs "
        "WHEN json_extract(new.run, '$.result') = 'applied' AND json_extract(new.run, '$.command') = 'repair' "
        "BEGIN INSERT INTO notes (user_id, body) VALUES (1, ''), (1, ''), (1, ''); END",
    ),
}
"""Writes such rows when a repair is done, as an application would that is quicker than the second look."""


def test_a_repair_whose_rows_are_there_again_is_rolled_back(neglected: Project) -> None:
    execute(neglected.database, *AGAIN[neglected.database.dialect])
    before = read_rows(neglected.database, NOTES)
    neglected.ask("monitor", "run", "--once")
    events = neglected.succeed("monitor", "status").report["events"]
    assert [one["kind"] for one in events] == ["fix-failed", "rolled-back", "rolling-back", "fixing"]
    assert set(before) <= set(read_rows(neglected.database, NOTES))


def newest(api: str) -> str | None:
    """The kind of the newest event."""
    events = ask(f"{api}/history")["events"]
    return str(events[0]["kind"]) if events else None


def test_a_person_sees_before_what_a_fix_and_its_way_back_would_touch(neglected: Project) -> None:
    settings = load(start=neglected.root, url=neglected.database.text)
    [finding] = [one for one in integrity(settings).findings if one.subject.name == "empty-notes"]
    issue = issue_of(finding, "integrity", datetime.now(UTC), home="public")
    before = dump(neglected.database)
    preview = preview_fix(settings, issue)
    assert (preview.rows, preview.touches_data, preview.loses_data) == (2, True, False)
    assert (preview.confirmation, preview.refusal) == ("notes", "")
    assert dump(neglected.database) == before

    applied = neglected.succeed("repair", "apply", "empty-notes", "--backup", "off")
    [run] = applied.report["finished_runs"]
    assert preview_fix(settings, issue).refusal == "there is nothing left to do"
    event = Event(id="e", kind="fixed", actor="monitor", at=issue.last_seen, run=run["id"])
    before = dump(neglected.database)
    back = preview_rollback(settings, event)
    assert (back.rows, back.confirmation, back.refusal) == (2, "notes", "")
    assert dump(neglected.database) == before

    neglected.succeed("repair", "rollback", run["id"], "--backup", "off")
    assert preview_rollback(settings, event).refusal.startswith("rolled back by")


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_a_person_has_a_repair_made_and_takes_it_back_over_http(neglected: Project) -> None:
    neglected.edit("schema/governance.yaml", "mode: apply", "mode: 'off'")
    before = read_rows(neglected.database, "SELECT * FROM notes ORDER BY id")
    with monitoring(neglected), answering(neglected) as api:
        wait_until(lambda: status_of(neglected) is not None)
        issues = {one["repair"]: one for one in ask(f"{api}/issues")["critical_issues"]}
        assert issues["empty-notes"]["evidence"]["tables"][0]["keys"] == ["81", "82"]
        ask(f"{api}/issues/{issues['empty-notes']['key']}/fix", method="POST")
        wait_until(lambda: newest(api) == "fixed")
        assert read_rows(neglected.database, NOTES) == []
        fixed = ask(f"{api}/history")["events"][0]
        asked = ask(f"{api}/history/{fixed['id']}/rollback", method="POST")
        wait_until(lambda: newest(api) == "rolled-back")
        rolled_back = ask(f"{api}/history")["events"]
        assert rolled_back[2]["id"] == asked["id"]
        assert {(one["actor"], one["run"]) for one in rolled_back[:3]} == {("api", fixed["run"])}
        wait_until(
            lambda: "empty-notes" in {one["repair"] for one in ask(f"{api}/issues")["critical_issues"]}
        )
    assert read_rows(neglected.database, "SELECT * FROM notes ORDER BY id") == before


WORSE = (
    """
    CREATE FUNCTION worse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN ALTER TABLE users ALTER email DROP NOT NULL; RETURN NULL; END $$
    """,
    "CREATE TRIGGER worse AFTER UPDATE ON govern.runs FOR EACH ROW "
    "WHEN (new.run->>'result' = 'applied' AND new.run->>'command' = 'repair') EXECUTE FUNCTION worse()",
)
"""Does harm to a critical table once a fix is committed."""
GENTLY = """
repairs:
  - {name: email-index, kind: create_index_concurrently, index: ix_users_email, reason: busy, owner: platform}
"""
INDEXES = "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_users_email'"


def test_a_fix_of_the_schema_after_which_something_else_is_wrong_is_rolled_back(
    postgresql_project: Project,
) -> None:
    """And it is made by the repair that is declared for it, which lets others read and write."""
    project = postgresql_project
    set_mode(project, "apply")
    manifest = (project.root / "schema/governance.yaml").read_text()
    project.write({"schema/governance.yaml": manifest + GENTLY})
    execute(project.database, DROP[0], *WORSE)
    project.ask("monitor", "run", "--once")
    events = project.succeed("monitor", "status").report["events"]
    assert [one["kind"] for one in events] == ["fix-failed", "rolled-back", "rolling-back", "fixing"], events
    assert events[0]["detail"].startswith(
        "after its repair there is something new: column public.users.email"
    )
    assert read_rows(project.database, INDEXES) == [(0,)]
    runs = project.succeed("history").report["runs"]
    assert [(one["command"], one["repairs"]) for one in runs[:2]] == [
        ("repair rollback", ["email-index"]),
        ("repair", ["email-index"]),
    ]
    assert runs[0]["undoes"] == runs[1]["id"]
