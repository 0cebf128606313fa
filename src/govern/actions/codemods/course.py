"""The story of a codemod: what is certain goes, round after round, until nothing more does; files are written last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from govern.actions.codemods.helpers import remove_helper
from govern.actions.codemods.imports import clean_imports
from govern.actions.codemods.parsing import is_as_sound
from govern.checks.scan.verdicts import Key, Workaround
from govern.checks.scan.workarounds import Workarounds
from govern.code.sources import Source
from govern.core.edit import Edit, apply_edits

_MOST_ROUNDS = 12

Find = Callable[[Collection[Source]], Workarounds]
"""Finds the workarounds in a state of the project's files."""
Read = Callable[[Source, str], Source]
"""The same file with another text."""
IsMeant = Callable[[Workaround], bool]
"""Whether it may be taken away: no comment means it."""
Mentions = Callable[[str], Iterable[str]]
"""Files beside the code that name something."""


@dataclass(slots=True, kw_only=True)
class Mended:
    """What came of it: files before and after, in memory."""

    before: Mapping[Path, Source]
    after: dict[Path, Source]
    places: int = 0
    helpers: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    """Helpers that stay, and why."""
    refused: list[str] = field(default_factory=list)
    """Files whose edits would have made them wrong."""

    @property
    def changed(self) -> tuple[tuple[Source, Source], ...]:
        """Each file that is another, as it was and as it is to be."""
        pairs = ((self.before[path], source) for path, source in sorted(self.after.items()))
        return tuple((before, after) for before, after in pairs if before.text != after.text)


def mend(
    sources: Collection[Source],
    editable: frozenset[Path],
    find: Find,
    read: Read,
    is_meant: IsMeant,
    mentions: Mentions,
) -> Mended:
    """Everything that is certain, in memory: what becomes certain by an edit is done, too."""
    before = {source.path: source for source in sources}
    mended = Mended(before=before, after=dict(before))
    refused: set[Path] = set()
    for _ in range(_MOST_ROUNDS):
        now = tuple(mended.after.values())
        found = find(now)
        open_to_edits = editable - refused
        chosen = choose(one for one in found.found if one.source.path in open_to_edits and is_meant(one))
        edits, gone = _collect(chosen, found, mended, editable, mentions)
        if not edits:
            break
        made = {source: apply_edits(source.text, _outermost(parts)) for source, parts in edits.items()}
        unsound = {source for source, text in made.items() if not is_as_sound(source, text)}
        if unsound:
            refused |= {source.path for source in unsound}
            mended.refused += sorted(source.name for source in unsound)
            continue
        for source, text in made.items():
            mended.after[source.path] = read(source, text)
        mended.places += len(chosen)
        mended.helpers += gone
    return mended


def choose(found: Iterable[Workaround]) -> tuple[Workaround, ...]:
    """Those that are certain, together with all that has to go with them, once the schema is right."""
    chosen = [one for one in found if one.certainty == "certain" and one.edits and not one.keys.obstacle]
    while True:
        keys: set[Key] = {one.key for one in chosen}
        whole = [one for one in chosen if one.needs <= keys]
        if len(whole) == len(chosen):
            return tuple(chosen)
        chosen = whole


def _collect(
    chosen: tuple[Workaround, ...],
    found: Workarounds,
    mended: Mended,
    editable: Collection[Path],
    mentions: Mentions,
) -> tuple[dict[Source, list[Edit]], list[str]]:
    """The edits of one round by file, and the helpers that go with them."""
    edits: dict[Source, list[Edit]] = defaultdict(list)
    for one in chosen:
        edits[one.source] += one.edits
    sources = tuple(mended.after.values())
    writable = tuple(source for source in sources if source.path in editable)
    gone = [one.key for one in chosen if not isinstance(one.key, tuple)]
    removed: list[str] = []
    for helper in dict.fromkeys(one.helper for one in chosen if one.helper is not None):
        removal = remove_helper(helper, found.project, sources, writable, gone, mentions(helper.name))
        if removal.obstacle:
            mended.kept[helper.name] = removal.obstacle
            continue
        removed.append(helper.name)
        mended.kept.pop(helper.name, None)
        for source, edit in removal.edits:
            edits[source].append(edit)
    for source in tuple(edits):
        edits[source] += clean_imports(source, _outermost(edits[source]), found.project)
    return dict(edits), removed


def _outermost(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Without those within another one."""
    return tuple(_without_inner(sorted(set(edits), key=lambda edit: (edit.begin, -edit.end))))


def _without_inner(edits: list[Edit]) -> Iterator[Edit]:
    until = -1
    for edit in edits:
        if edit.end > until or edit.begin >= until:
            yield edit
            until = max(until, edit.end)
