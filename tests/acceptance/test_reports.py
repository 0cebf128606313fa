"""Reports of what really happened: an incident from its beginning to its end, a migration, a database that is away."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from govern import api, config
from govern.config import Settings
from govern.core.report import Report
from govern.errors import ConfigurationError
from govern.reports.documents import markdown
from tests.acceptance.program import Project, execute
from tests.unit.checks.test_probes_http import Server, reply

PROBES = "probes: {wait_seconds: 0, sequences: [{name: pages, steps: [{protected: [/notes]}]}]}\n"


def settings_of(project: Project) -> Settings:
    return config.load(start=project.root, url=project.url)


def read(report: Report) -> str:
    assert report.document is not None
    return markdown.render(report.document)


def test_an_incident_is_told_from_what_was_kept_and_what_the_ledger_has(watched: Project) -> None:
    settings, probes = settings_of(watched), watched.root / "probes.yaml"
    probes.write_text(PROBES)
    api.backup_create(settings)
    execute(watched.database, "DELETE FROM users")
    kept = watched.root / "before.json"
    kept.write_text(watched.govern("health", "--format", "json").out)
    server = Server()
    try:
        server.answer = lambda connection, _: connection.sendall(reply("500 Oh", "the table is empty"))
        assert tuple(api.probe(settings, file=probes, base_url=server.url).findings)
        restored = api.restore(settings, tables=("users",))
        server.answer = lambda connection, _: connection.sendall(reply())
        api.probe(settings, file=probes, base_url=server.url)
    finally:
        server.close()
    report = api.report_restoration(settings, before=(kept,))
    text, run = read(report), restored.data["run"]
    assert report.exit_code() == 0
    assert "| Rows of users | 0 | 1 |" in text
    assert f"`{run['id']}`" in text
    assert "insert users: 1 row" in text
    assert f"`{run['restored_from']}`" in text
    assert "restored into a scratch database and compared" in text
    assert "❌ 500 in" in text
    assert "✅ 200 in" in text
    assert "it said" not in text
    now = read(api.report_health(settings))
    assert "| pages | ✅ passed" in now
    assert "by govern probe" in now
    page = watched.govern("report", "restoration", "--run", run["id"], "--format", "html")
    assert (page.exit_code, page.out.startswith("<!doctype html>")) == (0, True)
    assert run["id"] in page.out


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_a_migration_is_told_with_what_it_ran_locked_and_lost(governed: Project) -> None:
    governed.write(
        {
            "migrations/versions/r3_gone.py": 'from alembic import op\nrevision, down_revision = "r3", "r2"\n'
            'def upgrade():\n    op.execute("ALTER TABLE notes DROP COLUMN body")\n'
            'def downgrade():\n    op.execute("ALTER TABLE notes ADD COLUMN body text")\n'
        }
    )
    governed.edit("app/models.py", "    body = Column(Text, nullable=False)\n", "")
    governed.succeed("lock")
    governed.succeed("migrate", "--allow", "drops-column:notes.body")
    settings = settings_of(governed)
    text = read(api.report_migration(settings))
    assert "# Migration report: r2 → r3" in text
    assert "`ALTER TABLE notes DROP COLUMN body`" in text
    assert "ACCESS EXCLUSIVE on public.notes" in text
    assert "**Rehearsed**: on a copy of the schema first" in text
    assert "drops-column:notes.body" in text.replace("\\", "")
    assert "**Validated**" in text
    first = governed.ask("history").report["runs"][-1]
    assert first["id"] in read(api.report_migration(settings, run=first["id"]))
    with pytest.raises(ConfigurationError, match="there is no run r-none"):
        api.report_migration(settings, run="r-none")


@pytest.mark.parametrize("watched", ["sqlite"], indirect=True)
def test_how_a_database_is_now_is_one_page_also_when_it_is_away(watched: Project, tmp_path: Path) -> None:
    settings = settings_of(watched)
    execute(watched.database, "DROP TABLE notes")
    text = read(api.report_health(settings))
    assert "❌ **Critical**" in text
    assert "| `notes` | ❌ missing |" in text
    report = api.report_health(replace(settings, url=f"sqlite:///{tmp_path / 'none.sqlite'}"))
    assert report.exit_code() == 3
    assert "**Not known**: the ledger" in read(report)


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_what_is_no_kept_report_is_refused(governed: Project) -> None:
    file = governed.root / "other.json"
    whole = json.loads(governed.govern("health", "--format", "json").out)
    for content in (
        "",
        "[]",
        json.dumps({"command": "health"}),
        "[" * 100_000,
        json.dumps({**whole, "probes": [1]}),
    ):
        file.write_text(content)
        with pytest.raises(ConfigurationError, match=r"other\.json (?:cannot be read|is no)"):
            api.report_restoration(settings_of(governed), before=(file,))
    assert governed.govern("report", "restoration", "--since", "yesterday").exit_code == 2
