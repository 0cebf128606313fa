"""What changes between two snapshots as a reviewer reads it: the lines of a diff, table after table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from govern.core.changes import Action, Change, diff
from govern.core.snapshot import (
    ABOUT_AN_OBJECT,
    INSIDE_A_RELATION,
    RELATIONS,
    Fact,
    Facts,
    ObjectKey,
    Snapshot,
    parts_of,
    split_name,
)
from govern.core.wording import count_of

_SIGNS: dict[Action, str] = {"added": "+", "removed": "-", "changed": " "}
_WORDS: dict[Action, str] = {"added": "added", "removed": "removed", "changed": "changed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlined:
    """One object that is new, gone or another."""

    key: ObjectKey
    action: Action
    lines: tuple[str, ...]
    """Each begins with ``+``, ``-`` or a space."""


def outline(before: Snapshot, after: Snapshot) -> tuple[Outlined, ...]:
    """The changes from ``before`` to ``after``, what belongs to one table together.

    A new or removed table comes with its columns, keys and indexes.
    """
    changes = sorted(diff(before, after), key=_reading_order)
    return tuple(
        Outlined(
            key=change.key, action=change.action, lines=tuple(_lines(change, before=before, after=after))
        )
        for change in changes
    )


def count_changes(outlined: Iterable[Outlined]) -> str:
    """``1 table added, 2 columns changed``; empty for none."""
    counted = Counter((one.key.kind, one.action) for one in outlined)
    return ", ".join(
        f"{count_of(number, kind)} {_WORDS[action]}" for (kind, action), number in sorted(counted.items())
    )


def _reading_order(change: Change) -> tuple[str, str, bool, ObjectKey]:
    key = change.key
    is_inside = key.kind in INSIDE_A_RELATION or key.kind in ABOUT_AN_OBJECT
    return (key.namespace, (parts_of(key) or (key.name,))[0], is_inside, key)


def _lines(change: Change, *, before: Snapshot, after: Snapshot) -> Iterator[str]:
    sign = _SIGNS[change.action]
    yield f"{sign} {change.key}{_say_facts(change.key, change.live or change.declared or {}, change.action)}"
    if change.action == "changed":
        for name, (was, now) in change.facts.items():
            yield from (f"-   {name}: {line}" for line in _say_fact(was))
            yield from (f"+   {name}: {line}" for line in _say_fact(now))
    elif change.key.kind in RELATIONS:
        snapshot = after if change.action == "added" else before
        yield from (f"{sign}   {line}" for line in _list_parts(change.key, snapshot))


def _list_parts(relation: ObjectKey, snapshot: Snapshot) -> Iterator[str]:
    """What is inside of a relation, its columns first."""
    inside = [
        key
        for key in snapshot.objects
        if key.kind in INSIDE_A_RELATION
        and key.namespace == relation.namespace
        and split_name(key.name)[:1] == split_name(relation.name)[:1]
    ]
    for key in sorted(inside, key=lambda key: (key.kind != "column", key)):
        own = ".".join(split_name(key.name)[1:])
        yield f"{key.kind} {own}{_say_facts(key, snapshot.objects[key], 'added')}"


def _say_facts(key: ObjectKey, facts: Facts, action: Action) -> str:
    """What is worth a glance: a column's type, a key's or an index's definition."""
    if action == "changed":
        return ""
    if key.kind == "column":
        null = "" if facts.get("nullable") else " not null"
        default = f" default {facts['default']}" if facts.get("default") is not None else ""
        return f": {facts.get('type')}{null}{default}"
    definition = facts.get("definition")
    is_short = isinstance(definition, str) and "\n" not in definition
    return f": {definition}" if is_short else ""


def _say_fact(fact: Fact) -> Iterator[str]:
    """Texts of several lines, as a view's, line by line; nothing for a fact there is not."""
    if isinstance(fact, str):
        yield from fact.splitlines() or ['""']
    elif isinstance(fact, tuple):
        yield ", ".join(fact) or "nothing"
    elif fact is not None:
        yield json.dumps(fact)
