"""The revisions as a git reference has them: what was merged, reviewed, and may be applied somewhere."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from govern.errors import ConfigurationError, CouldNotCheck, ToolMissing
from govern.revisions.checksums import Checksum, Checksums
from govern.revisions.graph import RevisionFile, is_revision_name, parse_revision_file

_SECONDS = 60.0
_FETCH_ALL = "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'"
"""A shallow clone is one of a single branch, too, unless it was told otherwise (git-clone, --depth)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a reference has in the project's version locations."""

    ref: str
    """As it was given: ``origin/main``."""
    files: tuple[RevisionFile, ...]
    forked: tuple[RevisionFile, ...] | None = None
    """Those of the last commit that the reference and the work have in common: what differs from the reference and
    not from these was changed over there. None where git does not know one, as in a shallow clone."""

    @property
    def revisions(self) -> frozenset[str]:
        return frozenset(file.revision for file in self.files)

    @property
    def checksums(self) -> Checksums:
        """As ``govern.sum`` would have them; in place of its path the reference."""
        return Checksums(path=Path(self.ref), revisions=_sum(self.files))

    @property
    def checksums_at_fork(self) -> Mapping[str, Checksum] | None:
        """The same of what both have in common."""
        return None if self.forked is None else _sum(self.forked)


def _sum(files: Iterable[RevisionFile]) -> dict[str, Checksum]:
    return {
        file.revision: Checksum(
            revision=file.revision,
            down_revisions=file.down_revisions,
            checksum=file.checksum,
            line=file.line_of("revision"),
        )
        for file in files
    }


def read_merged(root: Path, ref: str, locations: Sequence[Path], *, recursive: bool = False) -> Merged:
    """Reads the revision files of a reference; nothing is checked out.

    Raises ConfigurationError where the project is in no repository or there is no such reference, ToolMissing
    where there is no git.
    """
    top = _find_repository(root)
    commit = _resolve(top, ref)
    inside = list(_below(top, locations))
    files = _read_revisions(top, commit, inside, recursive)
    fork = _find_fork(top, commit)
    if fork is None or fork == commit:
        return Merged(ref=ref, files=files, forked=files if fork else None)
    return Merged(ref=ref, files=files, forked=_read_revisions(top, fork, inside, recursive))


def read_merged_file(root: Path, ref: str, path: Path, *, at_fork: bool = False) -> bytes | None:
    """A file of the project as the reference has it; None where it has none. Raises as ``read_merged`` does.

    ``at_fork``: as it was when the work began to differ from the reference, where git knows that.
    """
    top = _find_repository(root)
    commit = _resolve(top, ref)
    if at_fork:
        commit = _find_fork(top, commit) or commit
    inside = [*_below(top, (path,))]
    listed = _git(top, "--literal-pathspecs", "ls-tree", "-z", commit, "--", *inside) if inside else None
    if listed is None or not listed.stdout:
        return None
    [content] = _read_blobs(top, [listed.stdout.decode(errors="surrogateescape").split()[2]])
    return content


def _find_repository(root: Path) -> Path:
    ended = _git(root, "rev-parse", "--show-toplevel")
    if ended.returncode != 0:
        raise ConfigurationError(
            "the project is in no git repository",
            why=f"git finds none from {root} upwards",
            next="leave --against-ref out, or run inside of the repository",
        )
    return Path(ended.stdout.decode().rstrip("\n"))


def _resolve(top: Path, ref: str) -> str:
    ended = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if ended.returncode != 0:
        raise _unknown(top, ref)
    return ended.stdout.decode().strip()


def _unknown(top: Path, ref: str) -> ConfigurationError:
    """With a name that is close or, where branches were never fetched, with how to get them."""
    is_shallow = _git(top, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    known = _git(top, "for-each-ref", "--format=%(refname:short)").stdout.decode(errors="replace").split()
    close = difflib.get_close_matches(ref, known, n=2, cutoff=0.7)
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    elif is_shallow:
        hint = f"fetch all of them with their history: {_FETCH_ALL}; in CI a checkout of the whole history"
    else:
        hint = "fetch it first (git fetch origin), or name one that git branch --all lists"
    shallow = ", a shallow clone, which has no branch but its own" if is_shallow else ""
    return ConfigurationError(
        f"there is no git reference {ref!r}", why=f"git does not know it in {top}{shallow}", next=hint
    )


def _find_fork(top: Path, commit: str) -> str | None:
    """The last commit that HEAD has in common with another one; None where none is known."""
    ended = _git(top, "merge-base", "HEAD", commit)
    return ended.stdout.decode().strip() or None if ended.returncode == 0 else None


def _read_revisions(
    top: Path, commit: str, locations: Sequence[str], recursive: bool
) -> tuple[RevisionFile, ...]:
    """But for broken ones, which were never applied anywhere."""
    read = (
        parse_revision_file(path, content) for path, content in _read_files(top, commit, locations, recursive)
    )
    return tuple(file for file in read if isinstance(file, RevisionFile))


def _below(top: Path, locations: Sequence[Path]) -> Iterator[str]:
    """The locations inside the repository, as git names them."""
    real = top.resolve()
    for location in locations:
        if location.resolve().is_relative_to(real):
            yield location.resolve().relative_to(real).as_posix()


def _read_files(
    top: Path, commit: str, locations: Sequence[str], recursive: bool
) -> Iterator[tuple[Path, bytes]]:
    if not locations:
        return
    listed = _git(top, "--literal-pathspecs", "ls-tree", "-r", "-z", commit, "--", *locations)
    if listed.returncode != 0:
        raise CouldNotCheck("git could not list the revision files", why=listed.stderr.decode().strip())
    entries = [
        (Path(path), facts.split()[2])
        for entry in listed.stdout.decode(errors="surrogateescape").split("\0")
        if entry
        for facts, _, path in [entry.partition("\t")]
        if facts.split()[1] == "blob"
    ]
    wanted = [(path, id_) for path, id_ in entries if _is_revision(path, locations, recursive)]
    contents = _read_blobs(top, [id_ for _, id_ in wanted])
    for (path, _), content in zip(wanted, contents, strict=True):
        yield top / path, content


def _is_revision(path: Path, locations: Sequence[str], recursive: bool) -> bool:
    is_inside = recursive or path.parent.as_posix() in locations
    return is_inside and is_revision_name(path.name)


def _read_blobs(top: Path, ids: Sequence[str]) -> list[bytes]:
    """The contents of many files in one process (git-cat-file, BATCH OUTPUT)."""
    ended = _git(top, "cat-file", "--batch", text="".join(f"{id_}\n" for id_ in ids))
    contents: list[bytes] = []
    rest = ended.stdout
    while rest:
        header, _, rest = rest.partition(b"\n")
        size = int(header.split()[2])
        contents.append(rest[:size])
        rest = rest[size + 1 :]
    return contents


def _git(folder: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[bytes]:
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
