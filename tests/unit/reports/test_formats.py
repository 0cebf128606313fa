"""Every form of a report is one valid document: of a clean run, of findings, of a failure, whatever names there are."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from govern.checks.chain import RULES as CHAIN_RULES
from govern.checks.scan.rules import UNDEFINED_TABLE
from govern.core.finding import Finding, Fix, Severity, Subject
from govern.core.report import Entry, Problem, Report, Target
from govern.reports.formats import Document, render_document
from govern.reports.places import Places
from tests.fixtures.formats import read_code_quality, read_junit, read_log, read_sarif

PLACES = Places(
    folder="backend",
    home="pyproject.toml",
    lock="schema/schema.lock",
    declared={"table public.users": 40, "column public.users.age": 44},
)
PROBLEM = Problem(
    what="the server does not answer", why="down", next="start it", state="nothing was changed", exit_code=3
)
HOSTILE = (
    "plain", "a\nb\r\nc\rd", "::error file=x::y", "\n::set-output name=a::b", "##[error]x", "%0A::error::x%25",
    "a,b:c=d", "</script><script>alert(1)</script>", "<!-- --> <img src=x onerror=alert(1)>", "```\n# h\n````",
    "`code`", "| a | b |", "[x](javascript:alert(1))", "@everyone #1 !2", "\x00\x07\x1b[31m\x7f\x9f",
    "\u202eright\u2066", "\U0001f600 \u0000", "\ud800", "</details>", "{{ 7*7 }} {% raw %}", "a" * 5_000, " ",
    "- [ ] x", "1. x", "> x", "$a$", "\\", "'\"&", "\u2028\u2029\x85",
)  # fmt: skip


def make_finding(text: str = "users", **more: object) -> Finding:
    facts: dict[str, object] = {
        "kind": "table", "name": text, "namespace": None, "path": "app/models.py", "line": 3, **more
    }  # fmt: skip
    severity = facts.pop("severity", None)
    return Finding.of(
        UNDEFINED_TABLE,
        Subject(**facts),  # type: ignore[arg-type]  # of one kind each
        f"there is no table {text}",
        severity=severity,  # type: ignore[arg-type]
        why=text,
        remedy=text,
        evidence={"column": 7},
        fix=Fix(sql=(f"CREATE TABLE {text} ()",), proven=True),
    )


def make_report(*findings: Finding, problem: Problem | None = None, reason: str = "no such server") -> Report:
    return Report(
        command="check",
        started_at=datetime(2031, 1, 2, tzinfo=UTC),
        duration_ms=1500,
        target=Target(name="default", url="postgresql://app:***@db/app", dialect="postgresql"),
        entries=(
            Entry.of("scan", findings, "12 files"),
            Entry(name="replay", status="crashed", reason=reason),
            Entry(name="lock", status="skipped", reason=reason),
            Entry(name="round trip", status="skipped", reason="not proven", is_optional=True),
        ),
        problem=problem,
        unmodelled=("publication",),
    )


def render(report: Report, form: Document) -> str:
    text = render_document(report, form, find_places=lambda: PLACES)
    assert text.endswith("\n")
    text.encode()
    return text


def read(text: str, form: Document) -> str:
    """The document, found to be valid, and all that it says as one text."""
    match form:
        case "json":
            return " ".join(_texts(json.loads(text)))
        case "junit":
            return " ".join(read_junit(text).itertext()) + " ".join(
                value for element in read_junit(text).iter() for value in element.attrib.values()
            )
        case "sarif":
            return " ".join(_texts(read_sarif(text)))
        case "gitlab":
            return " ".join(_texts(read_code_quality(text)))
        case "github":
            commands, lines = read_log(text)
            assert {command.name for command in commands} <= {
                "error",
                "warning",
                "notice",
                "group",
                "endgroup",
            }
            return " ".join([*(command.data for command in commands), *lines])
        case "markdown":
            return read_page(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text))
        case "html":
            return read_page(text)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read_page(text: str) -> str:
    """What is read of it; there is nothing in it that runs or loads."""
    page = _Page()
    page.feed(text)
    assert page.tags.isdisjoint({"script", "img", "iframe", "a", "link", "form", "object"}), page.tags
    assert not {name for name in page.attributes if name.startswith("on")}
    return "".join(page.texts)


def _texts(value: object) -> Iterator[str]:
    match value:
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
        case str():
            yield value


FORMS: tuple[Document, ...] = get_args(Document)
every_form = pytest.mark.parametrize("form", FORMS)


@every_form
def test_what_was_found_is_told_in_every_form(form: Document) -> None:
    said = read(render(make_report(make_finding("auth_configs")), form), form)
    assert "there is no table auth_configs" in said
    assert "scan.undefined-table" in render(make_report(make_finding()), form)


@every_form
def test_what_could_not_be_checked_is_never_silent(form: Document) -> None:
    text = render(make_report(reason="the disk is full"), form)
    assert read(text, form).count("the disk is full") >= 2


@every_form
def test_a_command_that_failed_is_one_document_too(form: Document) -> None:
    failed = Report(command="", started_at=datetime(2031, 1, 2, tzinfo=UTC), duration_ms=1, problem=PROBLEM)
    said = read(render(failed, form), form)
    assert all(
        sentence in said for sentence in ("the server does not answer", "start it", "nothing was changed")
    )


@every_form
def test_no_name_is_more_than_a_name(form: Document) -> None:
    for text in HOSTILE:
        read(render(make_hostile_report(text), form), form)


@every_form
@settings(max_examples=15, deadline=None)
@given(parts=st.lists(st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=20), min_size=2, max_size=4))
def test_nor_are_several_together(form: Document, parts: list[str]) -> None:
    read(render(make_hostile_report("".join(parts)), form), form)


def make_hostile_report(text: str) -> Report:
    findings = (
        make_finding(text),
        make_finding("users", path=text, line=0),
        make_finding(text, namespace=text, path=None),
    )
    problem = Problem(what=text, why=text, next=text, state=text, exit_code=5)
    return replace(
        make_report(*findings, problem=problem, reason=text), data={"pull_request": make_review(text)}
    )


def make_review(text: str) -> dict[str, object]:
    """What ``govern report pull-request`` lists."""
    lock = {"table": text, "mode": "SHARE", "blocks_reads": False, "blocks_writes": True}
    seen = {"locks": [lock], "rewrites": [text], "scans": [], "invalid_indexes": [text]}
    revision = {
        "revision": text,
        "message": text,
        "path": text,
        "seconds": 0.1,
        "statements": [text],
        "observed": [seen],
    }
    return {
        "against": text,
        "environment": text,
        "schema": [{"object": text, "action": "added", "lines": [f"+ {text}"]}],
        "revisions": [revision],
        "exceptions": [{"what": text, "reason": text, "owner": text, "until": "2031-01-02", "days": 3}],
    }


def test_markdown_says_hostile_texts_as_they_are() -> None:
    for text in ("`a` | <b> *c* _d_", "[x](y)", "a\\*b", "1. x", "&lt;"):
        said = read(render(make_report(make_finding(text)), "markdown"), "markdown")
        assert f"there is no table {text}" in said


def test_markdown_names_nobody() -> None:
    text = render(make_report(make_finding("@octo/team and #12 and !7")), "markdown")
    outside = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    assert not re.search(r"[@#!]\w", outside.replace("&#8203;", "."))


def test_a_comment_is_never_longer_than_github_takes() -> None:
    many = [make_finding(f"t{number} " + "\U0001f600" * 300, path=None) for number in range(400)]
    many += [
        Finding.of(rule, Subject(kind="table", name="x"), "said " * 300 + str(number))
        for number in range(40)
        for rule in CHAIN_RULES
    ]
    text = render(make_report(*many), "markdown")
    assert len(text.encode("utf-16-le")) / 2 <= 65_536
    assert "left out" in text
    assert "more." in text
    read(text, "markdown")
    assert text.count("<details") == text.count("</details>")


def test_a_comment_begins_with_what_finds_it_again() -> None:
    first = [render(make_report(reason=reason), "markdown").splitlines()[0] for reason in ("a", "b")]
    assert first == ["<!-- govern: check -->"] * 2


def test_sarif_knows_where_a_table_is_declared() -> None:
    findings = (
        make_finding("users", namespace="public", path=None),
        make_finding("users.age", kind="index", path=None),
        make_finding("users.nick", kind="column", path=None),
        make_finding("a b/ü.py", path="a b/ü.py"),
        make_finding("beside", path="../frontend/a.ts"),
        make_finding("elsewhere", path="/etc/x"),
        make_finding("nowhere", path=None),
    )
    results = read_sarif(render(make_report(*findings), "sarif"))["results"]
    places = [one["locations"][0]["physicalLocation"] for one in results]
    assert [(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in places] == [
        ("backend/schema/schema.lock", 40),
        ("backend/schema/schema.lock", 44),
        ("backend/schema/schema.lock", 40),
        ("backend/a%20b/%C3%BC.py", 3),
        ("frontend/a.ts", 3),
        ("file:///etc/x", 3),
        ("backend/schema/schema.lock", 1),
    ]
    assert places[3]["region"]["startColumn"] == 7


def test_sarif_says_that_a_run_was_not_whole() -> None:
    def read_invocation(report: Report) -> tuple[object, ...]:
        [invocation] = read_sarif(render(report, "sarif"))["invocations"]
        told = [(one["level"], one["message"]["text"]) for one in invocation["toolExecutionNotifications"]]
        return invocation["executionSuccessful"], invocation["exitCode"], told[:2]

    assert read_invocation(make_report(make_finding())) == (
        False, 1, [("error", "replay crashed: no such server"), ("warning", "lock skipped: no such server")]
    )  # fmt: skip
    clean = Report(
        command="chain",
        started_at=datetime(2031, 1, 2, tzinfo=UTC),
        duration_ms=1,
        entries=(Entry.of("chain", ()),),
    )
    assert read_invocation(clean) == (True, 0, [])


def test_sarif_keeps_the_gravest_of_more_than_github_takes() -> None:
    many = [make_finding(str(number), severity=Severity.INFO) for number in range(5_000)]
    report = make_report(*many, make_finding("last"))
    [run] = json.loads(render(report, "sarif"))["runs"]
    assert len(run["results"]) == 5_000
    assert run["results"][0]["level"] == "error"
    told = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert any(text.startswith("1 result left out") for text in told)


def test_a_finding_is_known_again_when_lines_move() -> None:
    before = read_sarif(render(make_report(make_finding("users"), make_finding("users", line=9)), "sarif"))
    after = read_sarif(
        render(make_report(make_finding("users", line=4), make_finding("users", line=10)), "sarif")
    )
    assert [one["partialFingerprints"] for one in before["results"]] == [
        one["partialFingerprints"] for one in after["results"]
    ]


def test_github_shows_ten_of_a_kind_and_says_how_many_there_are() -> None:
    many = [make_finding(f"t{number}", severity=Severity.WARNING) for number in range(30)]
    commands, lines = read_log(render(make_report(*many, make_finding("bad")), "github"))
    by_kind = {kind: [one for one in commands if one.name == kind] for kind in ("error", "warning", "group")}
    assert [one.properties["title"] for one in by_kind["error"]] == [
        "could not check: replay",
        "scan.undefined-table: table bad",
    ]
    assert len(by_kind["warning"]) == 10
    assert by_kind["warning"][-1].properties["title"] == "22 warnings more"
    assert [one.data for one in by_kind["group"]] == ["22 warnings more"]
    assert sum("there is no table t" in line for line in lines) == 22


def test_github_gets_back_what_was_escaped() -> None:
    text = "a,b:c=d%0A\n100%"
    commands, _ = read_log(render(make_report(make_finding("x", path=text)), "github"))
    shown = next(one for one in commands if "file" in one.properties)
    assert shown.properties["file"] == f"backend/{text}"
    assert (shown.properties["line"], shown.properties["col"]) == ("3", "7")


def test_gitlab_shows_what_was_not_decided_at_the_configuration() -> None:
    items = read_code_quality(
        render(make_report(make_finding(severity=Severity.CRITICAL), problem=PROBLEM), "gitlab")
    )
    assert [(one["check_name"], one["severity"], one["location"]["path"]) for one in items] == [
        ("govern.problem", "blocker", "backend/pyproject.toml"),
        ("govern.crashed", "blocker", "backend/pyproject.toml"),
        ("govern.skipped", "major", "backend/pyproject.toml"),
        ("scan.undefined-table", "critical", "backend/app/models.py"),
    ]


def test_the_page_filters_by_severity_without_a_script() -> None:
    text = render(make_report(make_finding(), make_finding("b", severity=Severity.INFO)), "html")
    assert {"show-error", "show-info"} <= set(re.findall(r'id="(show-\w+)"', text))
    assert "body:has(#show-info:not(:checked)) .is-info" in text
    assert html.escape("CREATE TABLE b ();") in text
