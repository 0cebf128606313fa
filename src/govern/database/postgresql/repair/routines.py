"""Statements for functions, procedures and aggregates."""

from __future__ import annotations

import re

from govern.core.snapshot import Facts, ObjectKey
from govern.database.postgresql.repair.extensions import depend_on_extensions
from govern.database.postgresql.repair.names import address, bare_name, literal, operator, quote
from govern.database.postgresql.repair.wanted import Side

_HEAD = re.compile(r"CREATE OR REPLACE (?:FUNCTION|PROCEDURE) .*?(?=\n LANGUAGE )", re.DOTALL)
_WINDOW = re.compile(r"\n LANGUAGE [^\n]*\n WINDOW\b")

_AGGREGATE_OPTIONS = {
    "SFUNC": "transition",
    "STYPE": "state",
    "SSPACE": "state_space",
    "FINALFUNC": "final",
    "COMBINEFUNC": "combine",
    "SERIALFUNC": "serialize",
    "DESERIALFUNC": "deserialize",
    "MSFUNC": "moving_transition",
    "MINVFUNC": "moving_inverse",
    "MSTYPE": "moving_state",
    "MSSPACE": "moving_state_space",
    "MFINALFUNC": "moving_final",
    "PARALLEL": "parallel",
}
_FUNCTIONS = frozenset(
    {
        "transition",
        "final",
        "combine",
        "serialize",
        "deserialize",
        "moving_transition",
        "moving_inverse",
        "moving_final",
    }
)
_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}


def create_function(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    return (str(facts["definition"]).rstrip(), *depend_on_extensions(address(key), facts, {}))


def alter_function(
    key: ObjectKey, wanted: Facts, existing: Facts, declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where CREATE OR REPLACE would refuse: other names of arguments, another result, another kind.

    It forgets on which extensions the function depends.
    """
    if wanted["definition"] == existing["definition"]:
        return tuple(depend_on_extensions(address(key), wanted, existing))
    before, after = (_unchangeable(str(facts["definition"])) for facts in (existing, wanted))
    return create_function(key, wanted, declared) if before == after else None


def _unchangeable(definition: str) -> tuple[str, bool]:
    head = _HEAD.match(definition)
    return head[0] if head else definition, bool(_WINDOW.search(definition))


def create_aggregate(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    options = []
    for option, fact in _AGGREGATE_OPTIONS.items():
        if fact in facts:
            value = str(facts[fact])
            options.append(f"{option} = {value.partition('(')[0] if fact in _FUNCTIONS else value}")
    for option, fact in (("INITCOND", "initial"), ("MINITCOND", "moving_initial")):
        if fact in facts:
            options.append(f"{option} = {literal(str(facts[fact]))}")
    for option, fact in (("FINALFUNC_EXTRA", "final_extra"), ("MFINALFUNC_EXTRA", "moving_final_extra")):
        if facts.get(fact):
            options.append(option)
    if "final" in facts and "final_modify" in facts:
        options.append(f"FINALFUNC_MODIFY = {_MODIFY[str(facts['final_modify'])]}")
    if "moving_final" in facts and "moving_final_modify" in facts:
        options.append(f"MFINALFUNC_MODIFY = {_MODIFY[str(facts['moving_final_modify'])]}")
    if "sort_operator" in facts:
        options.append(f"SORTOP = {operator(str(facts['sort_operator']))}")
    if facts.get("aggregate_kind") == "hypothetical set":
        options.append("HYPOTHETICAL")
    arguments = facts.get("arguments") or "*"
    return (f"CREATE AGGREGATE {quote(key.namespace, bare_name(key))}({arguments}) ({', '.join(options)})",)
