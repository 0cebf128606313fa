"""Which database a branch of a program is for: ``if dialect.name == "sqlite": … else: …``.

A program for two databases has statements that only one of them takes, and names that stand for something else in
each. Such a file is read once for each database, without the branches that are not for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from govern.code.texts.building import Grammar
from govern.code.tree import Tree
from govern.core.code import SqlText

if TYPE_CHECKING:
    from ast_grep_py import SgNode

JUDGED = ("postgresql", "sqlite")
"""The databases that there may be a declared schema of."""
_WORDS = {
    "postgresql": r"postgres(?:ql)?|psycopg\w*|asyncpg",
    "sqlite": r"sqlite3?|aiosqlite",
    "mysql": r"mysql|mariadb",
    "sqlserver": r"mssql|sqlserver",
    "oracle": r"oracle",
    "cockroachdb": r"cockroach(?:db)?",
}
_ANY_WORD = re.compile("|".join(_WORDS.values()), re.IGNORECASE | re.ASCII)
_STEMS = (
    "postgres",
    "psycopg",
    "asyncpg",
    "sqlite",
    "mysql",
    "mariadb",
    "mssql",
    "sqlserver",
    "oracle",
    "cockroach",
)
"""One of them is in each of the words: most files have none, which is seen in a tenth of the time."""
_ASKED = r"""
    isinstance\s*\([^,()]+,\s*[\w.]*?(?:{0})\w*\s*\)
  | (?:\bis_?|\.is_?|\buses?_?|_is_)(?:{0})\b
  | (?:={{2,3}}|!={{1,2}}|\bis\b|\bin\b|\bcase\b)\s*[(\[]?\s*["'](?:{0})(?:\+\w+)?["']
  | ["'](?:{0})(?:\+\w+)?["']\s*(?:={{2,3}}|!={{1,2}}|in\b)
  | (?:startswith|startsWith|includes)\s*\(\s*["'](?:{0})
  | \b(?:Dialects?|Engines?|DatabaseType|Backend)\.(?:{0})\b
"""
_CONDITIONS = {
    engine: re.compile(_ASKED.format(words), re.IGNORECASE | re.VERBOSE) for engine, words in _WORDS.items()
}
_NAMES = {
    engine: re.compile(rf"(?:^|_)(?:{words})(?:_|$)|(?:^|[a-z])(?:{words.title()})", re.VERBOSE)
    for engine, words in _WORDS.items()
}
_NEGATED = re.compile(r"^[\s(]*(?:not\b|!)|!=|\bnot\s+in\b|\bis\s+not\b")
_LEAVING = frozenset({"return_statement", "raise_statement", "throw_statement", "continue_statement"})
_BLOCKS = frozenset({"block", "statement_block", "module", "program"})


@dataclass(frozen=True, slots=True)
class Branch:
    """A stretch of a file that is for one database, or for all but one."""

    engine: str
    is_for: bool
    begin: int
    end: int

    def shuts_out(self, engine: str) -> bool:
        return self.is_for != (self.engine == engine)

    def holds(self, at: int) -> bool:
        return self.begin <= at < self.end


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as one database meets it; ``engine``: nothing where the file makes no difference."""

    engine: str = ""
    shut: tuple[Branch, ...] = ()

    def has(self, node: SgNode) -> bool:
        """Whether the node stands in no branch that is for another database."""
        if not self.shut:
            return True
        at = node.range().start.index
        return not any(branch.holds(at) for branch in self.shut)

    def choose(self, node: SgNode) -> SgNode | None:
        """What a conditional expression is worth here; None where it does not ask for the database."""
        consequence, _, alternative = _parts(node)
        open_ones = [one for one in (consequence, alternative) if self.has(one)]
        return open_ones[0] if len(open_ones) == 1 else None


AS_IT_IS = Reading()


def find_readings(tree: Tree, grammar: Grammar) -> tuple[Reading, ...]:
    """The ways in which a file has to be read."""
    content = tree.root.text().lower()
    if not any(stem in content for stem in _STEMS):
        return (AS_IT_IS,)
    branches = (*_find_branches(tree, grammar), *_find_definitions(tree, grammar))
    if not branches:
        return (AS_IT_IS,)
    others = (branch.engine for branch in branches if branch.is_for)
    return tuple(
        Reading(engine, tuple(branch for branch in branches if branch.shuts_out(engine)))
        for engine in dict.fromkeys((*JUDGED, *others))
    )


def unite(read: Mapping[str, Sequence[SqlText]]) -> tuple[SqlText, ...]:
    """What was read for each database: for one of them is what the other one does not have."""
    [first, *others] = [read[engine] for engine in JUDGED if engine in read] or [*read.values()]
    shared = frozenset(first).intersection(*others)
    united: dict[SqlText, SqlText] = {}
    for engine, texts in read.items():
        for sql in texts:
            united.setdefault(sql, sql if sql in shared else replace(sql, engine=engine))
    return tuple(united.values())


def _find_branches(tree: Tree, grammar: Grammar) -> Iterator[Branch]:
    for node in tree.root.find_all(kind="if_statement"):
        yield from _read_if(node)
    for kind in grammar.choices:
        for node in tree.root.find_all(kind=kind):
            yield from _read_choice(node)


def _read_choice(node: SgNode) -> Iterator[Branch]:
    consequence, condition, alternative = _parts(node)
    yield from _branch(condition, [consequence], [alternative])


def _parts(choice: SgNode) -> tuple[SgNode, SgNode, SgNode]:
    """Consequence, condition and alternative: Python has the condition in the middle, JavaScript in front."""
    first, second, third = [one for one in choice.children() if one.is_named() and one.kind() != "comment"][
        :3
    ]
    return (first, second, third) if choice.kind() == "conditional_expression" else (second, first, third)


def _read_if(node: SgNode) -> Iterator[Branch]:
    """An ``elif`` is an alternative with a condition of its own."""
    condition, consequence = node.field("condition"), node.field("consequence")
    alternatives = list(node.field_children("alternative"))
    if condition is None or consequence is None:
        return
    if _ANY_WORD.search(condition.text()) is not None:
        rest = alternatives or ([] if not _leaves(consequence) else _after(node))
        yield from _branch(condition, [consequence], rest)
    for number, one in enumerate(alternatives):
        inner = one.field("condition")
        if inner is not None:
            yield from _branch(inner, [one.field("consequence")], alternatives[number + 1 :])


def _branch(
    condition: SgNode, consequence: list[SgNode | None], alternatives: list[SgNode | None] | list[SgNode]
) -> Iterator[Branch]:
    asked = condition.text()
    if _ANY_WORD.search(asked) is None:
        return
    engines = [engine for engine, pattern in _CONDITIONS.items() if pattern.search(asked)]
    if len(engines) != 1:
        return
    negated = _NEGATED.search(asked) is not None
    is_only_that = re.search(r"\b(?:and|or)\b|&&|\|\|", asked) is None
    is_needed = re.search(r"\bor\b|\|\|", asked) is None
    if is_needed:
        yield from _spans(consequence, engines[0], is_for=not negated)
    if is_only_that:
        yield from _spans(alternatives, engines[0], is_for=negated)


def _spans(nodes: list[SgNode | None] | list[SgNode], engine: str, *, is_for: bool) -> Iterator[Branch]:
    for node in nodes:
        if node is not None:
            span = node.range()
            yield Branch(engine, is_for, span.start.index, span.end.index)


def _leaves(block: SgNode) -> bool:
    """Whether what follows is not reached from it."""
    statements = [one for one in block.children() if one.is_named() and one.kind() != "comment"]
    return bool(statements) and statements[-1].kind() in _LEAVING


def _after(node: SgNode) -> list[SgNode]:
    parent = node.parent()
    return list(node.next_all()) if parent is not None and parent.kind() in _BLOCKS else []


def _find_definitions(tree: Tree, grammar: Grammar) -> Iterator[Branch]:
    """``def _search_sqlite(…)``, ``_upsert_postgres``: the name says it."""
    for kind in grammar.functions | grammar.classes:
        for node in tree.root.find_all(kind=kind):
            name = node.field("name")
            if name is None or _ANY_WORD.search(name.text()) is None:
                continue
            engines = [engine for engine, pattern in _NAMES.items() if pattern.search(name.text())]
            if len(engines) == 1:
                yield from _spans([node], engines[0], is_for=True)
