"""The finding for a chain that fails when it is run on an empty database; running it is for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from govern.checks.chain.places import revision_subject
from govern.checks.chain.rules import DOES_NOT_REPLAY
from govern.core.finding import Finding, Subject
from govern.revisions.explain import missing_extension, next_without_extension

if TYPE_CHECKING:
    from govern.revisions.graph import Chain, RevisionFile


class ReplayError(Protocol):
    """What is known of the failure: as the runner reports it."""

    @property
    def type(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def revision(self) -> str | None: ...
    @property
    def statement(self) -> str | None: ...
    @property
    def sqlstate(self) -> str | None: ...


def does_not_replay(chain: Chain, error: ReplayError, *, root: Path) -> Finding:
    """Names the revision that failed, at its ``upgrade()``, and the statement."""
    file = chain.revisions.get(error.revision or "")
    subject = revision_subject(file, root, at="upgrade") if file else Subject(kind="chain", name="revisions")
    who = f"revision {file.revision}" if file else "the chain"
    first_line = error.message.strip().partition("\n")[0]
    return Finding.of(
        DOES_NOT_REPLAY,
        subject,
        f"{who} fails on an empty database: {first_line or error.type}",
        remedy=_remedy(chain, file, error),
        evidence={"type": error.type, "statement": error.statement},
    )


def _remedy(chain: Chain, file: RevisionFile | None, error: ReplayError) -> str:
    if extension := missing_extension(error.statement, error.sqlstate):
        return next_without_extension(extension)
    if file is not None and not chain.parents[file.revision]:
        return (
            f"revision {file.revision} is the first, and takes for granted what nothing creates: "
            "put a revision before it that creates it"
        )
    return "create what it needs in a revision before it, or correct its upgrade()"
