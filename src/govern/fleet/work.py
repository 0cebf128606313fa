"""What each command of a fleet does with one database: what it does alone, on grounds that are shared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from govern.api.command import command, local_today
from govern.api.drifting import hold_against
from govern.api.project import Project
from govern.core.report import Draft, Report
from govern.core.snapshot import Snapshot
from govern.database.scratch import dropping_meanwhile
from govern.fleet.grounds import Grounds

FleetCommand = Literal["drift"]
Options = Mapping[str, Any]
CHANGING: frozenset[FleetCommand] = frozenset()
"""Those that change databases, or make backups of them."""


def work_on(name: FleetCommand, grounds: Grounds, project: Project, options: Options) -> Report:
    """The command's report. Raises GovernError, whose ``report`` has what was done before."""
    return _WORK[name](grounds, project, options)


@command("drift")
@dropping_meanwhile()
def _drift(draft: Draft, grounds: Grounds, project: Project, options: Options) -> None:
    """Without repairs: one is proven for a database by itself, govern drift."""
    schema = hold_against(
        draft,
        project,
        against=options.get("against", "revision"),
        today=local_today(),
        declare=grounds.declared_as,
        repairs=False,
    )
    draft.data["fingerprint"] = _digest(schema)


def _digest(schema: Snapshot) -> str:
    """Of a whole schema: databases of one engine and major version have the same one if they have the same."""
    facts = sorted((tuple(key), sorted(facts.items())) for key, facts in schema.objects.items())
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]


_WORK: Mapping[FleetCommand, Callable[[Grounds, Project, Options], Report]] = {"drift": _drift}
