"""What the manifest's repairs say: each kind what it needs, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from govern.core.finding import Severity
from govern.core.hazard import Hazard
from govern.core.row_repair import SCHEMA_REPAIR
from govern.core.schema_repair import SCHEMA_KINDS, SchemaRepairKind
from govern.source.manifest.values import ColumnName, Entry, SeverityLabel, TableName, Text

RowRepairKind = Literal["delete_orphans", "delete_where", "insert_missing", "set_null", "move_sequence"]
RepairKind = Literal[RowRepairKind, SchemaRepairKind]
OnDelete = Literal["no action", "restrict", "cascade", "set null", "set default"]
ObjectKind = Literal["table", "column", "index", "constraint", "trigger", "view", "function"]
_OBJECT = re.compile(rf"({'|'.join(get_args(ObjectKind))}) (\S.*)")
_COLUMN = re.compile(r"[^.]+\.[^.]+(\.[^.]+)?")
_REPAIR_KEYS: Mapping[str, tuple[frozenset[str], ...]] = {
    "delete_orphans": (frozenset({"of"}),),
    "delete_where": (frozenset({"table", "where"}),),
    "insert_missing": (frozenset({"table", "select"}),),
    "set_null": (frozenset({"of"}), frozenset({"column", "where"})),
    "move_sequence": (frozenset({"column"}),),
    "convert_type": (frozenset({"column", "to"}),),
    "add_foreign_key": (frozenset({"of"}),),
    "create_index_concurrently": (frozenset({"index"}), frozenset({"table", "columns"})),
    "rebuild_invalid_index": (frozenset({"index"}), frozenset()),
    "recreate_missing": (frozenset({"object"}), frozenset({"table"})),
}
"""What a repair of each kind says, beside what every one says."""
_MORE_KEYS: Mapping[str, frozenset[str]] = {
    "convert_type": frozenset({"using"}),
    "add_foreign_key": frozenset({"on_delete"}),
    "create_index_concurrently": frozenset({"unique"}),
}
"""What it may say, too."""
_ROW_KEYS = ("of", "table", "where", "select", "column")
_KEYS = (
    *_ROW_KEYS,
    "to",
    "using",
    "on_delete",
    "index",
    "columns",
    "unique",
    "object",
)


def _check_repair_name(name: str) -> str:
    if name == SCHEMA_REPAIR:
        message = f"is the name of the repair of drift; it must not be {SCHEMA_REPAIR!r}"
        raise ValueError(message)
    return name


def _check_of(text: str) -> str:
    sides = [side.strip() for side in text.split("->")]
    if len(sides) > 2 or (len(sides) == 2 and not all(_COLUMN.fullmatch(side) for side in sides)):
        message = "must be a foreign key's name, or written as child.column -> parent.column"
        raise ValueError(message)
    return text


def _check_hazard(text: str) -> str:
    try:
        hazard = Hazard.parse(text)
    except KeyError as error:
        message = f"names no hazard that there is: {error.args[0]!r}; write fires-trigger:table.trigger"
        raise ValueError(message) from None
    if not hazard.subject:
        message = f"must say what it may happen to, as {hazard.name}:table.trigger"
        raise ValueError(message)
    return text


def _check_object(text: str) -> str:
    if not _OBJECT.fullmatch(text):
        kinds = ", ".join(get_args(ObjectKind))
        message = f"must be a kind and a name, as 'index notes_user_id_idx'; kinds: {kinds}"
        raise ValueError(message)
    return text


class Repair(Entry):
    """A clean-up of rows, or of the schema, that somebody answers for."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$"), AfterValidator(_check_repair_name)]
    """As commands and the ledger call it."""
    kind: RepairKind
    """What it does; each kind has keys of its own."""
    of: Annotated[Text, AfterValidator(_check_of)] | None = None
    """Whose orphans: a foreign key's name, or ``notes.user_id -> users.id``."""
    table: TableName | None = None
    """Whose rows, or whose index or object."""
    where: Text | None = None
    """A condition in the database's SQL: which rows."""
    select: Text | None = None
    """A query that yields the rows that are missing; its columns' names say what is filled."""
    column: ColumnName | None = None
    """Set to NULL, filled by the sequence, or converted."""
    to: Text | None = None
    """The type that the column is declared with."""
    using: Text | None = None
    """An expression that converts the column's value; without it, a cast."""
    on_delete: OnDelete | None = None
    """What the foreign key is declared to do, where that is to be said here, too."""
    index: Text | None = None
    """Its name, with or without its table's."""
    columns: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Of the index, in order."""
    unique: bool | None = None
    """Whether the index is."""
    object: Annotated[Text, AfterValidator(_check_object)] | None = None
    """What is missing: a kind and a name."""
    severity: SeverityLabel = Severity.WARNING
    """How much it matters that it has something to do; the monitor fixes what is critical."""
    allow: tuple[Annotated[Text, AfterValidator(_check_hazard)], ...] = ()
    """Hazards that need no ``--allow`` when this repair is applied or rolled back: ``fires-trigger:notes.audit``."""
    reason: Text
    """Why these rows or this object may be changed."""
    owner: Text
    """Who answers for it."""

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Repair:
        said = {key for key in _KEYS if getattr(self, key) is not None}
        choices, more = _REPAIR_KEYS[self.kind], _MORE_KEYS.get(self.kind, frozenset())
        if not any(choice <= said <= choice | more for choice in choices):
            wanted = ", or ".join(
                " and ".join(key for key in _KEYS if key in choice) or "none" for choice in choices
            )
            also = f" ({', '.join(sorted(more))} if need be)" if more else ""
            keys = ", ".join(_KEYS if self.is_of_schema else _ROW_KEYS)
            message = f"is a {self.kind}: it must say {wanted}{also}, and nothing else of {keys}"
            raise ValueError(message)
        return self

    @property
    def is_of_schema(self) -> bool:
        """Whether it changes definitions, and not rows alone."""
        return self.kind in SCHEMA_KINDS

    @property
    def named_object(self) -> tuple[str, str] | None:
        """The kind and the name of the object that is missing."""
        found = _OBJECT.fullmatch(self.object or "")
        return (found[1], found[2].strip()) if found else None
