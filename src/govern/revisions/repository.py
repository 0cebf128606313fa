"""The git repository that a project is in: its references, and their files. Nothing is checked out."""

from __future__ import annotations

import subprocess
from pathlib import Path

from govern.errors import ConfigurationError, CouldNotCheck, ToolMissing

_SECONDS = 60.0


def read_file_at(root: Path, ref: str, path: Path) -> bytes | None:
    """The content of a file in a reference; None where it has no such file.

    Raises ConfigurationError where the project is in no repository or there is no such reference, ToolMissing
    where there is no git.
    """
    top = find_repository(root)
    commit = resolve_reference(top, ref)
    if not path.resolve().is_relative_to(top.resolve()):
        return None
    inside = path.resolve().relative_to(top.resolve()).as_posix()
    ended = run_git(top, "cat-file", "blob", f"{commit}:{inside}")
    return ended.stdout if ended.returncode == 0 else None


def find_repository(root: Path) -> Path:
    """Its top folder."""
    ended = run_git(root, "rev-parse", "--show-toplevel")
    if ended.returncode != 0:
        raise ConfigurationError(
            "the project is in no git repository",
            why=f"git finds none from {root} upwards",
            next="leave --against-ref out, or run inside of the repository",
        )
    return Path(ended.stdout.decode().rstrip("\n"))


def resolve_reference(top: Path, ref: str) -> str:
    """The commit that a reference names."""
    ended = run_git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if ended.returncode != 0:
        raise ConfigurationError(
            f"there is no git reference {ref!r}",
            why=f"git does not know it in {top}; a shallow clone has no other branches",
            next="fetch it first (git fetch origin main; in CI a checkout of the whole history), or name another one",
        )
    return ended.stdout.decode().strip()


def run_git(folder: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[bytes]:
    """Whatever its exit code. Raises ToolMissing, and CouldNotCheck where it does not answer."""
    try:
        return subprocess.run(  # the program is whichever git the user has
            ("git", "-C", str(folder), *arguments),  # noqa: S607
            input=text.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolMissing("git is not installed", next="install git, or leave --against-ref out") from error
    except subprocess.TimeoutExpired as error:
        raise CouldNotCheck(
            "git did not answer", why=f"it took more than {_SECONDS:.0f} seconds", next="git status"
        ) from error
