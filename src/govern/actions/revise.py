"""Writes the revision that is missing between the newest one and the models, for a person to review."""

from __future__ import annotations

from pathlib import Path

from govern.config import Settings
from govern.database.target import declared_like
from govern.declared import declared_by_revisions
from govern.errors import Refused
from govern.revisions.graph import Chain
from govern.revisions.runner import Runner


def write_revision(settings: Settings, chain: Chain, message: str) -> Path:
    """Alembic's autogenerate, held against a scratch database at the newest revision; returns the new file.

    It sees what Alembic sees: not functions, triggers, views or policies. Raises ReplayFailed, and Refused
    where a hook of env.py discarded the revision.
    """
    like = declared_like(settings)
    with declared_by_revisions(settings, chain.effective_heads, like=like) as declared:
        path = Runner(settings).revision(declared.url, message)
    if path is None:
        raise Refused(
            "no revision was written",
            why="process_revision_directives in env.py discarded it: Alembic saw no difference",
            next="govern check shows what Alembic does not see; write that by hand: alembic revision -m …",
        )
    return path
