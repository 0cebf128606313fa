"""Writes text files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from govern.errors import NotPermitted


def write_text(path: Path, text: str) -> bool:
    """Replaces the file's content in one step; returns whether it changed. Raises NotPermitted."""
    try:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary = Path(file.name)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise NotPermitted(
            f"{path.name} could not be written", why=str(error), next=f"make {path.parent} writable"
        ) from error
    return True
