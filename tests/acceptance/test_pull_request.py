"""One comment below a pull request: what becomes of the schema, who waits, and how an environment stands."""

from __future__ import annotations

import subprocess

import pytest

from govern import api, config
from govern.reports import markdown
from tests.acceptance.conftest import DETAILED
from tests.acceptance.program import Project, execute

MANIFEST = """\
allow:
  - {rule: lint.index-not-concurrent, subject: elsewhere, reason: tiny, owner: data team, expires: 2001-02-03}
"""
CONFIGURATION = '[targets.production]\nurl_env = "PRODUCTION_URL"\n[targets.gone]\nurl_env = "GONE_URL"\n'


def commit(project: Project) -> None:
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        ("-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "--message=base"),
    ):
        subprocess.run(["git", *arguments], cwd=project.root, check=True)


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_a_reviewer_reads_what_a_pull_request_does(governed: Project) -> None:
    assert governed.url is not None
    governed.write({"govern.toml": CONFIGURATION, "schema/governance.yaml": MANIFEST})
    commit(governed)
    governed.write(DETAILED)
    governed.succeed("lock")
    execute(governed.database, "ALTER TABLE users ADD COLUMN nick text")
    reviewed = governed.with_environment(PRODUCTION_URL=governed.url).ask(
        "report", "pull-request", "--against-ref", "main", "--environment", "production"
    )
    assert reviewed.exit_code == 1, reviewed
    review = reviewed.report["pull_request"]
    assert [(one["action"], one["object"]) for one in review["schema"]] == [
        ("added", "view public.note_counts"),
        ("added", "index public.notes.notes_user_id_idx"),
    ]
    assert '"~ notes":::changed {' in review["picture"]
    [revision] = review["revisions"]
    waiting = [
        lock["table"] for one in revision["observed"] for lock in one["locks"] if lock["blocks_writes"]
    ]
    assert (revision["revision"], waiting) == ("r3", ["public.notes"])
    assert [(one["what"], one["days"] < 0) for one in review["exceptions"]] == [
        ("lint.index-not-concurrent:elsewhere", True)
    ]
    assert [one["rule"] for one in reviewed.entry("production: drift")["findings"]] == ["drift.column-added"]
    assert reviewed.entry("merged")["status"] == "passed"

    written = governed.root / "report.json"
    written.write_text(reviewed.out, encoding="utf-8")
    rendered = governed.govern("report", "render", str(written), "--format", "markdown")
    assert rendered.exit_code == 1
    first, *_ = rendered.out.splitlines()
    assert first == "<!-- govern: report pull-request -->"
    for said in (
        "+ index public.notes.notes_user_id_idx: CREATE INDEX",
        '```mermaid\n---\ntitle: "1 view added, 1 table changed since main"',
        "**`production`** has drifted: 1 difference",
        ": **nobody writes** (SHARE), every row is read",
        "CREATE VIEW note_counts",
        "has ended",
    ):
        assert said in rendered.out, rendered
    page = governed.govern("report", "render", str(written), "--format", "html").out
    assert '<img src="data:image/svg+xml;base64,' in page
    assert '<span class="added">+ index public.notes.notes_user_id_idx: CREATE INDEX' in page
    told = governed.govern("report", "render", str(written)).out
    assert told.count("CREATE VIEW note_counts") == 1
    assert "✗ production has drifted: 1 difference from its revision" in told


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_an_environment_that_does_not_answer_is_said_and_no_pass(governed: Project) -> None:
    governed.write({"govern.toml": CONFIGURATION})
    commit(governed)
    away = governed.with_environment(GONE_URL="postgresql://app:Kanarienvogel@127.0.0.1:9/app")
    reviewed = away.govern(
        "report", "pull-request", "--against-ref", "main", "--environment", "gone", "--format", "markdown"
    )
    assert reviewed.exit_code == 3, reviewed
    assert "Kanarienvogel" not in reviewed.out + reviewed.err
    assert "⚠️ **`gone`** may have drifted: " in reviewed.out
    assert "**The schema** stays as it is in `main`." in reviewed.out


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_what_cannot_be_compared_is_not_said_to_stay_as_it_is(governed: Project) -> None:
    lock = governed.root / "schema/schema.lock"
    written = lock.read_text(encoding="utf-8")
    lock.unlink()
    commit(governed)
    lock.write_text(written, encoding="utf-8")
    report = api.report_pull_request(config.load(start=governed.root, url=governed.url), against_ref="main")
    text = markdown.render(report)
    assert report.data["pull_request"]["schema"] is None
    assert "What becomes of **the schema** since `main` is not known" in text
    assert "not compared: there is no schema/schema.lock in main" in text
    assert "mermaid" not in text
