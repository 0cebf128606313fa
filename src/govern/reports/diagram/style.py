"""How a diagram looks, by classes alone: a page serves this as a file, a picture of its own has it inside."""

from __future__ import annotations

from collections.abc import Mapping

from govern.reports.palette import DARK, LIGHT, PRINTED, declare

LINE = "#78818a"
"""Between tables, by daylight."""
EDGE = "#b9bfc6"
"""Of a table, and of a cluster's frame."""
FRAME = "#f7f7f5"


def _name_colours(colours: Mapping[str, str], **own: str) -> str:
    """By names of its own: those of the page around a picture are others. ``own``: what only pictures have."""
    named = {
        "paper": colours["card"],
        "ink": colours["ink"],
        "faint": colours["soft"],
        "top": colours["code"],
        "focus": colours["link"],
        "healthy": colours["good"],
        "warning": colours["notice"],
        "warning-top": colours["notice-tint"],
        "critical": colours["bad"],
        "critical-top": colours["bad-tint"],
        "missing": colours["bad"],
        "unknown": colours["quiet"],
        "added": colours["good"],
        "added-top": colours["good-tint"],
        "removed": colours["bad"],
        "removed-top": colours["bad-tint"],
        "changed": colours["notice"],
        "changed-top": colours["notice-tint"],
    }
    return declare({f"d-{name}": colour for name, colour in (named | own).items()})


_COLOURS = f"""\
.diagram {{
  {_name_colours(LIGHT, line=LINE, edge=EDGE, ground="#ffffff", frame=FRAME)}
  font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  color-scheme: light dark;
}}
@media (prefers-color-scheme: dark) {{
  .diagram {{ {_name_colours(DARK, line="#878e97", edge="#4a525a", ground="#121518", frame="#171b1f")} }}
}}
@media print {{
  .diagram {{ {_name_colours(PRINTED, line="#555555", edge=EDGE, ground="#ffffff", frame=FRAME)} }}
}}
"""
_SHAPES = """\
.diagram text { fill: var(--d-ink); dominant-baseline: central; white-space: pre; }
.diagram .frame rect { fill: var(--d-frame); stroke: var(--d-edge); }
.diagram .frame text { font-size: 30px; font-weight: 600; }
.diagram .frame text, .diagram .says, .diagram .footer { fill: var(--d-faint); }
.diagram .ends { text-anchor: end; }
.diagram .sheet { fill: var(--d-paper); stroke: var(--d-edge); }
.diagram .top { fill: var(--d-top); }
.diagram .name { font-weight: 600; }
.diagram .is-critical .sheet { stroke: var(--d-ink); stroke-width: 2; }
.diagram .badge { fill: none; stroke: var(--d-unknown); stroke-width: 1.8; }
.diagram .badge { stroke-linecap: round; stroke-linejoin: round; }
.diagram .star { fill: var(--d-ink); stroke: none; }
.diagram .key { fill: none; stroke: var(--d-faint); stroke-width: 1.5; stroke-linecap: round; }
.diagram .healthy .state { stroke: var(--d-healthy); }
.diagram .warning .state { stroke: var(--d-warning); }
.diagram .critical .state { stroke: var(--d-critical); }
.diagram .missing .state { stroke: var(--d-missing); }
.diagram .warning .top { fill: var(--d-warning-top); }
.diagram .critical .top, .diagram .missing .top { fill: var(--d-critical-top); }
.diagram .critical .sheet, .diagram .missing .sheet { stroke: var(--d-critical); stroke-width: 2; }
.diagram .warning .sheet { stroke: var(--d-warning); }
.diagram .missing .sheet { stroke-dasharray: 6 4; }
.diagram .missing .name { text-decoration: line-through; }
.diagram .ground { fill: var(--d-ground); }
.diagram .title { font-weight: 600; }
.diagram .is-view > .sheet { stroke-dasharray: 1 3; stroke-linecap: round; stroke: var(--d-line); stroke-width: 1.5; }
.diagram .is-view > .name { font-style: italic; }
.diagram .is-added { --d-mark: var(--d-added); --d-mark-top: var(--d-added-top); }
.diagram .is-removed { --d-mark: var(--d-removed); --d-mark-top: var(--d-removed-top); }
.diagram .is-changed { --d-mark: var(--d-changed); --d-mark-top: var(--d-changed-top); }
.diagram .is-marked > .sheet { stroke: var(--d-mark); stroke-width: 2; }
.diagram .is-added > .sheet { stroke-width: 2.8; }
.diagram .is-removed > .sheet { stroke-dasharray: 7 4; }
.diagram .is-marked > .top, .diagram .row.is-marked > rect { fill: var(--d-mark-top); }
.diagram .is-marked > .sign, .diagram .is-marked > .name, .diagram .row.is-marked > text { fill: var(--d-mark); }
.diagram .sign { font-weight: 600; }
.diagram .is-removed > .name, .diagram .row.is-removed > text:not(.sign) { text-decoration: line-through; }
.diagram .link path { fill: none; stroke: var(--d-line); stroke-width: 1.3; }
.diagram .implied .course { stroke-dasharray: 5 4; }
.diagram .reads .course { stroke-dasharray: 1.5 4; stroke-linecap: round; stroke-width: 1.8; }
.diagram .link.is-marked path { stroke: var(--d-mark); stroke-width: 1.8; }
.diagram .link.is-added path { stroke-width: 2.6; }
.diagram .link.is-removed .course { stroke-dasharray: 8 3 2 3; }
.diagram .link .reach, .diagram .link.is-marked .reach { stroke: transparent; stroke-width: 9; }
.diagram .link:hover .course, .diagram .link:hover .end { stroke: var(--d-focus); stroke-width: 2.4; }
.diagram a:hover .sheet, .diagram a:focus-visible .sheet { stroke: var(--d-focus); stroke-width: 3; }
.diagram a:focus-visible { outline: none; }
.diagram a .name { text-decoration-thickness: from-font; }
.diagram a:hover .name { text-decoration: underline; }
@media (forced-colors: active) {
  .diagram {
    --d-paper: Canvas; --d-ground: Canvas; --d-frame: Canvas; --d-top: Canvas;
    --d-warning-top: Canvas; --d-critical-top: Canvas;
    --d-added-top: Canvas; --d-removed-top: Canvas; --d-changed-top: Canvas;
    --d-ink: CanvasText; --d-faint: CanvasText; --d-edge: CanvasText; --d-line: CanvasText;
    --d-healthy: CanvasText; --d-warning: CanvasText; --d-critical: CanvasText; --d-missing: CanvasText;
    --d-unknown: CanvasText; --d-added: CanvasText; --d-removed: CanvasText; --d-changed: CanvasText;
    --d-focus: Highlight;
  }
}
"""
STYLE = _COLOURS + _SHAPES
