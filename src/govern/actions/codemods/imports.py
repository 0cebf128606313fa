"""Imports that nothing needs any more, once edits have taken away what they were for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from govern.actions.codemods.listing import Span, remove_items, whole_lines, with_blank_lines
from govern.code.programs.calls import Project
from govern.code.programs.program import Expression
from govern.code.sources import Source
from govern.core.edit import Edit, apply_edits

_DECLARING = ("const", "let", "var")


def clean_imports(source: Source, edits: Collection[Edit], project: Project) -> Iterator[Edit]:
    """Without the names that were imported only for what the edits take away."""
    blanks = tuple(_blank_imports(source))
    others = [edit for edit in edits if not any(_touch(edit, blank) for blank in blanks)]
    without = apply_edits(source.text, (*others, *blanks))
    removed = " ".join(source.text[edit.begin : edit.end] for edit in others)
    for statement in _find_imports(source):
        needless = [
            imported
            for imported in statement.parts
            if imported.parts
            and _names(imported.parts[0].name, removed)
            and not _names(imported.parts[0].name, without)
            and not project.is_handed_on(source.path, imported.parts[0].name)
        ]
        if needless:
            yield from drop_imported(source, statement, needless) or ()


def drop_imported(
    source: Source, statement: Expression, needless: Collection[Expression]
) -> tuple[Edit, ...] | None:
    """An import or export without some of its names; None where that cannot be done line by line."""
    if len(needless) == len(statement.parts):
        if not any(statement is one for one in source.root.parts):
            return None
        line = whole_lines(source.text, statement.begin, statement.end, before=_DECLARING)
        if line is None:
            return None
        opens_file = not source.text[: line.begin].strip()
        return (with_blank_lines(source.text, line) if opens_file else line,)
    spans = [_span(one) for one in statement.parts]
    removed = {_span(one) for one in needless}
    braces = [span for span in spans if _is_in_braces(source.text, statement, span)]
    if braces and set(braces) == removed and len(braces) < len(spans):
        before = max(span[1] for span in spans if span not in removed)
        return (Edit(before, source.text.index("}", braces[-1][1]) + 1),)
    if not removed <= set(braces or spans):
        return None
    return tuple(remove_items(braces or spans, removed))


def _find_imports(source: Source) -> Iterator[Expression]:
    for one in source.root.walk():
        if one.kind == "import":
            yield one


def _blank_imports(source: Source) -> Iterator[Edit]:
    """The text without its imports, in which names are used or not."""
    taken = 0
    for one in _find_imports(source):
        if one.begin >= taken:
            taken = one.end
            yield Edit(one.begin, one.end)


def _touch(one: Edit, other: Edit) -> bool:
    return one.begin < other.end and other.begin < one.end


def _names(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text) is not None


def _span(one: Expression) -> Span:
    return one.begin, one.end


def _is_in_braces(text: str, statement: Expression, span: Span) -> bool:
    return "{" in text[statement.begin : span[0]]
