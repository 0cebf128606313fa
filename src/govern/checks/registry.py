"""All rules there are, by id: what ``govern explain`` prints and the rule pages are made from."""

from __future__ import annotations

from collections.abc import Mapping

from govern.checks import (
    backups,
    chain,
    doctor,
    drift,
    due_repairs,
    guard,
    integrity,
    lint,
    lock,
    manifest,
    models,
    orphans,
    probes,
    related_types,
    rows,
    scan,
    startup,
    suggestions,
)
from govern.core import backup, exports, signature
from govern.core.finding import Rule


def all_rules() -> Mapping[str, Rule]:
    """Sorted by id. Two rules of one id are a mistake in this program."""
    rules = [
        rule
        for module in (
            backup,
            backups,
            chain,
            doctor,
            drift,
            due_repairs,
            exports,
            guard,
            integrity,
            lint,
            lock,
            manifest,
            models,
            orphans,
            probes,
            related_types,
            rows,
            scan,
            signature,
            startup,
            suggestions,
        )
        for rule in module.RULES
    ]
    by_id = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
    assert len(by_id) == len(rules), "two rules share an id"  # noqa: S101
    return by_id
