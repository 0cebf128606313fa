"""Items taken out of lists in a text: names of an import, of ``__all__``, of what is exported."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from govern.core.edit import Edit

Span = tuple[int, int]


def remove_items(items: Sequence[Span], removed: Collection[Span]) -> Iterator[Edit]:
    """Of a list in its order, with the commas between; at least one stays."""
    kept = [number for number, item in enumerate(items) if item not in removed]
    for number, (begin, _) in enumerate(items):
        if items[number] in removed and any(other > number for other in kept):
            yield Edit(begin, items[number + 1][0])
    if kept and kept[-1] < len(items) - 1:
        yield Edit(items[kept[-1]][1], items[-1][1])


def whole_lines(text: str, begin: int, end: int, *, before: tuple[str, ...] = ()) -> Edit | None:
    """The lines of a statement that has them for itself; None where something else stands on them.

    ``before``: words that may stand in front of it, as ``const``.
    """
    first = text.rfind("\n", 0, begin) + 1
    last = text.find("\n", end)
    last = len(text) if last < 0 else last + 1
    if text[first:begin].strip() not in ("", *before) or text[end:last].strip() not in ("", ";"):
        return None
    return Edit(first, last)


def with_blank_lines(text: str, edit: Edit) -> Edit:
    """Together with the blank lines behind it; at the end of a file with those before."""
    end = edit.end
    while end < len(text) and not text[end : _line_end(text, end)].strip():
        end = _line_end(text, end)
    begin = edit.begin
    if end >= len(text):
        while begin > 0 and not text[_line_begin(text, begin) : begin].strip():
            begin = _line_begin(text, begin)
    return Edit(begin, end)


def with_comment_above(text: str, edit: Edit, comments: Collection[Span]) -> Edit:
    """Together with the comment right above it; what opens the file is the file's, unless it documents what follows."""
    begin = edit.begin
    while begin > 0:
        above = _line_begin(text, begin)
        line = text[above:begin]
        at = above + len(line) - len(line.lstrip())
        found = next(
            (one for one in comments if line.strip() and one[0] <= at + len(line.strip()) - 1 < one[1]), None
        )
        if found is None:
            break
        begin = text.rfind("\n", 0, found[0]) + 1
        if text[begin : found[0]].strip():
            return edit  # it stands behind something else
    is_documentation = text.lstrip().startswith("/**")
    return Edit(begin if begin > 0 or is_documentation else edit.begin, edit.end)


def _line_begin(text: str, begin: int) -> int:
    """Where the line before this one begins."""
    return text.rfind("\n", 0, begin - 1) + 1


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1
