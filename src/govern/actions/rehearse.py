"""The pending revisions on a copy, before they reach the live database; what they did there decides.

The copy has the live schema and no rows, or it is the restored backup. It is a scratch database: this module
writes to no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from govern.actions.backup import restored
from govern.actions.tidy import drop_batch_leftovers
from govern.actions.validate import Judgement, judge_schema, serious
from govern.core.backup import Backup
from govern.core.changes import diff
from govern.core.finding import Finding
from govern.core.hazard import Hazard, hazards_of_changing
from govern.core.observation import Observation
from govern.core.plan import RehearsalKind
from govern.core.report import Draft, Entry
from govern.core.right import Right, find_rights
from govern.core.snapshot import Snapshot, place_in
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import schema_copy
from govern.errors import CouldNotCheck, FailedMidway, GovernError, Refused, Unreachable
from govern.revisions.counting import count_revisions
from govern.revisions.explain import describe_failure, missing_extension, next_without_extension
from govern.revisions.graph import Chain
from govern.revisions.graph.destination import Destination, Way
from govern.revisions.protocol import ChildError, Committed, Event
from govern.revisions.runner import Outcome, Runner

if TYPE_CHECKING:
    from govern.source.manifest import Manifest

Narrate = Callable[[str], None]
RehearsalChoice = Literal["schema", "data", "off"]
_FIND_REVISION = (
    "the database has tables and no version row; if they are the revisions' work: govern baseline"
)
_ON = {"schema": "a copy of the schema", "data": "the restored backup"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How the pending revisions did on a copy."""

    how: RehearsalKind
    observations: tuple[Observation, ...] = ()
    hazards: Mapping[str, tuple[Hazard, ...]] = field(default_factory=dict)
    """What was lost, by revision."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each revision took."""
    failure: GovernError | None = None
    """Why they must not reach the live database."""
    error: ChildError | None = None
    """What a revision raised."""
    findings: tuple[Finding, ...] = ()
    """How the copy differed from the declared schema afterwards."""
    judgement: Judgement | None = None
    """The whole of it, with what was lost in copying; None where there was nothing to compare with."""
    undecided: str = ""
    """Why the copy was not held against the declared schema."""
    rights: tuple[Right, ...] = ()
    """What the role must be able to do at the live database."""

    @property
    def remark(self) -> str:
        """What the project's scope made of the differences, or why there are none to tell."""
        return self.undecided or (self.judgement.verdict.remark if self.judgement else "")

    @property
    def lost(self) -> tuple[Hazard, ...]:
        return tuple(sorted({hazard for hazards in self.hazards.values() for hazard in hazards}))


def rehearse(
    live: LiveDatabase,
    chain: Chain,
    manifest: Manifest | None,
    *,
    to: Destination,
    how: RehearsalKind,
    committed: Committed,
    backup: Backup | None,
    narrate: Narrate,
) -> Rehearsal:
    """Runs the revisions on the way to ``to`` on a copy of ``live``, but for what is ``committed``.

    ``data`` needs the backup. What is wrong with them is the rehearsal's ``failure``. Raises CouldNotCheck where no
    copy can be made.
    """
    narrate(f"making {_ON[how]}, to rehearse on it")
    with _copy(live, how, backup, narrate) as copy:
        return rehearse_on(copy, live, chain, manifest, to=to, how=how, committed=committed, narrate=narrate)


def conclude(rehearsal: Rehearsal, draft: Draft) -> None:
    """The report's entry. Raises the rehearsal's failure."""
    if rehearsal.failure is None:
        ran = count_of(len(rehearsal.observations), "statement")
        took = f"{sum(rehearsal.seconds.values()):.2f} s"
        remark = f"; {rehearsal.remark}" if rehearsal.remark else ""
        draft.add(Entry.of("rehearse", rehearsal.findings, f"{ran} on {_ON[rehearsal.how]}, {took}{remark}"))
        return
    if rehearsal.findings:
        draft.add(Entry.of("rehearse", rehearsal.findings, f"on {_ON[rehearsal.how]}"))
    else:
        reason = f"{rehearsal.failure.what}: {rehearsal.failure.why}"
        draft.add(Entry(name="rehearse", status="crashed", reason=reason))
    raise rehearsal.failure


def rehearse_on(
    copy: LiveDatabase,
    live: LiveDatabase,
    chain: Chain,
    manifest: Manifest | None,
    *,
    to: Destination,
    how: RehearsalKind,
    committed: Committed,
    narrate: Narrate,
) -> Rehearsal:
    """Runs them on ``copy``, which holds what ``live`` does. Raises nothing of what is wrong: that is its answer.

    A copy has no other sessions: nothing is tried again, and nothing is noted in it.
    """
    live.dialect.prepare_copy(live.url, copy.url, live.table)
    stamped = copy.read_stamped()
    way = to.find_way(chain, stamped)
    try:
        drop_batch_leftovers(copy)
        before = copy.read_snapshot()
        run = Runner(copy.settings).going(way.direction)
        hear = count_revisions(narrate, f"rehearsing on {_ON[how]}", len(way.revisions))
        outcome = run(copy.url, way.target, rehearsing=True, committed=committed, on_event=hear)
    except GovernError as error:
        return Rehearsal(how=how, failure=error)
    if outcome.error is not None and outcome.error.is_cut:
        return Rehearsal(how=how, failure=_broke_off(outcome.error, how))
    if outcome.error is not None:
        failure = _refuse(outcome.error, to, how, is_unstamped=not stamped and any(before.of_kind("table")))
        return Rehearsal(how=how, observations=outcome.observations, failure=failure, error=outcome.error)
    if set(copy.read_stamped()) != set(way.reached):
        return Rehearsal(how=how, observations=outcome.observations, failure=_nothing_persisted(live, how))
    after = copy.read_snapshot()
    old, new = (place_in(schema, live.url.schema) for schema in (before, after))
    total = len(chain.ancestors(way.reached))
    hear = count_revisions(narrate, f"comparing {_ON[how]} with the declared one", total)
    judgement, findings, undecided = _judge(copy, live, before, after, manifest, hear)
    return Rehearsal(
        how=how,
        observations=outcome.observations,
        hazards=_hazards(outcome, before, after),
        seconds={done.revision: done.seconds for done in outcome.revisions},
        failure=_differs(findings, way) if serious(findings) else None,
        findings=findings,
        judgement=judgement,
        undecided=undecided,
        rights=find_rights(diff(old, new), outcome.observations, old),
    )


@contextmanager
def _copy(
    live: LiveDatabase, how: RehearsalKind, backup: Backup | None, narrate: Narrate
) -> Iterator[LiveDatabase]:
    """Raises CouldNotCheck where none can be made."""
    if how == "data" and backup is not None:
        with restored(live.settings, live.dialect, backup, like=live.url, narrate=narrate) as copy:
            yield LiveDatabase(live.settings, copy.url)
        return
    with _schema_copy(live) as made:
        yield made


@contextmanager
def _schema_copy(live: LiveDatabase) -> Iterator[LiveDatabase]:
    """A schema that its own tools cannot restore is nothing that went wrong midway."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(schema_copy(live))
        except FailedMidway as error:
            raise CouldNotCheck(
                "the live schema could not be copied", why=error.why, next=error.next
            ) from error
        yield made


def _judge(
    copy: LiveDatabase,
    live: LiveDatabase,
    before: Snapshot,
    after: Snapshot,
    manifest: Manifest | None,
    on_event: Callable[[Event], None],
) -> tuple[Judgement | None, tuple[Finding, ...], str]:
    """How the copy differs from what is declared; of that, what it did not differ in from the live one to begin with.

    Or why it could not be compared.
    """
    try:
        judgement = judge_schema(copy, after, manifest, on_event=on_event)
    except CouldNotCheck as error:
        return None, (), f"not compared with the declared schema: {error.what}"
    if not judgement.verdict.findings:
        return judgement, (), ""
    lost_in_copying = {change.key for change in diff(live.read_snapshot(), before)}
    findings = tuple(
        finding
        for finding in judgement.verdict.findings
        if (finding.subject.kind, finding.subject.namespace or "", finding.subject.name)
        not in lost_in_copying
    )
    return judgement, findings, ""


def _hazards(outcome: Outcome, before: Snapshot, after: Snapshot) -> Mapping[str, tuple[Hazard, ...]]:
    """What was seen to be lost; by comparison, of the revision that speaks of it last, where nothing was seen."""
    if outcome.hazards is not None:
        return outcome.hazards
    statements = [observation.sql for observation in outcome.observations]
    found: dict[str, tuple[Hazard, ...]] = {}
    for hazard in hazards_of_changing(diff(before, after), statements):
        speaking = [one.revision for one in outcome.observations if hazard.whole in one.sql]
        revision = speaking[-1] if speaking else outcome.revisions[-1].revision
        found[revision] = (*found.get(revision, ()), hazard)
    return found


def _broke_off(error: ChildError, how: RehearsalKind) -> Unreachable:
    return Unreachable(
        f"the connection to {_ON[how]} broke off",
        why=describe_failure(error),
        next="see why the server ended the connection, then run again",
    )


def _refuse(error: ChildError, to: Destination, how: RehearsalKind, *, is_unstamped: bool) -> Refused:
    """``is_unstamped``: the database has tables, and no version row."""
    place = f"{error.place}: " if error.place else ""
    rows = "; if it needs rows that are there: --rehearse data" if how == "schema" else ""
    extension = missing_extension(error.statement, error.sqlstate)
    what_to_do = next_without_extension(extension) if extension else "correct the revision"
    next_ = f"{what_to_do}, then run again{'' if extension else rows}"
    return Refused(
        f"{to.name_step(error.revision)} fails on {_ON[how]}",
        why=place + describe_failure(error),
        next=f"{_FIND_REVISION}; else {next_}" if is_unstamped else next_,
    )


def _nothing_persisted(live: LiveDatabase, how: RehearsalKind) -> Refused:
    env = live.settings.relative(live.settings.alembic.script_location / "env.py")
    return Refused(
        f"the revisions ran on {_ON[how]}, but the version table does not say so",
        why="Alembic ended without an error, and nothing was persisted",
        next=f"let {env} commit what it executes before context.configure(), and run the migrations online",
    )


def _differs(findings: tuple[Finding, ...], way: Way) -> Refused:
    first = serious(findings)[0]
    accept = "or accept the difference: drift in the manifest"
    return Refused(
        f"at {name_revisions(way.reached)} the database would not be as declared",
        why=f"{count_of(len(findings), 'difference')} on the copy; the first: {first.message}",
        next=f"{first.remedy}; {accept}"
        if way.direction == "upgrade"
        else f"let downgrade() take back all that upgrade() does: govern check; {accept}",
    )
