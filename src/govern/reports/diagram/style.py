"""How a diagram looks, by classes alone: a page serves this as a file, a picture of its own has it inside."""

STYLE = """\
.diagram {
  --d-paper: #ffffff; --d-ink: #1d2126; --d-faint: #565e68; --d-edge: #b9bfc6; --d-top: #f0f1ee; --d-line: #78818a;
  --d-healthy: #17683b; --d-warning: #855000; --d-critical: #ad2118; --d-missing: #ad2118; --d-unknown: #565e68;
  --d-warning-top: #fbf1de; --d-critical-top: #fbeae8; --d-focus: #1f54a8; --d-ground: #ffffff; --d-frame: #f7f7f5;
  --d-added: #17683b; --d-removed: #ad2118; --d-changed: #855000;
  --d-added-top: #e2f3e8; --d-removed-top: #fbeae8; --d-changed-top: #fbf1de;
  font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  .diagram {
    --d-paper: #1b1f23; --d-ink: #e5e7e9; --d-faint: #a7aeb6; --d-edge: #4a525a; --d-top: #23282d; --d-line: #878e97;
    --d-healthy: #79d19c; --d-warning: #efbd62; --d-critical: #ff9a90; --d-missing: #ff9a90; --d-unknown: #a7aeb6;
    --d-warning-top: #2a2112; --d-critical-top: #311a18; --d-focus: #8fb8f5; --d-ground: #121518; --d-frame: #171b1f;
    --d-added: #79d19c; --d-removed: #ff9a90; --d-changed: #efbd62;
    --d-added-top: #14291c; --d-removed-top: #311a18; --d-changed-top: #2a2112;
  }
}
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
@media print { .diagram { --d-paper: #ffffff; --d-ink: #000000; --d-faint: #333333; --d-line: #555555; } }
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
