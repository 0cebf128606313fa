"""Pages for people: whatever is in a name or an answer is a text on them, and what nobody knows is said."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from govern.core.document import Cell, Code, Document, Facts, Picture, Section, Sentence, Table
from govern.core.history import Answers, Incident, Migrated, Past, Present
from govern.core.run import Run
from govern.reports.documents import html, markdown, text
from govern.reports.documents.endpoints import compare_endpoints
from govern.reports.documents.migration import tell_migration
from govern.reports.documents.restoration import tell_restoration
from govern.reports.markdown.syntax import escape
from govern.reports.style import Style
from govern.version import __version__

NOW = datetime(2031, 5, 6, 12, tzinfo=UTC)
HOSTILE = "a|b<script>alert(1)</script>`x` [l](https://evil.example) @root \x1b[31m\n# title & </td>"


def everywhere(text: str) -> Document:
    """A page that has the text in every place that there is."""
    sentence = Sentence(tone="bad", word=text, text=text)
    cells = (Cell(text=text, tone="good"), Cell(text=text, is_code=True))
    blocks = (
        sentence,
        Facts(pairs=((text, text),)),
        Table(titles=(text, text), rows=(cells,), caption=text),
        Code(text=text, language="sql", caption=text),
        Picture(svg="<svg><title>ours</title></svg>", text=text),
    )
    return Document(
        title=text, lead=text, verdict=(sentence,), sections=(Section(title=text, blocks=blocks),)
    )


def test_no_text_is_markup_on_a_page() -> None:
    page = html.render(everywhere(HOSTILE))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 10
    assert "\x1b" not in page
    assert "<svg><title>ours</title></svg>" in page
    assert not re.findall(r"(?:src|href)=", page)


def test_no_text_is_markup_in_markdown_nor_breaks_a_table() -> None:
    text = markdown.render(everywhere(HOSTILE))
    fenced = re.sub(r"```sql\n.*?\n```", "", text, flags=re.DOTALL)
    without_code = re.sub(r"(`+) ?.*? ?\1", "", fenced)
    assert "<script" not in without_code
    assert "](" not in re.sub(r"\\.", "", without_code)
    assert not re.search(r"^# title", fenced, re.M)
    rows = [line for line in fenced.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}


def test_a_page_as_text_has_no_markup_of_its_own() -> None:
    row = (
        Cell(text="users_by_day", is_code=True),
        Cell(text="1 * 2", tone="bad"),
        Cell(text="12", is_number=True),
    )
    table = Table(titles=("View", "Is", "Rows"), rows=(row,), caption="Two of [them].")
    wide = Table(
        titles=("Statement", "Took", ""), rows=((Cell(text="x" * 200), Cell(text="1 ms"), Cell(text="")),)
    )
    sentences = (
        Sentence(tone="good", word="Good", text="a_b_c"),
        Sentence(tone="notice", word="Not known", text="x"),
    )
    blocks = (
        Facts(pairs=(("By", "root@vm"),)),
        table,
        wide,
        Code(text="SELECT *\n  FROM `x`", caption="It ran:"),
    )
    document = Document(
        title="Page #1",
        lead="sqlite:///a_b",
        verdict=sentences,
        sections=(Section(title="All", blocks=blocks),),
    )
    assert text.render(document) == (
        "Page #1\nsqlite:///a_b\n\n✓ Good       a_b_c\n! Not known  x\n\nAll\n\n"
        "  By  root@vm\n\n"
        "  Two of [them].\n  View          Is       Rows\n  users_by_day  ✗ 1 * 2    12\n\n"
        f"  {'x' * 200}\n    Took: 1 ms\n\n"
        "  It ran:\n    SELECT *\n      FROM `x`\n\n"
        f"Written by govern {__version__}. Times are UTC.\n"
    )


def test_a_page_as_text_obeys_no_name_and_fits_its_terminal() -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", text.render(everywhere(HOSTILE), Style(width=60)))
    long = "word " * 60
    blocks = (
        Sentence(tone="bad", word="Wrong", text=long),
        Facts(pairs=(("Said", long),)),
        Table(titles=("", "Long"), rows=((Cell(text=long), Cell(text=long)),), caption=long),
        Picture(svg="", text=long),
    )
    document = Document(title="Page", lead=long, verdict=(), sections=(Section(title="A", blocks=blocks),))
    assert max(map(len, text.render(document, Style(width=60)).splitlines())) <= 60
    assert "\x1b[31m✗ Wrong\x1b[0m  word" in text.render(document, Style(color=True))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("12.4 kB", "12.4 kB"),
        ("12. one", "12\\. one"),
        ("# title", "\\# title"),
        ("- item", "\\- item"),
        ("at a - b", "at a - b"),
    ],
)
def test_only_what_begins_a_block_is_escaped_at_the_beginning_of_a_line(text: str, written: str) -> None:
    assert escape(text) == written


def test_a_page_of_nothing_says_that_nothing_is_known() -> None:
    past = Past(since=NOW - timedelta(hours=1), until=NOW, unknown=("what the ledger has: it is locked",))
    document = tell_restoration(Incident(past=past, present=Present(at=NOW, target=None, looks={})))
    text = markdown.render(document)
    for said in (
        "a database that does not answer",
        "nobody asked the application, before or after",
        "what the ledger has: it is locked",
        "how the database was before: nobody kept a report",
        "when it broke: no monitor had looked",
    ):
        assert said in text
    assert "✅" not in text


def asked(minute: int, *statuses: int | None, host: str = "http://old:8000") -> Answers:
    exchanges: list[dict[str, Any]] = [
        {
            "step": "pages",
            "request": f"GET {host}/{number}",
            "status": status,
            "ms": 7,
            "excerpt": f"it said {status}",
            "ok": status == 200,
            "expected": "" if status == 200 else "200",
        }
        for number, status in enumerate(statuses)
    ]
    is_up = set(statuses) == {200}
    proof = {"name": "site", "status": "passed" if is_up else "found", "ms": 9, "exchanges": exchanges}
    return Answers(at=NOW + timedelta(minutes=minute), by="govern probe", proofs=(proof,))


def test_answers_before_and_after_stand_beside_each_other_whatever_the_host() -> None:
    [sequences, table, *shown] = compare_endpoints(
        asked(0, 200, 500, None), asked(9, 200, 200, 404, 200, host="https://new")
    )
    assert isinstance(sequences, Table)
    assert isinstance(table, Table)
    assert [[(cell.text, cell.tone) for cell in row[2:]] for row in table.rows] == [
        [("GET /0", None), ("200 in 7 ms", "good"), ("200 in 7 ms", "good")],
        [("GET /1", None), ("500 in 7 ms, expected 200", "bad"), ("200 in 7 ms", "good")],
        [("GET /2", None), ("no answer in 7 ms, expected 200", "bad"), ("404 in 7 ms, expected 200", "bad")],
        [("GET /3", None), ("not asked", "notice"), ("200 in 7 ms", "good")],
    ]
    assert [one.text for one in shown if isinstance(one, Code)] == ["it said 404"]


@pytest.mark.parametrize("answer", [("before", 0), ("after", 90)])
def test_the_answers_of_before_are_those_before_the_first_run(answer: tuple[str, int]) -> None:
    side, minute = answer
    run = Run(
        id="r", command="restore", actor="ada@host", started_at=NOW + timedelta(hours=1), result="applied"
    )
    past = Past(since=NOW, until=NOW + timedelta(hours=2), runs=(run,), answers=(asked(minute, 500),))
    text = markdown.render(
        tell_restoration(Incident(past=past, present=Present(at=NOW, target=None, looks={})))
    )
    shown = re.search(r"\| `GET /0` \| (.*?) \| (.*?) \|", text)
    assert shown is not None
    assert ("500" in shown[1], "500" in shown[2]) == (side == "before", side == "after")


def test_a_migration_of_an_older_release_has_its_gaps_named() -> None:
    run = Run(id="r", command="migrate", actor="ada@host", started_at=NOW)
    text = markdown.render(tell_migration(Migrated(target=None, run=run)))
    assert "nobody was there to write it down" in text
    assert "it was not rehearsed" in text
    assert "nobody asked it" in text
