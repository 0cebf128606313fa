"""Typed differences between two snapshots that should be equal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from govern.core.snapshot import (
    ABOUT_AN_OBJECT,
    INSIDE_A_RELATION,
    RELATIONS,
    ColumnOrder,
    Fact,
    Facts,
    ObjectKey,
    Snapshot,
    split_name,
)

Action = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object that the declared and the live schema do not agree on."""

    key: ObjectKey
    action: Action
    """As seen from the declared schema: ``added`` is live only, ``removed`` is declared only."""
    facts: Mapping[str, tuple[Fact, Fact]] = field(default_factory=dict)
    """What differs: fact → (declared, live); None where there is none."""
    declared: Facts | None = None
    """All of its facts as declared; None if it was added."""
    live: Facts | None = None
    """All of its facts as they are; None if it was removed."""

    @property
    def rule_id(self) -> str:
        """``drift.column-changed``."""
        return f"drift.{self.key.kind}-{self.action}"


def diff(declared: Snapshot, live: Snapshot) -> tuple[Change, ...]:
    """All changes from ``declared`` to ``live``, sorted by key.

    What comes and goes with an object is not listed beside it: the columns, constraints, indexes, triggers
    and owned sequences of an added or removed table, and its comments, grants and owner.
    """
    if declared.objects == live.objects:
        return ()
    added = live.objects.keys() - declared.objects.keys()
    removed = declared.objects.keys() - live.objects.keys()
    changes = [_added(key, live.objects[key]) for key in _outermost(added, live)]
    changes += [_removed(key, declared.objects[key]) for key in _outermost(removed, declared)]
    for key in declared.objects.keys() & live.objects.keys():
        if differing := _differing_facts(declared.objects[key], live.objects[key]):
            changes.append(
                Change(
                    key=key,
                    action="changed",
                    facts=differing,
                    declared=declared.objects[key],
                    live=live.objects[key],
                )
            )
    return tuple(sorted(changes, key=lambda change: change.key))


def accept(declared: Snapshot, live: Snapshot, changes: Iterable[Change]) -> Snapshot:
    """``declared`` with ``changes`` taken over from ``live``: ``diff`` finds them no more.

    ``changes`` are some of ``diff(declared, live)``, each with all or some of its facts.
    """
    by_action: dict[Action, list[Change]] = {"added": [], "removed": [], "changed": []}
    for change in changes:
        by_action[change.action].append(change)
    if not any(by_action.values()):
        return declared
    objects = dict(declared.objects)
    for key in _with_what_is_theirs(by_action["removed"], declared, live):
        del objects[key]
    for key in _with_what_is_theirs(by_action["added"], live, declared):
        objects[key] = live.objects[key]
    for change in by_action["changed"]:
        objects[change.key] = _take_over(objects[change.key], change)
    return replace(declared, objects=objects)


def with_column_order(snapshot: Snapshot, own: ColumnOrder, other: ColumnOrder) -> Snapshot:
    """The snapshot with a fact ``column_order`` for each table: the columns that stand in ``other``, too."""
    objects = dict(snapshot.objects)
    for place, names in own.items():
        key = ObjectKey("table", *place)
        if key in objects:
            shared = set(other.get(place, ()))
            order = tuple(name for name in names if name in shared)
            objects[key] = {**objects[key], "column_order": order}
    return replace(snapshot, objects=objects)


def describe_change(change: Change) -> str:
    """One line: ``column public.users.age: type should be integer, is bigint``."""
    if change.action == "added":
        return f"{change.key} exists, but is not declared"
    if change.action == "removed":
        return f"{change.key} is declared, but does not exist"
    facts = (
        f"{name} should be {_show(declared)}, is {_show(live)}"
        for name, (declared, live) in change.facts.items()
    )
    return f"{change.key}: {', '.join(facts)}"


def find_renamed(changes: Iterable[Change]) -> Mapping[ObjectKey, ObjectKey]:
    """Constraints, indexes and sequences that both sides have under different names, each with the other side's.

    They belong to one table and have the same facts; where several are alike, nobody knows which is which.
    """
    alike: dict[object, list[Change]] = defaultdict(list)
    for change in changes:
        if change.action != "changed" and (place := _place_without_name(change)) is not None:
            alike[place].append(change)
    pairs = (
        pair for pair in alike.values() if sorted(change.action for change in pair) == ["added", "removed"]
    )
    return {one.key: other.key for pair in pairs for one, other in (pair, pair[::-1])}


def describe_renamed(change: Change, other: ObjectKey) -> str:
    """One line: ``constraint public.users.users_pkey exists, but is declared as pk_users: only the name differs``."""
    name = split_name(other.name)[-1]
    if change.action == "added":
        return f"{change.key} exists, but is declared as {name}: only the name differs"
    return f"{change.key} is declared, but is called {name}: only the name differs"


def _place_without_name(change: Change) -> object | None:
    """What is equal for two objects that differ in their names alone; None where a name is all there is."""
    key, facts = change.key, (change.declared if change.action == "removed" else change.live) or {}
    parts = split_name(key.name)
    if key.kind in ("constraint", "index") and len(parts) > 1:
        plain = {
            fact: value.replace(f" {parts[-1]} ON ", " ON ") if isinstance(value, str) else value
            for fact, value in facts.items()
        }
        return key.kind, key.namespace, parts[0], tuple(sorted(plain.items()))
    if key.kind == "sequence" and facts.get("owned_by"):
        return key.kind, key.namespace, tuple(sorted(facts.items()))
    return None


def is_spelling_alone(change: Change) -> bool:
    """Whether a changed object's texts are the same but for casts, brackets and white space.

    They may mean the same: a server writes an expression otherwise once it was dumped and restored. Or not:
    ``(a OR b) AND c`` is not ``a OR (b AND c)``.
    """
    return change.action == "changed" and all(
        _without_spelling(declared) == _without_spelling(live) for declared, live in change.facts.values()
    )


# a type's name, with its schema, its words, its modifier and its array brackets
_CAST = re.compile(
    r'::(?:"[^"]+"|[\w.])+(?: varying| precision| with(?:out)? time zone)*(?:\([\d,]+\))?(?:\[\])*'
)
_BRACKETS_AND_SPACE = re.compile(r"[()\s]+")


def _without_spelling(fact: Fact) -> Fact:
    if isinstance(fact, str):
        return _CAST.sub("", _BRACKETS_AND_SPACE.sub("", _CAST.sub("", fact)))
    if isinstance(fact, tuple):
        return tuple(str(_without_spelling(part)) for part in fact)
    return fact


def _show(fact: Fact) -> str:
    if isinstance(fact, tuple):
        return ", ".join(fact) or "nothing"
    if fact is None:
        return "unset"
    return str(fact).lower() if isinstance(fact, bool) else str(fact)


def _added(key: ObjectKey, facts: Facts) -> Change:
    return Change(key=key, action="added", facts=_differing_facts({}, facts), live=facts)


def _removed(key: ObjectKey, facts: Facts) -> Change:
    return Change(key=key, action="removed", facts=_differing_facts(facts, {}), declared=facts)


def _differing_facts(declared: Facts, live: Facts) -> dict[str, tuple[Fact, Fact]]:
    if declared == live:
        return {}
    return {
        name: (declared.get(name), live.get(name))
        for name in sorted(declared.keys() | live.keys())
        if declared.get(name) != live.get(name)
    }


def _take_over(facts: Facts, change: Change) -> Facts:
    """The facts with those of the change as they are live."""
    taken = {name: live for name, (_, live) in change.facts.items()}
    merged = {name: taken.get(name, fact) for name, fact in facts.items()} | taken
    return {name: fact for name, fact in merged.items() if name not in taken or fact is not None}


def _with_what_is_theirs(changes: Iterable[Change], snapshot: Snapshot, without: Snapshot) -> set[ObjectKey]:
    """The changes' keys and those that came or went with them: in ``snapshot`` and not in ``without``."""
    found = {change.key for change in changes}
    rest = (snapshot.objects.keys() - without.objects.keys()) - found if found else set()
    while more := {key for key in rest if not found.isdisjoint(_owners(key, snapshot.objects[key]))}:
        found |= more
        rest -= more
    return found


def _outermost(keys: set[ObjectKey], snapshot: Snapshot) -> list[ObjectKey]:
    """The keys whose owner is not itself among them."""
    return [key for key in keys if not any(owner in keys for owner in _owners(key, snapshot.objects[key]))]


def _owners(key: ObjectKey, facts: Facts) -> list[ObjectKey]:
    """What ``key`` cannot exist without, as far as its name and facts tell."""
    if key.kind in ABOUT_AN_OBJECT:
        kind, _, rest = key.name.partition(" ")
        return _owners_of_description(kind, key.namespace, rest)
    if key.kind in INSIDE_A_RELATION:
        return _relations(key.namespace, split_name(key.name)[0])
    if key.kind == "sequence" and isinstance(owned_by := facts.get("owned_by"), str):
        namespace, table, *_ = split_name(owned_by)
        return _relations(namespace, table)
    return []


def _owners_of_description(kind: str, namespace: str, rest: str) -> list[ObjectKey]:
    """The object that a comment, grant or owner speaks of, and the relation around that."""
    name = _without_grantee(rest)
    parts = split_name(rest)
    owners = [ObjectKey(kind, namespace, name)]
    if len(parts) == 1:
        owners.append(ObjectKey(kind, namespace, parts[0]))  # a name that was quoted
    if kind in INSIDE_A_RELATION and parts:
        owners += _relations(namespace, parts[0])
        # a composite type has columns, a domain constraints
        owners += [ObjectKey(holder, namespace, parts[0]) for holder in ("type", "domain")]
    return owners


def _without_grantee(rest: str) -> str:
    """``users.email`` of ``users.email to reader``; the last `` to `` is ours, as odd names are quoted."""
    return rest.rpartition(" to ")[0] or rest


def _relations(namespace: str, name: str) -> list[ObjectKey]:
    return [ObjectKey(kind, namespace, name) for kind in RELATIONS]
