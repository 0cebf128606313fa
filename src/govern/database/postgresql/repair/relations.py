"""Statements for what is in, or made of, tables: constraints, indexes, triggers, rules, policies, statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey
from govern.database.postgresql.repair.attachments import is_completed_by_parts, is_named_part
from govern.database.postgresql.repair.extensions import depend_on_extensions
from govern.database.postgresql.repair.names import address, bare_name, literal, own_name, quote, relation
from govern.database.postgresql.repair.tables import alter_options
from govern.database.postgresql.repair.wanted import Side

_ENABLED = {
    None: "ENABLE",
    "origin": "ENABLE",
    "disabled": "DISABLE",
    "replica": "ENABLE REPLICA",
    "always": "ENABLE ALWAYS",
}
_EACH_TRIGGER = """
DECLARE name text;
BEGIN
  FOR name IN
    SELECT g.tgname FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_constraint k ON k.oid = g.tgconstraint
    WHERE g.tgrelid = {table}::regclass AND k.conrelid = {constrained}::regclass AND k.conname = {constraint}
  LOOP
    EXECUTE format('ALTER TABLE %s {verb} TRIGGER %I', {table}, name);
  END LOOP;
END
"""
_WITH = re.compile(r" WITH \(((?:\w+='[^']*'(?:, )?)+)\)(?: WHERE |$)")
_OPTION = re.compile(r"(\w+)='([^']*)'")
_ONLY = re.compile(r"^(CREATE (?:UNIQUE )?INDEX .*?) ON ONLY ", re.DOTALL)


def create_constraint(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    """Of a partitioned table alone, where its partitions have no part of it."""
    only = "ONLY " if facts.get("valid") is False else ""
    add = f"ALTER TABLE {only}{relation(key)} ADD CONSTRAINT {own_name(key)} {facts['definition']}"
    index = f"ALTER INDEX {quote(key.namespace, bare_name(key))}"
    return (
        add,
        *alter_options(index, None, facts.get("options")),
        *(_set_triggers(key, text) for text in _items(facts.get("triggers"))),
    )


def drop_constraint(key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    return (f"ALTER TABLE {relation(key)} DROP CONSTRAINT {own_name(key)}",)


def alter_constraint(
    key: ObjectKey, wanted: Facts, existing: Facts, declared: Side, live: Side
) -> tuple[str, ...] | None:
    differing = {name for name in wanted.keys() | existing.keys() if wanted.get(name) != existing.get(name)}
    if differing == {"options"}:
        index = quote(key.namespace, bare_name(key))
        return tuple(alter_options(f"ALTER INDEX {index}", existing.get("options"), wanted.get("options")))
    if differing == {"valid"} and is_completed_by_parts(key, declared, live):
        return ()
    if differing == {"triggers"} and "triggers" not in existing:
        return tuple(_set_triggers(key, text) for text in _items(wanted["triggers"]))
    if "validated" in existing and "validated" not in wanted:
        definition = str(existing["definition"]).removesuffix(" NOT VALID")
        if definition == wanted["definition"] and differing <= {"definition", "validated"}:
            return (f"ALTER TABLE {relation(key)} VALIDATE CONSTRAINT {own_name(key)}",)
    return None


def _set_triggers(key: ObjectKey, state: str) -> str:
    """``disabled on public.users``: of the triggers that keep a foreign key, whose names are the server's own.

    To enable them again would believe rows that nobody looked at: then the constraint is made anew.
    """
    word, _, table = state.partition(" on ")
    body = _EACH_TRIGGER.format(
        table=literal(table),
        constrained=literal(relation(key)),
        constraint=literal(bare_name(key)),
        verb=_ENABLED[word],
    )
    return f"DO {literal(body)}"


def create_index(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    """A partitioned table's comes with those of its partitions, which the server does not say.

    A partition's part of one that has no name of its own has options: all that can be said of it.
    """
    if _is_nameless_part(key, declared):
        return tuple(alter_options(_alter_index(key), None, _index_options(facts)))
    definition = str(facts["definition"])
    if facts.get("valid") is not False:
        definition = _ONLY.sub(r"\1 ON ", definition)
    return (
        definition,
        *_index_statistics(key, facts, {}),
        *depend_on_extensions(address(key), facts, {}),
    )


def drop_index(key: ObjectKey, facts: Facts, live: Side) -> tuple[str, ...]:
    """A key of a partition that is a part of it goes by CASCADE alone: the server lets neither go by itself."""
    if _is_nameless_part(key, live):
        return tuple(alter_options(_alter_index(key), _index_options(facts), _inherited_options(key, live)))
    has_keys = any(part.kind == "constraint" and of.whole == key for part, of in live.index_parts.items())
    return (f"DROP {address(key)}{' CASCADE' if has_keys else ''}",)


def alter_index(
    key: ObjectKey, wanted: Facts, existing: Facts, declared: Side, live: Side
) -> tuple[str, ...] | None:
    differing = {name for name in wanted.keys() | existing.keys() if wanted.get(name) != existing.get(name)}
    options: Iterator[str] = iter(())
    if key in declared.index_parts and key in live.index_parts:
        options = alter_options(_alter_index(key), _index_options(existing), _index_options(wanted))
    elif differing == {"valid"} and is_completed_by_parts(key, declared, live):
        return ()
    elif not differing <= {"statistics", "extensions"}:
        return None
    return (
        *options,
        *_index_statistics(key, wanted, existing),
        *depend_on_extensions(address(key), wanted, existing),
    )


def _alter_index(key: ObjectKey) -> str:
    return f"ALTER {address(key)}"


def _is_nameless_part(key: ObjectKey, side: Side) -> bool:
    return key in side.index_parts and not is_named_part(key, side)


def _inherited_options(key: ObjectKey, side: Side) -> tuple[str, ...]:
    return _index_options(side.objects.get(side.index_parts[key].whole, {}))


def _index_options(facts: Facts) -> tuple[str, ...]:
    """``fillfactor=70`` of the definition's ``WITH (fillfactor='70')``."""
    found = _WITH.search(str(facts.get("definition", "")))
    return tuple(f"{name}={value}" for name, value in _OPTION.findall(found[1])) if found else ()


def _index_statistics(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    before = dict(item.split(": ") for item in _items(existing.get("statistics")))
    after = dict(item.split(": ") for item in _items(wanted.get("statistics")))
    for number in sorted(before.keys() | after.keys(), key=int):
        if before.get(number) != after.get(number):
            yield f"{_alter_index(key)} ALTER COLUMN {number} SET STATISTICS {after.get(number, -1)}"


def create_statistics(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    return (str(facts["definition"]), *_statistics_target(key, facts, {}))


def drop_statistics(key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    return (f"DROP STATISTICS {quote(key.namespace, bare_name(key))}",)


def alter_statistics(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    if wanted["definition"] != existing["definition"]:
        return None
    return tuple(_statistics_target(key, wanted, existing))


def _statistics_target(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    if wanted.get("target") != existing.get("target"):
        name = quote(key.namespace, bare_name(key))
        yield f"ALTER STATISTICS {name} SET STATISTICS {wanted.get('target', -1)}"


def create_trigger(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    if _is_clone(facts):
        return tuple(_enable(key, facts, {}))
    return (
        str(facts["definition"]),
        *_enable(key, facts, {}),
        *depend_on_extensions(address(key), facts, {}),
    )


def _is_clone(facts: Facts) -> bool:
    """A partition's part of its parent's trigger: there as long as that is, and described by its state alone."""
    return "definition" not in facts


def drop_trigger(key: ObjectKey, facts: Facts, _live: Side) -> tuple[str, ...]:
    if _is_clone(facts):
        return tuple(_enable(key, {}, facts))
    return (f"DROP {key.kind.upper()} {own_name(key)} ON {relation(key)}",)


def alter_trigger(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """The same for rules: None where the definition differs."""
    if wanted.get("definition") != existing.get("definition"):
        return None
    return (*_enable(key, wanted, existing), *depend_on_extensions(address(key), wanted, existing))


def create_rule(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    return (str(facts["definition"]).rstrip(";"), *_enable(key, facts, {}))


def _enable(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    state = wanted.get("enabled")
    if state != existing.get("enabled"):
        verb = _ENABLED[str(state) if state else None]
        yield f"ALTER TABLE {relation(key)} {verb} {key.kind.upper()} {own_name(key)}"


def create_policy(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    permissive = " AS RESTRICTIVE" if facts.get("permissive") is False else ""
    return (
        f"CREATE POLICY {own_name(key)} ON {relation(key)}{permissive} FOR {str(facts['command']).upper()} "
        f"TO {_roles(facts, declared)}{_conditions(facts)}",
    )


def alter_policy(
    key: ObjectKey, wanted: Facts, existing: Facts, declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where ALTER POLICY cannot: another command, another mode, or a condition less."""
    fixed = ("command", "permissive")
    lost = [name for name in ("using", "with_check") if name in existing and name not in wanted]
    if lost or any(wanted.get(name) != existing.get(name) for name in fixed):
        return None
    return (
        f"ALTER POLICY {own_name(key)} ON {relation(key)} TO {_roles(wanted, declared)}{_conditions(wanted)}",
    )


def _roles(facts: Facts, side: Side) -> str:
    names = _items(facts.get("roles"))
    return ", ".join(quote(side.usual_owner if name == "(owner)" else name) for name in names) or "PUBLIC"


def _conditions(facts: Facts) -> str:
    using = f" USING ({facts['using']})" if "using" in facts else ""
    return using + (f" WITH CHECK ({facts['with_check']})" if "with_check" in facts else "")


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
