"""Fails where a ratio has collapsed: for CI, whose machines differ in everything but in ratios.

Usage: python benchmarks/collapse.py LINES. Each floor is far below what is measured as a rule: it finds the work that
became twice as much, not the afternoon on which a neighbour was loud.
"""

from __future__ import annotations

import sys
from pathlib import Path

from measured import read_lines

FLOORS = {
    ("drift", "migra"): 1.4,
    ("drift", "alembic check"): 1.2,
    ("drift", "the limit: our queries alone"): 0.3,
    ("startup", "alembic current --check-heads"): 1.2,
    ("startup", "bare psycopg, version row"): 0.3,
    ("chain", "alembic history"): 0.9,
}
"""How many times govern's a peer must take at least, in the processor's time where that is known."""


def main() -> None:
    lines = read_lines(Path(sys.argv[1]))
    ours = {(line.benchmark, line.case): line for line in lines if line.is_ours}
    collapsed = []
    for line in lines:
        floor, mine = FLOORS.get((line.benchmark, line.program)), ours[line.benchmark, line.case]
        if floor is None or line.processor_seconds is None or not mine.processor_seconds:
            continue
        ratio = line.processor_seconds / mine.processor_seconds
        print(f"{line.benchmark}, {line.case}: {line.program} takes {ratio:.2f} x govern, at least {floor}")
        if ratio < floor:
            collapsed.append(f"{line.benchmark}, {line.case}: {line.program}")
    if not FLOORS.keys() <= {(line.benchmark, line.program) for line in lines}:
        sys.exit("not every floor was measured")
    sys.exit(f"collapsed: {'; '.join(collapsed)}" if collapsed else 0)


if __name__ == "__main__":
    main()
