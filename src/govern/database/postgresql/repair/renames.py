"""Recognises what was renamed: dropping the one and making the other would lose rows, or time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from govern.core.repair import RepairStep
from govern.core.snapshot import INSIDE_A_RELATION, Fact, ObjectKey, join_name
from govern.database.postgresql.repair.attachments import exchange_parts
from govern.database.postgresql.repair.names import (
    ROUTINES,
    address,
    bare_name,
    own_name,
    quote,
    relation,
    relation_key,
)
from govern.database.postgresql.repair.wanted import Side

_KINDS = frozenset({
    "table", "column", "constraint", "index", "trigger", "policy", "function",
    "sequence", "view", "materialized-view", "enum", "domain", "type",
})  # fmt: skip

Evidence = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Renames:
    groups: tuple[tuple[RepairStep, ...], ...]
    """Steps that make sense together only."""
    doubts: tuple[str, ...]
    """Sentences about what looks renamed, but not surely enough."""


def find_renames(declared: Side, live: Side) -> Renames:
    """An object only live and one only declared, alike in all but the name, with no third that is alike.

    A column must stand at the same place of its table, and a table have the same columns.
    """
    steps = [*_rename_identity_sequences(declared, live), *_rename_not_nulls(declared, live)]
    exchanges = tuple(exchange_parts(declared, live))
    renamed = {key for step in (*steps, *chain(*exchanges)) for key in step.undoes}
    wanted = _by_evidence(declared, declared.objects.keys() - live.objects.keys() - renamed)
    existing = _by_evidence(live, live.objects.keys() - declared.objects.keys() - renamed)
    doubts: list[str] = []
    for evidence in sorted(wanted.keys() & existing.keys(), key=str):
        old, new = existing[evidence], wanted[evidence]
        if len(old) == len(new) == 1 and _stands_alike(old[0], new[0], declared, live):
            steps.append(RepairStep(sql=_rename(old[0], new[0]), undoes=(old[0], new[0])))
            steps += _rename_sequences_along(old[0], new[0], declared, live)
        elif evidence[0] in ("column", "table"):
            doubts.append(
                f"{', '.join(map(str, old))} may be {', '.join(map(str, new))} under another name: "
                "if so, rename instead of dropping"
            )
    return Renames((*exchanges, *((step,) for step in steps)), tuple(doubts))


def _rename_identity_sequences(declared: Side, live: Side) -> Iterator[RepairStep]:
    """Where one of the two names was given by somebody."""
    wanted, existing = declared.unsaid.identity_sequences, live.unsaid.identity_sequences
    for column in sorted(wanted.keys() & existing.keys()):
        given, found = (side.objects.get(column, {}).get("identity_sequence") for side in (declared, live))
        if given != found:
            yield RepairStep(sql=_rename_sequence(column, existing[column], wanted[column]), undoes=(column,))


def _rename_sequences_along(
    old: ObjectKey, new: ObjectKey, declared: Side, live: Side
) -> Iterator[RepairStep]:
    """The server made the name of an identity column's sequence of the names that its table and column had."""
    wanted = declared.unsaid.identity_sequences
    for column, existing in sorted(live.unsaid.identity_sequences.items()):
        renamed = _renamed_column(column, old, new)
        if renamed is not None and wanted.get(renamed, existing) != existing:
            yield RepairStep(sql=_rename_sequence(column, existing, wanted[renamed]), undoes=(old, new))


def _renamed_column(column: ObjectKey, old: ObjectKey, new: ObjectKey) -> ObjectKey | None:
    """What ``column`` is called once ``old`` is called ``new``; None where that changes nothing."""
    if column == old:
        return new
    if old == ObjectKey("table", column.namespace, relation_key(column)):
        return column._replace(name=join_name(new.name, bare_name(column)))
    return None


def _rename_sequence(column: ObjectKey, old: str, new: str) -> str:
    return f"ALTER SEQUENCE {quote(column.namespace, old)} RENAME TO {quote(new)}"


def _rename_not_nulls(declared: Side, live: Side) -> Iterator[RepairStep]:
    """A column has one such constraint at most: PostgreSQL 18 keeps another name, and does not look at the rows."""
    named = _named_not_nulls(declared) ^ _named_not_nulls(live)
    for column in sorted(declared.unsaid.not_nulls.keys() & live.unsaid.not_nulls.keys()):
        old, new = (
            column._replace(
                kind="constraint", name=join_name(relation_key(column), side.unsaid.not_nulls[column])
            )
            for side in (live, declared)
        )
        if undone := tuple(sorted(named & {old, new})):
            yield RepairStep(sql=_rename(old, new), undoes=undone)


def _named_not_nulls(side: Side) -> set[ObjectKey]:
    return {key for key, facts in side.objects.items() if facts.get("type") == "not null"}


def _by_evidence(side: Side, keys: set[ObjectKey]) -> dict[Evidence, list[ObjectKey]]:
    found: dict[Evidence, list[ObjectKey]] = {}
    for key in sorted(keys):
        if key.kind in _KINDS and not _is_inside_one_of(key, keys):
            found.setdefault((key.kind, key.namespace, *_evidence(key, side)), []).append(key)
    return found


def _is_inside_one_of(key: ObjectKey, keys: set[ObjectKey]) -> bool:
    return key.kind in INSIDE_A_RELATION and any(
        ObjectKey(kind, key.namespace, relation_key(key)) in keys
        for kind in ("table", "view", "materialized-view")
    )


def _evidence(key: ObjectKey, side: Side) -> Evidence:
    """Everything of an object but its name."""
    facts = tuple(sorted((name, _without_name(fact, key)) for name, fact in side.objects[key].items()))
    if key.kind == "table":
        columns = (
            (column.name.rpartition(".")[2], tuple(sorted(of.items()))) for column, of in side.columns(key)
        )
        return facts, tuple(columns)
    if key.kind == "type":
        return facts, tuple(side.objects.get(key._replace(kind="base"), {}).items())
    if key.kind == "column":
        default = side.objects.get(ObjectKey("default", key.namespace, key.name), {})
        return relation_key(key), facts, tuple(default.items())
    if key.kind in ROUTINES:
        return key.name.partition("(")[2], facts
    return relation_key(key) if key.kind in INSIDE_A_RELATION else "", facts


def _without_name(fact: Fact, key: ObjectKey) -> str:
    text = repr(fact)
    if key.kind in ("index", "trigger", "function"):
        name = bare_name(key)
        return text.replace(quote(name), "?", 1) if quote(name) in text else text.replace(name, "?", 1)
    return text


def _stands_alike(old: ObjectKey, new: ObjectKey, declared: Side, live: Side) -> bool:
    if old.kind != "column":
        return True
    return _place(old, live) == _place(new, declared)


def _place(column: ObjectKey, side: Side) -> int:
    return side.column_order[column.namespace, relation_key(column)].index(bare_name(column))


def _rename(old: ObjectKey, new: ObjectKey) -> str:
    return f"{_alter(old)} RENAME {_part(old)}TO {own_name(new)}"


def _alter(key: ObjectKey) -> str:
    if key.kind in ("column", "constraint"):
        return f"ALTER TABLE {relation(key)}"
    return f"ALTER {address(key)}"


def _part(key: ObjectKey) -> str:
    return f"{key.kind.upper()} {own_name(key)} " if key.kind in ("column", "constraint") else ""
