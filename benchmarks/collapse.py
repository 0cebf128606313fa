"""Fails where a ratio has collapsed: for CI, whose machines differ in everything but in ratios.

Usage: python benchmarks/collapse.py LINES [BEFORE]. Each peer's processor time over govern's in LINES is held against
what the page tells of the same case (BEFORE, benchmarks/measured.jsonl by default). Less than half of that is work
that became twice as much; anything above may be an afternoon on which a neighbour was loud.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from measured import Line, read_lines

BEFORE = Path(__file__).with_name("measured.jsonl")
LEFT = 0.5
"""The share of a ratio that has to be left of it."""
Place = tuple[str, str, str]
"""Benchmark, case, and a peer's name."""


def main() -> None:
    now = ratios(read_lines(Path(sys.argv[1])))
    before = ratios(read_lines(Path(sys.argv[2]) if len(sys.argv) > 2 else BEFORE))
    both = [place for place in now if place in before]
    for place in both:
        print(f"{name(place)} takes {now[place]:.2f} x govern, {before[place]:.2f} x before")
    if missing := {benchmark for benchmark, _, _ in now} - {benchmark for benchmark, _, _ in both}:
        sys.exit(f"nothing to compare with: {', '.join(sorted(missing))}")
    if not both:
        sys.exit("nothing was measured")
    collapsed = [place for place in both if now[place] < LEFT * before[place]]
    sys.exit(
        "\n".join(
            f"collapsed: {name(place)} takes {now[place]:.2f} x govern, at least {LEFT * before[place]:.2f} is asked"
            for place in collapsed
        )
        or 0
    )


def ratios(lines: tuple[Line, ...]) -> Mapping[Place, float]:
    """Of each peer that was a process of its own, as govern was."""
    ours = {(line.benchmark, line.case): line.processor_seconds for line in reversed(lines) if line.is_ours}
    return {
        (line.benchmark, line.case, line.program): line.processor_seconds / mine
        for line in lines
        if not line.is_ours and line.processor_seconds and (mine := ours.get((line.benchmark, line.case)))
    }


def name(place: Place) -> str:
    benchmark, case, program = place
    return f"{benchmark}, {case}: {program}"


if __name__ == "__main__":
    main()
