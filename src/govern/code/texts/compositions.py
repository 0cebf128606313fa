"""Calls that put SQL together: formats, ``join``, psycopg's ``sql`` module, helpers of JavaScript's ``sql`` tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.code.texts.formats import BINDINGS, BRACES, PERCENTS, PG_FORMAT, fill_fields, name_of_field
from govern.code.texts.text import Text, hole_at, join_texts, text_at

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from govern.code.texts.names import Names

_LISTS = frozenset({"list", "tuple", "array", "set"})
_COMPREHENSIONS = frozenset({"list_comprehension", "generator_expression", "parenthesized_expression"})
_STRINGS = frozenset({"string", "template_string", "concatenated_string"})
_OF_A_NAME = frozenset({"Identifier", "identifier", "ref", "table", "id", "quote_ident", "escapeIdentifier"})
"""Functions that make a name out of texts: of psycopg, slonik and Kysely, and ``escapeIdentifier`` of node-postgres."""
_OF_A_VALUE = frozenset({"Literal", "Placeholder", "lit", "val", "escapeLiteral", "placeholder"})
_TAGS = frozenset({"sql", "db", "tx", "trx", "this.sql", "this.db"})
"""Called as a function, the tag of postgres.js makes names, columns and rows."""
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    node: SgNode
    called: str
    """``sql.join`` of ``sql.join(parts)``."""
    receiver: SgNode | None
    given: Sequence[SgNode]

    @property
    def name(self) -> str:
        return self.called.rpartition(".")[2]

    @property
    def is_of_something(self) -> bool:
        return self.name != self.called


def compose(node: SgNode, names: Names, depth: int) -> Text | None:
    """The text that a call or a ``%`` makes; None where it is none of these."""
    if (left := node.field("left")) is not None:
        return _fill_percents(left, node.field("right"), names, depth)
    function, arguments = node.field("function"), node.field("arguments")
    if function is None or arguments is None:
        return None
    is_generator = arguments.kind() == "generator_expression"  # stands without brackets of its own
    parts = [arguments] if is_generator else arguments.named_children()
    given = [one for one in parts if one.kind() != "comment"]
    call = _Call(node=node, called=function.text(), receiver=function.field("object"), given=given)
    if (make := _MAKERS.get(call.name)) is not None:
        return make(call, names, depth)
    if call.called in ("pgTable", "pgView") and given:
        return names.build(given[0], depth + 1)
    if call.name in _OF_A_NAME and call.is_of_something and given:
        return _quote(node, given, names)
    if call.name in _OF_A_VALUE and call.is_of_something:
        return hole_at(node)
    return _help(node, given, names) if call.called in _TAGS and given else None


def _format(call: _Call, names: Names, depth: int) -> Text | None:
    """``"…{}…".format(…)``, also psycopg's; ``format("…%I…", …)`` of pg-format."""
    text = names.build(call.receiver, depth + 1) if call.receiver is not None else None
    if text is not None:
        return fill_fields(text, BRACES, _by_name_or_place(call.given, names, depth))
    text = names.build(call.given[0], depth + 1) if call.given else None
    if text is None or not re.search("%[IL]", text.content):
        return None

    def fill(field: str, number: int) -> Text | None:
        return _quote(call.node, call.given[number + 1 : number + 2], names) if field.endswith("I") else None

    return fill_fields(text, PG_FORMAT, fill)


def _raw(call: _Call, names: Names, depth: int) -> Text | None:
    """``knex.raw("… ?? …", ["users"])``; ``raw`` of others is given a text alone."""
    text = names.build(call.given[0], depth + 1) if call.given else None
    if text is None or "??" not in text.content or len(call.given) < 2:
        return text
    values = list(items_of(call.given[1], names) or ())

    def fill(field: str, number: int) -> Text | None:
        return _quote(call.node, values[number : number + 1], names) if field == "??" else None

    return fill_fields(text, BINDINGS, fill)


def _join(call: _Call, names: Names, depth: int) -> Text | None:
    """``", ".join(columns)`` and ``columns.join(", ")``, also of psycopg, slonik and Prisma."""
    if call.receiver is None or not call.given:
        return None
    separator = names.build(call.receiver, depth + 1)
    listed = call.given[0]
    if separator is None:
        is_static = call.receiver.text() in ("sql", "Prisma")
        separator = (
            names.build(call.given[-1], depth + 1)
            if not is_static or len(call.given) > 1
            else text_at(", ", call.node)
        )
        listed = call.given[0] if is_static else call.receiver
    texts = _texts_of(listed, names, depth)
    if separator is None or texts is None or not texts:
        return hole_at(call.node)
    parts: list[Text] = [texts[0]]
    for text in texts[1:]:
        parts += [separator, text]
    return join_texts(parts)


def _replace(call: _Call, names: Names, depth: int) -> Text | None:
    """``"… TABLE …".replace("TABLE", name)``."""
    text = names.build(call.receiver, depth + 1) if call.receiver is not None else None
    if text is None or len(call.given) < 2:
        return None
    old, new = (names.build(one, depth + 1) for one in call.given[:2])
    if old is None or not old.is_known or not old.content:
        return hole_at(call.node)
    return fill_fields(text, re.compile(re.escape(old.content)), lambda *_: new)


_MAKERS: Mapping[str, Callable[[_Call, Names, int], Text | None]] = {
    "format": _format,
    "join": _join,
    "raw": _raw,
    "replace": _replace,
    "replaceAll": _replace,
}


def _fill_percents(left: SgNode, right: SgNode | None, names: Names, depth: int) -> Text | None:
    text = names.build(left, depth + 1)
    if text is None or right is None:
        return None
    given = right.named_children() if right.kind() == "tuple" else [right]
    return fill_fields(text, PERCENTS, _by_name_or_place(given, names, depth))


def _by_name_or_place(given: Iterable[SgNode], names: Names, depth: int) -> Callable[[str, int], Text | None]:
    """What a format is given: the texts among its arguments, by their names and their places."""
    named: dict[str, SgNode] = {}
    placed: list[SgNode] = []
    for one in given:
        for pair in one.named_children() if one.kind() == "dictionary" else (one,):
            key, value = pair.field("name") or pair.field("key"), pair.field("value")
            if key is not None and value is not None and pair.kind() in ("keyword_argument", "pair"):
                named[key.text().strip("\"'")] = value
        if one.kind() != "keyword_argument":
            placed.append(one)

    def fill(field: str, number: int) -> Text | None:
        name = name_of_field(field)
        node = named.get(name) if name and not name.isdecimal() else None
        at = int(name) if name.isdecimal() else number
        if node is None and (not name or name.isdecimal()) and at < len(placed):
            node = placed[at]
        return names.build(node, depth + 1) if node is not None and node.kind() != "dictionary" else None

    return fill


def _texts_of(node: SgNode, names: Names, depth: int) -> list[Text] | None:
    """The texts of a list that is written out, as they are or mapped to names; None where one is not known."""
    if node.kind() in ("list_comprehension", "generator_expression"):
        return _comprehended(node, names)
    if (
        node.kind() == "call"
        and (function := node.field("function")) is not None
        and function.text() == "map"
    ):
        arguments = node.field("arguments")
        given = arguments.named_children() if arguments is not None else []
        is_named = len(given) == 2 and given[0].text().rpartition(".")[2] == "Identifier"
        items = items_of(given[1], names) if is_named else None
        return [_quote(one, [one], names) for one in items] if items is not None else None
    items = items_of(node, names)
    if items is None:
        return None
    texts = [names.build(one, depth + 1) for one in items]
    known = [text for text in texts if text is not None]
    return known if len(known) == len(texts) else None


def _comprehended(node: SgNode, names: Names) -> list[Text] | None:
    """``[sql.Identifier(name) for name in NAMES]``, ``[f"t.{name}" for name in NAMES]`` is not."""
    body = node.field("body")
    clause = next((one for one in node.children() if one.kind() == "for_in_clause"), None)
    over = clause.field("right") if clause is not None else None
    items = items_of(over, names) if over is not None else None
    function = body.field("function") if body is not None else None
    if items is None or function is None or function.text().rpartition(".")[2] != "Identifier":
        return None
    return [_quote(one, [one], names) for one in items]


def items_of(node: SgNode, names: Names) -> Sequence[SgNode] | None:
    """The parts of a list that is written out, here or where its name is given it."""
    node = names.value_of(node)
    while node.kind() == "as_expression" or (
        node.kind() == "parenthesized_expression" and node.named_children()
    ):
        node = node.named_children()[0]  # as const
    if node.kind() not in _LISTS:
        return None
    return [one for one in node.named_children() if one.kind() != "comment"]


def _quote(node: SgNode, given: Sequence[SgNode], names: Names) -> Text:
    """A name out of its parts, in quotes where it has to be; a hole where one of them is not known."""
    parts = [part for one in given for part in (items_of(one, names) or (one,))]
    texts = [names.build(part) for part in parts if part.kind() != "keyword_argument"]
    if not texts or not all(text is not None and text.is_known for text in texts):
        return hole_at(node)
    dotted = ".".join(text.content for text in texts if text is not None)
    return text_at(".".join(_quoted(part) for part in dotted.split(".")), parts[0])


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _help(node: SgNode, given: Sequence[SgNode], names: Names) -> Text | None:
    """``sql("users")``, ``sql(["id", "name"])`` and ``sql(row, "id", "name")`` of postgres.js, by what is before it."""
    before = _text_before(node)
    if before is None:
        return None
    if given[0].kind() in _STRINGS and len(given) == 1:
        return _quote(node, given, names)
    columns = _columns(given, names)
    if columns is None:
        return hole_at(node)
    if re.search(r"\bin\s*$", before, re.IGNORECASE):
        return text_at("(NULL)", node)
    if re.search(r"\b(?:insert\s+into\s+\S+|values)\s*$", before, re.IGNORECASE):
        values = ", ".join(["NULL"] * len(columns))
        names_of_them = (
            "" if before.rstrip().lower().endswith("values") else f"({', '.join(columns)}) VALUES "
        )
        return text_at(f"{names_of_them}({values})", node)
    if re.search(r"\bset\s*$", before, re.IGNORECASE):
        return text_at(", ".join(f"{column} = NULL" for column in columns), node)
    return text_at(", ".join(columns), node)


def _columns(given: Sequence[SgNode], names: Names) -> list[str] | None:
    """The names of columns that the helper is given: after the row, in a list, or as the keys of an object."""
    listed = given[1:] or given[:1]
    parts = [part for one in listed for part in (items_of(one, names) or (one,))]
    row = names.value_of(parts[0]) if len(parts) == 1 else parts[0] if parts else None
    if row is not None and row.kind() == "object":
        keys = [key_of(pair) for pair in row.named_children() if pair.kind() != "comment"]
        return [_quoted(key) for key in keys if key is not None] if None not in keys else None
    texts = [names.build(part) if part.kind() in _STRINGS else None for part in parts]
    return (
        [_quoted(text.content) for text in texts if text is not None] if texts and None not in texts else None
    )


def key_of(pair: SgNode) -> str | None:
    """The name of an object's property; None where that is computed, or spread out of another object."""
    if pair.kind() == "shorthand_property_identifier":
        return pair.text()
    key = pair.field("key") if pair.kind() == "pair" else None
    if key is None or key.kind() == "computed_property_name":
        return None
    return key.text().strip("\"'")


def _text_before(node: SgNode) -> str | None:
    """What a template says right before the braces that the call stands in; None where it stands in none."""
    braces = node.parent()
    if braces is None or braces.kind() != "template_substitution":
        return None
    previous = braces.prev()
    return previous.text() if previous is not None and previous.kind() == "string_fragment" else ""
