"""Drift: two snapshots that should be equal are not. Turns changes into findings; reads no database."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from govern.core.changes import (
    Action,
    Change,
    accept,
    describe_change,
    describe_renamed,
    diff,
    find_renamed,
)
from govern.core.finding import Finding, Fix, Rule, Severity, Subject
from govern.core.restoration import name_place
from govern.core.scope import Ignore, Known, Scope, Sorted, sort_changes
from govern.core.snapshot import Fact, ObjectKey, Snapshot, join_name, parts_of
from govern.errors import CouldNotCheck

if TYPE_CHECKING:
    from govern.core.repair import RepairPlan
    from govern.revisions.protocol import RefusedIndex

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

_NAMES: Mapping[Action, str] = {
    "added": "{kind} that is not declared",
    "removed": "declared {kind} that is missing",
    "changed": "{kind} that is not as declared",
}
"""Of a database, and of revisions that are held against the models."""
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


_EFFECTS: Mapping[tuple[str, Action], str] = {
    ("table", "added"): "no revision knows of it: a database that is made anew lacks it, and its rows",
    ("table", "removed"): "queries fail with 'no such table', and its rows are gone",
    ("column", "added"): "no revision knows of it: a database that is made anew lacks it, and its values",
    ("column", "removed"): "queries and inserts that name it fail, and its values are gone",
    ("constraint", "added"): "rows that the application takes for valid are refused",
    ("constraint", "removed"): "rows that the application takes for impossible can be written",
    ("index", "added"): "writes take longer, and a unique one refuses rows that the application writes",
    ("index", "removed"): "queries become slow, or duplicates that it kept out get in",
}
"""Where what is true of the kind would be too much for one of its actions."""


_TABLE_IS_GONE = (
    "with the rows of a backup: govern restore --table {name} --merge; empty: govern repair plan; "
    "or drop it from the models with a revision"
)
_REMEDIES_OF: Mapping[tuple[str, Action], str] = {("table", "removed"): _TABLE_IS_GONE.format(name="NAME")}


def _rule(kind: str, action: Action) -> Rule:
    return Rule(
        id=f"drift.{kind}-{action}",
        name=_NAMES[action].format(kind=kind.replace("-", " ")),
        severity=Severity.ERROR,
        condition=_CONDITIONS[action].format(kind=kind.replace("-", " ")),
        effect=_EFFECTS.get((kind, action), KINDS[kind]),
        remedy=_REMEDIES_OF.get((kind, action), _REMEDIES[action]),
    )


_RULES: Mapping[tuple[str, Action], Rule] = {
    (kind, action): _rule(kind, action) for kind in KINDS for action in _CONDITIONS
}


def rule_of(kind: str, action: Action) -> Rule:
    """The rule of one kind of difference."""
    return _RULES[kind, action]


IGNORE_EXPIRED = Rule(
    id="drift.ignore-expired",
    name="an ignored difference has expired",
    severity=Severity.WARNING,
    condition="the last day of an entry under `ignore` in the manifest's `drift` is over",
    effect="it ignores nothing any more: what it covered is a finding again",
    remedy="take the difference away, or give the entry a new day and reason; then take out what is not needed",
)
IGNORE_UNUSED = Rule(
    id="drift.ignore-unused",
    name="an ignored difference does not exist",
    severity=Severity.WARNING,
    condition="no difference has the kind, name and fact of an entry under `ignore` in the manifest's `drift`",
    effect="one day it hides a difference that nobody decided about",
    remedy="take the entry out of the manifest, or correct its name",
)
BASELINE_VANISHED = Rule(
    id="drift.baseline-vanished",
    name="a known difference is gone",
    severity=Severity.WARNING,
    condition="a line of the drift baseline names an object that does not differ any more",
    effect="if the difference comes back, nobody is told",
    remedy="take the line out of the baseline file, or write it anew: govern drift --write-baseline FILE",
)
MODEL_REFUSED = Rule(
    id="drift.model-refused",
    name="a model that no database takes",
    severity=Severity.ERROR,
    condition="a model declares an index that the database refuses to create",
    effect="create_all() fails, and no database can be held against this part of the models",
    remedy="let the model say what the revision says: the operator class, the expression, the columns",
)
RULES = (*_RULES.values(), MODEL_REFUSED, IGNORE_EXPIRED, IGNORE_UNUSED, BASELINE_VANISHED)
BATCH_LEFTOVER = "_alembic_tmp_"
"""How Alembic calls the copy of a table while it rebuilds it (batch mode)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What drift there is, and what the project's scope made of the rest."""

    findings: tuple[Finding, ...]
    accepted: Snapshot
    """The declared schema with the differences taken over that are ignored or known: what a repair may aim at."""
    sorted: Sorted

    @property
    def remark(self) -> str:
        """``2 ignored, 14 known``; empty where the scope left nothing out."""
        counts = (("ignored", self.sorted.ignored), ("known", self.sorted.known))
        return ", ".join(f"{len(changes):,} {word}" for word, changes in counts if changes)


def check_drift(
    declared: Snapshot, live: Snapshot, *, critical_tables: Iterable[str] = (), remedy: str = ""
) -> tuple[Finding, ...]:
    """One finding for each change between what is declared and what is live; see ``judge_drift``."""
    return judge_drift(
        declared, live, scope=Scope(), today=date.min, critical_tables=critical_tables, remedy=remedy
    ).findings


def judge_drift(
    declared: Snapshot,
    live: Snapshot,
    *,
    scope: Scope,
    today: date,
    critical_tables: Iterable[str] = (),
    remedy: str = "",
) -> Verdict:
    """One finding for each change between what is declared and what is live, but for what ``scope`` leaves out.

    ``critical_tables`` are names as in the manifest, with or without a namespace; what is theirs is critical.
    ``remedy`` replaces the rules' own, where the two sides are not a declaration and a live database.
    Raises CouldNotCheck where the two were not read from the same engine and major version: two servers of
    different majors describe one schema in different words.
    """
    _refuse_other_server(declared, live)
    critical = frozenset(critical_tables)
    sorted_changes = sort_changes(diff(declared, live), scope, today)
    renamed = find_renamed(sorted_changes.open)
    findings = (
        _finding(change, critical, remedy, scope, renamed.get(change.key)) for change in sorted_changes.open
    )
    return Verdict(
        findings=tuple(findings),
        accepted=accept(declared, live, (*sorted_changes.ignored, *sorted_changes.known)),
        sorted=sorted_changes,
    )


def check_scope(sorted_changes: Sorted, scope: Scope, *, unused: bool = True) -> tuple[Finding, ...]:
    """What is wrong with the scope itself: entries that expired, match nothing, or name what is gone.

    ``unused``: whether what matched nothing is a finding; not where only some differences were looked for.
    """
    findings = [_expired(entry, scope) for entry in sorted_changes.expired]
    if unused:
        findings += [_unused(entry, scope) for entry in sorted_changes.unused]
        findings += [_vanished(known, scope) for known in sorted_changes.vanished]
    return tuple(findings)


def check_refused(refused: Iterable[RefusedIndex]) -> tuple[Finding, ...]:
    """What of the models could not be created."""
    return tuple(
        Finding.of(
            MODEL_REFUSED,
            Subject(kind="index", name=join_name(one.table, one.index)),
            f"index {one.index} of {one.table} cannot be created: {one.why}",
        )
        for one in refused
    )


def with_fixes(findings: Iterable[Finding], plan: RepairPlan) -> tuple[Finding, ...]:
    """The findings, each with the statements of ``plan`` that it needs."""
    return tuple(replace(finding, fix=_fix_of(finding, plan)) for finding in findings)


def _fix_of(finding: Finding, plan: RepairPlan) -> Fix | None:
    """The statements that this finding needs, if there are some that work."""
    subject = finding.subject
    key = ObjectKey(subject.kind, subject.namespace or "", subject.name)
    statements = plan.statements_for(key)
    if not statements or plan.leaves(key):
        return None
    return Fix(
        sql=statements,
        loses_data=any(hazard.concerns(key) for hazard in plan.hazards),
        proven=plan.proves(key),
    )


def _expired(entry: Ignore, scope: Scope) -> Finding:
    message = f"ignored until {entry.until}: {entry.kind} {entry.name}"
    return Finding.of(
        IGNORE_EXPIRED, _entry(entry, scope), message, why=f"{entry.owner} answers for it: {entry.reason}"
    )


def _unused(entry: Ignore, scope: Scope) -> Finding:
    fact = f", fact {entry.fact}" if entry.fact else ""
    message = f"nothing differs that is ignored as {entry.kind} {entry.name}{fact}"
    return Finding.of(IGNORE_UNUSED, _entry(entry, scope), message)


def _entry(entry: Ignore, scope: Scope) -> Subject:
    return Subject(kind="ignore", name=f"{entry.kind} {entry.name}", path=scope.path or None, line=entry.line)


def _vanished(known: Known, scope: Scope) -> Finding:
    subject = Subject(kind="baseline", name=f"{known.rule} {known.name}", path=scope.baseline or None)
    message = f"{known.name} does not differ any more: {known.rule} is known in the baseline"
    return Finding.of(BASELINE_VANISHED, subject, message)


def key_of(change: Change) -> str:
    """That of its finding: the same in every run."""
    return _finding(change, frozenset(), "", Scope()).key


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


def _finding(
    change: Change,
    critical_tables: frozenset[str],
    remedy: str,
    scope: Scope,
    other_name: ObjectKey | None = None,
) -> Finding:
    """``other_name``: what it is called on the other side, where nothing but its name differs."""
    key = change.key
    is_leftover = change.action == "added" and key.kind == "table" and key.name.startswith(BATCH_LEFTOVER)
    message = describe_change(change) if other_name is None else describe_renamed(change, other_name)
    why = _LEFTOVER_EFFECT if is_leftover else _NAME_EFFECT if other_name is not None else ""
    return Finding.of(
        _RULES[key.kind, change.action],
        Subject(kind=key.kind, namespace=key.namespace or None, name=key.name),
        f"{message}: it was left by an interrupted batch migration" if is_leftover else message,
        severity=scope.weight_of(key) or _severity(change, critical_tables),
        why=why,
        remedy=remedy or _remedy_of(change),
        evidence=_evidence(change),
    )


_NAME_EFFECT = (
    "it works as declared, but what names it fails: a revision that drops or renames it, "
    "ON CONFLICT ON CONSTRAINT, ALTER SEQUENCE"
)


def _remedy_of(change: Change) -> str:
    """Where the rule's own does not name what is to be pasted."""
    key = change.key
    if (key.kind, change.action) != ("table", "removed"):
        return ""
    return _TABLE_IS_GONE.format(name=shlex.quote(name_place((key.namespace, key.name))))


_LEFTOVER_EFFECT = (
    "the next batch migration of the table fails because the name is taken; it may hold the only copy of rows"
)


def _severity(change: Change, critical_tables: frozenset[str]) -> Severity | None:
    """None: the rule's own."""
    table = _table_of(change.key)
    if table in critical_tables or f"{change.key.namespace}.{table}" in critical_tables:
        return Severity.CRITICAL
    if change.key.kind == "extension" and change.facts.keys() == {"version"} and change.action == "changed":
        return Severity.WARNING  # what the server's packages offer differs between environments
    return None


def _table_of(key: ObjectKey) -> str:
    """The table an object is, is inside of, or speaks of; another object's name is no table's."""
    return (parts_of(key) or (key.name,))[0]


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
