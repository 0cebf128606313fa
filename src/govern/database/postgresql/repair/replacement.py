"""Replaces a type that columns are made of, and keeps their rows: the old one steps aside until they are retyped."""

from __future__ import annotations

from collections.abc import Iterator

from govern.core.snapshot import ObjectKey
from govern.database.postgresql.repair.kinds import KINDS
from govern.database.postgresql.repair.names import address, quote
from govern.database.postgresql.repair.tables import retype_column
from govern.database.postgresql.repair.wanted import Side

REPLACEABLE = frozenset({"enum", "domain", "type", "collation"})
_SUFFIX = "_replaced"
_LONGEST_NAME = 63


def columns_of_type(key: ObjectKey, live: Side) -> tuple[ObjectKey, ...]:
    """The columns with values of a type or in a collation, but for those that only inherit it."""
    return tuple(
        user
        for user in live.needing.get(key, ())
        if user.kind == "column" and "type" in live.objects.get(user, {})
    )


def replace_type(key: ObjectKey, columns: tuple[ObjectKey, ...], declared: Side, live: Side) -> Iterator[str]:
    """Makes the declared type in the live one's place; values are cast by way of their text.

    The old type steps aside until nothing is made of it. A range cannot, as its constructors keep their
    names: its columns are texts for that while.
    """
    retyped = [(column, declared.objects.get(column, {})) for column in columns]
    retyped = [(column, facts) for column, facts in retyped if "type" in facts]
    create = KINDS[key.kind].create(key, declared.objects[key], declared)
    if "subtype" in live.objects[key]:
        yield from (retype_column(column, {"type": "text"}, "", live) for column, _ in retyped)
        yield f"DROP {address(key)}"
        yield from create
    else:
        aside = key._replace(name=key.name[: _LONGEST_NAME - len(_SUFFIX)] + _SUFFIX)
        yield f"ALTER {address(key)} RENAME TO {quote(aside.name)}"
        yield from create
    yield from (retype_column(column, facts, "", declared) for column, facts in retyped)
    if "subtype" not in live.objects[key]:
        yield f"DROP {address(aside)}"
