"""In which order tables are filled: parents first, circles broken where a reference may be NULL at first."""

from __future__ import annotations

import pytest

from govern.core.table_shape import CircleOfTables, ForeignKey, TableShape, order_parents_first

Place = tuple[str, str]


def table(
    name: str, *parents: str, nullable: bool = False, deferrable: bool = False
) -> tuple[Place, TableShape]:
    """A table with a column for each of its parents."""
    columns = tuple(f"{parent}_id" for parent in parents)
    return ("", name), TableShape(
        place=("", name),
        columns=("id", *columns),
        nullable=frozenset(columns if nullable else ()),
        keys=(("id",),),
        foreign_keys=tuple(
            ForeignKey(
                name=column,
                columns=(column,),
                parent=("", parent),
                parent_columns=("id",),
                is_deferrable=deferrable,
            )
            for parent, column in zip(parents, columns, strict=True)
        ),
    )


def order(*tables: tuple[Place, TableShape]) -> tuple[list[str], list[str]]:
    """The names in order, and those of the tables that are filled in two passes."""
    ordered, postponed = order_parents_first(dict(tables))
    return [name for _, name in ordered], [name for _, name in postponed]


def test_parents_come_before_their_children() -> None:
    assert order(table("a", "b", "c"), table("b", "c"), table("c")) == (["c", "b", "a"], [])


def test_a_table_that_refers_to_itself_or_to_one_that_is_not_filled_waits_for_nobody() -> None:
    assert order(table("a", "a", "elsewhere")) == (["a"], [])


def test_a_circle_is_broken_at_a_reference_that_may_be_null_or_is_checked_late() -> None:
    assert order(table("a", "b"), table("b", "a", nullable=True)) == (["b", "a"], ["b"])
    assert order(table("a", "b"), table("b", "a", deferrable=True)) == (["b", "a"], [])
    ordered, postponed = order(
        table("a", "b", nullable=True), table("b", "a", "c"), table("c", "b", nullable=True)
    )
    assert set(ordered) == {"a", "b", "c"}
    assert postponed == ["a", "c"]


def test_a_circle_that_nothing_breaks_is_named() -> None:
    with pytest.raises(CircleOfTables) as raised:
        order(table("a", "b"), table("b", "c"), table("c", "a"), table("d", "a"))
    assert raised.value.tables == (("", "a"), ("", "b"), ("", "c"))
