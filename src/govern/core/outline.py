"""What changes between two snapshots as a reviewer reads it: the lines of a diff, table after table."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from govern.core.changes import Action, Change, diff
from govern.core.restoration import Place
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

Part = tuple[ObjectKey, Facts]
"""Of a relation: a column, an index."""

_SIGNS: dict[Action, str] = {"added": "+", "removed": "-", "changed": " "}


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
    parts = {"added": _group_parts(after), "removed": _group_parts(before)}
    return tuple(
        Outlined(
            key=change.key,
            action=change.action,
            lines=tuple(_lines(change, parts.get(change.action, {}).get(_relation_of(change.key), ()))),
        )
        for change in changes
    )


def count_changes(outlined: Iterable[Outlined]) -> str:
    """``1 table added, 2 columns changed``; empty for none."""
    counted = Counter((one.key.kind, one.action) for one in outlined)
    return ", ".join(
        f"{count_of(number, kind)} {action}" for (kind, action), number in sorted(counted.items())
    )


def _reading_order(change: Change) -> tuple[str, str, bool, ObjectKey]:
    key = change.key
    is_inside = key.kind in INSIDE_A_RELATION or key.kind in ABOUT_AN_OBJECT
    return (key.namespace, (parts_of(key) or (key.name,))[0], is_inside, key)


def _lines(change: Change, parts: Iterable[Part]) -> Iterator[str]:
    """``parts``: what is inside of it, where it is a relation."""
    sign = _SIGNS[change.action]
    yield f"{sign} {change.key}{_say_facts(change.key, change.live or change.declared or {}, change.action)}"
    if change.action == "changed":
        for name, (was, now) in change.facts.items():
            yield from (f"-   {name}: {line}" for line in _say_fact(was))
            yield from (f"+   {name}: {line}" for line in _say_fact(now))
    elif change.key.kind in RELATIONS:
        yield from (f"{sign}   {line}" for line in _list_parts(parts))


def _group_parts(snapshot: Snapshot) -> Mapping[Place, Sequence[Part]]:
    """What is inside of relations, by relation: a schema may have many thousand of both."""
    parts = defaultdict(list)
    for key, facts in snapshot.objects.items():
        if key.kind in INSIDE_A_RELATION:
            parts[_relation_of(key)].append((key, facts))
    return parts


def _relation_of(key: ObjectKey) -> Place:
    return key.namespace, next(iter(split_name(key.name)), "")


def _list_parts(parts: Iterable[Part]) -> Iterator[str]:
    """Columns first."""
    for key, facts in sorted(parts, key=lambda part: (part[0].kind != "column", part[0])):
        own = ".".join(split_name(key.name)[1:])
        yield f"{key.kind} {own}{_say_facts(key, facts, 'added')}"


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
