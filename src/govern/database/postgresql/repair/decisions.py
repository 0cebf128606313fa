"""What is done with each object that differs: altered in place, replaced, or dropped and perhaps made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from govern.core.snapshot import Facts, ObjectKey, split_name
from govern.database.postgresql.repair.attachments import is_named_part
from govern.database.postgresql.repair.containment import container
from govern.database.postgresql.repair.foreign import has_secret
from govern.database.postgresql.repair.kinds import KINDS
from govern.database.postgresql.repair.names import relation_key
from govern.database.postgresql.repair.parts import wholes_of
from govern.database.postgresql.repair.replacement import REPLACEABLE, columns_of_type
from govern.database.postgresql.repair.wanted import Side

_HOLDS_DATA = frozenset({"table", "column", "sequence", "schema", "extension", "owned"})
"""Never dropped because something else is."""
_IN_THE_WAY_OF_A_RETYPING = frozenset(
    {"view", "materialized-view", "rule", "policy", "trigger", "function", "default", "publication", "column"}
)
"""The server refuses to retype what these need; indexes and constraints it makes anew by itself."""


@dataclass(slots=True)
class Decisions:
    """Of all objects of two schemas. ``decide`` fills them."""

    declared: Side
    live: Side
    undone: frozenset[ObjectKey]
    altered: dict[ObjectKey, tuple[str, ...]] = field(default_factory=dict)
    """The statements that do it."""
    replaced: dict[ObjectKey, tuple[ObjectKey, ...]] = field(default_factory=dict)
    """Types that are made anew, with the columns that keep their rows."""
    gone: dict[ObjectKey, frozenset[ObjectKey]] = field(default_factory=dict)
    """What does not stay as it is, and because of which changes."""

    def decide(self) -> None:
        """Sorts the changes: altered in place, replaced with their columns kept, or gone (and made anew)."""
        retyped: list[ObjectKey] = []
        for key in self.live.objects.keys() - self.declared.objects.keys():
            if has_statements(key, self.live, self.declared) and not self._becomes_inherited(key):
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
        if part is None or not is_named_part(part, self.live) or self.is_moved(part):
            return None
        whole = self.live.index_parts[part].whole
        return whole if whole in self.live.objects and not self.goes_with_another(part) else None

    def is_moved(self, key: ObjectKey) -> bool:
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
            if column in self.declared.conversions:
                self._take_away(column, cause, self._is_foreign_key)
        for key, cause in list(self.gone.items()):
            self._take_away(key, cause, _holds_no_data)

    def _is_foreign_key(self, key: ObjectKey) -> bool:
        """Of columns that become of another kind one after the other: in between, their types do not compare."""
        return self.live.objects.get(key, {}).get("type") == "foreign key"

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
        return "type" not in facts or container(column, self.live) in self.gone

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
            seen = container(seen, self.declared, self.live)
        return frozenset()

    def cause(self, key: ObjectKey) -> frozenset[ObjectKey]:
        """The changes because of which something is done with ``key``."""
        return self._original(key) | self.gone.get(key, frozenset())

    def goes_with_another(self, key: ObjectKey) -> bool:
        """Whether to drop what it is a part of drops it."""
        return any(whole in self.gone or self.goes_with_another(whole) for whole in self.wholes(key))

    def wholes(self, key: ObjectKey) -> Iterator[ObjectKey]:
        """What a live object goes with: what it is inside of, and the partitioned index it is a part of."""
        if (part := self.live.index_parts.get(key)) is not None:
            yield part.whole
        if (whole := container(key, self.live)) is not None:
            yield whole


def has_statements(key: ObjectKey, side: Side, other: Side) -> bool:
    """Whether there are some for its kind and, if that comes and goes with it, for what it is inside of."""
    if key.kind not in KINDS:
        return False
    whole = container(key, side)
    if whole is None or whole in other.objects:
        return True
    return whole not in side.objects or has_statements(whole, side, other)


def _holds_no_data(key: ObjectKey) -> bool:
    return key.kind not in _HOLDS_DATA
