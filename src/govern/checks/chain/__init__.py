"""Static checks of the revision chain. They read a ``Chain``, and never run a line of a revision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from govern.checks.chain import files, graph, history, parents
from govern.checks.chain.history import check_merged
from govern.checks.chain.places import show_path
from govern.checks.chain.replay import does_not_replay
from govern.checks.chain.round_trip import list_findings as find_ways_back
from govern.checks.chain.rules import (
    CONFIG_ERROR,
    DOES_NOT_REPLAY,
    EDITED_REVISION,
    EMPTY_UPGRADE,
    HALF_APPLIED,
    MISSING_DOWNGRADE,
    OVERLAPPING_DATABASE_REVISIONS,
    REPOINTED_REVISION,
    RULES,
    UNKNOWN_DATABASE_REVISION,
)
from govern.core.finding import Finding, Subject

if TYPE_CHECKING:
    from govern.core.run import AppliedRevision
    from govern.revisions.checksums import Checksums
    from govern.revisions.graph import Chain

__all__ = [
    "CONFIG_ERROR",
    "DOES_NOT_REPLAY",
    "EMPTY_UPGRADE",
    "FUNCTION_RULES",
    "HALF_APPLIED",
    "HISTORY_RULES",
    "MISSING_DOWNGRADE",
    "RULES",
    "check_chain",
    "check_merged",
    "does_not_replay",
    "find_ways_back",
]

HISTORY_RULES = (
    EDITED_REVISION,
    REPOINTED_REVISION,
    UNKNOWN_DATABASE_REVISION,
    OVERLAPPING_DATABASE_REVISIONS,
)
"""About what is recorded of the revisions, in the database or beside the files, and not about the files alone."""
FUNCTION_RULES = (EMPTY_UPGRADE, MISSING_DOWNGRADE)
"""About what a revision does: nobody corrects that in one that ran years ago."""


def check_chain(
    chain: Chain,
    *,
    root: Path,
    version_table_length: int = 32,
    database_revisions: tuple[str, ...] | None = None,
    checksums: Checksums | None = None,
    applied: Mapping[str, AppliedRevision] | None = None,
) -> tuple[Finding, ...]:
    """All that is wrong with the chain, what hinders Alembic most first: a superset of what it finds itself.

    Paths in findings are relative to ``root``. ``version_table_length`` is the width of Alembic's
    ``version_num`` column. With ``database_revisions``, a version table's rows, the chain is held against
    that database, too; with ``checksums`` against ``govern.sum``, with ``applied`` against that database's
    ledger.
    """
    if not chain.files and not chain.broken:
        return (_no_revisions(chain, database_revisions or (), root),)
    recorded = tuple(history.check_recorded(chain, checksums, database_revisions, root=root))
    named = {finding.subject.name for finding in recorded}
    done = history.check_applied(chain, checksums, applied or {}, database_revisions or (), root=root)
    return (
        *parents.check_parents(chain, root=root),
        *files.check_usable(chain, root=root, version_table_length=version_table_length),
        *graph.check_graph(chain, root=root),
        *history.check_database(chain, database_revisions or ()),
        *recorded,
        *(finding for finding in done if finding.subject.name not in named),
        *files.check_functions(chain, root=root),
    )


def _no_revisions(chain: Chain, database_revisions: tuple[str, ...], root: Path) -> Finding:
    locations = [show_path(location, root) for location in chain.locations]
    where = ", ".join(locations) or "the version locations"
    missing = [show_path(location, root) for location in chain.locations if not location.is_dir()]
    stamped = f", but the database is stamped with {', '.join(database_revisions)}"
    return Finding.of(
        CONFIG_ERROR,
        Subject(kind="chain", name="revisions", path=locations[0] if locations else None),
        f"there are no revision files in {where}{stamped if database_revisions else ''}",
        remedy="correct script_location or version_locations in Alembic's configuration: "
        f"there is no folder {', '.join(missing)}"
        if missing
        else "write the first revision: govern revision -m 'first'; "
        "or correct version_locations in Alembic's configuration",
        evidence={"locations": locations},
    )
