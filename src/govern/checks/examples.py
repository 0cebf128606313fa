"""A bad and a good example of a rule, or what is declared and what is live: those of its page, which tests run.

``examples.json`` is written by ``docs/generate.py`` from ``docs/rules`` and ``tests/cases/drift``.
"""

from __future__ import annotations

import json
from pathlib import Path

from govern.core.finding import Rule

_FILE = Path(__file__).with_suffix(".json")


def read_examples(rule: Rule) -> tuple[dict[str, str], ...]:
    """In the order in which they are to be read, each with its ``title`` and ``code``; none where the rule has none."""
    examples = json.loads(_FILE.read_text(encoding="utf-8")).get(rule.id, ())
    return tuple({"title": title, "code": code} for title, code in examples)
