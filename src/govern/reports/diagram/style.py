"""How a diagram looks, by classes alone: a page serves this as a file, a picture of its own has it inside."""

STYLE = """\
.diagram {
  --paper: #ffffff; --ink: #1f2933; --faint: #5b6775; --edge: #b6c0cc; --head: #eef2f6; --line: #7b8794;
  --healthy: #1a7f4b; --warning: #8f5a00; --critical: #b42318; --missing: #b42318; --unknown: #5b6775;
  --warning-head: #fdf1d8; --critical-head: #fde5e2; --focus: #0b62c4;
  font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  .diagram {
    --paper: #161b22; --ink: #e6edf3; --faint: #9aa7b4; --edge: #46525f; --head: #212933; --line: #8593a1;
    --healthy: #56d394; --warning: #e9b44c; --critical: #ff8a80; --missing: #ff8a80; --unknown: #9aa7b4;
    --warning-head: #3a2f16; --critical-head: #47201d; --focus: #79b8ff;
  }
}
.diagram text { fill: var(--ink); dominant-baseline: central; white-space: pre; }
.diagram .frame rect { fill: none; stroke: var(--edge); stroke-dasharray: 2 4; }
.diagram .frame text, .diagram .says, .diagram .footer { fill: var(--faint); }
.diagram .ends { text-anchor: end; }
.diagram .sheet { fill: var(--paper); stroke: var(--edge); }
.diagram .head { fill: var(--head); }
.diagram .name { font-weight: 600; }
.diagram .is-critical .sheet { stroke: var(--ink); stroke-width: 2; }
.diagram .sign { fill: none; stroke: var(--unknown); stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.diagram .star { fill: var(--ink); stroke: none; }
.diagram .key { fill: none; stroke: var(--faint); stroke-width: 1.5; stroke-linecap: round; }
.diagram .healthy .state { stroke: var(--healthy); }
.diagram .warning .state { stroke: var(--warning); }
.diagram .critical .state { stroke: var(--critical); }
.diagram .missing .state { stroke: var(--missing); }
.diagram .warning .head { fill: var(--warning-head); }
.diagram .critical .head, .diagram .missing .head { fill: var(--critical-head); }
.diagram .critical .sheet, .diagram .missing .sheet { stroke: var(--critical); stroke-width: 2; }
.diagram .warning .sheet { stroke: var(--warning); }
.diagram .missing .sheet { stroke-dasharray: 6 4; }
.diagram .missing .name { text-decoration: line-through; }
.diagram .line path { fill: none; stroke: var(--line); stroke-width: 1.3; }
.diagram .line .reach { stroke: transparent; stroke-width: 9; }
.diagram .implied .course { stroke-dasharray: 5 4; }
.diagram .line:hover .course, .diagram .line:hover .end { stroke: var(--focus); stroke-width: 2.4; }
.diagram a:hover .sheet, .diagram a:focus-visible .sheet { stroke: var(--focus); stroke-width: 3; }
.diagram a:focus-visible { outline: none; }
.diagram a .name { text-decoration-thickness: from-font; }
.diagram a:hover .name { text-decoration: underline; }
@media print { .diagram { --paper: #ffffff; --ink: #000000; --faint: #333333; --line: #555555; } }
@media (forced-colors: active) {
  .diagram .sheet, .diagram .head { fill: Canvas; stroke: CanvasText; }
  .diagram text { fill: CanvasText; }
  .diagram .sign, .diagram .line path { stroke: CanvasText; }
}
"""
