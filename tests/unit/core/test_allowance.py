"""What is allowed, and what is not."""

from __future__ import annotations

from datetime import date

from govern.core.allowance import Allowance, Allowances, sort_out
from govern.core.finding import Finding, Rule, Severity, Subject

RULE = Rule(id="lint.drops-column", name="n", severity=Severity.ERROR, condition="c", effect="e", remedy="r")
FOUND = Finding.of(RULE, Subject(kind="column", namespace="public", name="users.nick"), "m")


def allow(subject: str, *, rule: str | None = None, hazard: str | None = None) -> Allowance:
    return Allowance(
        rule=rule, hazard=hazard, subject=subject, reason="r", owner="o", expires=date(2031, 6, 30)
    )


def test_a_finding_is_allowed_by_its_rule_or_its_hazard_with_or_without_the_namespace() -> None:
    for entry in (
        allow("users.nick", rule="lint.drops-column"),
        allow("users.nick", hazard="drops-column"),
        allow("public.users.nick", hazard="drops-column"),
    ):
        assert sort_out([(FOUND, "drops-column")], (entry,)) == ((), (entry,))


def test_another_subject_rule_or_hazard_allows_nothing() -> None:
    for entry in (
        allow("users.name", hazard="drops-column"),
        allow("users", hazard="drops-column"),
        allow("users.*", hazard="drops-column"),
        allow("users.nick", hazard="drops-table"),
        allow("users.nick", rule="lint.drops-table"),
    ):
        assert sort_out([(FOUND, "drops-column")], (entry,)) == ((FOUND,), ())
    assert sort_out([(FOUND, None)], (allow("users.nick", hazard="drops-column"),)) == ((FOUND,), ())


def test_an_allowance_holds_on_its_last_day_and_not_on_the_next() -> None:
    entry = allow("users.nick", hazard="drops-column")
    allowances = Allowances(entries=(entry,))
    assert (allowances.holding(entry.expires), allowances.expired(entry.expires)) == ((entry,), ())
    after = date(2031, 7, 1)
    assert (allowances.holding(after), allowances.expired(after)) == ((), (entry,))
