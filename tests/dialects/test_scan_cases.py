"""Snippets of code, good and bad, held against one schema: what is found, where, and nothing else."""

from __future__ import annotations

import pytest

from tests.fixtures.databases import MakeFromTemplate
from tests.fixtures.scan_corpus import LANGUAGES, fill, judge_cases, load_cases, render


def test_what_is_wrong_is_found_where_it_stands_and_nothing_else(
    postgresql_from_template: MakeFromTemplate, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [case for language in LANGUAGES for case in load_cases(language)]
    judged = list(judge_cases(cases, postgresql_from_template("scan_cases", fill)))
    with capsys.disabled():
        print("\n" + render([(case, found) for case, found, _ in judged]))  # noqa: T201 the figures are the point
    differing = {
        f"{case.language}: {case.name}": (found, unverified)
        for case, found, unverified in judged
        if found != sorted((*case.wrong, *case.alarms)) or unverified != case.unverified
    }
    assert differing == {}
