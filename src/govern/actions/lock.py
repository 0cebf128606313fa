"""Writes ``schema.lock`` and ``govern.sum``: the declared schema and the revisions as reviewed text.

And the manifest's JSON Schema for editors, where a project has a copy of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.actions.files import write_text
from govern.config import Settings
from govern.core.report import Draft
from govern.core.snapshot import Snapshot
from govern.database.url import DatabaseUrl
from govern.declared import declared_by_models
from govern.errors import ConfigurationError
from govern.revisions.checksums import render_checksums
from govern.revisions.graph import Chain
from govern.source.lock import render_lock

if TYPE_CHECKING:  # with pydantic, which is slow to import
    from govern.source.manifest import Manifest


def write_lock(
    settings: Settings, draft: Draft, *, like: DatabaseUrl, chain: Chain, manifest: Manifest | None
) -> Snapshot:
    """Writes both files where their text changed; returns the declared snapshot.

    ``like`` is a database on the kind of server the lock is to be written for. Raises ConfigurationError for models
    that cannot be created as they are.
    """
    with declared_by_models(settings, like=like) as declared:
        snapshot = declared.snapshot
    if declared.refused:
        first = declared.refused[0]
        raise ConfigurationError(
            f"the database refuses index {first.index} of {first.table}",
            why=first.why,
            next="correct the model; govern check lists all of them",
        )
    critical = manifest.minimum_rows(snapshot.dialect) if manifest else {}
    for path, text in (
        (settings.lock, render_lock(snapshot, chain.effective_heads, critical)),
        (settings.checksums, render_checksums(chain)),
    ):
        changed = write_text(path, text)
        draft.passed(settings.relative(path), "written" if changed else "up to date")
    if manifest is not None:
        _refresh_schema(settings, draft, manifest)
    return snapshot


def _refresh_schema(settings: Settings, draft: Draft, manifest: Manifest) -> None:
    """The JSON Schema beside the manifest, if ``govern init`` put one there: this version may know more keys."""
    from govern.source.manifest.json_schema import FILE_NAME, render_file

    path = manifest.path.with_name(FILE_NAME)
    if path.is_file() and write_text(path, render_file()):
        draft.passed(settings.relative(path), "written")
