"""Tables of TOML files."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from govern.errors import ConfigurationError


def parse_toml(file: Path) -> dict[str, Any]:
    """Raises ConfigurationError with the line, OSError where it cannot be read."""
    try:
        return _parse(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file.name} is not valid TOML", why=str(error), next=f"correct {file}"
        ) from error


@functools.lru_cache(maxsize=8)
def _parse(text: str) -> dict[str, Any]:
    """One file is asked for its tables several times; nobody changes what was read."""
    return tomllib.loads(text)


def subtable(content: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The table of that name; empty where there is none, or something else."""
    for name in names:
        value = content.get(name)
        content = value if isinstance(value, dict) else {}
    return content
