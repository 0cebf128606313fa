"""Whether there is a way back at all: said before anything is locked, backed up or tried."""

from __future__ import annotations

import shlex

from govern.config import Settings
from govern.core.guard import WAY_BACK
from govern.core.report import Draft
from govern.errors import Refused
from govern.revisions.graph import RevisionFile
from govern.revisions.graph.destination import Way

_KEEPS = "keeps-changes"


def guard_way_back(way: Way, allow: tuple[str, ...], draft: Draft, settings: Settings) -> None:
    """Raises Refused for a way down that leads over a revision without a downgrade; every way up is fine.

    A downgrade that does nothing can be gone past where that is allowed by name: what changed rows alone may have
    nothing to take back.
    """
    if way.direction == "upgrade":
        return
    for file in way.revisions:
        problem = _find_problem(file)
        can_be_allowed = file.downgrade_is_empty and not file.downgrade_raises
        hazard = f"{_KEEPS}:{file.revision}"
        if problem and not (can_be_allowed and hazard in allow):
            gone_past = (
                f"; or leave what it did as it is: --allow {shlex.quote(hazard)}" if can_be_allowed else ""
            )
            line = file.line_of("downgrade" if file.has_downgrade else "revision")
            raise Refused(
                f"there is no way back over revision {file.revision}",
                why=f"{settings.relative(file.path)}:{line}: {problem}",
                next="go back by restoring a backup from before it (govern backup list), or write its downgrade()"
                + gone_past,
            )
    kept = [file.revision for file in way.revisions if _find_problem(file)]
    if kept:
        draft.passed(WAY_BACK.name, f"allowed by name: what {', '.join(kept)} did is left as it is")


def _find_problem(file: RevisionFile) -> str | None:
    """Why it cannot be taken back; None where it can, and where there is nothing to take back."""
    if not file.has_downgrade:
        return "it has no downgrade()"
    if file.downgrade_raises:
        return "its downgrade() says itself that there is none"
    if file.downgrade_is_empty and not file.upgrade_is_empty:
        return "its downgrade() does nothing, though its upgrade() does something"
    return None
