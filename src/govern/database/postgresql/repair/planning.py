"""The statements that turn one schema into another, each with the objects it is there for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from govern.core.repair import RepairStep
from govern.core.snapshot import (
    ABOUT_AN_OBJECT,
    INSIDE_A_RELATION,
    RELATIONS,
    Facts,
    ObjectKey,
    join_name,
    split_name,
)
from govern.database.postgresql.repair.attachments import is_named_part, relation_of
from govern.database.postgresql.repair.foreign import has_secret
from govern.database.postgresql.repair.kinds import KINDS, RANKS, describe
from govern.database.postgresql.repair.names import bare_name, described, relation_key
from govern.database.postgresql.repair.ordering import Rank, put_in_order
from govern.database.postgresql.repair.parts import wholes_of
from govern.database.postgresql.repair.replacement import REPLACEABLE, columns_of_type, replace_type
from govern.database.postgresql.repair.wanted import Side

_ABOUT = ABOUT_AN_OBJECT | {"default-privileges"}
_HOLDS_DATA = frozenset({"table", "column", "sequence", "schema", "extension", "owned"})
"""Never dropped because something else is."""
_IN_THE_WAY_OF_A_RETYPING = frozenset(
    {"view", "materialized-view", "rule", "policy", "trigger", "function", "default", "publication", "column"}
)
"""The server refuses to retype what these need; indexes and constraints it makes anew by itself."""

Verb = Literal["drop", "alter", "create", "describe"]
_PHASES: dict[Verb, int] = {"drop": 0, "alter": 1, "create": 1, "describe": 2}


@dataclass(slots=True)
class _Operation:
    verb: Verb
    key: ObjectKey
    statements: tuple[str, ...]

    @property
    def rank(self) -> Rank:
        rank = RANKS.get(self.key.kind, len(RANKS))
        return _PHASES[self.verb], -rank if self.verb == "drop" else rank, str(self.key)


Group = tuple[RepairStep, ...]
"""Steps that make sense together only."""


def plan_steps(declared: Side, live: Side, undone: frozenset[ObjectKey]) -> tuple[Group, ...]:
    """All statements in order. ``undone`` are the changes' keys, one or more of which each step is there for.

    Objects of a kind that has no statements are passed over: what remains is for the proof to say.
    """
    return tuple(_Planner(declared, live, undone).steps())


@dataclass(slots=True)
class _Planner:
    declared: Side
    live: Side
    undone: frozenset[ObjectKey]
    altered: dict[ObjectKey, tuple[str, ...]] = field(default_factory=dict)
    replaced: dict[ObjectKey, tuple[ObjectKey, ...]] = field(default_factory=dict)
    gone: dict[ObjectKey, frozenset[ObjectKey]] = field(default_factory=dict)
    """What does not stay as it is, and because of which changes."""
    _references: dict[ObjectKey | None, list[ObjectKey | None]] = field(default_factory=dict)

    def steps(self) -> Iterator[Group]:
        self._decide()
        operations = [*self._drops(), *self._alters(), *self._creates()]
        for number in put_in_order([operation.rank for operation in operations], self._before(operations)):
            operation = operations[number]
            undoes = tuple(sorted(self._cause(operation.key)))
            yield tuple(RepairStep(sql=statement, undoes=undoes) for statement in operation.statements)
        yield from self._descriptions()

    # what to do with what

    def _decide(self) -> None:
        """Sorts the changes: altered in place, replaced with their columns kept, or gone (and made anew)."""
        retyped: list[ObjectKey] = []
        for key in self.live.objects.keys() - self.declared.objects.keys():
            if _has_statements(key, self.live, self.declared) and not self._becomes_inherited(key):
                self.gone[key] = self._original(key)
        for key in self.live.objects.keys() & self.declared.objects.keys():
            wanted, existing = self.declared.objects[key], self.live.objects[key]
            if wanted == existing or key.kind not in KINDS:
                continue
            statements = KINDS[key.kind].alter(key, wanted, existing, self.declared, self.live)
            if statements is not None:
                self.altered[key] = statements
                if key.kind == "column" and any(
                    wanted.get(f) != existing.get(f) for f in ("type", "collation")
                ):
                    retyped.append(key)
            elif key.kind in REPLACEABLE and (columns := columns_of_type(key, self.live)):
                self.replaced[key] = columns
                retyped += columns
            elif key.kind != "table":  # rows are not given up because a table is partitioned otherwise
                self.gone[key] = self._original(key)
        for key in list(self.gone):
            if (whole := self._whole_to_make_anew(key)) is not None:
                self.altered.pop(whole, None)
                self.gone[whole] = self._original(key)
        self._clear_the_way(retyped)

    def _whole_to_make_anew(self, key: ObjectKey) -> ObjectKey | None:
        """The partitioned index of a part that shall be none: it is no other way let go, while its table stays."""
        part = next((of for of in (*wholes_of(key), key) if of in self.live.index_parts), None)
        if part is None or not is_named_part(part, self.live) or self._is_moved(part):
            return None
        whole = self.live.index_parts[part].whole
        return whole if whole in self.live.objects and not self._goes_with_another(part) else None

    def _is_moved(self, key: ObjectKey) -> bool:
        """Whether the table that ``key`` is inside of becomes, or is no longer, a partition of another."""
        table = ObjectKey("table", key.namespace, relation_key(key))
        wanted, existing = (side.objects.get(table, {}) for side in (self.declared, self.live))
        return wanted.get("partition_of") != existing.get("partition_of")

    def _clear_the_way(self, retyped: list[ObjectKey]) -> None:
        for key in self.replaced:
            self._take_away(key, self._original(key), _holds_no_data)
        owners = {column: key for key, columns in self.replaced.items() for column in columns}
        for column in retyped:
            cause = self._original(owners.get(column, column))
            self._take_away(column, cause, lambda user: user.kind in _IN_THE_WAY_OF_A_RETYPING)
        for key, cause in list(self.gone.items()):
            self._take_away(key, cause, _holds_no_data)

    def _take_away(
        self, key: ObjectKey, cause: frozenset[ObjectKey], is_in_the_way: Callable[[ObjectKey], bool]
    ) -> None:
        """What needs ``key`` and is in the way, and whatever needs that, however far."""
        waiting, seen = [(key, is_in_the_way)], {key}
        while waiting:
            current, is_meant = waiting.pop()
            for user in self.live.needing.get(current, ()):
                facts = self.live.objects.get(user)
                if user in seen or (facts is not None and (user.kind not in KINDS or has_secret(facts))):
                    continue
                if user.kind == "column" and self._goes_or_is_inherited(user, facts or {}):
                    seen.add(user)
                    waiting.append((user, is_meant))
                elif self._is_computed(user) or (user.kind != "column" and is_meant(user)):
                    seen.add(user)
                    waiting.append((user, _holds_no_data))
                    if facts is not None:
                        self.altered.pop(user, None)
                        self.gone[user] = self.gone.get(user, frozenset()) | cause

    def _goes_or_is_inherited(self, column: ObjectKey, facts: Facts) -> bool:
        """Goes with its table, or is retyped with its parent's."""
        return "type" not in facts or _container(column, self.live) in self.gone

    def _becomes_inherited(self, key: ObjectKey) -> bool:
        """A column of a table that is to be a partition: the parent's, once it is attached."""
        if key.kind not in ("column", "default"):
            return False
        table = ObjectKey("table", key.namespace, split_name(key.name)[0])
        declared, live = (side.objects.get(table, {}) for side in (self.declared, self.live))
        return "partition_of" in declared and "partition_of" not in live

    def _is_computed(self, key: ObjectKey) -> bool:
        return key.kind == "column" and "generated" in self.live.objects.get(key, {})

    def _original(self, key: ObjectKey) -> frozenset[ObjectKey]:
        """The change that a key belongs to: its own, or that of what it is a part of."""
        seen: ObjectKey | None = key
        while seen is not None:
            if seen in self.undone:
                return frozenset({seen})
            seen = _container(seen, self.declared, self.live)
        return frozenset()

    def _cause(self, key: ObjectKey) -> frozenset[ObjectKey]:
        return self._original(key) | self.gone.get(key, frozenset())

    # operations

    def _drops(self) -> Iterator[_Operation]:
        self._references = self._find_references()
        for key in self.gone:
            if not self._goes_with_another(key) or self._holds_two_tables_together(key):
                yield _Operation("drop", key, KINDS[key.kind].drop(key, self.live.objects[key], self.live))

    def _goes_with_another(self, key: ObjectKey) -> bool:
        return any(whole in self.gone or self._goes_with_another(whole) for whole in self._wholes(key))

    def _wholes(self, key: ObjectKey) -> Iterator[ObjectKey]:
        """What a live object goes with: what it is inside of, and the partitioned index it is a part of."""
        if (part := self.live.index_parts.get(key)) is not None:
            yield part.whole
        if (container := _container(key, self.live)) is not None:
            yield container

    def _holds_two_tables_together(self, key: ObjectKey) -> bool:
        """A foreign key to a table that goes too, and that in the end refers back."""
        if self.live.objects[key].get("type") != "foreign key":
            return False
        table = _container(key, self.live)
        waiting, seen = [table], set[ObjectKey | None]()
        while waiting:
            for other in self._references.get(waiting.pop(), ()):
                if other == table:
                    return True
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return False

    def _find_references(self) -> dict[ObjectKey | None, list[ObjectKey | None]]:
        """Table → the other tables that it refers to, of those that go."""
        found: dict[ObjectKey | None, list[ObjectKey | None]] = {}
        for user, needed in self.live.edges:
            if self.live.objects.get(user, {}).get("type") == "foreign key":
                table = _container(user, self.live)
                other = needed if needed.kind == "table" else _container(needed, self.live)
                if table != other and table in self.gone and other in self.gone:
                    found.setdefault(table, []).append(other)
        return found

    def _alters(self) -> Iterator[_Operation]:
        for key, statements in self.altered.items():
            if key not in self.gone:
                yield _Operation("alter", key, statements)
        for key, columns in self.replaced.items():
            yield _Operation("alter", key, tuple(replace_type(key, columns, self.declared, self.live)))

    def _creates(self) -> Iterator[_Operation]:
        staying = self.live.objects.keys() - self.gone.keys()
        missing = {
            key
            for key in self.declared.objects.keys() - staying
            if _has_statements(key, self.declared, self.live)
        }
        for key in missing:
            if not self._comes_with_another(key, missing):
                statements = KINDS[key.kind].create(key, self.declared.objects[key], self.declared)
                yield _Operation("create", key, statements)

    def _comes_with_another(self, key: ObjectKey, missing: set[ObjectKey]) -> bool:
        """A new table brings its columns, a new column its default."""
        if key.kind == "default":
            column = ObjectKey("column", key.namespace, key.name)
            return column in missing or self._comes_with_another(column, missing)
        if key.kind in ("attached", "index", "constraint"):
            return self._comes_with_a_partition(key, missing)
        return key.kind == "column" and any(owner in missing for owner in _owners_of(key))

    def _comes_with_a_partition(self, key: ObjectKey, missing: set[ObjectKey]) -> bool:
        """A part of a partitioned index that stays, of a new partition: its name is seen to in another round.

        A new partitioned index takes to itself what it finds in the partitions.
        """
        part = next((whole for whole in (*wholes_of(key), key) if whole in self.declared.index_parts), None)
        if part is None or not is_named_part(part, self.declared):
            return False
        whole = self.declared.index_parts[part].whole
        if whole in missing:
            return key.kind == "attached" and self._takes_what_there_is(whole)
        return self._is_moved(part)

    def _takes_what_there_is(self, partitioned_index: ObjectKey) -> bool:
        """Not one that is created ON ONLY."""
        return self.declared.objects.get(partitioned_index, {}).get("valid") is not False

    # order

    def _before(self, operations: list[_Operation]) -> Iterator[tuple[int, int]]:
        drops = {o.key: n for n, o in enumerate(operations) if o.verb == "drop"}
        makes = {o.key: n for n, o in enumerate(operations) if o.verb in ("create", "alter")}
        alters = {o.key: n for n, o in enumerate(operations) if o.verb == "alter"}
        for user, needed in self.live.edges:
            if (first := self._dropper(user, drops)) is not None:
                for later in (self._dropper(needed, drops), alters.get(needed)):
                    if later is not None:
                        yield first, later
            if (first := alters.get(user)) is not None and (last := drops.get(needed)) is not None:
                yield first, last
        taken = self._taken_by_new_indexes(operations)
        reversed_edges = {(part, whole) for whole, part in taken}
        for user, needed in (*(self.declared.edges - reversed_edges), *taken):
            first_made, then_made = self._maker(needed, makes), self._maker(user, makes)
            if first_made is not None and then_made is not None:
                yield first_made, then_made
        for key, columns in self.replaced.items():
            yield from ((alters[key], alters[column]) for column in columns if column in alters)
        yield from self._names_made_free(operations, drops)
        yield from self._kept_apart(operations)

    def _taken_by_new_indexes(self, operations: list[_Operation]) -> set[tuple[ObjectKey, ObjectKey]]:
        """(partitioned index, part): what is there before a partitioned index becomes its part."""
        created = {o.key for o in operations if o.verb == "create"}
        parts = self.declared.index_parts
        taken = {
            part: of.whole
            for part, of in parts.items()
            if of.whole in created and self._takes_what_there_is(of.whole)
        }
        above = {
            (needed, part)
            for part in taken
            for needed in self.declared.needs.get(part, ())
            if needed in taken
        }
        return above | {(whole, part) for part, whole in taken.items()}

    def _kept_apart(self, operations: list[_Operation]) -> Iterator[tuple[int, int]]:
        """A new partitioned index would take to itself what is like it and shall stand beside its part."""
        created = {o.key: n for n, o in enumerate(operations) if o.verb == "create"}
        wholes: dict[tuple[str, str], list[int]] = {}
        for part, of in self.declared.index_parts.items():
            if of.whole in created:
                wholes.setdefault(relation_of(part), []).append(created[of.whole])
        for key, number in created.items():
            if key.kind in ("index", "constraint") and key not in self.declared.index_parts:
                yield from ((whole, number) for whole in wholes.get(relation_of(key), ()))

    def _maker(self, key: ObjectKey, makes: dict[ObjectKey, int]) -> int | None:
        """The operation that makes or alters a key, perhaps as a part of its table."""
        if (number := makes.get(key)) is not None:
            return number
        if key.kind == "default":
            return self._maker(ObjectKey("column", key.namespace, key.name), makes)
        if key.kind == "column" and key not in self.live.objects:
            return next((makes[owner] for owner in _owners_of(key) if owner in makes), None)
        return None

    def _dropper(self, key: ObjectKey, drops: dict[ObjectKey, int]) -> int | None:
        """The operation that drops a key, perhaps with what it is a part of."""
        if key not in self.gone:
            return None
        if (number := drops.get(key)) is not None:
            return number
        found = (self._dropper(whole, drops) for whole in self._wholes(key))
        return next((number for number in found if number is not None), None)

    def _names_made_free(
        self, operations: list[_Operation], drops: dict[ObjectKey, int]
    ) -> Iterator[tuple[int, int]]:
        """A name is free once what had it is dropped, whatever kind that was."""
        by_name: dict[tuple[str, str], list[int]] = {}
        for key, number in drops.items():
            by_name.setdefault((key.namespace, bare_name(key)), []).append(number)
        for number, operation in enumerate(operations):
            if operation.verb == "create":
                key = operation.key
                for first in by_name.get((key.namespace, bare_name(key)), ()):
                    yield first, number

    # what is said about objects

    def _descriptions(self) -> Iterator[Group]:
        declared = {key: facts for key, facts in self.declared.objects.items() if key.kind in _ABOUT}
        live = {
            key: facts
            for key, facts in self.live.objects.items()
            if key.kind in _ABOUT and not self._is_about_something_gone(key)
        }
        for key in sorted(declared.keys() | live.keys(), key=_order_of_description):
            wanted, existing = declared.get(key), live.get(key)
            if wanted == existing or (wanted is None and self._is_about_something_gone(key)):
                continue
            about = frozenset() if key.kind == "default-privileges" else self._cause(described(key))
            undoes = tuple(sorted(self._cause(key) | about))
            statements = describe(key, wanted, existing, self.declared, self.live)
            yield tuple(RepairStep(sql=statement, undoes=undoes) for statement in statements)

    def _is_about_something_gone(self, key: ObjectKey) -> bool:
        if key.kind == "default-privileges":
            return False
        target: ObjectKey | None = described(key)
        while target is not None:
            if target in self.gone:
                return True
            target = _container(target, self.live)
        return False


def _has_statements(key: ObjectKey, side: Side, other: Side) -> bool:
    """Whether there are some for its kind and, if that comes and goes with it, for what it is inside of."""
    if key.kind not in KINDS:
        return False
    container = _container(key, side)
    if container is None or container in other.objects:
        return True
    return container not in side.objects or _has_statements(container, side, other)


def _holds_no_data(key: ObjectKey) -> bool:
    return key.kind not in _HOLDS_DATA


def _order_of_description(key: ObjectKey) -> tuple[int, bool, ObjectKey]:
    """Tables before their columns: what is revoked of a table is revoked of its columns."""
    return RANKS[key.kind], key.name.startswith("column "), key


def _container(key: ObjectKey, *sides: Side) -> ObjectKey | None:
    """What ``key`` is a part or an inside of, and goes with."""
    if wholes := wholes_of(key):
        return next((whole for whole in wholes for side in sides if whole in side.objects), None)
    if key.kind in ABOUT_AN_OBJECT:
        return described(key)
    if key.kind == "sequence":
        return next((column for side in sides if (column := _owning_column(key, side)) is not None), None)
    if key.kind in INSIDE_A_RELATION:
        for side in sides:
            for owner in _owners_of(key):
                if owner in side.objects:
                    return owner
    return None


def _owners_of(key: ObjectKey) -> tuple[ObjectKey, ...]:
    return tuple(ObjectKey(kind, key.namespace, relation_key(key)) for kind in RELATIONS)


def _owning_column(sequence: ObjectKey, side: Side) -> ObjectKey | None:
    owned = side.objects.get(sequence._replace(kind="owned"))
    if owned is None:
        return None
    namespace, *names = split_name(str(owned["owned_by"]))
    return ObjectKey("column", namespace, join_name(*names))
