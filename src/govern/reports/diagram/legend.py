"""What stands above a picture that is a file of its own: its title, and what the signs in it mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from govern.core.diagram import Diagram, Mark
from govern.core.wording import count_of
from govern.reports.diagram.box import MARK_SIGNS, text_width
from govern.reports.diagram.markup import write_text
from govern.reports.diagram.signs import KEY, STAR, draw_arrow, draw_bar, draw_foot

_SMALLEST = 15.0
_LARGEST = 60.0
"""The title's letters: a large picture is looked at from far away."""
_LINE = 22.0
_GAP = 26.0
_SIGN = 40.0
_NARROWEST = 560.0
_MARKS: tuple[Mark, ...] = ("added", "removed", "changed")
_MOST_BESIDE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend:
    """Elements from 0, 0 on, and the room that they take with what is left free below."""

    parts: tuple[str, ...] = ()
    width: float = 0.0
    height: float = 0.0


def make_legend(diagram: Diagram, title: str, *, least: float) -> Legend:
    """In lines as wide as the picture (``least``), or a little wider than a very small one."""
    size = min(max(_SMALLEST, least / 150), _LARGEST)
    widest = max(least, _NARROWEST, text_width(title) * size / 12)
    parts = [f'<text class="title" font-size="{size:.0f}" x="0" y="{size:.0f}">{write_text(title)}</text>']
    x, y = 0.0, size * 2 + _LINE / 2
    for sign, text in _find_items(diagram):
        width = (_SIGN if sign else 0.0) + text_width(text) + _GAP
        if x and x + width - _GAP > widest:
            x, y = 0.0, y + _LINE
        parts.append(
            f'<g transform="translate({x:.1f} {y:.1f})">{sign}'
            f'<text class="says" x="{_SIGN if sign else 0}" y="0">{write_text(text)}</text></g>'
        )
        x += width
    for text in _tell_beside(diagram):
        y += _LINE
        parts.append(f'<text class="says" x="0" y="{y:.1f}">{write_text(text)}</text>')
        widest = max(widest, text_width(text))
    return Legend(parts=tuple(parts), width=widest, height=y + _LINE)


def _find_items(diagram: Diagram) -> Iterator[tuple[str, str]]:
    """A sign, 34 wide, and what it means; of those that occur."""
    tables, links = diagram.tables.values(), diagram.links
    for mark in _MARKS if diagram.is_change else ():
        yield (
            f'<g class="table is-marked is-{mark}"><rect class="sheet" x="2" y="-8" width="28" height="16" rx="4"/>'
            f'<text class="sign" x="12" y="0">{MARK_SIGNS[mark]}</text></g>',
            mark,
        )
    if any(table.is_critical for table in tables):
        yield f'<path class="star" transform="translate(26 0)" d="{STAR}"/>', "critical table"
    if any(column.is_primary for table in tables for column in table.columns):
        yield f'<path class="key" transform="translate(26 0)" d="{KEY}"/>', "primary key"
    if any(column.is_optional for table in tables for column in table.columns):
        yield '<text class="ends" x="34" y="0">?</text>', "may be NULL"
    if any(not link.is_read for link in links):
        ends = f"{draw_foot((34, 0), -1, is_single=False)} {draw_bar((0, 0), 1)}"
        yield _draw_sample("", ends), "the rows at the fork refer to the row at the bar"
    if any(link.is_implied for link in links):
        yield _draw_sample("implied", ""), "as the manifest says, without a foreign key"
    if any(link.is_read for link in links):
        yield _draw_sample("reads", draw_arrow((34, 0), -1)), "leads to the view that reads it"


def _draw_sample(look: str, ends: str) -> str:
    return (
        f'<g class="{f"link {look}".rstrip()}"><path class="course" d="M0 0 H34"/>'
        + (f'<path class="end" d="{ends}"/>' if ends else "")
        + "</g>"
    )


def _tell_beside(diagram: Diagram) -> Iterator[str]:
    """What is different and stands in no table."""
    if diagram.is_change and not diagram.tables:
        yield "No table and no view is different."
    for text in diagram.beside[:_MOST_BESIDE]:
        yield f"besides: {text}"
    if (more := len(diagram.beside) - _MOST_BESIDE) > 0:
        yield f"and {count_of(more, 'other difference')}"
