"""Servers that follow the target and do not keep up."""

from __future__ import annotations

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.session import Replica
from govern.core.wording import name_bytes, name_seconds
from govern.database.live import LiveDatabase

LAGGING_REPLICA = Rule(
    id="guard.lagging-replica",
    name="a replica does not keep up",
    severity=Severity.WARNING,
    condition="a replica is more than replica_lag_seconds, or 256 MiB, behind the target",
    effect="a migration that writes much puts it further behind: its readers see old rows, and the old schema",
    remedy="wait until it has caught up, or find out what holds it up; calm_wait_seconds waits for it",
)
_TOO_MANY_BYTES = 256 * 1024**2
"""One that stands still says for ever what it measured last: only bytes tell."""


def check_replicas(live: LiveDatabase) -> tuple[tuple[Finding, ...], str]:
    """One finding for each replica that is behind, and how many there are. Raises NotPermitted."""
    with live.connect() as connection:
        replicas = live.dialect.read_replicas(connection)
    limit = live.settings.replica_lag_seconds
    behind = tuple(_finding(replica) for replica in replicas if _is_behind(replica, limit))
    return behind, f"{len(replicas)} looked at" if replicas else "there is none"


def _is_behind(replica: Replica, limit_seconds: float) -> bool:
    is_late = replica.lag_bytes > 0 and (replica.lag_seconds or 0.0) > limit_seconds
    return is_late or replica.lag_bytes > _TOO_MANY_BYTES


def _finding(replica: Replica) -> Finding:
    late = f"{name_seconds(replica.lag_seconds)}, " if replica.lag_seconds is not None else ""
    return Finding.of(
        LAGGING_REPLICA,
        Subject(kind="replica", name=replica.name),
        f"replica {replica.name} is {late}{name_bytes(replica.lag_bytes)} behind",
        evidence={"seconds": replica.lag_seconds, "bytes": replica.lag_bytes},
    )
