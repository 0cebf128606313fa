"""What a database holds, as checksums: the rows of each table, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.core.restoration import Place, TableDigest


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The digest of each table that has rows of its own, at one moment."""

    algorithm: str
    """How the checksums were computed; only those of one algorithm can be compared."""
    tables: Mapping[Place, TableDigest]
