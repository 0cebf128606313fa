"""Findings that a comment means to stay: ``# govern: ignore[scan.undefined-table] the importer makes it``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from govern.checks.scan.rules import IGNORED_WITHOUT_REASON, UNUSED_IGNORE
from govern.core.code import CodeFile, Ignore
from govern.core.finding import Finding, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A finding, and the lines that a comment can stand at to mean it."""

    finding: Finding
    begins: int
    """Where the statement begins that it is about."""

    def is_meant_by(self, ignore: Ignore) -> bool:
        lines = {self.finding.subject.line, self.begins}
        return ignore.line in lines and ignore.names(self.finding.rule.id)


def apply_ignores(file: CodeFile, placed: Iterable[Placed]) -> Iterator[Finding]:
    """Without what is ignored; with a finding for each comment that ignores nothing, or does not say why."""
    used: set[Ignore] = set()
    for one in placed:
        meant = [ignore for ignore in file.ignores if one.is_meant_by(ignore)]
        used.update(meant)
        if not meant:
            yield one.finding
    for ignore in file.ignores:
        subject = Subject(kind="comment", name=ignore.text, path=file.path, line=ignore.stands_at)
        if ignore not in used:
            yield Finding.of(UNUSED_IGNORE, subject, "there is nothing to ignore")
        elif not ignore.reason:
            yield Finding.of(IGNORED_WITHOUT_REASON, subject, "it does not say why")
