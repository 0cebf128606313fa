"""A real application with a log-in, tokens and sessions in its database: each fault is found by its probe."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import httpx2
import pytest

from govern import api, config
from govern.config import Settings
from govern.core.report import Report
from govern.monitor.worker import Worker
from tests.acceptance.program import Done, Project, finish

ROOT = Path(__file__).parents[2]
FAULTY = ROOT / "tests/fixtures/faulty.py"
PASSWORD = "the password / of <probes> & nobody else"
KEY = "0123456789abcdef0123456789abcdef-probed"
_PATIENCE_SECONDS = 120.0

SECOND = """\
import sqlalchemy as sa
from alembic import op
revision, down_revision = "r2", "r1"
def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
def downgrade():
    op.drop_table("later")
"""
LATER = """

class Later(Base):
    __tablename__ = "later"
    id = Column(Integer, primary_key=True)
"""
SLOW = """\
probes:
  variables: {email: probe@example.org}
  secrets: {password: {env: PROBE_PASSWORD}}
  sequences:
    - name: speed
      steps:
        - log_in: {path: /login, json: {email: "{{email}}", password: "{{password}}"}}
        - request: {path: /me, expect: {within_seconds: 2}}
"""


@dataclass(frozen=True, slots=True)
class Running:
    """The project, its database, and its application, which runs."""

    project: Project
    base_url: str
    settings: Settings

    def switch(self, fault: str) -> None:
        httpx2.post(f"{self.base_url}/fault/{fault}", trust_env=False, timeout=30).raise_for_status()

    def probe(self, *names: str, file: Path | None = None) -> Report:
        return api.probe(self.settings, names, file=file)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Migrated for the first time while the application waits for its schema, and the probes for the application."""
    root = tmp_path_factory.mktemp("probed") / "project"
    shutil.copytree(ROOT / "examples/probed", root, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(FAULTY, root / "faulty.py")
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.MonkeyPatch.context() as patch:
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {
            "PROBE_PASSWORD": PASSWORD,
            "APP_SIGNING_KEY": KEY,
            "GOVERN_PROBE_BASE_URL": base_url,
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        project = Project(root=root, url=f"sqlite:///{root}/app.db", environment=environment)
        project.edit("schema/governance.yaml", "wait_seconds: 20", f"wait_seconds: {_PATIENCE_SECONDS}")
        migrating = project.start("migrate", "--format", "json")
        try:
            _wait_for_table(root / "app.db")
        except BaseException:
            migrating.terminate()
            raise AssertionError(finish(migrating)) from None
        application = subprocess.Popen(
            [sys.executable, "faulty.py", str(listener.fileno())],
            cwd=root,
            env=project.variables,
            pass_fds=(listener.fileno(),),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            migrated = finish(migrating)
            assert migrated.exit_code == 0, migrated
            assert migrated.entry("probe accounts")["status"] == "passed"
            settings = config.load(start=root, url=project.url)
            yield Running(project, base_url, settings)
        finally:
            application.kill()
            application.wait()


@pytest.fixture
def sound(running: Running) -> Iterator[Running]:
    """Without a fault, before and after."""
    os.environ.update(running.project.environment)  # the other tests' environment is cleaned for each
    running.switch("none")
    yield running
    running.switch("none")


def _wait_for_table(file: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sessions'").fetchone():
                return
        time.sleep(0.05)
    raise AssertionError("nobody migrates")


def found(report: Report) -> set[tuple[str, str]]:
    return {(finding.rule.id, finding.subject.name) for finding in report.findings}


def test_an_application_that_works_has_no_findings(sound: Running) -> None:
    report = sound.probe()
    assert [(entry.name, entry.status) for entry in report.entries] == [
        ("accounts", "passed"),
        ("sessions", "passed"),
    ], report
    assert len(report.data["probes"][0]["exchanges"]) > 10


@pytest.mark.parametrize(
    ("fault", "rule", "what"),
    [
        ("other_key", "probe.wrong-claim", "token signature"),
        ("no_table", "probe.unexpected-status", "POST /login"),
        ("expired_accepted", "probe.token-accepted", "GET /me, with a token that has expired"),
        ("same_token", "probe.token-unchanged", "POST /refresh"),
        ("open_page", "probe.open-page", "GET /me, not logged in"),
        ("error_on_log_in", "probe.unexpected-status", "POST /login"),
        ("none_accepted", "probe.token-accepted", "GET /me, with a token with the algorithm none"),
        ("elsewhere", "probe.redirected-away", "GET /me"),
        ("endless", "probe.endless-body", "GET /me"),
        ("not_listed", "probe.session-missing", "GET /sessions"),
        ("not_revoked", "probe.session-alive", "GET /me, with the token of a revoked session"),
        ("lost_user", "probe.failed", "app.probes:sessions_have_users"),
    ],
)
def test_each_fault_is_found_by_the_probe_that_should(
    sound: Running, fault: str, rule: str, what: str
) -> None:
    name = "sessions" if fault in ("not_listed", "not_revoked", "lost_user") else "accounts"
    sound.switch(fault)
    report = sound.probe(name)
    assert (rule, f"{name}: {what}") in found(report), found(report)
    assert report.exit_code() == 1


def test_a_page_that_is_slow_is_found(sound: Running, tmp_path: Path) -> None:
    file = tmp_path / "slow.yaml"
    file.write_text(SLOW)
    assert found(sound.probe(file=file)) == set()
    sound.switch("slow")
    assert found(sound.probe(file=file)) == {("probe.slow", "speed: GET /me")}


def test_nothing_that_comes_out_has_a_secret(sound: Running) -> None:
    sound.switch("error_on_log_in")
    said = ""
    for format in ("text", "json", "junit"):
        done = sound.project.govern("probe", "-v", "--format", format)
        assert done.exit_code == 1, done
        said += done.out + done.err
    sound.switch("none")
    done = sound.project.succeed("probe", "-v")
    said += done.out + done.err
    kept = (sound.project.root / ".govern/history.jsonl").read_text()
    assert json.loads(kept.splitlines()[-1])["probes"][0]["exchanges"]
    said += kept
    for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1], KEY, "eyJ"):
        assert secret not in said
    assert '"password\\": \\"***\\"' in said


def test_what_the_monitor_is_told_has_no_secret_and_nothing_of_an_answer(sound: Running) -> None:
    sound.switch("same_token")
    seen = Worker(sound.settings).ask(("accounts",), _PATIENCE_SECONDS).collect(_PATIENCE_SECONDS)
    assert seen is not None
    told = repr(seen)
    assert "the token that there was before" in told
    for unsaid in (PASSWORD, KEY, "eyJ", "probe@example.org", "excerpt", "'sent'"):
        assert unsaid not in told


def test_a_ci_system_reads_what_failed(sound: Running) -> None:
    sound.switch("open_page")
    done = sound.project.govern("probe", "accounts", "--format", "junit")
    assert done.exit_code == 1
    suite = ElementTree.fromstring(done.out).find("testsuite")
    assert suite is not None
    case = suite.find("testcase")
    assert case is not None
    assert (case.get("classname"), case.get("name")) == ("govern.probe", "accounts")
    assert {failure.get("type") for failure in case.findall("failure")} >= {"probe.open-page"}


# --- the gate ---------------------------------------------------------------------------------------------


@pytest.fixture
def pending(sound: Running) -> Iterator[Running]:
    """With a revision that is not applied; afterwards as before."""
    project = sound.project
    models = (project.root / "app/models.py").read_text()
    saved = (project.root / "app.db").read_bytes()
    project.write({"migrations/versions/r2_later.py": SECOND, "app/models.py": models + LATER})
    yield sound
    project.write({"migrations/versions/r2_later.py": None, "app/models.py": models})
    (project.root / "app.db").write_bytes(saved)


def results(done: Done) -> list[str]:
    return [run["result"] for run in done.report["runs"]]


def test_a_migration_that_the_application_does_not_work_on_is_unhealthy_until_it_does(
    pending: Running,
) -> None:
    project = pending.project
    pending.switch("open_page")
    failed = project.ask("migrate")
    assert failed.exit_code == 5, failed
    assert "probe.open-page" in failed.rules
    assert "the application does not work" in failed.problem["what"]
    assert "at r2 and marked unhealthy" in failed.problem["state"]
    assert failed.report["run"]["result"] == "unhealthy"
    assert project.ask("health").rules == {"startup.unhealthy-run"}

    again = project.ask("migrate")
    assert (again.exit_code, again.report["run"]["result"]) == (1, "unhealthy"), again
    pending.switch("none")
    healed = project.succeed("migrate")
    assert healed.entry("probe sessions")["status"] == "passed"
    shown = project.succeed("health").report["health"]["probes"]
    assert (shown["by"], shown["sequences"]["sessions"]["status"]) == ("migrate", "passed")
    history = project.succeed("history")
    assert results(history)[:3] == ["applied", "unhealthy", "unhealthy"]
    now, before = (run["probes"][0] for run in history.report["runs"][:2])
    assert (now["status"], before["status"]) == ("passed", "found")
    wrong = [one for one in before["exchanges"] if not one["ok"]]
    first = wrong[0]["what"], wrong[0]["status"], wrong[0]["expected"]
    assert first == ("GET /me, not logged in", 200, "401 or 403")


def test_a_failed_probe_brings_the_backup_back_if_that_was_asked_for(pending: Running) -> None:
    project = pending.project
    manifest = (project.root / "schema/governance.yaml").read_text()
    only = "  wait_seconds: 120\n  sequences: [{name: doors, steps: [{anonymous: [/me]}]}]\n"
    project.write({"schema/governance.yaml": manifest[: manifest.index("  wait_seconds")] + only})
    pending.switch("open_page")
    failed = project.ask("migrate", "--on-failure", "restore")
    project.write({"schema/governance.yaml": manifest})
    assert failed.exit_code == 5, failed
    assert "restored from backup" in failed.problem["state"], failed
    assert results(project.succeed("history"))[0] == "restored"


def test_without_a_secret_nothing_is_changed(pending: Running) -> None:
    project = pending.project
    refused = project.with_environment(PROBE_PASSWORD="").ask("migrate")
    assert refused.exit_code == 2, refused
    assert "PROBE_PASSWORD is not set" in refused.problem["what"]
    assert refused.problem["state"] == "nothing was changed"
    assert project.ask("health").report["target"]["revision"] == ["r1"]


def test_a_restore_is_asked_about_too(sound: Running) -> None:
    project = sound.project
    saved = (project.root / "app.db").read_bytes()
    project.succeed("backup", "create")
    with closing(sqlite3.connect(project.root / "app.db")) as connection, connection:
        connection.execute("DELETE FROM sessions")
    try:
        sound.switch("open_page")
        restored = project.ask("restore", "--merge")
        assert restored.exit_code == 1, restored
        assert "probe.open-page" in restored.rules
        assert restored.report["run"]["result"] == "unhealthy"
        assert restored.entry("ledger")["reason"].endswith("unhealthy")
    finally:
        (project.root / "app.db").write_bytes(saved)
