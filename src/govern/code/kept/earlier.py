"""Files as they were read in an earlier run, where they and what they import are as they were; else as they are now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from govern.code.files import LANGUAGES
from govern.code.kept.json_form import Said
from govern.code.kept.store import Digests, Kept, digest, edition
from govern.code.texts.imports import Homes
from govern.code.workers import Named, read_files


def read_changed(
    files: Sequence[Named], kept: Kept, *, narrate: Callable[[str], None] = lambda _: None
) -> list[Said]:
    """What each of the files says, in their order; only those are read that ``kept`` does not have.

    Raises as ``read_files``.
    """
    digests, homes = Digests(), Homes()
    keys = {path: _key(path, name, digests.of(path)) for path, name in files}
    there = kept.find(keys.values())
    said: dict[Path, Said] = {}
    for path, _ in files:
        earlier = _parse(there.get(keys[path]))
        if earlier is not None and _is_as_it_was(earlier, path, digests, homes):
            said[path] = earlier
    left = [named for named in files if named[0] not in said]
    new = {path: one for (path, _), one in zip(left, read_files(left, narrate=narrate), strict=True)}
    lasting = [(path, name) for path, name in left if new[path].digest]
    kept.keep(
        {_key(path, name, new[path].digest): new[path].render() for path, name in lasting},
        used=(keys[path] for path in said),
    )
    said.update(new)
    return [said[path] for path, _ in files]


def _key(path: Path, name: str, of_content: str) -> str:
    return digest(edition(), str(path), name, of_content)


def _parse(line: str | None) -> Said | None:
    try:
        return Said.parse(line) if line is not None else None
    except (ValueError, TypeError):
        return None


def _is_as_it_was(said: Said, path: Path, digests: Digests, homes: Homes) -> bool:
    """Whether what it imports from stands where it stood, and says what it said."""
    is_python = LANGUAGES[path.suffix.lower()] == "python"
    return all(
        digests.describe(homes.find(path, module, is_python=is_python)) == then
        for module, then in said.homes.items()
    )
