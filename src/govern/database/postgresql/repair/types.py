"""Statements for enums, domains, composite and range types, and collations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey
from govern.database.postgresql.repair.names import literal, qualified, quote
from govern.database.postgresql.repair.wanted import Side

_SETTABLE = frozenset({"RECEIVE", "SEND", "TYPMOD_IN", "TYPMOD_OUT", "ANALYZE", "SUBSCRIPT", "STORAGE"})
_NAME_AND_REST = re.compile(r'("(?:[^"]|"")*"|\S+) (.*)', re.DOTALL)


def create_enum(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    labels = ", ".join(literal(label) for label in _items(facts.get("labels")))
    return (f"CREATE TYPE {qualified(key)} AS ENUM ({labels})",)


def alter_enum(
    key: ObjectKey, wanted: Facts, existing: Facts, declared: Side, live: Side
) -> tuple[str, ...] | None:
    """One label renamed in its place, or labels added; None where one is lost or the order differs."""
    before, after = _items(existing.get("labels")), _items(wanted.get("labels"))
    alter = f"ALTER TYPE {qualified(key)}"
    pairs = [(old, new) for old, new in zip(before, after, strict=False) if old != new]
    if len(before) == len(after) and len(pairs) == 1 and pairs[0][1] not in before:
        old, new = pairs[0]
        return (f"{alter} RENAME VALUE {literal(old)} TO {literal(new)}",)
    if [label for label in after if label in before] != list(before):
        return None
    if _is_used(key, set(after) - set(before), declared, live):
        return None  # a label cannot be used in the transaction that added it
    return tuple(_add_labels(alter, before, after))


def _add_labels(alter: str, before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    for position, label in enumerate(after):
        if label in before:
            continue
        if position:
            yield f"{alter} ADD VALUE {literal(label)} AFTER {literal(after[position - 1])}"
        else:
            yield f"{alter} ADD VALUE {literal(label)} BEFORE {literal(before[0])}"


def _is_used(key: ObjectKey, labels: set[str], declared: Side, live: Side) -> bool:
    return any(
        literal(label) in str(fact)
        for user in declared.needing.get(key, ())
        if declared.objects.get(user) != live.objects.get(user)
        for fact in declared.objects.get(user, {}).values()
        for label in labels
    )


def create_domain(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    words = [f"CREATE DOMAIN {qualified(key)} AS {facts['type']}"]
    if "collation" in facts:
        words.append(f"COLLATE {facts['collation']}")
    if "default" in facts:
        words.append(f"DEFAULT {facts['default']}")
    if facts.get("nullable") is False:
        words.append("NOT NULL")
    checks = _items(facts.get("constraints"))
    words += [f"CONSTRAINT {check}" for check in checks if not check.endswith(" NOT VALID")]
    later = [f"ALTER DOMAIN {qualified(key)} ADD CONSTRAINT {c}" for c in checks if c.endswith(" NOT VALID")]
    return (" ".join(words), *later)


def alter_domain(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where it is made of another type."""
    if any(wanted.get(name) != existing.get(name) for name in ("type", "collation")):
        return None
    alter = f"ALTER DOMAIN {qualified(key)}"
    statements = []
    if wanted.get("default") != existing.get("default"):
        statements.append(
            f"{alter} SET DEFAULT {wanted['default']}" if "default" in wanted else f"{alter} DROP DEFAULT"
        )
    if wanted.get("nullable") != existing.get("nullable"):
        statements.append(f"{alter} {'SET' if wanted.get('nullable') is False else 'DROP'} NOT NULL")
    before, after = _by_name(existing.get("constraints")), _by_name(wanted.get("constraints"))
    statements += [f"{alter} DROP CONSTRAINT {name}" for name in before if before[name] != after.get(name)]
    if (
        existing.get("nullable") is False
        and "NOT NULL" in after.values()
        and "NOT NULL" not in before.values()
    ):
        statements.append(f"{alter} DROP NOT NULL")  # which has another name
    statements += [
        f"{alter} ADD CONSTRAINT {name} {check}" for name, check in after.items() if check != before.get(name)
    ]
    return tuple(statements)


def create_type(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    """A composite type, a range, or the shell of a base type."""
    if facts.get("shell"):
        return (f"CREATE TYPE {qualified(key)}",)
    if "subtype" not in facts:
        return (f"CREATE TYPE {qualified(key)} AS ({', '.join(_items(facts.get('attributes')))})",)
    options = [f"SUBTYPE = {facts['subtype']}"]
    if "operator_class" in facts:
        options.append(f"SUBTYPE_OPCLASS = {quote(str(facts['operator_class']))}")
    if "collation" in facts:
        options.append(f"COLLATION = {facts['collation']}")
    if "canonical" in facts:
        options.append(f"CANONICAL = {facts['canonical']}")
    if "subtype_difference" in facts:
        options.append(f"SUBTYPE_DIFF = {facts['subtype_difference']}")
    if "multirange" in facts:
        options.append(f"MULTIRANGE_TYPE_NAME = {facts['multirange']}")
    return (f"CREATE TYPE {qualified(key)} AS RANGE ({', '.join(options)})",)


def alter_type(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, live: Side
) -> tuple[str, ...] | None:
    """Attributes dropped, retyped or added at the end; None where that is not enough, or rows are in the way."""
    if wanted.keys() - {"attributes"} or existing.keys() - {"attributes"}:
        return None
    before, after = _by_name(existing.get("attributes")), _by_name(wanted.get("attributes"))
    kept = [name for name in before if name in after]
    if list(after)[: len(kept)] != kept:
        return None
    retyped = [name for name in kept if before[name] != after[name]]
    if retyped and any(user.kind == "column" for user in live.needing.get(key, ())):
        return None
    alter = f"ALTER TYPE {qualified(key)}"
    return (
        *(f"{alter} DROP ATTRIBUTE {name}" for name in before if name not in after),
        *(f"{alter} ALTER ATTRIBUTE {name} TYPE {after[name]}" for name in retyped),
        *(f"{alter} ADD ATTRIBUTE {name} {after[name]}" for name in after if name not in before),
    )


def drop_type(key: ObjectKey, _facts: Facts, live: Side) -> tuple[str, ...]:
    """A base type and the functions that define it cannot be dropped one by one."""
    cascade = " CASCADE" if _defining_functions(key, live) and not _has_values(key, live) else ""
    return (f"DROP TYPE {qualified(key)}{cascade}",)


def create_base(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    """Defines a type of which there was the name."""
    return (f"CREATE TYPE {qualified(key)} ({', '.join(_items(facts['base']))})",)


def alter_base(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where ALTER TYPE cannot (manual, ALTER TYPE ... SET)."""
    before, after = (
        dict(item.partition(" = ")[::2] for item in _items(facts["base"])) for facts in (existing, wanted)
    )
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not _SETTABLE.issuperset(differing):
        return None
    options = (f"{name} = {after.get(name, 'NONE')}" for name in differing)
    return (f"ALTER TYPE {qualified(key)} SET ({', '.join(options)})",)


def drop_base(key: ObjectKey, _facts: Facts, live: Side) -> tuple[str, ...]:
    """Leaves the name, and the functions that a definition needs."""
    whole = key._replace(kind="type")
    functions = _defining_functions(whole, live)
    return (
        *drop_type(whole, {}, live),
        *create_type(whole, {"shell": True}, live),
        *(str(live.objects[function]["definition"]).rstrip() for function in functions),
    )


def _defining_functions(key: ObjectKey, live: Side) -> list[ObjectKey]:
    needed = live.needs.get(key._replace(kind="base"), ())
    return [function for function in needed if function.kind == "function" and function in live.objects]


def _has_values(key: ObjectKey, live: Side) -> bool:
    """Whether CASCADE could take a column with it, through whatever lies between."""
    waiting, seen = [key], {key}
    while waiting:
        for user in live.needing.get(waiting.pop(), ()):
            if user.kind in ("column", "table", "foreign-table"):
                return True
            if user not in seen:
                seen.add(user)
                waiting.append(user)
    return False


def create_collation(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    options = [f"PROVIDER = {facts['provider']}"]
    for fact, name in (
        ("locale", "LOCALE"),
        ("collate", "LC_COLLATE"),
        ("ctype", "LC_CTYPE"),
        ("rules", "RULES"),
    ):
        if fact in facts:
            options.append(f"{name} = {literal(str(facts[fact]))}")
    if facts.get("deterministic") is False:
        options.append("DETERMINISTIC = false")
    return (f"CREATE COLLATION {qualified(key)} ({', '.join(options)})",)


def _by_name(fact: Fact) -> dict[str, str]:
    found = (_NAME_AND_REST.fullmatch(item) for item in _items(fact))
    return {match[1]: match[2] for match in found if match}


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
