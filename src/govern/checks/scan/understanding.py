"""Texts of SQL as statements that the schema has answered, with whatever stands in for their holes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from govern.checks.scan.placeholders import NAME_HOLE, Statement, split_statements
from govern.checks.scan.schema import Schema
from govern.core.code import SqlText
from govern.core.objection import Objection
from govern.core.reached import counted

_STAND_INS = (None, "", NAME_HOLE)
"""What is tried in place of holes, one after the other; a whole text has only the first."""

Answered = tuple[tuple[Statement, Objection | None], ...]
"""The statements of a text, each with what the schema has against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What came of trying."""

    each: Answered
    count: int
    """How many statements the text has, by all that is known."""
    is_only_read: bool
    """Whether the schema takes it with nothing in place of its holes: tables can be read out of it, no more."""


def understand(
    texts: Iterable[SqlText], schema: Schema, *, narrate: Callable[[str], None] = lambda _: None
) -> Mapping[str, Understood]:
    """By text. The schema is asked of many statements at a time, of each one once."""
    is_whole = {sql.text: sql.is_whole for sql in texts}
    understood: dict[str, Understood] = {}
    counts: dict[str, int] = {}
    for stand_in in _STAND_INS:
        left = [text for text in is_whole if text not in understood]
        shown = counted(left, narrate, "showing the schema what the files say", unit="text")
        for text, each in _try(shown, stand_in, schema).items():
            is_misunderstood = _is_misunderstood(each)
            counts.setdefault(text, max(1, len(each)))
            if is_whole[text] or not is_misunderstood:
                understood[text] = Understood(each=each, count=max(1, len(each)), is_only_read=False)
            elif stand_in == _STAND_INS[-1]:
                understood[text] = Understood(each=each, count=counts[text], is_only_read=True)
    return understood


def _try(texts: Iterable[str], stand_in: str | None, schema: Schema) -> Mapping[str, Answered]:
    statements: dict[str, tuple[Statement, ...]] = {}
    asked: dict[tuple[str, int], None] = {}

    def ask() -> Iterator[tuple[str, int]]:
        """Statements are made while the schema answers those before them."""
        for text in texts:
            statements[text] = tuple(split_statements(text, hole=stand_in))
            for one in statements[text]:
                question = one.sql, one.parameters
                if question not in asked:
                    asked[question] = None
                    yield question

    said = schema.judge(ask())
    answers = dict(zip(asked, said, strict=True))
    return {
        text: tuple((one, answers[one.sql, one.parameters]) for one in some)
        for text, some in statements.items()
    }


def _is_misunderstood(each: Answered) -> bool:
    return not each or any(
        objection is not None and (objection.kind == "syntax" or NAME_HOLE in objection.name)
        for _, objection in each
    )
