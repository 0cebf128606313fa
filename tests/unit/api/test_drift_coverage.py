"""``govern drift --coverage``: what a drift check sees, said without a database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from govern import api, config
from govern.cli.main import run
from govern.config import Settings


def settings_for(url: str | None, folder: Path) -> Settings:
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n", encoding="utf-8")
    return config.load(start=folder, environ={} if url is None else {"DATABASE_URL": url})


@pytest.mark.parametrize("url", [None, "postgresql://nobody@no.such.host/app"])
def test_nothing_is_reached_or_started(url: str | None, tmp_path: Path) -> None:
    report = api.drift_coverage(settings_for(url, tmp_path))
    assert report.status == "clean"
    assert not (tmp_path / ".govern").exists()
    assert report.entries[0].reason == "39 of 50 kinds of objects are covered"


def test_kinds_that_are_not_covered_say_why(tmp_path: Path) -> None:
    kinds = {row["kind"]: row for row in api.drift_coverage(settings_for(None, tmp_path)).data["coverage"]}
    assert kinds["index"] == {
        "kind": "index",
        "covered": True,
        "why_not": "",
        "read_from": ["pg_class", "pg_index", "pg_inherits"],
    }
    assert kinds["subscription"]["covered"] is False
    assert all(row["why_not"] for row in kinds.values() if not row["covered"])


def test_sqlite_has_kinds_of_its_own(tmp_path: Path) -> None:
    rows = api.drift_coverage(settings_for("sqlite:///app.db", tmp_path)).data["coverage"]
    assert {row["kind"] for row in rows} == {"column", "constraint", "index", "table", "trigger", "view"}


def test_the_command_prints_a_table_and_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_for(None, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["drift", "--coverage"]) == 0
    assert "foreign-server" in capsys.readouterr().out
    assert run(["drift", "--coverage", "--format", "json"]) == 0
    assert {"storage", "cast"} <= {row["kind"] for row in json.loads(capsys.readouterr().out)["coverage"]}
