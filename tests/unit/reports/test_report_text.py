"""What people read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from govern.core.finding import Finding, Fix, Rule, Severity, Subject
from govern.core.report import EXIT_FOUND, Entry, Problem, Report, Target
from govern.reports.style import Style
from govern.reports.text import render, render_problem

CHANGED = Rule(
    id="drift.column-changed",
    name="a column differs",
    severity=Severity.ERROR,
    condition="a column is not as declared",
    effect="code and database disagree",
    remedy="govern repair plan",
)
EMPTY = Rule(
    id="chain.empty-upgrade",
    name="an upgrade does nothing",
    severity=Severity.WARNING,
    condition="upgrade() has no statement",
    effect="the revision changes nothing",
    remedy="fill it in or remove it",
)
TARGET = Target(
    name="default",
    url="postgresql://app:***@db/app",
    dialect="postgresql",
    server_version="18.4",
    revision=("3f2a",),
    heads=("9b1c",),
)


def make_report(*entries: Entry, **changes: object) -> Report:
    report = Report(
        command="drift", started_at=datetime(2026, 1, 31, tzinfo=UTC), duration_ms=410, entries=entries
    )
    return replace(report, **changes)  # type: ignore[arg-type]


def make_finding(name: str = "users.age", **details: object) -> Finding:
    subject = Subject(kind="column", namespace="public", name=name)
    return Finding.of(CHANGED, subject, f"{name} is bigint, declared integer", **details)  # type: ignore[arg-type]


def test_a_clean_report_is_a_line_for_each_check_and_a_closing_line() -> None:
    report = make_report(Entry.of("chain", (), "12 revisions"), Entry.of("drift", ()), target=TARGET)
    assert render(report) == (
        "govern drift · postgresql://app:***@db/app · PostgreSQL 18.4 · at 3f2a, head is 9b1c\n"
        "\n"
        "✓ chain  12 revisions\n"
        "✓ drift\n"
        "\n"
        "✓ 2 of 2 passed · 0.41 s\n"
    )


def test_a_finding_says_what_where_why_and_what_to_do() -> None:
    fix = Fix(sql=("ALTER TABLE users ALTER age TYPE integer",), proven=True)
    report = make_report(Entry.of("drift", (make_finding(fix=fix),)))
    assert render(report) == (
        "govern drift\n"
        "\n"
        "✗ drift  1 finding\n"
        "\n"
        "error: drift.column-changed\n"
        "  column public.users.age\n"
        "    users.age is bigint, declared integer\n"
        "    sql:  -- proven on a copy\n"
        "      ALTER TABLE users ALTER age TYPE integer;\n"
        "  why:   code and database disagree\n"
        "  next:  govern repair plan\n"
        "\n"
        "✗ 1 error · 0 of 1 passed · 0.41 s\n"
    )


def test_reasons_that_several_findings_share_stand_once_each() -> None:
    names_alone = "only the name differs"
    mixed = [make_finding(name, why=why) for name, why in zip("abcd", ("", names_alone) * 2, strict=True)]
    text = render(make_report(Entry.of("drift", tuple(mixed))))
    assert text.count(f"  why:   {names_alone}\n") == text.count("  why:   code and database disagree\n") == 1
    own = render(make_report(Entry.of("drift", (make_finding("a"), make_finding("b", why=names_alone)))))
    assert own.count("error: drift.column-changed") == 1


def test_a_message_is_cut_only_where_its_subject_ends() -> None:
    subject = Subject(kind="function", name="pg_sleepy")
    finding = Finding.of(CHANGED, subject, "function pg_sleepy(integer) does not exist")
    assert "    function pg_sleepy(integer) does not exist\n" in render(
        make_report(Entry.of("scan", (finding,)))
    )


def test_findings_of_one_rule_share_their_why_and_remedy() -> None:
    text = render(make_report(Entry.of("drift", tuple(make_finding(f"t{n}.c") for n in range(30)))))
    assert "drift.column-changed  (30)" in text
    assert text.count("code and database disagree") == 1
    assert text.count("is bigint") == 30


def test_a_remedy_of_its_own_stands_with_its_finding() -> None:
    findings = (make_finding("a.x", remedy="drop it"), make_finding("b.y"))
    lines = render(make_report(Entry.of("drift", findings))).splitlines()
    assert lines.index("    next:  drop it") < lines.index("    next:  govern repair plan")


def test_the_gravest_findings_come_first() -> None:
    place = Subject(kind="revision", name="3f2a", path="migrations/versions/3f2a.py", line=12)
    mild = Finding.of(EMPTY, place, "upgrade() does nothing")
    grave = make_finding(severity=Severity.CRITICAL)
    text = render(make_report(Entry.of("chain", (mild,)), Entry.of("drift", (grave,))))
    assert text.index("critical: drift.column-changed") < text.index("warning: chain.empty-upgrade")
    assert "revision 3f2a  migrations/versions/3f2a.py:12" in text
    assert "✗ 1 critical, 1 warning · 0 of 2 passed" in text


@pytest.mark.parametrize(
    ("severity", "fail_on", "mark"),
    [
        (Severity.INFO, Severity.ERROR, "~"),
        (Severity.ERROR, Severity.CRITICAL, "~"),
        (Severity.ERROR, Severity.ERROR, "✗"),
        (Severity.INFO, Severity.INFO, "✗"),
    ],
)
def test_only_what_fails_the_command_is_marked_as_failed(
    severity: Severity, fail_on: Severity, mark: str
) -> None:
    report = make_report(Entry.of("drift", (make_finding(severity=severity),)), Entry.of("chain", ()))
    lines = render(report, fail_on=fail_on).splitlines()
    assert {lines[2], lines[3], lines[-1][:1]} == {f"{mark} drift  1 finding", "✓ chain", mark}
    assert (report.exit_code(fail_on) == EXIT_FOUND) == (mark == "✗")


def test_a_fix_that_loses_data_says_so() -> None:
    fix = Fix(sql=("DROP TABLE a;",), loses_data=True)
    text = render(make_report(Entry.of("drift", (make_finding(fix=fix),))))
    assert "sql:  -- not proven, LOSES DATA\n      DROP TABLE a;\n" in text


def test_what_could_not_be_decided_is_neither_passed_nor_found() -> None:
    text = render(make_report(Entry(name="replay", status="skipped", reason="no scratch database")))
    assert "– replay  no scratch database" in text
    assert "– 1 undecided · 0 of 1 passed" in text


def test_a_report_without_entries_does_not_look_clean() -> None:
    assert "– nothing was checked" in render(make_report())


def test_kinds_that_no_snapshot_covers_are_named() -> None:
    assert "not covered: cast, operator" in render(make_report(unmodelled=("cast", "operator")))


def test_names_from_the_database_cannot_command_the_terminal() -> None:
    text = render(make_report(Entry.of("drift", (make_finding("a\x1b[2J\u202eb"),))))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "a\\x1b[2J" in text


def test_without_unicode_only_ascii_signs_are_used() -> None:
    report = make_report(Entry.of("drift", (make_finding(),)), target=TARGET)
    assert render(report, Style(unicode=False)).isascii()


def test_colour_changes_nothing_but_colour() -> None:
    import re

    report = make_report(Entry.of("drift", (make_finding(),)), target=TARGET)
    coloured = render(report, Style(color=True))
    assert coloured != render(report)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == render(report)


def test_on_a_terminal_sentences_are_wrapped_but_sql_is_not() -> None:
    statement = "ALTER TABLE users " + "ADD CHECK (age > 0) " * 10
    finding = make_finding(why="because " * 30, fix=Fix(sql=(statement,)))
    lines = render(make_report(Entry.of("drift", (finding,))), Style(width=60)).splitlines()
    assert f"      {statement.strip()};" in lines
    assert all(len(line) <= 60 for line in lines if "ALTER" not in line)


def test_a_problem_is_four_sentences() -> None:
    problem = Problem(
        what="the migration lock is held by another process",
        why="pid 4123 (govern on ci-7) took it 2m14s ago",
        next="wait and run again, or see who holds it: govern doctor --locks",
        state="nothing was changed",
        exit_code=4,
    )
    assert render_problem(problem) == (
        "error: the migration lock is held by another process\n"
        "  why:   pid 4123 (govern on ci-7) took it 2m14s ago\n"
        "  next:  wait and run again, or see who holds it: govern doctor --locks\n"
        "  state: nothing was changed\n"
    )


def test_a_problem_leaves_out_what_it_does_not_know() -> None:
    problem = Problem(what="no", why="", next="", state="nothing was changed", exit_code=3)
    assert render_problem(problem) == "error: no\n  state: nothing was changed\n"


def test_a_report_with_a_problem_has_no_closing_line() -> None:
    problem = Problem(what="no", why="", next="", state="", exit_code=3)
    assert render(make_report(Entry.of("chain", ()), problem=problem)) == "govern drift\n\n✓ chain\n"


def test_backups_are_a_table_with_readable_sizes() -> None:
    backups = [
        {
            "id": "20260131T120000Z-manual-1f2e",
            "path": "backups/20260131T120000Z-manual-1f2e",
            "created_at": "2026-01-31T12:00:00.000Z",
            "reason": "manual",
            "age_seconds": 11_000,
            "target": "default",
            "revision": ["3f2a"],
            "fits": "older by 3 revisions",
            "bytes": 1_400_000,
            "verified": {"level": "restored", "at": "2026-01-31T12:00:04Z", "duration_ms": 24},
            "drilled": {"at": "2026-02-02T12:00:00Z", "seconds": 41.2, "bytes": 1_400_000},
        },
        {
            "id": "b",
            "created_at": "2026-01-30T12:00:00Z",
            "age_seconds": 500_000,
            "target": "staging",
            "reason": "migrate",
            "bytes": 512,
            "unfit": {"at": "2026-02-01T12:00:00Z", "why": "a file is missing"},
        },
    ]
    text = render(make_report(Entry.of("backups", ()), data={"backups": backups}))
    table = (
        "id                                   age  target   revision  fits                   bytes  unfit       "
        "drilled           verified\n"
        "20260131T120000Z-manual-1f2e     3 h ago  default  3f2a      older by 3 revisions  1.4 MB              "
        "41 s, 2026-02-02  restored 2026-01-31\n"
        "b                             5 days ago  staging                                   512 B  2026-02-01\n"
    )
    assert table in text


def test_an_empty_list_says_none() -> None:
    assert "backups: none" in render(make_report(data={"backups": []}))


def test_a_plan_lists_statements_that_can_be_pasted() -> None:
    plan = {
        "from": [],
        "to": ["9b1c"],
        "revisions": [
            {
                "revision": "9b1c",
                "message": "users",
                "path": "migrations/versions/9b1c.py",
                "statements": ["CREATE TABLE a (\n  id int\n)", "CREATE INDEX i ON a (id);"],
            }
        ],
    }
    assert (
        "empty → 9b1c\n\n9b1c  users  migrations/versions/9b1c.py\n"
        "  CREATE TABLE a (\n    id int\n  );\n  CREATE INDEX i ON a (id);\n"
    ) in render(make_report(data={"plan": plan}))


def test_a_plan_without_revisions_leaves_it_to_its_entry_to_say_so() -> None:
    plan = {"from": ["a"], "to": ["a"], "revisions": []}
    report = make_report(Entry.of("plan", (), "nothing is pending"), data={"plan": plan})
    assert render(report).count("nothing is pending") == 1
    assert "→" not in render(report)


def test_a_snapshot_is_printed_as_it_is() -> None:
    assert (
        render(make_report(Entry.of("snapshot", ()), data={"snapshot": "table users\n"})) == "table users\n"
    )


def test_a_repair_is_not_told_twice() -> None:
    repair = {"statements": ["DROP TABLE extra"], "proven": True, "hazards": ["table extra"], "remaining": []}
    alone = render(make_report(data={"repair": repair}))
    assert "-- proven on a copy\nDROP TABLE extra;\nloses data: table extra\n" in alone
    with_fix = make_report(
        Entry.of("drift", (make_finding(fix=Fix(sql=("DROP TABLE extra",))),)), data={"repair": repair}
    )
    assert render(with_fix).count("DROP TABLE extra") == 1


def test_lists_nobody_foresaw_are_readable_too() -> None:
    data = {"widgets": [{"name": "a", "count": 1}], "folder": "x", "thing": {"id": 7}, "tags": ["a", "b"]}
    text = render(make_report(data=data))
    assert "name  count\na         1" in text
    assert "folder: x" in text
    assert "thing:\n  id  7" in text
    assert "tags: a\n      b" in text


def test_an_explanation_is_printed_alone() -> None:
    report = make_report(Entry.of("explain", ()), data={"rule": {"id": "a.b", "remedy": "do it"}})
    assert render(report) == "id      a.b\nremedy  do it\n"


def test_what_an_entry_told_is_not_listed_again() -> None:
    entry = Entry.of("revision", (), "x.py: review it")
    assert render(make_report(entry, data={"path": "x.py"})).count("x.py") == 1


def test_a_file_that_is_its_own_place_is_named_once() -> None:
    finding = Finding.of(EMPTY, Subject(kind="file", name="a.lock", path="a.lock"), "it is old")
    assert "  file a.lock\n    it is old\n" in render(make_report(Entry.of("lock", (finding,))))


def test_a_plan_says_under_each_statement_who_waits_for_it_and_what_it_loses() -> None:
    quiet = {"in_transaction": True, "seconds": 0.1, "rewrites": [], "scans": [], "invalid_indexes": []}
    lock = {"table": "public.a", "mode": "ACCESS EXCLUSIVE", "blocks_reads": True, "blocks_writes": True}
    weak = {"table": "public.a", "mode": "ACCESS SHARE", "blocks_reads": False, "blocks_writes": False}
    plan = {
        "from": ["a"],
        "to": ["b"],
        "rehearsal": "schema",
        "seconds": 0.2,
        "tables": [{"table": "public.a", "rows": 5200000, "bytes": 1200000000}],
        "revisions": [
            {
                "revision": "b",
                "message": "",
                "path": "b.py",
                "hazards": ["drops-column:a.c"],
                "statements": ["ALTER TABLE a DROP COLUMN c", "SELECT 1"],
                "observed": [{**quiet, "locks": [lock], "scans": ["public.a"]}, {**quiet, "locks": [weak]}],
            }
        ],
    }
    assert (
        "b  b.py\n"
        "  ALTER TABLE a DROP COLUMN c;\n"
        "  -- ACCESS EXCLUSIVE on public.a (about 5,200,000 rows, 1.2 GB): nobody reads or writes\n"
        "  -- reads every row: public.a (about 5,200,000 rows, 1.2 GB)\n"
        "  SELECT 1;\n"
        "  -- LOSES DATA: drops-column:a.c\n\n"
        "0.20 s on a copy of the schema\n"
    ) in render(make_report(data={"plan": plan}))
