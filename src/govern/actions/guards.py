"""Asks the guards of a migration that only read, and makes their answers entries of the report, and refusals.

``core/guard.py`` says what each asks. Those that have to do something first are asked where it is done: the lock,
the backup, the rehearsal.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from govern.actions.backup.pace import expect_bytes
from govern.actions.rehearse import Rehearsal
from govern.actions.saved_plan import SavedPlan
from govern.actions.validate import judge_schema, serious
from govern.checks.guard import (
    Room,
    check_hazards,
    check_lock_free,
    check_long_transactions,
    check_replicas,
    check_rights,
    check_session,
    check_space,
    check_uncommitted,
)
from govern.checks.lint import read_hazards, read_pending
from govern.core import guard as guards
from govern.core.finding import Finding, Severity
from govern.core.guard import Guard
from govern.core.hazard import Hazard
from govern.core.report import Draft, Entry
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.database.scratch import find_scratch_folder
from govern.errors import CouldNotCheck, NotPermitted, Refused
from govern.revisions.graph.destination import Way
from govern.source.manifest import Manifest

_MOMENT_SECONDS = 2.0
"""A transaction that ends by itself meanwhile was an application's, not somebody's hand."""
_LOOK_SECONDS = 0.2
_UNSEEN = "nothing was rehearsed: nobody has seen what the revisions touch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How the guards are asked."""

    live: LiveDatabase
    draft: Draft
    is_migrating: bool
    """Whether a no refuses; else it is told, and the next guard is asked."""
    narrate: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def answer(self, guard: Guard, findings: tuple[Finding, ...], if_none: str) -> None:
        """The guard's entry. Raises Refused for what is found, if it is more than a warning."""
        self.draft.add(Entry.of(guard.name, findings, "" if findings else if_none))
        if self.is_migrating and (grave := serious(findings)):
            raise _refused(grave)

    def skip(self, guard: Guard, why: str) -> None:
        """Could not be asked: which refuses nothing, and is never read as a yes."""
        self.draft.add(Entry(name=guard.name, status="skipped", reason=why, is_optional=True))

    def until_calm(self, look: Callable[[], tuple[Finding, ...]], seconds: float) -> tuple[Finding, ...]:
        """Looks until nothing is found, for ``seconds`` at most."""
        end = self.monotonic() + seconds
        told = ""
        while (findings := look()) and self.monotonic() < end:
            if findings[0].subject.name != told:
                told = findings[0].subject.name
                self.narrate(f"waiting: {findings[0].message}")
            self.sleep(_LOOK_SECONDS)
        return findings


def ask_for_lock(asking: Asking) -> None:
    """For whoever does not take it: could it be taken?"""
    lock, findings = check_session(asking.live)
    if asking.live.dialect.is_server:
        asking.answer(guards.POOLER, findings, POOLER_PASSED)
    if lock is not None:
        asking.answer(guards.LOCK, check_lock_free(asking.live, lock), "free")


POOLER_PASSED = "the session stays ours"


def ask_before(asking: Asking, *, with_backup: bool) -> None:
    """What can be asked before anybody knows what the revisions do. Raises Refused."""
    if asking.live.dialect.is_server:
        uncommitted = asking.until_calm(lambda: check_uncommitted(asking.live), _MOMENT_SECONDS)
        asking.answer(guards.UNCOMMITTED, uncommitted, "no other session holds such a lock")
        _ask_for_replicas(asking)
    if with_backup:
        asking.answer(guards.DISK, *check_space(_rooms(asking.live)))


def ask_after(
    asking: Asking,
    rehearsal: Rehearsal | None,
    way: Way,
    manifest: Manifest | None,
    *,
    allow: tuple[str, ...],
    plan: SavedPlan | None,
    is_resumed: bool,
) -> None:
    """What can be asked once it is known what the revisions do, or that it will not be known. Raises Refused.

    ``is_resumed``: a revision was begun before, and what it left in the schema is proven.
    """
    _ask_for_hazards(asking, rehearsal, way, allow=allow, plan=plan)
    if rehearsal is not None and rehearsal.undecided == "":
        asking.draft.passed(guards.DRIFT.name, "as declared once the revisions have run, seen on the copy")
    elif is_resumed:
        asking.draft.passed(guards.DRIFT.name, "what the revision that was begun has left is proven")
    else:
        _ask_for_drift(asking, manifest)
    if not asking.live.dialect.is_server:
        return
    if rehearsal is None:
        asking.skip(guards.RIGHTS, _UNSEEN)
        asking.skip(guards.TRANSACTIONS, _UNSEEN)
    else:
        needed = count_of(len(rehearsal.rights), "right")
        missing = check_rights(asking.live, rehearsal.rights)
        asking.answer(guards.RIGHTS, missing, f"{needed} needed, none is missing")
        _ask_for_transactions(asking, rehearsal)


def _ask_for_replicas(asking: Asking) -> None:
    said = ""

    def look() -> tuple[Finding, ...]:
        nonlocal said
        findings, said = check_replicas(asking.live)
        return findings

    try:
        findings = _wait_for_calm(asking, look)
    except NotPermitted as error:
        asking.skip(guards.REPLICAS, f"{error.what}: {error.next}")
        return
    asking.answer(guards.REPLICAS, findings, said)


def _ask_for_transactions(asking: Asking, rehearsal: Rehearsal) -> None:
    try:
        findings = _wait_for_calm(
            asking, lambda: check_long_transactions(asking.live, rehearsal.observations)
        )
    except NotPermitted as error:
        asking.skip(guards.TRANSACTIONS, f"{error.what}: {error.next}")
        return
    asking.answer(guards.TRANSACTIONS, findings, "none is in the way")


def _wait_for_calm(asking: Asking, look: Callable[[], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    """Warnings; where a migration waits for calm and there is none at the end, they are more than that."""
    seconds = asking.live.settings.calm_wait_seconds if asking.is_migrating else 0.0
    findings = asking.until_calm(look, seconds)
    return tuple(replace(one, severity=Severity.ERROR) for one in findings) if seconds > 0 else findings


def _ask_for_hazards(
    asking: Asking,
    rehearsal: Rehearsal | None,
    way: Way,
    *,
    allow: tuple[str, ...],
    plan: SavedPlan | None,
) -> None:
    """What was seen to be lost, now or when the plan was made; without either what the revisions' texts say."""
    if rehearsal is not None:
        hazards, unseen = rehearsal.lost, ""
    elif plan is not None:
        hazards, unseen = plan.hazards, ""
    elif way.direction == "upgrade":
        hazards = read_hazards(read_pending(way.revisions, root=asking.live.settings.root))
        unseen = "nothing was rehearsed: nobody looked for losses, but in the revisions' texts"
    else:
        hazards, unseen = (), "nothing was rehearsed: nobody looked for losses"
    findings = check_hazards(hazards, allow)
    if findings or not unseen:
        asking.draft.add(Entry.of(guards.HAZARDS.name, findings, _describe(hazards, allow)))
    else:
        said = _describe(hazards, allow) if hazards else ""
        asking.skip(guards.HAZARDS, "; ".join(filter(None, (unseen, said))))
    forbidden = [hazard for hazard in hazards if str(hazard) not in allow]
    if forbidden and asking.is_migrating:
        raise _refuse_hazards(f"{way.named} can lose data", forbidden)


def _describe(hazards: tuple[Hazard, ...], allow: tuple[str, ...]) -> str:
    allowed = [str(hazard) for hazard in hazards if str(hazard) in allow]
    if allowed:
        return f"allowed by name: {', '.join(allowed)}"
    return "" if hazards else "nothing is lost"


def _ask_for_drift(asking: Asking, manifest: Manifest | None) -> None:
    """Holds the live schema against that of its revision: where no rehearsal shows what it will be."""
    live = asking.live
    try:
        findings, reason = _find_drift(live, manifest)
    except CouldNotCheck as error:
        asking.skip(guards.DRIFT, f"not compared with the declared schema: {error.what}")
        return
    asking.draft.add(Entry.of(guards.DRIFT.name, findings, reason))
    if asking.is_migrating and (grave := serious(findings)):
        raise Refused(
            f"the schema is not the one of revision {name_revisions(live.read_stamped())}",
            why=f"{grave[0].message}{_and_more(grave)}; the database would be unhealthy afterwards",
            next=f"{grave[0].remedy}; or accept the difference: drift in the manifest; if the pending revisions are "
            "to bring it in order, let a rehearsal show that they do: leave out --rehearse off",
        )


def _find_drift(live: LiveDatabase, manifest: Manifest | None) -> tuple[tuple[Finding, ...], str]:
    with live.connect() as connection:
        validated = live.dialect.last_validated_run(connection)
        leftovers = {leftover.table for leftover in live.dialect.find_batch_leftovers(connection)}
    stamped = live.read_stamped()
    is_at_it = validated is not None and set(validated.to_revision) == set(stamped)
    if validated is not None and is_at_it and validated.fingerprint == live.read_fingerprint():
        return (), f"as run {validated.id} left it, which was validated"
    schema = live.read_snapshot()
    if not stamped and not any(True for _ in schema.of_kind("table")):
        return (), "there is no table yet"
    judgement = judge_schema(live, schema, manifest)
    verdict, source = judgement.verdict, judgement.source
    remark = f"; {verdict.remark}" if verdict.remark else ""
    findings = tuple(one for one in verdict.findings if one.subject.name not in leftovers)
    return findings, f"compared with {source}{remark}"


def _rooms(live: LiveDatabase) -> Iterator[Room]:
    """What the backup and the copy restored from it will take, and where."""
    settings = live.settings
    with live.connect() as connection:
        extent = live.dialect.read_extent(connection)
    expected = expect_bytes(settings, live.url.database, extent)
    yield Room(purpose="the backup", folder=settings.backups, bytes=expected)
    folder = find_scratch_folder(settings, live.url)
    if folder is not None:
        yield Room(purpose="the copy restored from it", folder=folder, bytes=extent.whole)


def _refuse_hazards(what: str, forbidden: Iterable[Hazard]) -> Refused:
    """Each is named, with the option that would allow it."""
    named = tuple(forbidden)
    return Refused(
        what,
        why=", ".join(hazard.described for hazard in named),
        next="allow each by name: " + " ".join(f"--allow {shlex.quote(str(hazard))}" for hazard in named),
    )


def _refused(findings: tuple[Finding, ...]) -> Refused:
    """The first in full, of the others why and what to do."""
    first, *others = findings
    return Refused(
        f"{first.message}{_and_more(findings)}",
        why="; ".join(dict.fromkeys((first.why, *(other.message for other in others[:_MOST])))),
        next="; ".join(dict.fromkeys(finding.remedy for finding in findings[: _MOST + 1])),
    )


_MOST = 4


def _and_more(findings: tuple[Finding, ...]) -> str:
    return f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
