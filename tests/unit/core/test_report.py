"""When a report is decided."""

from __future__ import annotations

from datetime import UTC, datetime

from govern.core.report import Draft, Entry, Report

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def finish(*entries: Entry) -> Report:
    draft = Draft("migrate", NOW)
    for entry in entries:
        draft.add(entry)
    return draft.finish(NOW)


DONE = Entry.of("apply", ())


def test_a_skipped_check_leaves_the_report_undecided() -> None:
    report = finish(DONE, Entry(name="lock", status="skipped"))
    assert (report.status, report.exit_code()) == ("undecided", 3)


def test_one_that_nobody_asked_for_does_not() -> None:
    report = finish(DONE, Entry(name="rehearse", status="skipped", is_optional=True))
    assert (report.status, report.exit_code()) == ("clean", 0)
