"""What a finding is called in every run, so that a CI system knows it again, and no two in one report alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from govern.core.finding import Finding


def identify(findings: Iterable[Finding]) -> Iterator[tuple[str, Finding]]:
    """Each with its key; from the second of one rule and subject on with a number behind it.

    Lines are no part of it: they move with every change above them.
    """
    seen: Counter[str] = Counter()
    for finding in findings:
        seen[finding.key] += 1
        number = seen[finding.key]
        yield finding.key if number == 1 else f"{finding.key}-{number}", finding
