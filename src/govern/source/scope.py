"""The scope of drift as the manifest and the baseline file have it, as values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from govern.core.scope import Ignore, Scope, Weight
from govern.source.baseline import read_baseline

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.source.manifest import Manifest


def read_scope(
    settings: Settings,
    manifest: Manifest | None,
    *,
    baseline: Path | None = None,
    with_known: bool = True,
) -> Scope:
    """What the project decided about drift; ``baseline`` replaces the manifest's file of known differences.

    ``with_known``: whether that file is read at all; what it lists is of a database, not of revisions.
    Raises ConfigurationError for a baseline that is missing or cannot be read.
    """
    drift = manifest.drift if manifest else None
    if baseline is None and drift and drift.baseline:
        baseline = settings.root / drift.baseline
    if not with_known:
        baseline = None
    return Scope(
        ignore=tuple(
            Ignore(
                kind=entry.kind,
                name=entry.name,
                fact=entry.fact,
                reason=entry.reason,
                owner=entry.owner,
                until=entry.until,
                line=entry.line,
            )
            for entry in (drift.ignore if drift else ())
        ),
        weights=tuple(
            Weight(kind=entry.kind, name=entry.name, severity=entry.severity)
            for entry in (drift.severity if drift else ())
        ),
        known=read_baseline(baseline) if baseline else frozenset(),
        path=settings.relative(manifest.path) if manifest else "",
        baseline=settings.relative(baseline) if baseline else "",
    )
