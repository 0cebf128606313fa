"""What a reviewer wants to know of a pull request: all that ``check`` says, what becomes of the schema, and what that
does to a busy database; of one environment, too, if it is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from govern.actions.plan import observation_json
from govern.api.checking import Examined, examine
from govern.api.command import Narrate, command, local_today, silent
from govern.api.drawing import draw_difference
from govern.api.drifting import drift
from govern.api.migrating import plan
from govern.api.project import Project, read_project
from govern.checks.chain.rules import EDITED_REVISION, REPOINTED_REVISION
from govern.checks.guard.hazards import HAZARD
from govern.config import Settings
from govern.core.diagram_of_change import leave_out_same
from govern.core.finding import Finding, Severity
from govern.core.outline import count_changes, outline
from govern.core.report import Draft, Entry, Report
from govern.core.snapshot import Snapshot
from govern.database.scratch import dropping_meanwhile
from govern.errors import ConfigurationError, GovernError
from govern.reports.diagram import count_marks, render_mermaid, render_svg
from govern.revisions.merged import read_merged_file
from govern.revisions.nursery import importing_alembic_once
from govern.source.exceptions import read_exceptions
from govern.source.lock import Lock, parse_lock, read_lock

_SOON = timedelta(days=30)
_MOST_TABLES_IN_A_COMMENT = 12
"""A comment is some 850 pixels wide, and hosts shrink a picture to that."""


@command("report pull-request")
@dropping_meanwhile()
@importing_alembic_once()
def report_pull_request(
    draft: Draft,
    settings: Settings,
    *,
    against_ref: str,
    environment: Settings | None = None,
    today: date | None = None,
    narrate: Narrate = silent,
) -> None:
    """Everything for one comment. ``against_ref``: what is merged. ``environment``: the settings of a database whose
    drift is told, and what the pending revisions would do to it; nothing is changed there.

    Raises ConfigurationError for a reference there is not.
    """
    project = read_project(settings)
    examined = examine(draft, project, against_ref=against_ref, narrate=narrate)
    locks = _read_locks(draft, project, against_ref)
    draft.data["pull_request"] = {
        "against": against_ref,
        "schema": _list_changes(draft, project, against_ref, *locks) if locks else None,
        **(_draw(project, against_ref, *locks) if locks else {}),
        "revisions": _list_revisions(project, examined),
        "exceptions": _list_exceptions(project, today or local_today()),
        "environment": environment.target if environment else None,
    }
    if environment is not None:
        name = environment.target
        narrate(f"looking at {name}")
        if _was_rewritten(draft):
            reason = "not compared: by revisions that are no longer what was merged nothing can be said of it"
            draft.add(Entry(name=f"{name}: drift", status="skipped", reason=reason))
        else:
            _add(draft, name, "drift", lambda: drift(environment, narrate=narrate))
        _add(draft, name, "plan", lambda: plan(environment, narrate=narrate))


def _was_rewritten(draft: Draft) -> bool:
    """Whether merged revisions were edited: what the environment has run is in none of the files."""
    findings = (finding for entry in draft.entries if entry.name == "merged" for finding in entry.findings)
    return any(finding.rule in (EDITED_REVISION, REPOINTED_REVISION) for finding in findings)


def _read_locks(draft: Draft, project: Project, ref: str) -> tuple[Snapshot, Snapshot] | None:
    """What is declared in the reference, and here; None, and an entry that says why, where that cannot be compared."""
    settings = project.settings
    path = settings.relative(settings.lock)
    try:
        before, after = _read_merged_lock(settings, ref), read_lock(settings.lock)
    except ConfigurationError as error:
        _tell_incomparable(draft, f"{error.what}: {error.why}")
        return None
    if before is None or after is None:
        _tell_incomparable(draft, f"there is no {path} in {ref if before is None else 'the project'}")
        return None
    if (before.dialect, before.server_major) != (after.dialect, after.server_major):
        _tell_incomparable(draft, f"{path} was written for another server than that of {ref}")
        return None
    return before.snapshot, after.snapshot


def _read_merged_lock(settings: Settings, ref: str) -> Lock | None:
    content = read_merged_file(settings.root, ref, settings.lock, at_fork=True)
    return None if content is None else parse_lock(content.decode(errors="replace"), settings.lock)


def _tell_incomparable(draft: Draft, reason: str) -> None:
    draft.add(Entry(name="schema", status="skipped", reason=f"not compared: {reason}", is_optional=True))


def _list_changes(
    draft: Draft, project: Project, ref: str, before: Snapshot, after: Snapshot
) -> list[Mapping[str, Any]]:
    """The objects that are declared otherwise than in the reference."""
    changes = outline(before, after)
    said = count_changes(changes) or "no change"
    draft.passed("schema", f"{said}, by {project.settings.relative(project.settings.lock)} since {ref}")
    return [
        {"object": str(change.key), "action": change.action, "lines": list(change.lines)}
        for change in changes
    ]


def _draw(project: Project, ref: str, before: Snapshot, after: Snapshot) -> Mapping[str, str]:
    """What is different: as SVG for a page and, where it is small enough to be read there, as Mermaid for a comment."""
    drawn = leave_out_same(draw_difference(before, after, project.manifest))
    if not drawn.tables:
        return {}
    title = f"{count_marks(drawn)} since {ref}"
    pictures = {"drawing": render_svg(drawn.showing(), title=title, is_alone=True)}
    if len(drawn.tables) <= _MOST_TABLES_IN_A_COMMENT:
        pictures["picture"] = render_mermaid(drawn.showing(), title=title)
    return pictures


def _list_revisions(project: Project, examined: Examined) -> list[Mapping[str, Any]]:
    return [
        {
            "revision": file.revision,
            "message": file.doc,
            "path": project.settings.relative(file.path),
            "seconds": round(sum(one.seconds for one in seen), 3),
            "statements": [one.sql for one in seen],
            "observed": [observation_json(one) for one in seen],
        }
        for file in examined.selection.revisions
        for seen in [[one for one in examined.observations if one.revision == file.revision]]
    ]


def _list_exceptions(project: Project, today: date) -> list[Mapping[str, Any]]:
    """Those that have ended, or do so within a month."""
    return [
        {
            "what": one.what,
            "reason": one.reason,
            "owner": one.owner,
            "until": one.until.isoformat(),
            "days": (one.until - today).days,
        }
        for one in read_exceptions(project.manifest)
        if one.until <= today + _SOON
    ]


def _add(draft: Draft, environment: str, part: str, work: Callable[[], Report]) -> None:
    """The entries of another command's report, and what it lists; a command that fails is an entry, too."""
    name = f"{environment}: {part}"
    try:
        report, reason = work(), ""
    except GovernError as error:
        report = error.report or Report(command=name, started_at=draft.started_at, duration_ms=0)
        reason = f"{error.what}: {error.why}" if error.why else error.what
    told = [finding for entry in draft.entries for finding in entry.findings]
    names = {entry.name for entry in draft.entries}
    for entry in report.entries:
        here = f"{environment}: {entry.name}"
        draft.add(_say_once(replace(entry, name=f"{name}: {entry.name}" if here in names else here), told))
    has_said_why = any(finding.severity >= Severity.ERROR for finding in report.findings)
    if reason and not has_said_why:
        draft.add(Entry(name=name, status="crashed", reason=reason))
    draft.data |= report.data
    draft.target = report.target or draft.target


def _say_once(entry: Entry, told: Sequence[Finding]) -> Entry:
    """Without what was found in the files already: a broken chain, a loss that lint names."""
    losses = {f"{finding.rule.id.removeprefix('lint.')}:{finding.subject.name}" for finding in told}
    of_the_chain = {(one.rule, one.subject.name) for one in told if one.rule.family == "chain"}
    new = tuple(
        finding
        for finding in entry.findings
        if (finding.rule, finding.subject.name) not in of_the_chain
        and not (finding.rule == HAZARD and finding.subject.name in losses)
    )
    if len(new) == len(entry.findings):
        return entry
    reason = "; ".join(filter(None, (entry.reason, "the rest is found above" if new else "as found above")))
    return Entry.of(entry.name, new, reason)
