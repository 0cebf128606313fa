"""The revisions as a git reference has them: what was merged, reviewed, and may be applied somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from govern.errors import CouldNotCheck
from govern.revisions.checksums import Checksum, Checksums
from govern.revisions.graph import RevisionFile, is_revision_name, parse_revision_file
from govern.revisions.repository import find_repository, resolve_reference, run_git


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a reference has in the project's version locations."""

    ref: str
    """As it was given: ``origin/main``."""
    files: tuple[RevisionFile, ...]

    @property
    def revisions(self) -> frozenset[str]:
        return frozenset(file.revision for file in self.files)

    @property
    def checksums(self) -> Checksums:
        """As ``govern.sum`` would have them; in place of its path the reference."""
        return Checksums(
            path=Path(self.ref),
            revisions={
                file.revision: Checksum(
                    revision=file.revision,
                    down_revisions=file.down_revisions,
                    checksum=file.checksum,
                    line=file.line_of("revision"),
                )
                for file in self.files
            },
        )


def read_merged(root: Path, ref: str, locations: Sequence[Path], *, recursive: bool = False) -> Merged:
    """Reads the revision files of a reference; nothing is checked out.

    Raises ConfigurationError where the project is in no repository or there is no such reference, ToolMissing
    where there is no git.
    """
    top = find_repository(root)
    commit = resolve_reference(top, ref)
    inside = list(_below(top, locations))
    found: list[RevisionFile] = []
    for path, content in _read_files(top, commit, inside, recursive):
        file = parse_revision_file(path, content)
        if isinstance(file, RevisionFile):  # a broken one was never applied anywhere
            found.append(file)
    return Merged(ref=ref, files=tuple(found))


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
    listed = run_git(top, "--literal-pathspecs", "ls-tree", "-r", "-z", commit, "--", *locations)
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
    ended = run_git(top, "cat-file", "--batch", text="".join(f"{id_}\n" for id_ in ids))
    contents: list[bytes] = []
    rest = ended.stdout
    while rest:
        header, _, rest = rest.partition(b"\n")
        size = int(header.split()[2])
        contents.append(rest[:size])
        rest = rest[size + 1 :]
    return contents
