"""Findings that a comment means to stay: ``# govern: ignore[scan.undefined-table] the importer makes it``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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


def add_beside(
    findings: Iterable[Finding],
    beside: Mapping[str, Iterable[Finding]],
    ignores: Mapping[str, tuple[Ignore, ...]],
) -> Iterator[Finding]:
    """With what was found beside, by file, where no comment means it; such a comment ignores something after all."""
    used: dict[tuple[str | None, int], Ignore] = {}
    for path, found in beside.items():
        for finding in found:
            placed = Placed(finding=finding, begins=finding.subject.line or 0)
            meant = [ignore for ignore in ignores.get(path, ()) if placed.is_meant_by(ignore)]
            used.update({(path, ignore.stands_at): ignore for ignore in meant})
            if not meant:
                yield finding
    for finding in findings:
        ignore = used.get((finding.subject.path, finding.subject.line or 0))
        if finding.rule is not UNUSED_IGNORE or ignore is None:
            yield finding
        elif not ignore.reason:
            yield Finding.of(IGNORED_WITHOUT_REASON, finding.subject, "it does not say why")
