"""Findings that an old code base starts with: known for now, and never more of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from govern.core.finding import Finding, Severity
from govern.errors import ConfigurationError

_HEADER = """\
# What `govern scan` is not to report any more, because it was there before: rule, subject, file, how often.
# Only ever shorter: what is mended leaves this file with `govern scan --write-baseline`.
"""
_PARTS = 4

Key = tuple[str, str, str]
"""The rule, the subject and the file: lines move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratchet:
    """How often each problem was there."""

    counts: Mapping[Key, int]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Ratchet:
        """All that matter as they are now: information is no problem."""
        return cls(counts=Counter(_key(one) for one in findings if one.severity > Severity.INFO))

    @classmethod
    def parse(cls, text: str, path: str) -> Ratchet:
        """Raises ConfigurationError, with the line, for what ``render`` would not write."""
        counts: Counter[Key] = Counter()
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = line.split("\t")
            if len(parts) != _PARTS or not parts[3].isdecimal():
                raise ConfigurationError(
                    f"{path}:{number}: not a line of a scan's baseline",
                    why="it has a rule, a subject, a file and a number, with tabs between them",
                    next="correct the line, or write the file again: govern scan --write-baseline",
                )
            counts[parts[0], parts[1], parts[2]] += int(parts[3])
        return cls(counts=counts)

    def render(self) -> str:
        lines = sorted("\t".join((*key, str(count))) for key, count in self.counts.items())
        return _HEADER + "".join(f"{line}\n" for line in lines)

    def narrow(self, is_meant: Callable[[str], bool]) -> Ratchet:
        """What it says of the files whose paths are meant."""
        return Ratchet(counts={key: count for key, count in self.counts.items() if is_meant(key[2])})

    def with_other(self, other: Ratchet) -> Ratchet:
        """The two, which are of different files."""
        return Ratchet(counts={**self.counts, **other.counts})

    def apply(self, findings: Iterable[Finding]) -> Held:
        """The findings that are not known, in their order."""
        left = Counter(self.counts)
        new = []
        for finding in findings:
            key = _key(finding)
            if left[key] > 0:
                left[key] -= 1
            else:
                new.append(finding)
        known = sum(self.counts.values()) - left.total()
        return Held(new=tuple(new), known=known, gone=left.total())


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Findings beside a baseline."""

    new: tuple[Finding, ...]
    known: int
    gone: int
    """How many of the known ones are not there any more."""


def _key(finding: Finding) -> Key:
    subject = finding.subject
    return (finding.rule.id, " ".join(str(subject).split()), subject.path or "")
