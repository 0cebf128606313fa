"""Rights that a role lacks for what the pending revisions do. On a copy it owns everything, so none is missed there."""

from __future__ import annotations

from collections.abc import Sequence

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.right import Ability, MissingRight, Right
from govern.database.live import LiveDatabase

MISSING_RIGHT = Rule(
    id="guard.missing-right",
    name="the role lacks a right that the revisions need",
    severity=Severity.ERROR,
    condition="the revisions change, drop or refer to an object, or create one in a schema, and the role that migrates "
    "may not",
    effect="the revision would fail half-way, although it succeeds on a copy, where the role owns everything",
    remedy="migrate as the owner, or let one who may grant the right",
)
_LACKS: dict[Ability, str] = {
    "owns": "{role} does not own {subject}, which the revisions change",
    "owns-or-drops": "{role} does not own {subject}, which the revisions drop or rename",
    "creates": "{role} may not create anything in {subject}",
    "references": "{role} may not refer to {subject}",
    "triggers": "{role} may not put a trigger on {subject}",
}


def check_rights(live: LiveDatabase, rights: Sequence[Right]) -> tuple[Finding, ...]:
    """One finding for each of ``rights`` that the role lacks; a warning where SET ROLE would give it."""
    with live.connect() as connection:
        missing = live.dialect.find_missing_rights(connection, rights)
    return tuple(map(_finding, missing))


def _finding(missing: MissingRight) -> Finding:
    right = missing.right
    remedy = f"migrate as {missing.owner}, or run as an administrator: {missing.grant}"
    if missing.by_set_role:
        remedy = f"let env.py SET ROLE to one that may, if it does not yet; or: {missing.grant}"
    return Finding.of(
        MISSING_RIGHT,
        Subject(kind=right.kind, namespace=right.namespace or None, name=right.name or "(current)"),
        _LACKS[right.ability].format(role=missing.role, subject=right.subject),
        severity=Severity.WARNING if missing.by_set_role else None,
        why=f"{right.subject} belongs to {missing.owner}",
        remedy=remedy,
        evidence={"role": missing.role, "owner": missing.owner, "grant": missing.grant},
    )
