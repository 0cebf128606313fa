"""What a benchmark has measured: printed for who runs it, and kept as JSON lines, of which ``page.py`` makes a page."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from processes import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One program at one case of one benchmark; medians of runs that were interleaved with all others of the case."""

    benchmark: str
    case: str
    size: int | None
    """Of a case that there is in several sizes."""
    program: str
    is_ours: bool
    runs: int
    seconds: float
    processor_seconds: float | None
    """None where it was not a process of its own."""
    megabytes: float | None
    """The most memory that it had at a time."""
    ratio: float
    """How many times ours it takes, run by run."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What it did, where that is the question; the first is of how many: ``{"changes": 131, "seen": 92}``."""

    def share(self, name: str) -> float:
        """Of what was counted, of how many it was counted."""
        return self.counts[name] / next(iter(self.counts.values()))


class Measured:
    """The lines of one run of a benchmark."""

    def __init__(self, benchmark: str, file: Path | None) -> None:
        self._benchmark = benchmark
        self._file = file

    def tell(
        self,
        case: str,
        runs: Mapping[str, Sequence[Run | float]],
        *,
        size: int | None = None,
        counts: Mapping[str, Mapping[str, int]] | None = None,
    ) -> Mapping[str, Line]:
        """By program, ours first; one that was not a process of its own is given by its seconds."""
        lines = {line.program: line for line in self._summarise(case, runs, size, counts or {})}
        for line in lines.values():
            print(_as_text(line), flush=True)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(asdict(line))}\n" for line in lines.values())
        return lines

    def _summarise(
        self,
        case: str,
        runs: Mapping[str, Sequence[Run | float]],
        size: int | None,
        counts: Mapping[str, Mapping[str, int]],
    ) -> Iterator[Line]:
        ours = next(iter(runs))
        for program, values in runs.items():
            processes = [run for run in values if isinstance(run, Run)]
            pairs = zip(map(_seconds, runs[ours]), map(_seconds, values), strict=True)
            yield Line(
                benchmark=self._benchmark,
                case=case,
                size=size,
                program=program,
                is_ours=program == ours or program.startswith("govern"),
                runs=len(values),
                seconds=_median(map(_seconds, values)),
                processor_seconds=_median(run.processor_seconds for run in processes) if processes else None,
                megabytes=_median(run.kilobytes / 1024 for run in processes) if processes else None,
                ratio=_median(theirs / mine for mine, theirs in pairs),
                counts=counts.get(program, {}),
            )


def read_lines(file: Path) -> tuple[Line, ...]:
    """Those of several runs one after the other; of what was measured twice the last."""
    found = (Line(**json.loads(text)) for text in file.read_text(encoding="utf-8").splitlines())
    return tuple({(line.benchmark, line.case, line.program): line for line in found}.values())


def add_file_option(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("--lines", type=Path, metavar="FILE", help="append what was measured there")


def _seconds(run: Run | float) -> float:
    return run.seconds if isinstance(run, Run) else run


def _median(values: Iterable[float]) -> float:
    """To four digits: what comes after them is noise."""
    return float(f"{statistics.median(values):.4g}")


def _as_text(line: Line) -> str:
    processor = f"{line.processor_seconds:7.2f} s of it" if line.processor_seconds is not None else " " * 15
    memory = f"{line.megabytes:6.0f} MB" if line.megabytes is not None else " " * 9
    counts = "".join(f"  {name} {count:,}" for name, count in line.counts.items())
    return f"    {line.program:<44} {line.seconds:8.3f} s {processor} {memory}   x {line.ratio:6.2f}{counts}"
