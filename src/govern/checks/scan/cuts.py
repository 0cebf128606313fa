"""A conversion taken out of its file's text: what stood in it stays, letter by letter."""

from __future__ import annotations

from dataclasses import dataclass

from govern.checks.scan.conversions import Conversion
from govern.checks.scan.verdicts import Finder
from govern.code.programs.calls import Program
from govern.code.programs.program import Expression, unwrap
from govern.code.sources import Source
from govern.core.edit import Edit

_ATOMS = frozenset({"name", "attribute", "item", "call"})
_HOLDERS = frozenset({"bind", "keyword", "pair", "return", "call", "sequence"})
"""In these, what is waited for or asserted needs no parentheses."""
_GO_ON = ("(", "[", "`")
"""What JavaScript takes for more of a statement that has no semicolon at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is to be written, or why nothing is."""

    edits: tuple[Edit, ...] = ()
    obstacle: str = ""


def cut_out(source: Source, program: Program, finder: Finder, conversion: Conversion) -> Cut:
    """The value in place of its conversion; nothing in place of ``user_id = int(user_id)``."""
    outer, value = conversion.outer, _innermost(finder, program, conversion)
    if any(_lies_between(comment, outer, value) for comment in source.comments):
        return Cut(obstacle="a comment stands in it")
    above = program.parents.get(outer)
    if above is not None and above.kind == "bind" and _gives_itself(above, value):
        return _remove_statement(source, program, above)
    text = source.text[value.begin : value.end]
    if "?." in text and conversion.nulls != "kept":
        return Cut(obstacle="it may be undefined")
    if text.startswith(_GO_ON) and _is_behind_open_end(source, program, outer):
        return Cut(obstacle="the line before would go on with it")
    if unwrap(value).kind not in _ATOMS:
        return Cut(obstacle="it is of more than one value")
    if value.kind == "wrapped" and not text.startswith("(") and not text.endswith("!"):
        holds = above is not None and above.kind in _HOLDERS
        text = text if holds else f"({text})"
    return Cut(edits=(Edit(outer.begin, outer.end, _keep_apart(source.text, outer, text)),))


def _innermost(finder: Finder, program: Program, conversion: Conversion) -> Expression:
    value = conversion.value
    while (inner := finder.conversions.find(program, unwrap(value))) is not None:
        value = inner.value
    return value


def _lies_between(comment: tuple[int, int], outer: Expression, value: Expression) -> bool:
    begin, end = comment
    return outer.begin <= begin < outer.end and not value.begin <= begin < end <= value.end


def _gives_itself(bind: Expression, value: Expression) -> bool:
    target, given = bind.parts[0], unwrap(value)
    return target.kind == "name" and given.kind == "name" and target.name == given.name


def _is_behind_open_end(source: Source, program: Program, outer: Expression) -> bool:
    """Whether a statement of JavaScript begins with it, and the one before has no semicolon."""
    first = outer
    while (above := program.parents.get(first)) is not None and above.kind != "block":
        if above.begin != outer.begin or above.kind == "function":
            return False
        first = above
    before = source.text[: outer.begin].rstrip()
    return source.language != "python" and before != "" and before[-1] not in ";{}"


def _remove_statement(source: Source, program: Program, bind: Expression) -> Cut:
    """The whole line, where it has nothing else and is not all that there is."""
    block = program.parents.get(bind)
    if block is None or block.kind != "block" or len(block.parts) < 2:
        return Cut(obstacle="nothing would be left where it stands")
    text = source.text
    begin = text.rfind("\n", 0, bind.begin) + 1
    end = text.find("\n", bind.end)
    end = len(text) if end < 0 else end + 1
    if text[begin : bind.begin].strip() or text[bind.end : end].strip() not in ("", ";"):
        return Cut(obstacle="something else stands on its line")
    return Cut(edits=(Edit(begin, end),))


def _keep_apart(text: str, outer: Expression, inner: str) -> str:
    """With a space where two words would become one: ``return+x``."""
    before, after = text[outer.begin - 1 : outer.begin], text[outer.end : outer.end + 1]
    left = " " if _is_of_word(before) and _is_of_word(inner[0]) else ""
    right = " " if _is_of_word(after) and _is_of_word(inner[-1]) else ""
    return f"{left}{inner}{right}"


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character in ("_", "$")
