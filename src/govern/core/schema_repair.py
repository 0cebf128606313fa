"""Repairs of the schema that have a name: what one would do, in which stages, and what is kept of the schema before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from govern.core.restoration import Place, name_place
from govern.core.snapshot import Facts, ObjectKey
from govern.core.wording import count_of

if TYPE_CHECKING:
    from govern.core.hazard import Hazard

SchemaRepairKind = Literal[
    "convert_type",
    "add_foreign_key",
    "create_index_concurrently",
    "rebuild_invalid_index",
    "recreate_missing",
]
SCHEMA_KINDS: frozenset[str] = frozenset(get_args(SchemaRepairKind))
"""Kinds of the manifest's repairs that change definitions; all others change rows."""
REBUILD_KIND = "rebuild_invalid_index"
"""The one that leaves every definition as it is: there is nothing to take back of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Statements that are committed together."""

    statements: tuple[str, ...]
    is_transaction: bool = True
    """False of a statement that commits by itself, and cannot be in a transaction."""
    why: str = ""
    """Why it is not one with the stage before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTable:
    """A table that a repair reads, or writes again, from end to end."""

    place: Place
    rows: int
    is_rewritten: bool = False
    columns: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    """Keys of rows that are in the way."""

    def to_json(self) -> dict[str, Any]:
        return {
            "table": name_place(self.place),
            "action": "rewrite" if self.is_rewritten else "read",
            "rows": self.rows,
            "columns": list(self.columns),
            "because": None,
            "keys": list(self.examples),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPlan:
    """What a repair of the schema would do now."""

    repair: str
    kind: str
    stages: tuple[Stage, ...] = ()
    undoes: tuple[str, ...] = ()
    """The differences that it takes away, a sentence each."""
    tables: tuple[WholeTable, ...] = ()
    locks: tuple[str, ...] = ()
    """What others wait for meanwhile: ``public.notes ACCESS EXCLUSIVE``."""
    hazards: tuple[Hazard, ...] = ()
    obstacles: tuple[str, ...] = ()
    """Why it cannot be applied."""
    notes: tuple[str, ...] = ()
    """What a person should know before."""
    allowed: tuple[str, ...] = ()
    """Hazards that the manifest lets this repair do, as it writes them."""

    def find_forbidden(self, allow: Collection[str]) -> tuple[Hazard, ...]:
        """The hazards that neither ``allow`` nor the manifest names."""
        return tuple(one for one in self.hazards if str(one) not in {*allow, *self.allowed})

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(statement for stage in self.stages for statement in stage.statements)

    @property
    def rows(self) -> int:
        """Rows that are written again."""
        return sum(table.rows for table in self.tables if table.is_rewritten)

    @property
    def is_empty(self) -> bool:
        return not self.stages

    def described(self) -> str:
        if self.obstacles:
            return f"cannot be applied: {'; '.join(self.obstacles)}"
        if self.is_empty:
            return "; ".join(("nothing to repair", *self.notes))
        stages = f" in {count_of(len(self.stages), 'stage')}" if len(self.stages) > 1 else ""
        rewritten = f"; {count_of(self.rows, 'row')} written again" if self.rows else ""
        return f"{count_of(len(self.statements), 'statement')}{stages}: {'; '.join(self.undoes)}{rewritten}"

    def to_json(self) -> dict[str, Any]:
        return {
            "repair": self.repair,
            "kind": self.kind,
            "rows": self.rows,
            "tables": [table.to_json() for table in self.tables],
            "statements": list(self.statements),
            "hazards": [str(hazard) for hazard in self.hazards],
            "allowed": [str(hazard) for hazard in self.hazards if str(hazard) in self.allowed],
            "obstacles": list(self.obstacles),
            "undoes": list(self.undoes),
            "notes": [*(stage.why for stage in self.stages if stage.why), *self.notes],
            "locks": list(self.locks),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptValues:
    """The values that a column had before it was converted, and where they are."""

    place: Place
    column: str
    type: str
    """As it was, in the engine's words."""
    key: tuple[str, ...]
    number: int
    """Of the table with the copies, among those of the run."""

    def to_json(self) -> dict[str, Any]:
        return {
            "place": list(self.place),
            "column": self.column,
            "type": self.type,
            "key": list(self.key),
            "number": self.number,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> KeptValues:
        namespace, table = value["place"]
        return cls(
            place=(namespace, table),
            column=value["column"],
            type=value["type"],
            key=tuple(value["key"]),
            number=value["number"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """What a run did to definitions. The whole schema before is kept beside it, as the engine dumps it."""

    changed: Mapping[ObjectKey, Facts | None] = field(default_factory=dict)
    """Every object that is another since, with its facts right after the run; None: it is gone."""
    values: tuple[KeptValues, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "changed": [
                [*key, None if facts is None else dict(facts)] for key, facts in sorted(self.changed.items())
            ],
            "values": [one.to_json() for one in self.values],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Definitions:
        return cls(
            changed={
                ObjectKey(kind, namespace, name): None if facts is None else _facts(facts)
                for kind, namespace, name, facts in value["changed"]
            },
            values=tuple(map(KeptValues.from_json, value["values"])),
        )


def _facts(value: Mapping[str, Any]) -> Facts:
    return {name: tuple(fact) if isinstance(fact, list) else fact for name, fact in value.items()}
