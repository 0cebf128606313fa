"""A program's expressions and the few statements that tell where values come from, alike for all languages.

Small values without a parser's objects in them; offsets count characters of the file's text, without its BOM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from govern.core.code import SqlText

Kind = Literal[
    "name",
    "attribute",
    "item",
    "call",
    "keyword",
    "spread",
    "text",
    "template",
    "number",
    "null",
    "sequence",
    "mapping",
    "pair",
    "comparison",
    "choice",
    "unary",
    "wrapped",
    "comprehension",
    "function",
    "parameters",
    "parameter",
    "type",
    "class",
    "decorated",
    "bind",
    "loop",
    "return",
    "branch",
    "attempt",
    "raise",
    "block",
    "import",
    "imported",
    "export",
    "other",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expression:
    """One expression or statement.

    ``attribute``: [object], its name; ``item``: [object, index], the key where it is a constant; ``call``: [function,
    *arguments]; ``pair`` and ``keyword``: [value]; ``comparison``, named for its operator: [left, right]; ``choice``:
    [condition, then, else]; ``bind``: [target, value], without a value where nobody knows it; ``loop``: [target,
    iterable, *body]; ``comprehension``: [element, *loops]; ``function``: [parameters, *body]; ``parameter``: [type,
    default] as far as there are; ``branch``: [condition, *blocks]; ``attempt``: [body, *handlers]; ``decorated``:
    [*decorators, what]; ``import`` and ``export``, named for the module: [imported, each [its name here]].
    """

    kind: Kind
    begin: int
    end: int
    name: str = ""
    parts: tuple[Expression, ...] = ()
    sql: SqlText | None = None
    """Of a call: the SQL that it is given, or is a template of."""

    def walk(self) -> Iterator[Expression]:
        """Itself and all below, in the order of the text."""
        pending = [self]
        while pending:
            one = pending.pop()
            yield one
            pending.extend(reversed(one.parts))

    @property
    def arguments(self) -> tuple[Expression, ...]:
        """Of a call."""
        return self.parts[1:]

    def find_pair(self, name: str) -> Expression | None:
        """Of a mapping or a call: the value with this key."""
        named = (one.parts[0] for one in self.parts if one.kind in ("pair", "keyword") and one.name == name)
        return next(named, None)


def unwrap(expression: Expression) -> Expression:
    """What it is worth, without parentheses, ``await`` and assertions of types."""
    while expression.kind == "wrapped":
        [expression] = expression.parts
    return expression


NOTHING = Expression(kind="other", begin=0, end=0)
"""The program of a file that has none."""
