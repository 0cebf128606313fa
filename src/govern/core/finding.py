"""What a check learns: severities, rules, subjects and findings."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


class Severity(enum.IntEnum):
    """How much a finding matters; comparable, so that ``--fail-on`` is one ``>=``."""

    INFO = 10
    WARNING = 20
    ERROR = 30
    CRITICAL = 40

    @property
    def label(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, label: str) -> Severity:
        """The severity called ``label`` (``info``, ``warning``, ``error``, ``critical``); KeyError otherwise."""
        return cls[label.upper()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """All that is true of a problem before it is found; its documentation page is rendered from it."""

    id: str
    """``family.kebab-name``, never reused."""
    name: str
    """A short title for people."""
    severity: Severity
    condition: str
    """When the rule speaks."""
    effect: str
    """What happens to whoever ignores it."""
    remedy: str
    """What to do about it."""

    @property
    def family(self) -> str:
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a finding is about: an object of a schema, a place in a file, or both."""

    kind: str
    name: str
    namespace: str | None = None
    path: str | None = None
    """Relative to the project's root where it lies inside."""
    line: int | None = None
    """Counted from 1."""

    def __str__(self) -> str:
        qualified = f"{self.namespace}.{self.name}" if self.namespace else self.name
        return f"{self.kind} {qualified}"

    @property
    def location(self) -> str | None:
        """``path:line``, ``path``, or None."""
        if self.path is None:
            return None
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Statements that take a finding away."""

    sql: tuple[str, ...]
    loses_data: bool = False
    proven: bool = False
    """True only if the statements were run on a scratch copy, and in the snapshot then this was as declared."""
    repair: str | None = None
    """The name of the manifest's repair that does it, in place of statements."""
    kind: str | None = None
    """That repair's: ``delete_orphans``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem, where it is, and what to do."""

    rule: Rule
    subject: Subject
    severity: Severity
    message: str
    why: str
    remedy: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    """Small JSON values: what was expected, what was seen."""
    fix: Fix | None = None

    @classmethod
    def of(
        cls,
        rule: Rule,
        subject: Subject,
        message: str,
        *,
        severity: Severity | None = None,
        why: str = "",
        remedy: str = "",
        evidence: Mapping[str, object] | None = None,
        fix: Fix | None = None,
    ) -> Finding:
        """A finding with the rule's own severity, effect and remedy where none are given."""
        return cls(
            rule=rule,
            subject=subject,
            severity=rule.severity if severity is None else severity,
            message=message,
            why=why or rule.effect,
            remedy=remedy or rule.remedy,
            evidence=evidence or {},
            fix=fix,
        )

    @property
    def key(self) -> str:
        """Names the same problem in every run: 12 hexadecimal digits of the rule and its subject."""
        subject = self.subject
        parts = (self.rule.id, subject.kind, subject.namespace or "", subject.name, subject.path or "")
        return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:12]
