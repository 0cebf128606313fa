"""Statements for operators, and for the operator classes and families that indexes need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey
from govern.database.postgresql.repair.names import address, bare_name, operator, quote, signature
from govern.database.postgresql.repair.wanted import Side

_ESTIMATES = {"restriction": "RESTRICT", "join": "JOIN"}
_FUNCTION_ENTRY = re.compile(r"(\d+ \(.*?\)) .*", re.DOTALL)
_OPERATOR_ENTRY = re.compile(r"(\d+) .*?(\([^()]*\))(?: FOR ORDER BY .*)?", re.DOTALL)


def create_operator(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    """A commutator or negator that is not there yet is only named for now, and filled in when it is made."""
    left, right = signature(key).split(", ", 1)
    options = [f"FUNCTION = {str(facts['function']).partition('(')[0]}"]
    options += [
        f"{name} = {argument}"
        for name, argument in (("LEFTARG", left), ("RIGHTARG", right))
        if argument != "NONE"
    ]
    options += [
        f"{name.upper()} = {operator(str(facts[name]))}"
        for name in ("commutator", "negator")
        if name in facts
    ]
    options += [f"{option} = {facts[name]}" for name, option in _ESTIMATES.items() if name in facts]
    options += [name.upper() for name in ("hashes", "merges") if facts.get(name)]
    return (f"CREATE OPERATOR {quote(key.namespace)}.{bare_name(key)} ({', '.join(options)})",)


def alter_operator(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where anything but the selectivity estimators differs: before PostgreSQL 17 nothing else can change."""
    differing = {name for name in wanted.keys() | existing.keys() if wanted.get(name) != existing.get(name)}
    if not differing <= _ESTIMATES.keys():
        return None
    options = [f"{_ESTIMATES[name]} = {wanted.get(name, 'NONE')}" for name in sorted(differing)]
    return (f"ALTER {address(key)} SET ({', '.join(options)})",)


def create_class(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    """With a family of its own name or another, which is there."""
    default = " DEFAULT" if facts.get("default") else ""
    entries = [*_operators(facts), *_functions(facts)]
    if "key_type" in facts or not entries:
        entries.append(f"STORAGE {facts.get('key_type', facts['type'])}")
    return (
        f"CREATE OPERATOR CLASS {quote(key.namespace, bare_name(key))}{default} FOR TYPE {facts['type']} "
        f"USING {quote(signature(key))} FAMILY {facts['family']} AS {', '.join(entries)}",
    )


def create_family(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    return (f"CREATE {address(key)}", *_change_family(key, facts, {}))


def alter_family(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...]:
    return tuple(_change_family(key, wanted, existing))


def _change_family(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    """What came with a class is not among it: that is a fact of the class."""
    before = [*_operators(existing), *_functions(existing)]
    after = [*_operators(wanted), *_functions(wanted)]
    if gone := [_place(entry) for entry in before if entry not in after]:
        yield f"ALTER {address(key)} DROP {', '.join(gone)}"
    if new := [entry for entry in after if entry not in before]:
        yield f"ALTER {address(key)} ADD {', '.join(new)}"


def _place(entry: str) -> str:
    """``OPERATOR 1 (integer,bigint)`` of ``OPERATOR 1 <(integer,bigint)``: what DROP says."""
    kind, _, rest = entry.partition(" ")
    place = _FUNCTION_ENTRY.sub(r"\1", rest) if kind == "FUNCTION" else _OPERATOR_ENTRY.sub(r"\1 \2", rest)
    return f"{kind} {place}"


def _operators(facts: Facts) -> list[str]:
    return [f"OPERATOR {entry}" for entry in _items(facts.get("operators"))]


def _functions(facts: Facts) -> list[str]:
    return [f"FUNCTION {entry}" for entry in _items(facts.get("functions"))]


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
