"""Every command speaks every form, also where it was misused, and knows the places of its project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from govern import config
from govern.cli.main import run
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.reports.formats import Document
from govern.reports.places import find_places
from tests.fixtures.formats import read_code_quality, read_sarif
from tests.fixtures.projects import CASES
from tests.unit.reports.test_formats import every_form, read

RULE = Rule(id="drift.x", name="x", severity=Severity.ERROR, condition="x", effect="x", remedy="x")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project ``plain``, a folder of a repository."""
    (tmp_path / ".git").mkdir()
    root = tmp_path / "backend" / "shop"
    shutil.copytree(CASES / "plain", root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(root)
    return root


@every_form
def test_a_command_that_was_misused_is_one_document(
    form: Document, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["chain", "--format", form, "--nonsense"]) == 2
    assert "--nonsense" in read(capsys.readouterr().out, form)


@every_form
def test_a_chain_is_told_in_every_form(
    form: Document, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["chain", "--format", form, "--quiet"]) == 0
    read(capsys.readouterr().out, form)


def test_one_report_is_written_in_several_forms(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "migrations/versions/r2_notes.py").write_text(
        "revision = 'r2'\ndown_revision = 'r0'\n", encoding="utf-8"
    )
    assert run(["chain", "--format", "json", "--output", "report.json", "--quiet"]) == 1
    assert run(["report", "render", "report.json", "--also", "sarif=a.sarif", "--also", "gitlab=b.json"]) == 1
    assert "chain.missing-parent" in capsys.readouterr().out
    results = read_sarif(Path("a.sarif").read_text(encoding="utf-8"))["results"]
    uris = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results}
    assert uris == {"backend/shop/migrations/versions/r2_notes.py"}
    assert len(read_code_quality(Path("b.json").read_text(encoding="utf-8"))) == len(results)
    assert run(["report", "render", "report.json", "--also", "sarif"]) == 2
    assert run(["report", "render", "report.json", "--also", "pdf=x"]) == 2
    assert run(["report", "render", "report.json", "--also", "html=/nowhere/x.html"]) == 2
    Path("report.json").write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert run(["report", "render", "report.json", "--format", "json"]) == 2
    assert "no report of govern" in json.loads(capsys.readouterr().out)["problem"]["what"]


def test_what_is_about_a_table_is_shown_where_it_is_declared(project: Path) -> None:
    (project / "schema").mkdir()
    (project / "schema/schema.lock").write_text(
        "# a\nformat: 1\n\ntable public.users\ncolumn public.users.age\n  type: x\n"
    )
    places = find_places(config.load(start=project, environ={}))

    def find(kind: str, name: str, **more: str) -> tuple[str, int]:
        place = places.find(Finding.of(RULE, Subject(kind=kind, name=name, **more), "x"))
        return place.path, place.line

    lock = "backend/shop/schema/schema.lock"
    assert find("table", "users") == (lock, 4)
    assert find("column", "users.age", namespace="public") == (lock, 5)
    assert find("constraint", "users.age_check", namespace="public") == (lock, 4)
    assert find("table", "nowhere") == (lock, 1)
    assert find("file", "x", path="migrations/env.py") == ("backend/shop/migrations/env.py", 1)
    assert places.root.path == "backend/shop/alembic.ini"
    assert find_places(None, start=project).root.path == "backend/shop/alembic.ini"
