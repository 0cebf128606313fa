"""Declared repairs that have something to do are found, each told once; those that have nothing to do are silent."""

from __future__ import annotations

from tests.acceptance.program import Project, dump
from tests.acceptance.test_integrity import let_sequences_pass
from tests.acceptance.test_row_repairs import leave_orphans

MANIFEST = """
critical_tables:
  - name: users
  - name: notes
repairs:
  - name: orphaned-notes
    kind: delete_orphans
    of: notes.user_id -> users.id
    reason: left by a crash
    owner: platform
  - name: kept-notes
    kind: delete_where
    table: notes
    where: body = 'kept'
    severity: critical
    reason: nobody may keep them
    owner: platform
  - name: nameless
    kind: delete_where
    table: users
    where: email = ''
    reason: the form let them through
    owner: accounts
"""
SLOW = """
  - name: slow
    kind: delete_where
    table: notes
    where: |
      (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000)
       SELECT count(*) FROM n) < 0
    reason: nobody has thought of an index
    owner: platform
"""


def test_what_is_due_is_found_once_with_the_repair_that_takes_it_away(governed: Project) -> None:
    governed.write({"schema/governance.yaml": MANIFEST})
    let_sequences_pass(governed)
    assert governed.succeed("integrity").findings == []
    leave_orphans(governed)
    let_sequences_pass(governed)
    before = dump(governed.database)
    done = governed.ask("integrity")
    assert done.exit_code == 1
    found = {one["fix"]["repair"]: one for one in done.findings}
    assert {name: (one["rule"], one["severity"]) for name, one in found.items()} == {
        "orphaned-notes": ("integrity.orphan", "critical"),
        "kept-notes": ("integrity.repair-due", "critical"),
    }
    assert len(done.findings) == 2
    assert found["orphaned-notes"]["fix"]["kind"] == "delete_orphans"
    due = found["kept-notes"]
    home = "" if governed.database.dialect == "sqlite" else "public."
    assert (due["evidence"]["rows"], due["evidence"]["table"]) == (1, f"{home}notes")
    assert (due["subject"]["name"], due["subject"]["line"]) == ("kept-notes", 11)
    assert dump(governed.database) == before


def test_a_repair_that_takes_too_long_to_plan_is_named_and_the_others_are_looked_at(
    governed: Project,
) -> None:
    governed.write({"schema/governance.yaml": MANIFEST + SLOW})
    leave_orphans(governed)
    listed = governed.succeed("repair", "list", "--budget", "1").report["declared"]
    said = {one["repair"]: one["now"] for one in listed}
    assert "the time for looking at rows was over" in said["slow"]
    assert said["kept-notes"].startswith("1 row of notes is deleted")
    assert said["nameless"] == "nothing to repair"
    done = governed.ask("integrity", "--budget", "2")
    assert done.entry("repairs not looked at")["reason"].startswith("slow: the time")
    assert "kept-notes" in {one["subject"]["name"] for one in done.findings}
