"""The command that says what a rule means."""

from __future__ import annotations

import click

from govern.cli.root import root
from govern.cli.session import Session
from govern.cli.values import complete_rule
from govern.core.report import Entry, Report
from govern.errors import NoSuchName


@root.inspecting("explain")
@click.argument("rule", required=False, shell_complete=complete_rule)
def explain(session: Session, *, rule: str | None) -> Report:
    """What a rule means and what to do about it, with examples; without RULE, all of them.

    \b
    Example:
      govern explain chain.cycle
    """
    from govern.checks.examples import read_examples
    from govern.checks.registry import all_rules

    rules = all_rules()
    if rule is None:
        listed = [
            {"rule": known.id, "severity": known.severity.label, "name": known.name}
            for known in rules.values()
        ]
        return session.report(entries=(Entry.of("explain", (), f"{len(listed)} rules"),), rules=listed)
    if rule not in rules:
        raise NoSuchName(
            f"there is no rule {rule!r}", wanted=rule, known=rules, next="see all of them: govern explain"
        )
    known = rules[rule]
    facts = {
        "id": known.id,
        "name": known.name,
        "severity": known.severity.label,
        "condition": known.condition,
        "effect": known.effect,
        "remedy": known.remedy,
    }
    if examples := read_examples(known):
        return session.report(entries=(Entry.of("explain", (), known.name),), rule=facts, examples=examples)
    return session.report(entries=(Entry.of("explain", (), known.name),), rule=facts)
