"""Repairs of rows: what is declared, what one would touch, and what of a done one can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from govern.core.hazard import Hazard, hazard_of
from govern.core.restoration import Place, name_place
from govern.core.schema_repair import REBUILD_KIND, Definitions
from govern.core.wording import count_of

if TYPE_CHECKING:
    from govern.core.reference import Reference
    from govern.core.rows import SequencePosition

SCHEMA_REPAIR = "schema"
"""The name of the repair that every project has: of what drifted."""
Action = Literal["delete", "update", "insert"]
_DONE: Mapping[Action, str] = {"delete": "deleted", "update": "set to NULL", "insert": "inserted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRepair:
    """A repair of the manifest in the words of one database: places and references in place of names."""

    name: str
    kind: str
    place: Place
    """The table whose rows are changed, first of all."""
    reference: Reference | None = None
    """Whose orphans."""
    columns: tuple[str, ...] = ()
    """Those that are set to NULL."""
    where: str | None = None
    select: str | None = None
    sequence: SequencePosition | None = None

    @property
    def action(self) -> Action:
        if self.kind == "insert_missing":
            return "insert"
        return "update" if self.kind == "set_null" else "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Rows of one table that one repair changes in one way."""

    place: Place
    action: Action
    rows: int
    columns: tuple[str, ...] = ()
    """Those that are set to NULL."""
    because: str | None = None
    """The reference that takes them along; None of the rows that the repair is about."""
    examples: tuple[str, ...] = ()
    """Some of their keys."""

    @property
    def described(self) -> str:
        """``3 rows of notes are deleted, for notes_user_id_fkey``."""
        verb = "is" if self.rows == 1 else "are"
        done = _DONE[self.action]
        if self.columns:
            done = (
                f"get NULL in {', '.join(self.columns)}"
                if self.rows != 1
                else f"gets NULL in {self.columns[0]}"
            )
            verb = ""
        because = f", for {self.because}" if self.because else ""
        return (
            " ".join(filter(None, (f"{count_of(self.rows, 'row')} of {name_place(self.place)}", verb, done)))
            + because
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "table": name_place(self.place),
            "action": self.action,
            "rows": self.rows,
            "columns": list(self.columns),
            "because": self.because,
            "keys": list(self.examples),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlan:
    """What a repair would do now."""

    repair: str
    kind: str
    touched: tuple[Touched, ...] = ()
    statements: tuple[str, ...] = ()
    triggers: tuple[tuple[Place, str], ...] = ()
    """Those of the team's own that fire."""
    obstacles: tuple[str, ...] = ()
    """Why it cannot be applied."""
    steps: int = 0
    """Of what is no row: a sequence that is to be moved."""
    allowed: tuple[str, ...] = ()
    """Hazards that the manifest lets this repair do, as it writes them."""

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.touched)

    @property
    def is_empty(self) -> bool:
        return not self.rows and not self.steps

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        """What a trigger does elsewhere is neither counted nor copied."""
        return tuple(hazard_of("fires-trigger", *place, trigger) for place, trigger in self.triggers)

    def find_forbidden(self, allow: Collection[str]) -> tuple[Hazard, ...]:
        """The hazards that neither ``allow`` nor the manifest names."""
        return tuple(one for one in self.hazards if str(one) not in {*allow, *self.allowed})

    @property
    def counts(self) -> Mapping[tuple[Place, Action], int]:
        counts: dict[tuple[Place, Action], int] = {}
        for one in self.touched:
            key = (one.place, one.action)
            counts[key] = counts.get(key, 0) + one.rows
        return {key: rows for key, rows in counts.items() if rows}

    def described(self) -> str:
        if self.obstacles:
            return f"cannot be applied: {'; '.join(self.obstacles)}"
        if self.is_empty:
            return "nothing to repair"
        if self.steps:
            return "; ".join(self.statements)
        return "; ".join(one.described for one in self.touched if one.rows)

    def to_json(self) -> dict[str, Any]:
        return {
            "repair": self.repair,
            "kind": self.kind,
            "rows": self.rows,
            "tables": [one.to_json() for one in self.touched if one.rows],
            "statements": list(self.statements),
            "hazards": [str(hazard) for hazard in self.hazards],
            "allowed": [str(hazard) for hazard in self.hazards if str(hazard) in self.allowed],
            "obstacles": list(self.obstacles),
            "undoes": [],
            "notes": [],
            "locks": [],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedTable:
    """Where the rows of one table that a run changed were copied to, and what the table was then."""

    place: Place
    number: int
    columns: tuple[tuple[str, str], ...]
    """Each with its type, as the engine writes it."""
    key: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "place": list(self.place),
            "number": self.number,
            "columns": [list(column) for column in self.columns],
            "key": list(self.key),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CopiedTable:
        namespace, table = value["place"]
        return cls(
            place=(namespace, table),
            number=value["number"],
            columns=tuple((name, kind) for name, kind in value["columns"]),
            key=tuple(value["key"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedSequence:
    """A sequence, the value it would have given next, and the one that it was made to give."""

    sequence: Place
    before: int
    after: int

    def to_json(self) -> dict[str, Any]:
        return {"sequence": list(self.sequence), "before": self.before, "after": self.after}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MovedSequence:
        namespace, name = value["sequence"]
        return cls(sequence=(namespace, name), before=value["before"], after=value["after"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """A run whose changes are kept, so that they can be taken back; one record in the database it was run on."""

    run: str
    repair: str
    kind: str
    made_at: datetime
    batches: int = 0
    """Each was committed by itself."""
    rows: int = 0
    planned: int = 0
    is_finished: bool = False
    tables: tuple[CopiedTable, ...] = ()
    orphans: Mapping[str, int] = field(default_factory=dict)
    """Of the copied rows, how many had no parent before, by reference."""
    moved: MovedSequence | None = None
    definitions: Definitions | None = None
    """Of a repair of the schema."""
    undone_by: str | None = None
    pruned_by: str | None = None
    """The run that removed what was kept, so that nothing can be taken back any more."""

    @property
    def has_way_back(self) -> bool:
        """Whether there is anything left to take back."""
        return not self.undone_by and not self.pruned_by and self.kind != REBUILD_KIND

    @property
    def state(self) -> str:
        if self.undone_by:
            return f"rolled back by {self.undone_by}"
        if self.pruned_by:
            return f"what it kept was removed by {self.pruned_by}"
        if self.kind == REBUILD_KIND:
            return "there is nothing to take back"
        if not self.is_finished:
            return f"broke off after {count_of(self.batches, 'stage' if self.definitions else 'batch')}"
        return "can be rolled back"

    def to_json(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "repair": self.repair,
            "kind": self.kind,
            "made_at": self.made_at.isoformat(),
            "batches": self.batches,
            "rows": self.rows,
            "planned": self.planned,
            "is_finished": self.is_finished,
            "tables": [table.to_json() for table in self.tables],
            "orphans": dict(self.orphans),
            "moved": self.moved.to_json() if self.moved else None,
            "definitions": self.definitions.to_json() if self.definitions else None,
            "undone_by": self.undone_by,
            "pruned_by": self.pruned_by,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Undoable:
        moved, definitions = value["moved"], value.get("definitions")  # older releases kept none
        return cls(
            run=value["run"],
            repair=value["repair"],
            kind=value["kind"],
            made_at=datetime.fromisoformat(value["made_at"]),
            batches=value["batches"],
            rows=value["rows"],
            planned=value["planned"],
            is_finished=value["is_finished"],
            tables=tuple(map(CopiedTable.from_json, value["tables"])),
            orphans=value["orphans"],
            moved=MovedSequence.from_json(moved) if moved else None,
            definitions=Definitions.from_json(definitions) if definitions else None,
            undone_by=value["undone_by"],
            pruned_by=value.get("pruned_by"),
        )
