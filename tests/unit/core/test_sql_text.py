"""A comma in a text is no comma, and a bracket in a name no bracket."""

from __future__ import annotations

import pytest

from govern.core.sql_text import quote_text, read_bracket, read_name, replace_word, split_list


@pytest.mark.parametrize(
    ("text", "inside", "rest"),
    [
        ("CHECK ((a > 0))", "(a > 0)", ""),
        ("CHECK ((a <> ')'::text)) NOT VALID", "(a <> ')'::text)", " NOT VALID"),
        ('"odd (" CHECK (VALUE > 0)', "VALUE > 0", ""),
        ("INDEX i ON t USING btree (lower(e), b) WHERE (c)", "lower(e), b", " WHERE (c)"),
        ("no bracket", "", ""),
        ("never (closed", "", ""),
    ],
)
def test_the_first_bracket_is_read_to_its_own_end(text: str, inside: str, rest: str) -> None:
    assert read_bracket(text) == (inside, rest)


def test_a_list_is_split_between_its_items_alone() -> None:
    text = """a, "b, c", lower(d, e), 'f, ''g' , ARRAY[1, 2]"""
    assert list(split_list(text)) == ["a", '"b, c"', "lower(d, e)", "'f, ''g'", "ARRAY[1, 2]"]
    assert list(split_list("")) == []


def test_a_word_is_replaced_where_it_is_one() -> None:
    text = """VALUE > 0 AND "VALUE" <> 'VALUE' AND MYVALUE = VALUE"""
    assert replace_word(text, "VALUE", "x") == """x > 0 AND "VALUE" <> 'VALUE' AND MYVALUE = x"""


@pytest.mark.parametrize(
    ("text", "name"),
    [("a", "a"), ('"a ""b"""', 'a "b"'), ("a DESC", None), ("lower(a)", None), ('"a"."b"', None), ("", None)],
)
def test_a_name_is_told_from_an_expression(text: str, name: str | None) -> None:
    assert read_name(text) == name


def test_a_text_is_quoted_as_sql_does() -> None:
    assert quote_text("it's") == "'it''s'"
