"""Statements for what is in, or made of, tables: constraints, indexes, triggers, rules, policies, statistics, views."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey
from govern.database.postgresql.repair.names import bare_name, own_name, quote, relation
from govern.database.postgresql.repair.tables import alter_options, option
from govern.database.postgresql.repair.wanted import Side

_ENABLED = {
    None: "ENABLE",
    "origin": "ENABLE",
    "disabled": "DISABLE",
    "replica": "ENABLE REPLICA",
    "always": "ENABLE ALWAYS",
}
_ONLY = re.compile(r"^(CREATE (?:UNIQUE )?INDEX .*?) ON ONLY ", re.DOTALL)
_COLUMN_AND_DEFAULT = re.compile(r'("(?:[^"]|"")*"|\S+) (.*)', re.DOTALL)


def create_constraint(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    statements = [f"ALTER TABLE {relation(key)} ADD CONSTRAINT {own_name(key)} {facts['definition']}"]
    if options := facts.get("options"):
        statements += alter_options(f"ALTER INDEX {quote(key.namespace, bare_name(key))}", None, options)
    return tuple(statements)


def drop_constraint(key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    return (f"ALTER TABLE {relation(key)} DROP CONSTRAINT {own_name(key)}",)


def alter_constraint(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    differing = {name for name in wanted.keys() | existing.keys() if wanted.get(name) != existing.get(name)}
    if differing == {"options"}:
        index = quote(key.namespace, bare_name(key))
        return tuple(alter_options(f"ALTER INDEX {index}", existing.get("options"), wanted.get("options")))
    if "validated" in existing and "validated" not in wanted:
        definition = str(existing["definition"]).removesuffix(" NOT VALID")
        if definition == wanted["definition"] and differing <= {"definition", "validated"}:
            return (f"ALTER TABLE {relation(key)} VALIDATE CONSTRAINT {own_name(key)}",)
    return None


def create_index(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    """A partitioned table's comes with those of its partitions, which the server does not say."""
    definition = _ONLY.sub(r"\1 ON ", str(facts["definition"]))
    return (definition, *_index_statistics(key, facts, {}))


def drop_index(key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    return (f"DROP INDEX {quote(key.namespace, bare_name(key))}",)


def alter_index(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    differing = {name for name in wanted.keys() | existing.keys() if wanted.get(name) != existing.get(name)}
    return tuple(_index_statistics(key, wanted, existing)) if differing == {"statistics"} else None


def _index_statistics(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    before = dict(item.split(": ") for item in _items(existing.get("statistics")))
    after = dict(item.split(": ") for item in _items(wanted.get("statistics")))
    for number in sorted(before.keys() | after.keys(), key=int):
        if before.get(number) != after.get(number):
            index = quote(key.namespace, bare_name(key))
            yield f"ALTER INDEX {index} ALTER COLUMN {number} SET STATISTICS {after.get(number, -1)}"


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
    return (str(facts["definition"]), *_enable(key, facts, {}))


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
    return tuple(_enable(key, wanted, existing))


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


def create_view(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    """The same for materialized views, which are filled."""
    kind = key.kind.replace("-", " ").upper()
    name = quote(key.namespace, key.name)
    method = f" USING {quote(str(facts['access_method']))}" if "access_method" in facts else ""
    options = f" WITH ({', '.join(map(option, _items(facts['options'])))})" if facts.get("options") else ""
    definition = str(facts["definition"]).rstrip().rstrip(";")
    return (f"CREATE {kind} {name}{method}{options} AS\n{definition}", *_view_defaults(name, facts, {}))


def alter_view(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where the query differs: CREATE OR REPLACE takes no column away and gives none another type."""
    if any(wanted.get(name) != existing.get(name) for name in ("definition", "access_method")):
        return None
    name = quote(key.namespace, key.name)
    alter = f"ALTER {key.kind.replace('-', ' ').upper()} {name}"
    return (
        *alter_options(alter, existing.get("options"), wanted.get("options")),
        *_view_defaults(name, wanted, existing),
    )


def _view_defaults(name: str, wanted: Facts, existing: Facts) -> Iterator[str]:
    before, after = _defaults(existing), _defaults(wanted)
    for column in before.keys() | after.keys():
        if before.get(column) != after.get(column):
            change = f"SET DEFAULT {after[column]}" if column in after else "DROP DEFAULT"
            yield f"ALTER VIEW {name} ALTER COLUMN {column} {change}"


def _defaults(facts: Facts) -> dict[str, str]:
    found = (_COLUMN_AND_DEFAULT.fullmatch(item) for item in _items(facts.get("defaults")))
    return {match[1]: match[2] for match in found if match}


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
