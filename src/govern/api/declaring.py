"""The schema that a word of the command line stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from govern.api.command import Narrate, silent
from govern.core.finding import Severity
from govern.declared import Declared, declared_by_models, declared_by_revisions
from govern.errors import CouldNotCheck

if TYPE_CHECKING:
    from govern.api.project import Project
    from govern.database.live import LiveDatabase

DECLARATIONS: Mapping[str, str] = {
    "revision": "the stamped revision",
    "head": "the newest revision",
    "models": "the models",
}


@contextmanager
def declared_as(
    project: Project, live: LiveDatabase, against: str, *, narrate: Narrate = silent
) -> Iterator[Declared]:
    """What one of ``DECLARATIONS`` stands for, in a scratch database like ``live``.

    Raises ReplayFailed, and CouldNotCheck for revisions that cannot be walked.
    """
    from govern.revisions.counting import count_revisions  # with all that a child says

    sentence = f"building the schema declared by {DECLARATIONS[against]}"
    if against == "models":
        narrate(sentence)
        with declared_by_models(project.settings, like=live.url) as declared:
            yield declared
        return
    stamped = live.read_only_stamp() if against == "revision" else None
    require_replayable(project, stamped)
    revisions = project.chain.effective_heads if stamped is None else stamped
    hear = count_revisions(narrate, sentence, len(project.chain.ancestors(revisions)))
    with declared_by_revisions(project.settings, revisions, like=live.url, on_event=hear) as declared:
        yield declared


def require_replayable(project: Project, stamped: tuple[str, ...] | None) -> None:
    """Raises CouldNotCheck, naming the file, for a chain that Alembic cannot walk up to ``stamped``."""
    from govern.checks.chain import check_chain  # with all its rules

    for finding in check_chain(project.chain, root=project.settings.root, database_revisions=stamped):
        if finding.severity is Severity.CRITICAL or finding.rule.id == "chain.unknown-database-revision":
            place = f"{finding.subject.location}: " if finding.subject.location else ""
            raise CouldNotCheck(
                f"the revisions cannot be replayed: {finding.message}",
                why=place + finding.why,
                next=f"{finding.remedy}; meanwhile compare with the models: govern drift --against models",
            )
