"""The findings for revisions that were applied, taken back and applied again; doing that is for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from govern.checks.chain.places import revision_subject
from govern.checks.chain.rules import (
    DOWNGRADE_FAILS,
    DOWNGRADE_LEAVES_TRACE,
    MISSING_DOWNGRADE,
    UPGRADE_NOT_REPEATABLE,
)
from govern.core.changes import Change, describe_change
from govern.core.finding import Finding, Severity
from govern.core.wording import count_of

if TYPE_CHECKING:
    from govern.checks.chain.replay import ReplayError
    from govern.revisions.graph import Chain

_SHOWN = 3
_HAPPENED = {"added": "left", "removed": "taken away", "changed": "changed"}


class FailedWayBack(Protocol):
    """What is known of the failure: as the runner reports it."""

    @property
    def direction(self) -> Literal["upgrade", "downgrade"]: ...
    @property
    def error(self) -> ReplayError: ...


def describe_trace(chain: Chain, revision: str, changes: Sequence[Change], *, root: Path) -> Finding:
    """``changes``: how the schema after the downgrade differs from the one before the upgrade; at least one."""
    objects = [f"{_name(change)} is {_HAPPENED[change.action]}" for change in changes]
    more = f" and {count_of(len(objects) - _SHOWN, 'object')} more" if len(objects) > _SHOWN else ""
    types = [change.key.name for change in changes if change.key.kind == "enum" and change.action == "added"]
    return Finding.of(
        DOWNGRADE_LEAVES_TRACE,
        revision_subject(chain.revisions[revision], root, at="downgrade"),
        f"after the downgrade of revision {revision} the schema is not what it was before: "
        f"{', '.join(objects[:_SHOWN])}{more}",
        remedy=_drop_type(types[0]) if types else "",
        evidence={"differences": [describe_change(change) for change in changes]},
    )


def describe_failed_way_back(chain: Chain, failed: FailedWayBack, *, root: Path) -> Finding:
    """At its downgrade(), or at the upgrade() that does not run a second time."""
    file = chain.revisions[failed.error.revision or ""]
    said = failed.error.message.strip().partition("\n")[0] or failed.error.type
    evidence = {"type": failed.error.type, "statement": failed.error.statement}
    if failed.direction == "upgrade":
        return Finding.of(
            UPGRADE_NOT_REPEATABLE,
            revision_subject(file, root, at="upgrade"),
            f"revision {file.revision} cannot be applied again after its downgrade: {said}",
            evidence=evidence,
        )
    if failed.error.type == NotImplementedError.__name__:
        return Finding.of(
            MISSING_DOWNGRADE,
            revision_subject(file, root, at="downgrade"),
            f"revision {file.revision} says itself that it cannot be downgraded",
            severity=Severity.INFO,
            why="the way back is to restore a backup",
            remedy="nothing, if that is meant",
        )
    return Finding.of(
        DOWNGRADE_FAILS,
        revision_subject(file, root, at="downgrade"),
        f"the downgrade of revision {file.revision} fails: {said}",
        evidence=evidence,
    )


def list_findings(
    chain: Chain,
    traces: Mapping[str, Sequence[Change]],
    failures: Sequence[FailedWayBack],
    *,
    root: Path,
) -> tuple[Finding, ...]:
    """In the order of the chain."""
    found = {
        failed.error.revision or "": describe_failed_way_back(chain, failed, root=root) for failed in failures
    }
    found |= {id_: describe_trace(chain, id_, changes, root=root) for id_, changes in traces.items()}
    return tuple(found[id_] for id_ in sorted(found, key=chain.position.__getitem__))


def _name(change: Change) -> str:
    kind, namespace, name = change.key
    qualified = name if namespace in ("", "public") else f"{namespace}.{name}"
    return f"{kind.replace('-', ' ')} {qualified}"


def _drop_type(name: str) -> str:
    return (
        "a type outlives the table that it was made for: end downgrade() with "
        f'op.execute("DROP TYPE {name}"), or its upgrade() fails the next time'
    )
