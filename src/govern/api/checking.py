"""Commands that need no live database: do models, SQL files, revisions, lock and manifest agree?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from govern.actions.round_trip import has_way_back, prove_ways_back
from govern.api.chaining import chain_entry
from govern.api.command import Narrate, command, local_today, silent
from govern.api.linting import Selection, add_lint, check_against_ref, select_unrecorded
from govern.api.project import Project, find_chain_problems, find_history, read_project
from govern.checks.chain import (
    FUNCTION_RULES,
    HISTORY_RULES,
    does_not_replay,
    find_ways_back,
)
from govern.checks.drift import check_refused, check_scope, judge_drift, with_fixes
from govern.checks.lock import check_lock
from govern.checks.manifest import check_manifest
from govern.config import Settings
from govern.core.changes import diff
from govern.core.finding import Finding, Severity
from govern.core.observation import Observation
from govern.core.report import Draft, Entry
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.database.scratch import dropping_meanwhile
from govern.database.target import declared_like, server_like
from govern.database.url import DatabaseUrl
from govern.declared import (
    Declared,
    ReplayFailed,
    beside,
    declared_by_models,
    declared_by_revisions,
    heed_env,
    in_words_of,
)
from govern.errors import CouldNotCheck
from govern.revisions.counting import count_revisions
from govern.revisions.explain import missing_extension, next_without_extension
from govern.revisions.merged import Merged
from govern.revisions.nursery import importing_alembic_once
from govern.revisions.protocol import ChildError
from govern.source.lock import read_lock
from govern.source.scope import read_scope

_FORGOTTEN_REVISION = "write the missing revision, then review it: govern revision -m 'what changed'"


@command("check")
@dropping_meanwhile()
@importing_alembic_once()
def check(
    draft: Draft,
    settings: Settings,
    *,
    against_ref: str | None = None,
    since: str | None = None,
    narrate: Narrate = silent,
) -> None:
    """Everything that needs no live database. ``against_ref``: what is merged; the rest is linted.

    ``since``: the last revision of a history that is neither linted nor taken back; None: as the settings have it.
    Raises ConfigurationError for a reference or a revision there is not.
    """
    settings = replace(settings, since=(since,)) if since is not None else settings
    examine(draft, read_project(settings), against_ref=against_ref, narrate=narrate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was looked at beside what the draft says."""

    selection: Selection
    """The revisions that were linted."""
    observations: tuple[Observation, ...]
    """What their statements were seen to do on a scratch database."""


def examine(draft: Draft, project: Project, *, against_ref: str | None, narrate: Narrate) -> Examined:
    """The entries of ``check``. Scratch databases are dropped by whoever calls it."""
    entry = draft.add(_entry_of_new_revisions(project))
    merged = check_against_ref(draft, project, against_ref)
    if merged is not None:
        draft.replace(_say_once(entry, told=draft.entries[-1]))
    like = declared_like(project.settings)
    narrate("creating the models' schema in a scratch database")
    with declared_by_models(project.settings, like=like) as models:
        draft.unmodelled = models.snapshot.unmodelled
        if any(_breaks_the_chain(finding) for finding in entry.findings):
            draft.add(Entry(name="replay", status="skipped", reason="the revision chain is broken"))
        else:
            if _check_replay(draft, project, models, like, narrate):
                _check_ways_back(draft, project, merged, like, narrate)
    _check_manifest(draft, project, models.snapshot)
    _check_lock(draft, project, models.snapshot)
    selection = select_unrecorded(project, merged)
    observations = add_lint(draft, project, selection, today=local_today(), is_optional=True, narrate=narrate)
    return Examined(selection=selection, observations=observations)


def _say_once(entry: Entry, *, told: Entry) -> Entry:
    """Without the revisions of which another entry says that they are not what they were."""
    known = {(finding.rule, finding.subject.name) for finding in told.findings}
    new = [finding for finding in entry.findings if (finding.rule, finding.subject.name) not in known]
    return entry if len(new) == len(entry.findings) else Entry.of(entry.name, tuple(new), entry.reason)


def _breaks_the_chain(finding: Finding) -> bool:
    """An edited revision is replayed as it is now."""
    return finding.severity >= Severity.ERROR and finding.rule not in HISTORY_RULES


def _entry_of_new_revisions(project: Project) -> Entry:
    """Nobody corrects the functions of revisions that ran years ago: what the history lacks is counted."""
    findings = find_chain_problems(project)
    if not any(finding.rule in FUNCTION_RULES for finding in findings):
        return chain_entry(project)
    history = find_history(project)
    new = tuple(
        finding
        for finding in findings
        if finding.rule not in FUNCTION_RULES or finding.subject.name not in history
    )
    files = count_of(len(project.chain.files), "revision file")
    old = count_of(len(findings) - len(new), "remark")
    return Entry.of(
        "chain", new, files if len(new) == len(findings) else f"{files}; {old} on the history: govern chain"
    )


def _check_replay(
    draft: Draft, project: Project, models: Declared, like: DatabaseUrl, narrate: Narrate
) -> bool:
    """Whether the revisions replay at all."""
    settings, heads = project.settings, project.chain.effective_heads
    hear = count_revisions(
        narrate, "replaying the revisions from an empty database", len(project.chain.ancestors(heads))
    )
    try:
        with declared_by_revisions(settings, heads, like=like, on_event=hear) as revisions:
            draft.passed("replay", f"from empty to {name_revisions(heads)}")
            draft.add(compare_models(project, models, revisions))
    except ReplayFailed as failure:
        draft.add(_entry_of_failed_replay(project, failure.error))
        draft.add(Entry(name="models", status="skipped", reason="the revisions do not replay"))
        return False
    return True


def _entry_of_failed_replay(project: Project, error: ChildError) -> Entry:
    """What the server of scratch databases lacks is no fault of the chain: then nobody knows."""
    extension = missing_extension(error.statement, error.sqlstate)
    if extension is None:
        return Entry.of("replay", (does_not_replay(project.chain, error, root=project.settings.root),))
    reason = (
        f"revision {error.revision} needs the extension {extension}, and the server of scratch databases has none: "
        f"{next_without_extension(extension)}; or name a server that has it: scratch_url"
    )
    return Entry(name="replay", status="skipped", reason=reason)


def _check_ways_back(
    draft: Draft, project: Project, merged: Merged | None, like: DatabaseUrl, narrate: Narrate
) -> None:
    """Up, down and up again: every revision after the history, or those that the git reference has not.

    What could not be proven is said, and decides nothing: nobody asked for just that.
    """
    chain = project.chain
    known = find_history(project) | (merged.revisions if merged is not None else frozenset())
    chosen = [file.revision for file in chain.files if file.revision not in known and has_way_back(file)]
    if not chosen:
        draft.passed("round trip", "no revision to take back and apply again")
        return
    try:
        ways = prove_ways_back(project.settings, chain, chosen, like=like, narrate=narrate)
    except CouldNotCheck as error:
        reason = f"not proven: {error.what}: {error.why}"
        draft.add(Entry(name="round trip", status="skipped", reason=reason, is_optional=True))
        return
    findings = find_ways_back(chain, ways.traces, ways.failures, root=project.settings.root)
    proven = f"{count_of(len(ways.proven), 'revision')} up, down and up again"
    draft.add(Entry.of("round trip", findings, proven))
    if ways.unproven:
        why = "a downgrade before left something half done" if ways.failures else "they need two transactions"
        draft.data["unproven_ways_back"] = list(ways.unproven)
        rest = count_of(len(ways.unproven), "revision")
        reason = f"{rest} not proven, from {ways.unproven[0]} on, for {why}"
        draft.add(Entry(name="round trip rest", status="skipped", reason=reason, is_optional=True))


def compare_models(project: Project, models: Declared, revisions: Declared) -> Entry:
    """What the newest revision lacks of the models; each finding with the statements that are missing."""
    scope = models.narrow(read_scope(project.settings, project.manifest, with_known=False))
    today = local_today()
    replayed = LiveDatabase(project.settings, revisions.url)
    expected = in_words_of(revisions.snapshot, models.snapshot, replayed.dialect, beside(revisions))
    scope = heed_env(scope, replayed, diff(expected, revisions.snapshot))
    verdict = judge_drift(
        expected,
        revisions.snapshot,
        scope=scope,
        today=today,
        critical_tables=project.critical_tables,
        remedy=_FORGOTTEN_REVISION,
    )
    findings = verdict.findings
    if findings:
        from govern.actions.repairs.schema import prove_repair  # with all that a backup needs

        findings = with_fixes(findings, prove_repair(replayed, models, scope, today))
    findings += check_scope(verdict.sorted, scope, unused=False)
    findings = check_refused(models.refused) + findings
    remark = f"; {verdict.remark}" if verdict.remark else ""
    return Entry.of("models", findings, f"models and SQL files against the replayed revisions{remark}")


def _check_manifest(draft: Draft, project: Project, models: Snapshot) -> None:
    if project.manifest is None or project.settings.manifest is None:
        draft.passed("manifest", "there is none")
        return
    path = project.settings.relative(project.settings.manifest)
    draft.add(Entry.of("manifest", check_manifest(project.manifest, models, path=path), path))


def _check_lock(draft: Draft, project: Project, models: Snapshot) -> None:
    """A lock of another engine or major is held against the models on a server of its own kind."""
    settings = project.settings
    path = settings.relative(settings.lock)
    lock = read_lock(settings.lock)
    if lock is not None and not lock.speaks_of(models):
        like = server_like(settings, lock.snapshot)
        if like is None:
            written_for = f"{lock.snapshot.dialect} {lock.snapshot.server_version}"
            reason = f"{path} is written for {written_for}, and no such server is at hand"
            draft.add(Entry(name="lock", status="skipped", reason=reason))
            return
        with declared_by_models(settings, like=like) as declared:
            models = declared.snapshot
    findings = check_lock(
        lock,
        models,
        project.chain.effective_heads,
        path=path,
        critical_tables=project.manifest.minimum_rows(models.dialect) if project.manifest else {},
    )
    draft.add(Entry.of("lock", findings, path))
