"""Runs a program of the targets file: nobody reads what it complains of, which may have a secret in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from govern.errors import CouldNotCheck


def run_program(arguments: tuple[str, ...], folder: Path, *, seconds: float, name: str, failed: str) -> str:
    """What it prints. ``name`` is what errors call it, ``failed`` what they say where it ends otherwise than with 0.

    Raises CouldNotCheck where it cannot be run, fails, or takes longer than ``seconds``.
    """
    try:
        ended = subprocess.run(
            arguments,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = getattr(error, "strerror", None) or f"it took longer than {seconds:.0f} s"
        raise CouldNotCheck(f"{name} could not be run", why=why, next="run it by hand") from None
    if ended.returncode != 0:
        raise CouldNotCheck(
            failed, why=f"it ended with exit status {ended.returncode}", next="run it by hand"
        )
    return ended.stdout
