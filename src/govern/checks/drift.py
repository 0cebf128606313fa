"""Drift: two snapshots that should be equal are not. Turns changes into findings; reads no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from govern.core.changes import Action, Change, describe_change, diff
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.snapshot import ABOUT_AN_OBJECT, Fact, ObjectKey, Snapshot, split_name
from govern.errors import CouldNotCheck

KINDS: Mapping[str, str] = {
    "schema": "code that names it in a query or search_path fails or finds other tables",
    "extension": "types, functions and operators it brings are missing or of another version",
    "table": "queries fail with 'no such table', or data lives where no revision knows of it",
    "column": "inserts and queries written for the declared column fail or lose precision",
    "constraint": "rows that the application takes for impossible can be written, or valid ones are refused",
    "index": "queries become slow, or duplicates that the application excludes get in",
    "sequence": "new keys collide or jump",
    "enum": "writes of a label the database does not know fail",
    "domain": "values that the domain should refuse get in, or valid ones are refused",
    "type": "columns and functions that use it behave otherwise than declared",
    "collation": "sorting and uniqueness of text differ",
    "view": "readers see other columns or other rows",
    "materialized-view": "readers see other columns or other rows",
    "function": "triggers, defaults and queries that call it do something else",
    "aggregate": "queries that call it compute something else",
    "trigger": "what it keeps true is no longer kept true",
    "rule": "statements are rewritten otherwise than declared",
    "policy": "rows become visible or writable to the wrong people",
    "grant": "a role can do more, or less, than it should",
    "default-privileges": "objects created from now on get other rights than declared",
    "owner": "the migrating role may not be able to change the object",
    "comment": "people and tools that read it are told something else",
    "partition": "rows are routed to other tables, or refused",
    "statistics": "the planner chooses other plans",
    "event-trigger": "schema changes are treated otherwise than declared",
    "publication": "replicas receive other tables or columns",
    "foreign-table": "queries fail, or read another server's table or other columns of it",
    "foreign-server": "foreign tables are read from another place, or cannot be read",
    "foreign-data-wrapper": "foreign servers that use it are reached in another way, or not at all",
    "user-mapping": "a role reaches the foreign server as somebody else, or not at all",
    "operator": "queries, constraints and indexes that use it compute something else, or fail",
    "operator-class": "indexes sort and compare otherwise than declared, or cannot be created",
    "operator-family": "the planner uses an index where it must not, or not where it could",
    "cast": "values are converted otherwise than declared, or queries that need it fail",
    "text-search": "documents are searched and indexed by other words",
    "language": "functions written in it cannot be created or run",
    "transform": "functions get and return values in another form",
    "conversion": "text of another encoding is converted otherwise than declared",
    "access-method": "tables or indexes that use it cannot be created",
    "storage": "the object lies on another disk than planned, which may be slower, smaller or not backed up",
}
"""Kinds of objects a snapshot covers, and the effect of a difference."""

_CONDITIONS: Mapping[Action, str] = {
    "added": "the database has the {kind}, the declared schema does not",
    "removed": "the declared schema has the {kind}, the database does not",
    "changed": "the {kind} is declared otherwise than it is in the database",
}
_REMEDIES: Mapping[Action, str] = {
    "added": "keep it by writing a revision that creates it, or let it go: govern repair plan",
    "removed": "bring it back: govern repair plan; or drop it from the models with a revision",
    "changed": "set it back: govern repair plan; or declare the change with a revision",
}


def _rule(kind: str, action: Action) -> Rule:
    return Rule(
        id=f"drift.{kind}-{action}",
        name=f"{kind.replace('-', ' ')} {action} outside of the revisions",
        severity=Severity.ERROR,
        condition=_CONDITIONS[action].format(kind=kind.replace("-", " ")),
        effect=KINDS[kind],
        remedy=_REMEDIES[action],
    )


_RULES: Mapping[tuple[str, Action], Rule] = {
    (kind, action): _rule(kind, action) for kind in KINDS for action in _CONDITIONS
}
RULES = tuple(_RULES.values())


def check_drift(
    declared: Snapshot, live: Snapshot, *, critical_tables: Iterable[str] = (), remedy: str = ""
) -> tuple[Finding, ...]:
    """One finding for each change between what is declared and what is live.

    ``critical_tables`` are names as in the manifest, with or without a namespace; what is theirs is critical.
    ``remedy`` replaces the rules' own, where the two sides are not a declaration and a live database.
    Raises CouldNotCheck where the two were not read from the same engine and major version: two servers of
    different majors describe one schema in different words.
    """
    _refuse_other_server(declared, live)
    critical = frozenset(critical_tables)
    return tuple(_finding(change, critical, remedy) for change in diff(declared, live))


def _refuse_other_server(declared: Snapshot, live: Snapshot) -> None:
    if declared.dialect != live.dialect:
        raise CouldNotCheck(
            f"a {live.dialect} database cannot be held against a {declared.dialect} schema",
            next="compare with the models: govern drift --against models",
        )
    if declared.dialect != "sqlite" and declared.server_major != live.server_major:
        raise CouldNotCheck(
            "the declared schema and the database were read from different major versions",
            why=f"declared by {declared.dialect} {declared.server_version}, "
            f"the database runs on {live.server_version}; each describes expressions in its own words",
            next="let scratch databases be made on the database's own server (scratch_url, or CREATEDB)",
        )


def _finding(change: Change, critical_tables: frozenset[str], remedy: str) -> Finding:
    key = change.key
    table = _table_of(key)
    is_critical = table in critical_tables or f"{key.namespace}.{table}" in critical_tables
    return Finding.of(
        _RULES[key.kind, change.action],
        Subject(kind=key.kind, namespace=key.namespace or None, name=key.name),
        describe_change(change),
        severity=Severity.CRITICAL if is_critical else None,
        remedy=remedy,
        evidence=_evidence(change),
    )


def _table_of(key: ObjectKey) -> str:
    """The table an object is, is inside of, or speaks of; another object's name is no table's."""
    name = key.name.partition(" ")[2] if key.kind in ABOUT_AN_OBJECT else key.name
    return split_name(name)[0]


def _evidence(change: Change) -> dict[str, object]:
    if change.action == "changed":
        return {
            "declared": {name: _plain(declared) for name, (declared, _) in change.facts.items()},
            "live": {name: _plain(live) for name, (_, live) in change.facts.items()},
        }
    facts = change.live if change.action == "added" else change.declared
    side = "live" if change.action == "added" else "declared"
    return {side: {name: _plain(value) for name, value in (facts or {}).items()}}


def _plain(fact: Fact) -> object:
    return list(fact) if isinstance(fact, tuple) else fact
