"""One command on many databases: what is equal is told once, what is broken keeps nobody from the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from govern.database.engines import dialect_of
from tests.acceptance.conftest import DETAILED, CopyPrepared
from tests.acceptance.fleets import TEMPLATE, Fleet, copy_file, prepare_fleet
from tests.acceptance.program import Done, execute
from tests.acceptance.test_unable import give_to
from tests.fixtures.databases import MakeFromTemplate, MakeRole, Session, with_credentials
from tests.fixtures.projects import read_version

MakeFleet = Callable[[int], Fleet]
PASSWORD = "Kanarienvogel@7/ü%"
ROWS = '''"""rows"""

from alembic import op

revision = "r4"
down_revision = "r3"


def upgrade():
    op.execute("UPDATE users SET email = email")


def downgrade():
    pass
'''
QUICK = ("--backup", "off", "--rehearse", "off")


def never(_: Any) -> None:
    raise AssertionError("the template is there")


@pytest.fixture
def make_fleet(copy_prepared: CopyPrepared, postgresql_from_template: MakeFromTemplate) -> MakeFleet:
    """So many databases of each engine: ``pg0`` …, ``file0`` …."""

    def make(count: int) -> Fleet:
        project = copy_prepared(TEMPLATE, prepare_fleet)
        servers = [postgresql_from_template(f"prepared_{TEMPLATE}", never) for _ in range(count - 1)]
        databases = {f"pg{number}": url for number, url in enumerate((project.database, *servers))}
        databases |= {f"file{number}": copy_file(project, f"file{number}") for number in range(count)}
        fleet = Fleet(project=project.with_url(None), databases=databases)
        fleet.write_targets()
        return fleet

    return make


def by_name(done: Done) -> dict[str, Any]:
    return {target["name"]: target for target in done.report["targets"]}


def test_drift_of_many_is_told_once_and_the_others_are_clean(
    make_fleet: MakeFleet, server_session: Session
) -> None:
    fleet = make_fleet(3)
    for name, kind in (("pg1", "integer"), ("pg2", "text")):
        execute(fleet.databases[name], f"ALTER TABLE notes ADD COLUMN extra {kind}")
    execute(fleet.databases["file1"], "DROP TABLE notes")
    execute(fleet.databases["file2"], "UPDATE alembic_version SET version_num = 'r1'", "DROP TABLE notes")
    nobody = fleet.databases["pg0"].with_database("not_there").text
    fleet.write_targets(also=[{"name": "gone", "url": nobody}, {"name": "unset", "url_env": "NOT_SET"}])

    done = fleet.project.ask("fleet", "drift", "--targets", "targets.yaml", "--wave-by", "engine")
    assert done.exit_code == 3
    assert done.problem["what"] == "2 of 8 targets could not be done: gone, unset"
    ended = {name: target["exit_code"] for name, target in by_name(done).items()}
    # file2 is held against the revision that it is stamped with, and is as that one made it
    assert ended == {
        "pg0": 0, "pg1": 1, "pg2": 1, "file0": 0, "file1": 1, "file2": 0, "gone": 3, "unset": 3,
    }  # fmt: skip
    assert [(group["subject"], group["count"], group["of"]) for group in done.report["groups"]] == [
        ("column public.notes.extra", 2, 8),
        ("table notes", 1, 8),
    ]
    assert [variant["targets"] for variant in done.report["groups"][0]["variants"]] == [["pg1"], ["pg2"]]
    assert [entry["name"] for entry in done.report["entries"]] == [
        "engine=postgresql", "engine=sqlite", "without engine", "drift",
    ]  # fmt: skip
    assert {one["revision"] for one in done.report["revisions"]} == {"r1", "r2"}
    left = server_session.execute("SELECT datname FROM pg_database WHERE datname ~ '^govern_scratch_replay'")
    assert not [name for (name,) in left if f"_{os.getpid()}_" in name]

    clean = fleet.project.succeed("fleet", "drift", "--targets", "targets.yaml", "--select", "name=file0")
    assert not clean.report["groups"]
    assert set(by_name(clean)) == {"file0"}
    text = fleet.project.govern(
        "fleet", "drift", "--targets", "targets.yaml", "--select", "engine=postgresql"
    )
    assert "(on 2 of 3, in 2 forms: pg1, pg2)" in text.out
    assert text.exit_code == 1


def test_a_migration_stops_with_its_canary_and_goes_on_where_it_was(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(2)
    fleet.project.write(DETAILED)
    fleet.project.with_url(fleet.databases["pg0"]).succeed("lock")
    execute(fleet.databases["pg1"], "CREATE VIEW note_counts AS SELECT 1")
    command = ("fleet", "migrate", "--targets", "targets.yaml", *QUICK)

    stopped = fleet.project.ask(*command, "--canary", "name=pg*")
    assert stopped.exit_code in (4, 5), stopped
    ended = {name: target["exit_code"] for name, target in by_name(stopped).items()}
    assert ended["pg0"] == 0
    assert ended["pg1"] == stopped.exit_code
    assert (ended["file0"], ended["file1"]) == (None, None)
    assert read_version(fleet.databases["file0"]) == {"r2"}

    execute(fleet.databases["pg1"], "DROP VIEW note_counts")
    assert fleet.project.ask("fleet", "runs").report["fleet_runs"][0]["end"] == "1 of 2 canaries failed"
    done = fleet.project.succeed(*command, "--canary", "name=pg*")
    assert {target["exit_code"] for target in by_name(done).values()} == {0}
    assert done.report["fleet"]["run"] == stopped.report["fleet"]["run"]
    (state,) = fleet.read_states()
    assert state.count('"event": "begun", "target": "pg0"') == 1
    for url in fleet.databases.values():
        with dialect_of(url).connect(url, read_only=True) as connection:
            runs = dialect_of(url).read_runs(connection, 9)
        assert [run.to_revision for run in runs if run.is_validated] == [("r3",), ("r2",)]
        assert read_version(url) == {"r3"}

    status = fleet.project.succeed("fleet", "status", "--targets", "targets.yaml")
    assert status.report["revisions"] == [
        {"revision": "r3", "pending": 0, "count": 4, "targets": ["pg0", "pg1", "file0", "file1"]}
    ]
    assert fleet.project.succeed("fleet", "check", "--targets", "targets.yaml").report["status"] == "clean"

    fleet.project.write(
        {"migrations/versions/r4_rows.py": ROWS}
    )  # the lock was not written again, and says r3
    again = fleet.project.ask(*command, "--select", "name=file0")
    assert read_version(fleet.databases["file0"]) == {"r4"}, again
    assert again.report["fleet"]["run"] != done.report["fleet"]["run"]  # that one was finished


def test_passwords_are_in_no_output_and_no_state(
    make_fleet: MakeFleet, make_role: MakeRole, server_url: Any
) -> None:
    fleet = make_fleet(1)
    role = make_role("tenant", PASSWORD, createdb=True)
    url = give_to(role, fleet.databases["pg0"], server_url)
    execute(fleet.databases["pg0"], f"GRANT pg_read_all_data TO {urlsplit(role.text).username}")
    wrong = with_credentials(url, "nobody_at_all", PASSWORD)
    fleet.write_targets(also=[{"name": "ours", "url_env": "OURS"}, {"name": "wrong", "url_env": "WRONG"}])
    project = fleet.project.with_environment(OURS=url.text, WRONG=wrong.text)
    commands = ("drift", "check", "integrity", "backup")
    ended = [
        project.govern("fleet", one, "--targets", "targets.yaml", "-v", "--format", "json")
        for one in commands
    ]
    assert by_name(ended[0])["ours"]["exit_code"] == 0, ended[0]
    assert by_name(ended[0])["wrong"]["exit_code"] == 3
    assert by_name(ended[3])["ours"]["exit_code"] == 0, ended[3]
    texts = [*fleet.read_states(), *(done.out + done.err for done in ended)]
    assert len(texts) == 8
    assert not [text for text in texts if "Kanarienvogel" in text]
