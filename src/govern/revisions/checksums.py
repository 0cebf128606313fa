"""``govern.sum``: what every revision was when it was last reviewed, one line each, so that an edited or
repointed one shows. Two branches that each add a revision both add a last line: git calls it a conflict."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, unquote

from govern.errors import ConfigurationError

if TYPE_CHECKING:
    from govern.revisions.graph import Chain

_FORMAT = "govern.sum 1"
_HEADER = f"# {_FORMAT}: revision, its down_revision, sha256 of its file. Written by `govern lock`."
_LINE = re.compile(r"(?P<revision>\S+) (?P<parents>\S+) (?P<checksum>[0-9a-f]{64})")
_CONFLICT_MARKS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_NO_PARENTS = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """One line: a revision as it was recorded."""

    revision: str
    down_revisions: tuple[str, ...]
    checksum: str
    """See ``govern.revisions.graph.checksum_of``."""
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksums:
    """The file's content, in its order."""

    path: Path
    revisions: Mapping[str, Checksum]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One revision that is not what was recorded."""

    recorded: Checksum
    kind: Literal["edited", "repointed", "removed"]
    """``repointed`` has another ``down_revision``, whatever else was edited."""


def read_checksums(path: Path) -> Checksums | None:
    """Reads ``govern.sum``; None where there is none. Raises ConfigurationError, naming the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read", why=str(error), next="write it again: govern lock"
        ) from error
    return parse_checksums(text, path)


def parse_checksums(text: str, path: Path) -> Checksums:
    """The inverse of ``render_checksums``. Raises ConfigurationError, naming the line."""
    lines = text.splitlines()
    if not lines or not lines[0].startswith(f"# {_FORMAT}:"):
        raise _malformed(path, 1, f"it does not begin with '# {_FORMAT}:'")
    revisions: dict[str, Checksum] = {}
    for number, line in enumerate(lines[1:], start=2):
        if line.strip() and not line.startswith("#"):
            found = _parse_line(line, number, path)
            if found.revision in revisions:
                earlier = revisions[found.revision].line
                raise _malformed(path, number, f"revision {found.revision} is already on line {earlier}")
            revisions[found.revision] = found
    return Checksums(path=path, revisions=revisions)


def render_checksums(chain: Chain) -> str:
    """The text of ``govern.sum`` for the chain as it is, parents before children."""
    ids = sorted(chain.revisions, key=chain.position.__getitem__)
    return "\n".join((_HEADER, *(_render_line(chain, id_) for id_ in ids), ""))


def compare(checksums: Checksums, chain: Chain) -> Iterator[Deviation]:
    """What is recorded and is otherwise now, in the file's order.

    A revision that is not recorded yet is none: it is new, and ``govern lock`` records it. A broken file is
    none either: it has a finding of its own.
    """
    broken = {file.revision for file in chain.broken}
    for recorded in checksums.revisions.values():
        file = chain.revisions.get(recorded.revision)
        if file is None:
            if recorded.revision not in broken:
                yield Deviation(recorded=recorded, kind="removed")
        elif file.down_revisions != recorded.down_revisions:
            yield Deviation(recorded=recorded, kind="repointed")
        elif file.checksum != recorded.checksum:
            yield Deviation(recorded=recorded, kind="edited")


def _render_line(chain: Chain, revision: str) -> str:
    file = chain.revisions[revision]
    parents = ",".join(_quote(parent) for parent in file.down_revisions) or _NO_PARENTS
    return f"{_quote(revision)} {parents} {file.checksum}"


def _parse_line(line: str, number: int, path: Path) -> Checksum:
    if line.startswith(_CONFLICT_MARKS):
        raise _malformed(path, number, "it holds a merge conflict: two branches added a revision")
    match = _LINE.fullmatch(line.rstrip())
    if match is None:
        raise _malformed(path, number, "a line is '<revision> <parents or -> <sha256>'")
    parents = () if match["parents"] == _NO_PARENTS else match["parents"].split(",")
    return Checksum(
        revision=unquote(match["revision"]),
        down_revisions=tuple(unquote(parent) for parent in parents),
        checksum=match["checksum"],
        line=number,
    )


def _quote(id_: str) -> str:
    """An id as one word: nearly always itself. Alembic forbids '-' in ids, so a bare '-' stays free."""
    return quote(id_, safe="")


def _malformed(path: Path, line: int, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path}:{line}: govern.sum is malformed",
        why=why,
        next="put the revisions in order (govern chain), then write it again: govern lock",
    )
