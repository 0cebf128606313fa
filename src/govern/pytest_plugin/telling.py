"""How govern's findings and errors look where pytest shows them: four sentences, no traceback of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from govern.core.finding import Finding
from govern.errors import GovernError
from govern.reports.style import Style
from govern.reports.text import render_findings, render_problem


class Found(Exception):
    """A test of the schema has findings that matter."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


def tell_findings(findings: tuple[Finding, ...], style: Style | None = None) -> str:
    """What matters most on the first line, which is all that pytest's summary shows."""
    first = max(findings, key=lambda finding: finding.severity)
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{first.rule.id}: {first.message}{more}\n\n{render_findings(findings, style).rstrip()}"


def tell_error(error: GovernError, style: Style | None = None) -> str:
    return render_problem(error.problem, style).rstrip()


@contextmanager
def told() -> Iterator[None]:
    """For fixtures: what govern could not do, or found, fails the test in its own words."""
    try:
        yield
    except GovernError as error:
        pytest.fail(tell_error(error), pytrace=False)
    except Found as found:
        pytest.fail(tell_findings(found.findings), pytrace=False)
