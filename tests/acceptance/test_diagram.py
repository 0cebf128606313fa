"""Pictures of a schema: from files alone, of a database, of what a change makes different; what cannot be drawn."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.acceptance.conftest import DETAILED
from tests.acceptance.program import Project, assert_told

SVG = "{http://www.w3.org/2000/svg}"
only_sqlite = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nowhere"


def labels(svg: str) -> set[str]:
    """What a screen reader says of each table."""
    return {
        label
        for element in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if (label := element.get("aria-label")) is not None
    }


def commit(project: Project) -> None:
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    assert project.run("git", "init", "-q").exit_code == 0
    assert project.run("git", "add", "--", "schema").exit_code == 0
    assert project.run(*git, "commit", "-q", "-m", "one").exit_code == 0


def test_the_declared_schema_is_drawn_without_a_database(governed: Project) -> None:
    offline = governed.with_url(UNREACHABLE)
    text = offline.govern("diagram").out
    assert text.startswith('---\ntitle: "The declared schema"\n---\nerDiagram\n')
    assert '"users" ||--o{ "notes" : "user_id"' in text
    assert offline.govern("diagram", "--output", "schema.svg").out == ""
    svg = (governed.root / "schema.svg").read_text(encoding="utf-8")
    assert labels(svg) == {"users, table", "notes, table"}
    assert offline.govern("diagram", "--output", "schema.gv").exit_code == 0
    assert (governed.root / "schema.gv").read_text(encoding="utf-8").startswith("digraph schema {")
    assert "```mermaid\n---\ntitle:" in offline.govern("diagram", "--format", "markdown").out
    page = offline.govern("diagram", "--format", "html").out
    assert '<img src="data:image/svg+xml;base64,' in page
    report = offline.ask("diagram", "--table", "users", "--depth", "0", "--as", "dot").report
    assert report["notation"] == "dot"
    assert report["title"] == "The declared schema: users and what is around"
    assert report["entries"][0]["reason"] == "1 table and 0 references"


@only_sqlite
def test_what_a_pull_request_changes_is_drawn_from_what_is_merged(governed: Project) -> None:
    commit(governed)
    same = governed.govern("diagram", "--against-ref", "HEAD", "--as", "svg").out
    assert "No table and no view is different." in same
    governed.write(DETAILED)
    governed.succeed("lock")
    merged = governed.govern("diagram", "--against-ref", "HEAD", "--as", "svg")
    assert labels(merged.out) == {
        "notes, table, changed: index notes_user_id_idx added",
        "note_counts, view, added",
    }
    assert "From HEAD to the declared schema: 1 view added, 1 table changed" in merged.out


def test_what_is_pending_is_drawn_from_the_database_to_the_newest_revision(governed: Project) -> None:
    governed.write(DETAILED)
    pending = governed.govern("diagram", "--of", "head", "--against", "live", "--as", "svg")
    assert labels(pending.out) == {
        "notes, table, changed: index notes_user_id_idx added",
        "note_counts, view, added",
    }


@only_sqlite
def test_the_stamped_revision_and_the_models_can_be_drawn_too(governed: Project) -> None:
    governed.write(DETAILED)
    back = governed.govern("diagram", "--of", "revision", "--against", "models", "--as", "svg")
    assert labels(back.out) == {
        "notes, table, changed: index notes_user_id_idx removed",
        "note_counts, view, removed",
    }


def test_a_url_that_is_given_is_the_database_that_is_drawn(governed: Project) -> None:
    assert governed.url is not None
    drawn = governed.ask("diagram", "--url", governed.url, "--table", "notes").report
    assert drawn["title"] == "The live schema: notes and what is around"
    assert drawn["target"]["revision"] == ["r2"]


@only_sqlite
def test_what_cannot_be_drawn_is_told_with_what_to_do(governed: Project) -> None:
    assert_told(governed, "diagram", "--table", "note", exit_code=2, said="did you mean notes?")
    assert_told(governed, "diagram", "--against-ref", "main", exit_code=2, said="in no git repository")
    commit(governed)
    assert_told(governed, "diagram", "--against-ref", "nope", exit_code=2, said="no git reference 'nope'")
    assert_told(governed, "diagram", "--of", "other.lock", exit_code=2, said="no snapshot file other.lock")
    assert_told(governed, "diagram", "--depth", "2", exit_code=2, said="counted from --table")
    assert_told(
        governed, "diagram", "--against", "live", "--against-ref", "HEAD", exit_code=2, said="exclude"
    )
    (governed.root / "empty.sqlite").touch()
    assert_told(governed, "diagram", "--url", "sqlite:///empty.sqlite", exit_code=3, said="nothing to draw")
    elsewhere = "postgresql_is_another_engine.lock"
    lock = (governed.root / "schema/schema.lock").read_text(encoding="utf-8")
    governed.write({elsewhere: lock.replace('dialect: "sqlite"', 'dialect: "postgresql"')})
    assert_told(governed, "diagram", "--against", elsewhere, exit_code=2, said="two engines")
    governed.write({"schema/schema.lock": None})
    assert_told(governed, "diagram", exit_code=2, said="schema/schema.lock is not there")
    assert governed.govern("diagram", "--against-ref", "HEAD", "--of", "models").exit_code == 0
