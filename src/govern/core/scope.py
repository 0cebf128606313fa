"""What of drift a project has decided to live with: ignored until a date, weighed otherwise, or known already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from govern.core.snapshot import ABOUT_AN_OBJECT, Fact, ObjectKey, join_name

if TYPE_CHECKING:
    from govern.core.changes import Change
    from govern.core.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """Differences somebody answers for until a day."""

    kind: str
    """A glob: ``index``, ``*``."""
    name: str
    """A glob: ``public.tmp_*``, or ``tmp_*`` in any namespace."""
    fact: str | None = None
    """Only this fact of a changed object; None: the object as a whole."""
    reason: str
    owner: str
    until: date
    """The last day on which it holds."""
    line: int = 1
    """Where the manifest has it."""

    def has_expired(self, today: date) -> bool:
        return today > self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """How much differences of some objects matter."""

    kind: str
    name: str
    severity: Severity


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """One difference that a baseline lists."""

    rule: str
    name: str
    digest: str
    """Of the facts: a known difference that becomes another one is not known any more."""

    @classmethod
    def of(cls, change: Change) -> Known:
        return cls(change.rule_id, _one_line(change.key), _digest(change))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """All of it; the default one leaves nothing out."""

    ignore: tuple[Ignore, ...] = ()
    weights: tuple[Weight, ...] = ()
    """The first that matches counts."""
    known: frozenset[Known] = frozenset()
    path: str = ""
    """The manifest's, for findings about its own entries."""
    baseline: str = ""
    """The baseline file's."""
    undeclared: frozenset[tuple[str, str]] = frozenset()
    """Kind and name of what is declared in a way that no database takes: nothing can be held against it."""
    left_out: frozenset[ObjectKey] | None = None
    """What env.py keeps from autogenerate; None: it was not asked."""

    def weight_of(self, key: ObjectKey) -> Severity | None:
        """The severity the project gave to differences of this object; None if it said nothing."""
        return next(
            (weight.severity for weight in self.weights if _matches(weight.kind, weight.name, key)), None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Changes by what the project decided about them."""

    open: tuple[Change, ...]
    """What is left to report; of a changed object without the facts that are ignored."""
    ignored: tuple[Change, ...] = ()
    known: tuple[Change, ...] = ()
    unused: tuple[Ignore, ...] = ()
    """Entries that matched nothing and have not expired."""
    expired: tuple[Ignore, ...] = ()
    vanished: tuple[Known, ...] = ()
    """Baseline lines whose object does not differ any more."""


def sort_changes(changes: Iterable[Change], scope: Scope, today: date) -> Sorted:
    """Each change in its place: open, ignored or known. An entry that has expired ignores nothing."""
    sorting = _Sorting(scope, today)
    for change in changes:
        sorting.take(change)
    return sorting.done()


@dataclass(slots=True)
class _Sorting:
    scope: Scope
    today: date
    opened: list[Change] = field(default_factory=list)
    ignored: list[Change] = field(default_factory=list)
    known: list[Change] = field(default_factory=list)
    used: set[Ignore] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def take(self, change: Change) -> None:
        is_undeclared = (change.key.kind, change.key.name) in self.scope.undeclared
        if is_undeclared or change.key in (self.scope.left_out or ()):
            self._ignored_facts(change)  # an entry that says the same is used: applications start by it
            self.ignored.append(change)
            return
        if self.scope.known:
            mark = Known.of(change)
            self.seen.add((mark.rule, mark.name))
            if mark in self.scope.known:
                self.known.append(change)
                return
        ignored = self._ignored_facts(change)
        if ignored is None:
            self.ignored.append(change)
            return
        if ignored:
            self.ignored.append(replace(change, facts={name: change.facts[name] for name in ignored}))
            rest = {name: fact for name, fact in change.facts.items() if name not in ignored}
            if not rest:
                return
            change = replace(change, facts=rest)
        self.opened.append(change)

    def _ignored_facts(self, change: Change) -> frozenset[str] | None:
        """The facts of a changed object that are ignored; None where the whole of it is."""
        facts: set[str] = set()
        for entry in self.scope.ignore:
            if entry.has_expired(self.today) or not _matches(entry.kind, entry.name, change.key):
                continue
            if entry.fact is None:
                self.used.add(entry)
                return None
            if change.action == "changed" and entry.fact in change.facts:
                self.used.add(entry)
                facts.add(entry.fact)
        return frozenset(facts)

    def done(self) -> Sorted:
        expired = tuple(entry for entry in self.scope.ignore if entry.has_expired(self.today))
        return Sorted(
            open=tuple(self.opened),
            ignored=tuple(self.ignored),
            known=tuple(self.known),
            unused=tuple(
                entry for entry in self.scope.ignore if entry not in self.used and entry not in expired
            ),
            expired=expired,
            vanished=tuple(
                mark for mark in sorted(self.scope.known) if (mark.rule, mark.name) not in self.seen
            ),
        )


def _matches(kind: str, name: str, key: ObjectKey) -> bool:
    return fnmatchcase(key.kind, kind) and any(fnmatchcase(known, name) for known in _names_of(key))


def _names_of(key: ObjectKey) -> tuple[str, ...]:
    """What people call it: with and without its namespace; a comment also by what it speaks of."""
    names = [key.name]
    if key.kind in ABOUT_AN_OBJECT:
        names.append(key.name.partition(" ")[2])
    return (*names, *(f"{key.namespace}.{name}" for name in names if key.namespace))


def _one_line(key: ObjectKey) -> str:
    text = f"{join_name(key.namespace)}.{key.name}" if key.namespace else key.name
    return text if text.isprintable() and text == text.strip() else json.dumps(text)


def _digest(change: Change) -> str:
    """12 hexadecimal digits of all that differs."""
    text = json.dumps(_plain(change.facts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(facts: Mapping[str, tuple[Fact, Fact]]) -> dict[str, list[Fact]]:
    return {name: list(pair) for name, pair in facts.items()}
