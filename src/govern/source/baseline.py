"""A drift baseline: the differences of an adopted database that are known, one a line, reviewed in git.

drift.column-changed 9f86d081884c public.users.age
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from govern.core.scope import Known
from govern.errors import ConfigurationError

if TYPE_CHECKING:
    from govern.core.changes import Change

_TITLE = (
    "# Differences that were there when this database was adopted, and that nobody has decided about yet.\n"
    "# Written by `govern drift --write-baseline`; a line that is taken out is a finding again.\n"
)
_LINE = re.compile(r"(?P<rule>drift\.[a-z-]+) (?P<digest>[0-9a-f]{12}) (?P<name>\S.*)")


def render_baseline(changes: Iterable[Change]) -> str:
    """The text of a baseline, sorted; the same changes give the same text."""
    lines = sorted(f"{known.rule} {known.digest} {known.name}\n" for known in map(Known.of, changes))
    return _TITLE + "".join(lines)


def read_baseline(path: Path) -> frozenset[Known]:
    """What a baseline file lists. Raises ConfigurationError with the line if it lists something else."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the baseline {path} cannot be read",
            why=str(error),
            next=f"govern drift --write-baseline {path}",
        ) from error
    known = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            raise ConfigurationError(
                f"{path}:{number}: the baseline cannot be read",
                why="a line is a rule, twelve hexadecimal digits and a name",
                next=f"take the line out, or write the file anew: govern drift --write-baseline {path}",
            )
        known.add(Known(found["rule"], found["name"], found["digest"]))
    return frozenset(known)
