"""The statements that carry out what was decided, object by object; in no order yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from govern.core.snapshot import ObjectKey
from govern.database.postgresql.repair.attachments import is_named_part, takes_what_there_is
from govern.database.postgresql.repair.containment import container, owners_of
from govern.database.postgresql.repair.decisions import Decisions, has_statements
from govern.database.postgresql.repair.kinds import KINDS, RANKS
from govern.database.postgresql.repair.ordering import Rank
from govern.database.postgresql.repair.parts import wholes_of
from govern.database.postgresql.repair.replacement import replace_type

Verb = Literal["drop", "alter", "create"]
_PHASES: dict[Verb, int] = {"drop": 0, "alter": 1, "create": 1}
References = dict[ObjectKey | None, list[ObjectKey | None]]
"""Table → the other tables that it refers to."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done with one object."""

    verb: Verb
    key: ObjectKey
    statements: tuple[str, ...]

    @property
    def rank(self) -> Rank:
        """Where it comes when nothing else says so."""
        rank = RANKS.get(self.key.kind, len(RANKS))
        return _PHASES[self.verb], -rank if self.verb == "drop" else rank, str(self.key)


def find_operations(decided: Decisions) -> list[Operation]:
    """Objects of a kind that has no statements are passed over."""
    return [*_drops(decided), *_alters(decided), *_creates(decided)]


def _drops(decided: Decisions) -> Iterator[Operation]:
    references = _find_references(decided)
    for key in decided.gone:
        if not decided.goes_with_another(key) or _holds_two_tables_together(decided, key, references):
            yield Operation("drop", key, KINDS[key.kind].drop(key, decided.live.objects[key], decided.live))


def _holds_two_tables_together(decided: Decisions, key: ObjectKey, references: References) -> bool:
    """A foreign key to a table that goes too, and that in the end refers back."""
    if decided.live.objects[key].get("type") != "foreign key":
        return False
    table = container(key, decided.live)
    waiting, seen = [table], set[ObjectKey | None]()
    while waiting:
        for other in references.get(waiting.pop(), ()):
            if other == table:
                return True
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return False


def _find_references(decided: Decisions) -> References:
    """Table → the other tables that it refers to, of those that go."""
    found: References = {}
    for user, needed in decided.live.edges:
        if decided.live.objects.get(user, {}).get("type") == "foreign key":
            table = container(user, decided.live)
            other = needed if needed.kind == "table" else container(needed, decided.live)
            if table != other and table in decided.gone and other in decided.gone:
                found.setdefault(table, []).append(other)
    return found


def _alters(decided: Decisions) -> Iterator[Operation]:
    for key, statements in decided.altered.items():
        if key not in decided.gone:
            yield Operation("alter", key, statements)
    for key, columns in decided.replaced.items():
        yield Operation("alter", key, tuple(replace_type(key, columns, decided.declared, decided.live)))


def _creates(decided: Decisions) -> Iterator[Operation]:
    staying = decided.live.objects.keys() - decided.gone.keys()
    missing = {
        key
        for key in decided.declared.objects.keys() - staying
        if has_statements(key, decided.declared, decided.live)
    }
    for key in missing:
        if not _comes_with_another(decided, key, missing):
            statements = KINDS[key.kind].create(key, decided.declared.objects[key], decided.declared)
            yield Operation("create", key, statements)


def _comes_with_another(decided: Decisions, key: ObjectKey, missing: set[ObjectKey]) -> bool:
    """A new table brings its columns, a new column its default."""
    if key.kind == "default":
        column = ObjectKey("column", key.namespace, key.name)
        return column in missing or _comes_with_another(decided, column, missing)
    if key.kind in ("attached", "index", "constraint"):
        return _comes_with_a_partition(decided, key, missing)
    return key.kind == "column" and any(owner in missing for owner in owners_of(key))


def _comes_with_a_partition(decided: Decisions, key: ObjectKey, missing: set[ObjectKey]) -> bool:
    """A part of a partitioned index that stays, of a new partition: its name is seen to in another round.

    A new partitioned index takes to itself what it finds in the partitions.
    """
    part = next((whole for whole in (*wholes_of(key), key) if whole in decided.declared.index_parts), None)
    if part is None or not is_named_part(part, decided.declared):
        return False
    whole = decided.declared.index_parts[part].whole
    if whole in missing:
        return key.kind == "attached" and takes_what_there_is(whole, decided.declared)
    return decided.is_moved(part)
