"""What many databases have in common: equal findings are one, with how many have it; outliers stand out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from govern.core.finding import Finding, Rule
from govern.fleet.job import Outcome
from govern.reports.fleet import name_some
from govern.reports.reading import to_report


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One message, and whose it is."""

    message: str
    form: str
    """What tells it from the others, where the message does not: ``type integer, nullable``."""
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One finding of several targets: the same rule about the same subject."""

    finding: Finding
    """As most of them have it."""
    variants: tuple[Variant, ...]
    """What differs, as the type a column has here and there; the most frequent first."""
    of: int
    """How many targets were looked at."""

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(name for variant in self.variants for name in variant.targets)

    @property
    def told(self) -> Finding:
        """As one finding of the whole fleet."""
        forms = f", in {len(self.variants)} forms" if len(self.variants) > 1 else ""
        where = f"on {len(self.targets)} of {self.of}{forms}: {name_some(self.targets)}"
        return replace(
            self.finding,
            message=f"{self.finding.message} ({where})",
            evidence={**self.finding.evidence, "targets": list(self.targets), "of": self.of},
            fix=None,  # proven on one of them at most
        )

    def to_json(self) -> dict[str, Any]:
        finding = self.finding
        return {
            "key": finding.key,
            "rule": finding.rule.id,
            "severity": finding.severity.label,
            "subject": str(finding.subject),
            "message": finding.message,
            "remedy": finding.remedy,
            "count": len(self.targets),
            "of": self.of,
            "targets": list(self.targets),
            "variants": [
                {"message": one.message, "form": one.form, "targets": list(one.targets)}
                for one in self.variants
            ],
        }


def group_findings(outcomes: Iterable[Outcome], rules: Mapping[str, Rule]) -> tuple[Group, ...]:
    """The gravest first, and of these what most targets have."""
    outcomes = tuple(outcomes)
    found: dict[str, dict[str, list[tuple[str, Finding]]]] = defaultdict(lambda: defaultdict(list))
    for outcome in outcomes:
        for finding in to_report(outcome.document, rules).findings:
            found[finding.key][finding.message + _form_of(finding)].append((outcome.target, finding))
    groups = [_group(forms.values(), len(outcomes)) for forms in found.values()]
    return tuple(
        sorted(groups, key=lambda one: (-one.finding.severity, -len(one.targets), one.finding.rule.id))
    )


def _group(forms: Iterable[list[tuple[str, Finding]]], of: int) -> Group:
    ordered = sorted(forms, key=len, reverse=True)
    gravest = max(finding.severity for form in ordered for _, finding in form)
    return Group(
        finding=replace(ordered[0][0][1], severity=gravest),
        variants=tuple(
            Variant(
                message=form[0][1].message,
                form=_form_of(form[0][1]),
                targets=tuple(name for name, _ in form),
            )
            for form in ordered
        ),
        of=of,
    )


def _form_of(finding: Finding) -> str:
    """What is live in place of what is declared. Other rules' evidence, as numbers of rows, differs everywhere."""
    live = finding.evidence.get("live")
    if finding.rule.family != "drift" or not isinstance(live, Mapping):
        return "" if finding.rule.family != "drift" or live is None else str(live)
    return ", ".join(f"{name} {_say(value)}" for name, value in live.items())


def _say(fact: object) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return " ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


def group_problems(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Why targets could not be done, the gravest and then the most frequent first."""
    found: dict[tuple[int, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.problem is not None:
            found[outcome.exit_code, str(outcome.problem["what"])].append(outcome)
    ordered = sorted(found.items(), key=lambda one: (-one[0][0], -len(one[1])))
    return [
        {
            "exit_code": exit_code,
            **{key: (members[0].problem or {})[key] for key in ("what", "why", "next", "state")},
            "targets": [one.target for one in members],
        }
        for (exit_code, _), members in ordered
    ]


def group_revisions(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Where targets stand in the chain; the place where most stand first."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if (target := outcome.document.get("target")) is not None:
            found[", ".join(target["revision"] or ()) or "base"].append(outcome)
    return [
        {
            "revision": revision,
            "pending": members[0].document.get("pending"),
            "count": len(members),
            "targets": [one.target for one in members],
        }
        for revision, members in sorted(found.items(), key=lambda one: -len(one[1]))
    ]


def group_schemas(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Targets that have one and the same schema, among those of one engine, version and revision; the most first."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for outcome in outcomes:
        target, fingerprint = outcome.document.get("target"), outcome.document.get("fingerprint")
        if target is not None and fingerprint:
            revision = ", ".join(target["revision"] or ()) or "base"
            major = str(target["server_version"] or "").partition(".")[0]
            found[f"{target['dialect']} {major}", revision, fingerprint].append(outcome.target)
    return [
        {
            "engine": engine,
            "revision": revision,
            "fingerprint": fingerprint,
            "count": len(names),
            "targets": names,
        }
        for (engine, revision, fingerprint), names in sorted(found.items(), key=lambda one: -len(one[1]))
    ]
