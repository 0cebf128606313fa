"""Parents that are no revisions: placeholders, typing errors, files that were never committed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from govern.checks.chain.places import revision_subject
from govern.checks.chain.rules import MISSING_PARENT, PLACEHOLDER_PARENT
from govern.core.finding import Finding, Severity
from govern.revisions.graph import Chain, RevisionFile, reachable

_PLACEHOLDER_WORD = re.compile(
    "above|base|before|change|changeme|down|empty|fill|fixme|head|here|id|insert|last|latest|me|migration|my|"
    "none|null|parent|placeholder|prev|previous|replace|rev|revision|sha|string|tbd|the|this|to|todo|"
    "undefined|unknown|update|your"
)
_COMPARED = 10
"""Of so many missing parents each is held against every revision, to see whether it is one written wrongly."""
_TEMPLATE_SIGNS = re.compile(r"[<>{}$%]|^[\s.?_xX*-]*$")


def check_parents(chain: Chain, *, root: Path) -> Iterator[Finding]:
    """One finding for each name in ``down_revision`` or ``depends_on`` that is no revision.

    A parent whose own file is broken is not missing: the broken file has a finding of its own.
    """
    around = _Surroundings(
        chain=chain,
        root=root,
        whole=_heads_of_whole_lineages(chain),
        unread=next((file for file in chain.files if file.branch_labels is None), None),
    )
    for place, (file, variable, parent) in enumerate(_find_missing(chain)):
        yield _finding(around, file, variable, parent, among=chain.revisions if place < _COMPARED else ())


class _Surroundings(NamedTuple):
    """What is the same for every missing parent."""

    chain: Chain
    root: Path
    whole: Sequence[str]
    unread: RevisionFile | None
    """A file whose branch labels are an expression."""


def _find_missing(chain: Chain) -> Iterator[tuple[RevisionFile, str, str]]:
    """The file, the variable, and the parent that it names."""
    known = chain.revisions.keys() | {file.revision for file in chain.broken if file.revision}
    for file in chain.files:
        for parent in file.down_revisions:
            if parent not in known:
                yield file, "down_revision", parent
        for parent in file.depends_on:
            if parent not in known and parent not in chain.labels:
                yield file, "depends_on", parent


def is_placeholder(text: str) -> bool:
    """Whether a text looks like one that somebody was meant to replace.

    It does if it is made of words that say so, has a template's ``<…>`` or ``${…}``, or is empty.
    """
    words = [word for word in re.split(r"[\W_\d]+", text.lower()) if word]
    if _TEMPLATE_SIGNS.search(text):
        return True
    return bool(words) and all(_PLACEHOLDER_WORD.fullmatch(word) for word in words)


def _finding(
    around: _Surroundings, file: RevisionFile, variable: str, parent: str, *, among: Collection[str]
) -> Finding:
    chain, root, whole, unread = around
    subject = revision_subject(file, root, at=variable)
    evidence = {variable: parent}
    if is_placeholder(parent):
        return Finding.of(
            PLACEHOLDER_PARENT,
            subject,
            f"{variable} of revision {file.revision} is the placeholder {parent!r}",
            remedy=_write_none(variable, parent) or _suggest(chain, whole, variable),
            evidence=evidence,
        )
    if variable == "depends_on" and unread is not None:
        return Finding.of(
            MISSING_PARENT,
            subject,
            f"depends_on of revision {file.revision} names {parent!r}, which is no revision; it may be a "
            f"branch label of {unread.path.name}, whose labels are an expression",
            severity=Severity.WARNING,
            remedy="write the branch labels out as text, so that they can be read",
            evidence=evidence,
        )
    return Finding.of(
        MISSING_PARENT,
        subject,
        f"{variable} of revision {file.revision} names {parent!r}, but no file has this revision",
        remedy=_did_you_mean(chain, file, variable, parent, among)
        or f"add the file of {parent!r} (was it committed?), or {_suggest(chain, whole, variable)}",
        evidence=evidence,
    )


def _write_none(variable: str, parent: str) -> str:
    return f"write {variable} = None without quotes" if parent == "None" else ""


def _did_you_mean(
    chain: Chain, file: RevisionFile, variable: str, parent: str, among: Collection[str]
) -> str:
    if parent in chain.labels:
        return f"{parent!r} is a branch label, {variable} takes an id: set it to {chain.labels[parent]!r}"
    others = [id_ for id_ in among if id_ != file.revision]
    close = [id_ for id_ in others if len(parent) > 3 and (id_.startswith(parent) or parent.startswith(id_))]
    close = close or difflib.get_close_matches(parent, others, n=2)
    if not close:
        return ""
    return f"did you mean {' or '.join(repr(id_) for id_ in close)}? Else add the file (was it committed?)"


def _suggest(chain: Chain, whole: Sequence[str], variable: str) -> str:
    """What the parent should be: a head, for this revision and its descendants to be put upon."""
    if variable == "depends_on":
        return "set depends_on to the id of the revision it needs, or to None"
    if len(whole) == 1:
        head = chain.revisions[whole[0]]
        return f"set down_revision = {head.revision!r} (the only other head, {head.path.name})"
    if whole:
        shown = ", ".join(repr(id_) for id_ in whole[:5])
        return f"set down_revision to the head it was written upon: {shown}"
    if chain.bases:
        return "set down_revision to the id of the revision that comes before"
    return "set down_revision = None if this is the first revision"


def _heads_of_whole_lineages(chain: Chain) -> tuple[str, ...]:
    """Heads that do not come after a missing parent, and so not after any revision that needs a new one."""
    dangling = [
        file.revision
        for file in chain.files
        if any(parent not in chain.revisions for parent in file.down_revisions)
    ]
    fallen = reachable(dangling, chain.children)
    return tuple(head for head in chain.heads if head not in fallen)
