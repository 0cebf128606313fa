"""What definitions say, read from the facts of a snapshot: both engines write them alike."""

from __future__ import annotations

import re

from govern.core.reference import Reference
from govern.core.snapshot import Facts, ObjectKey, split_name

_FOREIGN_KEY = re.compile(
    r"FOREIGN KEY \((.*?)\) REFERENCES (.*?) ?\(([^()]*)\)(.*)", re.DOTALL | re.IGNORECASE
)
_ON_DELETE = re.compile(r"ON DELETE (NO ACTION|RESTRICT|CASCADE|SET NULL|SET DEFAULT)", re.IGNORECASE)
_INDEXED = re.compile(r" USING \w+ \((.*?)\)(?: INCLUDE| WITH| WHERE| NULLS|$)", re.DOTALL)
_WHERE = re.compile(r"\) WHERE ", re.DOTALL)


def read_reference(key: ObjectKey, facts: Facts) -> Reference | None:
    """What a foreign key says; None where it is none, or names no columns of the parent."""
    found = _FOREIGN_KEY.match(str(facts.get("definition", "")))
    if found is None or facts.get("type") != "foreign key":
        return None
    parent = split_name(found[2].strip())
    action = _ON_DELETE.search(found[4])
    return Reference(
        child=(key.namespace, split_name(key.name)[0]),
        columns=_read_names(found[1]),
        parent=(parent[0] if len(parent) > 1 else key.namespace, parent[-1]),
        parent_columns=_read_names(found[3]),
        on_delete=action[1].lower() if action else "no action",
    )


def read_index_columns(facts: Facts) -> tuple[str, ...]:
    """The columns of an index, or expressions, in order."""
    columns = facts.get("columns")
    if isinstance(columns, tuple):
        return columns
    found = _INDEXED.search(str(facts.get("definition", "")))
    return _read_names(found[1]) if found else ()


def is_partial(facts: Facts) -> bool:
    """Whether an index is over some of the rows."""
    return bool(facts.get("where")) or _WHERE.search(str(facts.get("definition", ""))) is not None


def _read_names(listed: str) -> tuple[str, ...]:
    """Of an expression its text."""
    return tuple(
        (split_name(part.strip()) or (part.strip(),))[0] for part in listed.split(",") if part.strip()
    )
