"""What the manifest lets pass for a while, and until when: whoever reviews a change sees what is about to end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.source.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Excepted:
    """One decision that somebody answers for."""

    what: str
    """``lint.index-not-concurrent:notes``, ``drift of index legacy_*``."""
    reason: str
    owner: str
    until: date
    """The last day on which it holds."""
    line: int
    """Where the manifest has it."""


def read_exceptions(manifest: Manifest | None) -> tuple[Excepted, ...]:
    """All of the manifest, those that end first at the beginning."""
    if manifest is None:
        return ()
    allowed = [
        Excepted(
            what=f"{entry.rule or entry.hazard}:{entry.subject}",
            reason=entry.reason,
            owner=entry.owner,
            until=entry.expires,
            line=entry.line,
        )
        for entry in manifest.allow
    ]
    ignored = [
        Excepted(
            what=f"drift of {entry.kind} {entry.name}" + (f", {entry.fact}" if entry.fact else ""),
            reason=entry.reason,
            owner=entry.owner,
            until=entry.until,
            line=entry.line,
        )
        for entry in (manifest.drift.ignore if manifest.drift else ())
    ]
    return tuple(sorted((*allowed, *ignored), key=lambda one: (one.until, one.line)))
