"""Repairs of the schema that are killed at any moment: run again they finish, and all of it can be taken back."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import psycopg
import pytest

from govern.core.snapshot import Facts, ObjectKey
from tests.acceptance.program import Project, execute
from tests.acceptance.test_schema_repairs import REPAIRS, drop_foreign_key, repair, schema_of

PROGRAM = """
import os, signal, sys
from govern import api, config
told = 0

def narrate(text):
    global told
    told += 1
    if told == int(sys.argv[1]) or text.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

api.repair_apply(config.load(), names=(sys.argv[3],), backup="off", narrate=narrate)
"""


def kill_at(project: Project, name: str, *, number: int = 0, text: str = "nothing that is said") -> bool:
    """Kills the repair as it says so, or says that for so many times; returns whether it was over before."""
    done = project.run(sys.executable, "-c", PROGRAM, str(number), text, name)
    assert done.exit_code in (0, -9), done
    return done.exit_code == 0


def applied(project: Project) -> list[dict[str, str]]:
    found: list[dict[str, str]] = project.succeed("repair", "list").report["applied"]
    return found


def break_both(project: Project) -> Mapping[ObjectKey, Facts]:
    project.write({"schema/governance.yaml": REPAIRS})
    drop_foreign_key(project)
    execute(project.database, "DROP INDEX notes_user_id_idx")
    return schema_of(project)


@pytest.mark.parametrize("detailed", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("name", "text"), [("key", "a foreign key is"), ("index", "an index is built")])
def test_what_was_killed_between_its_stages_is_finished_by_another_run(
    detailed: Project, name: str, text: str
) -> None:
    broken = break_both(detailed)
    assert not kill_at(detailed, name, text=text)
    listed = detailed.succeed("repair", "list").report["applied"]
    said = {"key": "broke off after 1 stage", "index": "broke off after 0 stages"}[name]
    assert [one["state"] for one in listed] == [said]
    repair(detailed, "apply", name)
    assert len(schema_of(detailed)) == len(broken) + 1
    repair(detailed, "rollback", "latest")
    repair(detailed, "rollback", listed[0]["run"])
    assert schema_of(detailed) == broken


def test_whenever_it_is_killed_it_can_be_run_again_and_taken_back(
    detailed: Project, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--long-faults"):
        pytest.skip("--long-faults: every word that each kind says")
    broken = break_both(detailed)
    for name in ("key", "index"):
        number, is_over = 0, False
        while not is_over:
            number += 1
            is_over = kill_at(detailed, name, number=number)
            repair(detailed, "apply", name)
            assert schema_of(detailed) != broken
            standing = [one["run"] for one in applied(detailed) if "rolled back by" not in one["state"]]
            for run in standing:
                repair(detailed, "rollback", run)
            assert schema_of(detailed) == broken


@pytest.mark.parametrize("detailed", ["postgresql"], indirect=True)
def test_a_lock_that_somebody_keeps_is_waited_for_briefly_and_nothing_is_changed(
    detailed: Project, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--long-faults"):
        pytest.skip("--long-faults: a lock that is never free")
    broken = break_both(detailed)
    detailed.write({"govern.toml": "lock_retry_seconds = 1\n"})
    with psycopg.connect(detailed.database.conninfo) as holder:
        holder.execute("LOCK TABLE notes IN ROW EXCLUSIVE MODE")  # as whoever writes
        refused = repair(detailed, "apply", "key")
    assert refused.exit_code == 4, refused
    assert "held by somebody else" in refused.problem["what"]
    assert schema_of(detailed) == broken
