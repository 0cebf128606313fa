"""What one round trip tells of a database: enough to say that nothing happened to it, never enough to say what did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Validated(NamedTuple):
    """The ledger's newest run, where it ended validated."""

    to_revision: tuple[str, ...]
    lock_digest: str | None


class Glance(NamedTuple):
    """A database as it stands."""

    server_version: str
    stamped: tuple[str, ...]
    """The stamped revisions, sorted."""
    validated: Validated | None
    """None also where a later run failed or has not ended: then somebody has to look closer."""
    is_untouched: bool
    """Whether the schema is certainly what it was at the end of that run."""
    rows: Mapping[str, int | None]
    """Of the tables that were asked about, by full name, counted up to what was asked for; None: not to be known."""
