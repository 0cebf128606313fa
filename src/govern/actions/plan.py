"""What a migration would do: the pending revisions and their statements, as they ran on a copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from govern.actions.rehearse import Rehearsal
from govern.core.observation import Observation
from govern.core.plan import Plan, Step, TableSize
from govern.database.live import LiveDatabase
from govern.revisions.graph import RevisionFile
from govern.revisions.graph.destination import Way


def make_plan(live: LiveDatabase, way: Way, rehearsal: Rehearsal | None) -> Plan:
    """The plan that a rehearsal of the way shows; without one there is nothing to run.

    On a copy without rows a data migration finds none: statements that depend on rows are not seen.
    """
    steps = tuple(_step(live, revision, rehearsal) for revision in way.revisions if rehearsal is not None)
    with live.connect() as connection:
        sizes = live.dialect.read_sizes(connection, _touched(steps))
    return Plan(
        from_revision=live.read_stamped(),
        to_revision=way.reached,
        fingerprint=live.read_fingerprint(),
        rehearsal=rehearsal.how if rehearsal else "schema",
        steps=steps,
        sizes=sizes,
    )


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan as reports and saved plans carry it."""
    return {
        "from": list(plan.from_revision),
        "to": list(plan.to_revision),
        "fingerprint": plan.fingerprint,
        "rehearsal": plan.rehearsal,
        "seconds": round(plan.seconds, 3),
        "hazards": [str(hazard) for hazard in plan.hazards],
        "tables": [_size_json(table, size) for table, size in sorted(plan.sizes.items())],
        "revisions": [_step_json(step) for step in plan.steps],
    }


def _step(live: LiveDatabase, revision: RevisionFile, rehearsal: Rehearsal) -> Step:
    return Step(
        revision=revision.revision,
        message=revision.doc,
        path=live.settings.relative(revision.path),
        checksum=revision.checksum,
        parents=revision.down_revisions,
        observations=tuple(one for one in rehearsal.observations if one.revision == revision.revision),
        hazards=rehearsal.hazards.get(revision.revision, ()),
        seconds=rehearsal.seconds.get(revision.revision, 0.0),
    )


def _touched(steps: Iterable[Step]) -> tuple[str, ...]:
    """Tables that somebody may wait for, and those that are read or written as a whole."""
    observations = [observation for step in steps for observation in step.observations]
    locked = {lock.table for one in observations for lock in one.locks if lock.blocks_writes}
    whole = {table for one in observations for table in (*one.rewrites, *one.scans)}
    return tuple(sorted(locked | whole))


def _size_json(table: str, size: TableSize) -> dict[str, Any]:
    return {"table": table, "rows": size.rows, "bytes": size.bytes}


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "revision": step.revision,
        "message": step.message,
        "path": step.path,
        "checksum": step.checksum,
        "parents": list(step.parents),
        "seconds": round(step.seconds, 3),
        "hazards": [str(hazard) for hazard in step.hazards],
        "statements": list(step.statements),
        "observed": [observation_json(observation) for observation in step.observations],
    }


def observation_json(observation: Observation) -> Mapping[str, Any]:
    """What one statement did, as reports carry it."""
    return {
        "seconds": round(observation.seconds, 4),
        "in_transaction": observation.in_transaction,
        "locks": [
            {
                "table": lock.table,
                "mode": lock.mode,
                "blocks_reads": lock.blocks_reads,
                "blocks_writes": lock.blocks_writes,
            }
            for lock in observation.locks
        ],
        "rewrites": list(observation.rewrites),
        "scans": list(observation.scans),
        "creates": list(observation.creates),
        "invalid_indexes": list(observation.invalid_indexes),
    }
