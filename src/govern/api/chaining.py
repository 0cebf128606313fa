"""The revision files on their own: read, never imported, and nothing else of the project is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.api.command import command
from govern.api.project import Project, find_chain_problems
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.revisions.graph import read_project_chain

if TYPE_CHECKING:
    from govern.config import Settings


@command("chain")
def chain(draft: Draft, settings: Settings) -> None:
    """The revision files on their own: read, never imported."""
    project = Project(settings=settings, chain=read_project_chain(settings), manifest=None)
    draft.add(chain_entry(project))
    draft.data["heads"] = list(project.chain.heads)


def chain_entry(project: Project) -> Entry:
    """What is wrong with the revision files."""
    return Entry.of(
        "chain", find_chain_problems(project), count_of(len(project.chain.files), "revision file")
    )
