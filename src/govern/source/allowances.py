"""What the manifest allows, and what it says of lint, as values."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from govern.config import Settings
from govern.core.allowance import Allowance, Allowances
from govern.core.hazard import Hazard

if TYPE_CHECKING:
    from govern.source.manifest import Manifest


def read_allowances(settings: Settings, manifest: Manifest | None) -> Allowances:
    """Every entry under ``allow``, the expired ones included."""
    if manifest is None:
        return Allowances()
    return Allowances(entries=_entries(manifest), path=settings.relative(manifest.path))


def allowed_hazards(manifest: Manifest | None, today: date) -> frozenset[Hazard]:
    """The hazards a migration may do without ``--allow``: those the manifest names and that have not expired."""
    entries = _entries(manifest) if manifest is not None else ()
    return frozenset(
        Hazard(entry.hazard, entry.subject)
        for entry in entries
        if entry.hazard is not None and not entry.has_expired(today)
    )


def _entries(manifest: Manifest) -> tuple[Allowance, ...]:
    return tuple(
        Allowance(
            rule=entry.rule,
            hazard=entry.hazard,
            subject=entry.subject,
            reason=entry.reason,
            owner=entry.owner,
            expires=entry.expires,
            line=entry.line,
        )
        for entry in manifest.allow
    )
