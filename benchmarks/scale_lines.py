"""What ``scale.py`` has measured: printed, and kept as JSON lines, of which ``scale_page.py`` makes a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from watched import Course, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One command at one size, once."""

    part: str
    case: str
    size: int
    used: Usage
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What only this part counts."""


class Lines:
    """Those of one run of the benchmark."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def note(self, part: str, case: str, size: int, course: Course, **facts: Any) -> Line:
        line = Line(part=part, case=case, size=size, used=course.used, facts=facts)
        print(_as_text(line), flush=True)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(asdict(line))}\n")
        return line


def read_lines(file: Path) -> tuple[Line, ...]:
    """Of what was measured twice the last."""
    values = (json.loads(text) for text in file.read_text(encoding="utf-8").splitlines())
    found = (Line(**{**value, "used": Usage(**value["used"])}) for value in values)
    return tuple({(line.part, line.case, line.size): line for line in found}.values())


def _as_text(line: Line) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in line.facts.items())
    used = line.used
    ended = "out of time" if used.is_out_of_time else f"exit {used.exit_code}"
    took = (
        f"{used.seconds:8.2f} s  {used.processor_seconds:7.2f} s of it, server {used.server_seconds:7.2f} s"
    )
    held = f"{used.megabytes:5.0f} MB, server {used.server_megabytes:5.0f} MB"
    return f"  {line.case:<44} {line.size:>7,} {took}  {held}  {ended}  {facts}"
