"""What pending revisions would do to a busy database, and whether merged ones were touched."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from govern.api.command import Narrate, command, local_today, silent
from govern.api.project import (
    Project,
    find_chain_problems,
    find_history,
    find_since,
    open_database,
    read_project,
)
from govern.checks.chain import check_merged
from govern.checks.lint import Thresholds, apply_allowances, read_pending
from govern.checks.lint import lint as find_lint
from govern.config import Settings
from govern.core.finding import Severity
from govern.core.observation import Observation
from govern.core.plan import TableSize
from govern.core.report import Draft, Entry
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.database.scratch import dropping_meanwhile
from govern.database.target import declared_like, target_dialect
from govern.declared import declared_by_revisions
from govern.errors import CouldNotCheck, GovernError, Refused
from govern.revisions.checksums import Checksums, parse_checksums, read_checksums
from govern.revisions.counting import count_revisions
from govern.revisions.graph import RevisionFile
from govern.revisions.merged import Merged, read_merged, read_merged_file
from govern.revisions.runner import Runner
from govern.source.allowances import read_allowances

_HISTORY_RULES = ("chain.edited-revision", "chain.repointed-revision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which revisions are linted, and from where they start."""

    revisions: tuple[RevisionFile, ...]
    start: tuple[str, ...]
    """What a copy is at before they run."""
    to: str
    reason: str
    """Why these."""
    live: LiveDatabase | None = None
    """The database they are pending in."""


@command("lint")
@dropping_meanwhile()
def lint(
    draft: Draft,
    settings: Settings,
    *,
    to: str = "heads",
    everything: bool = False,
    against_ref: str | None = None,
    since: str | None = None,
    today: date | None = None,
    narrate: Narrate = silent,
) -> None:
    """Lints the revisions that are pending in the database; or all; or those that a git reference has not.

    Or those after ``since``. Where the database cannot be reached, all that are no history. Raises ConfigurationError
    for a reference or a revision there is not.
    """
    settings = replace(settings, since=(since,)) if since is not None else settings
    project = read_project(settings)
    merged = check_against_ref(draft, project, against_ref)
    if everything:
        selection = select_new(project, frozenset(), to, "all there are")
    elif merged is not None or since is not None:
        known = merged.revisions if merged else frozenset()
        selection = select_new(project, known | find_history(project), to, _since(project, merged))
    else:
        selection = _select_pending(project, draft, to)
    add_lint(draft, project, selection, today=today or local_today(), narrate=narrate)


def check_against_ref(draft: Draft, project: Project, ref: str | None) -> Merged | None:
    """The revisions of a git reference, and an entry about those that are otherwise now."""
    if ref is None:
        return None
    alembic = project.settings.alembic
    merged = read_merged(
        project.settings.root,
        ref,
        alembic.version_locations,
        recursive=alembic.recursive_version_locations,
    )
    findings = tuple(check_merged(project.chain, merged, root=project.settings.root))
    draft.add(Entry.of("merged", findings, f"{count_of(len(merged.files), 'revision')} of {ref}"))
    return merged


def select_new(project: Project, known: frozenset[str], to: str, reason: str) -> Selection:
    """The revisions that are not known yet; they start from those that are."""
    chain = project.chain
    wanted = chain.ancestors(chain.resolve(to)) if chain.files else frozenset()
    new = [chain.revisions[id_] for id_ in wanted - known]
    new.sort(key=lambda file: chain.position[file.revision])
    kept = chain.ancestors(known & chain.revisions.keys())
    replaced = {parent for id_ in kept for parent in chain.parents[id_]}
    return Selection(revisions=tuple(new), start=tuple(sorted(kept - replaced)), to=to, reason=reason)


def select_unrecorded(project: Project, merged: Merged | None) -> Selection:
    """What ``check`` lints: what the git reference has not; without one, what ``govern.sum`` has not recorded.

    As it was committed, where it is in a git repository: ``govern lock`` records a revision before anybody reviewed it.
    """
    history = find_history(project)
    if merged is not None:
        return select_new(project, merged.revisions | history, "heads", _since(project, merged))
    checksums = _read_committed_checksums(project.settings)
    known = frozenset(checksums.revisions) if checksums else frozenset()
    where = project.settings.relative(project.settings.checksums)
    reason = f"newer than {where}" if checksums else _since(project, None)
    return select_new(project, known | history, "heads", reason)


def _read_committed_checksums(settings: Settings) -> Checksums | None:
    """The file itself, where no commit can be asked; None where it is not there, or not committed yet."""
    checksums = read_checksums(settings.checksums)
    if checksums is None:
        return None
    try:
        committed = read_merged_file(settings.root, "HEAD", settings.checksums)
    except GovernError:  # no repository, no commit, no git
        return checksums
    return parse_checksums(committed.decode(), settings.checksums) if committed is not None else None


def add_lint(
    draft: Draft,
    project: Project,
    selection: Selection,
    *,
    today: date,
    is_optional: bool = False,
    narrate: Narrate,
) -> tuple[Observation, ...]:
    """The entries of lint: what was found, and what could not be looked for. Returns what statements were seen to do.

    ``is_optional`` where nobody asked for lint alone: what could not be looked for is said, and decides nothing.
    """
    if not selection.revisions:
        why = f": none is {selection.reason}" if project.chain.files else ""
        draft.passed("lint", f"no revision to look at{why}")
        return ()
    manifest = project.manifest
    observations, undecided = _observe(project, selection, narrate)
    pending = read_pending(
        selection.revisions,
        root=project.settings.root,
        observations=observations,
        sizes=_read_sizes(selection.live, observations),
        thresholds=Thresholds(
            small_table_rows=manifest.lint.small_table_rows, slow_seconds=manifest.lint.slow_seconds
        )
        if manifest
        else None,
        commits_each=_commits_each(project.settings),
    )
    linted = find_lint(pending)
    findings = apply_allowances(linted.findings, read_allowances(project.settings, manifest), today)
    looked = f"{count_of(len(selection.revisions), 'revision')}, {selection.reason}"
    draft.add(Entry.of("lint", findings, looked))
    for part, reason in {**undecided, **linted.undecided}.items():
        draft.add(Entry(name=f"lint {part}", status="skipped", reason=reason, is_optional=is_optional))
    return observations


def _since(project: Project, merged: Merged | None) -> str:
    if merged is not None:
        return f"newer than {merged.ref}"
    since = find_since(project)
    return f"after {name_revisions(since)}" if since else "all there are"


def _select_pending(project: Project, draft: Draft, to: str) -> Selection:
    try:
        live = open_database(project, draft)
        stamped = live.read_stamped()
    except CouldNotCheck as error:
        reason = f"{_since(project, None)}, for {error.what}"
        return select_new(project, find_history(project), to, reason)
    pending = project.chain.pending(stamped, to)
    return Selection(
        revisions=pending,
        start=stamped,
        to=to,
        reason=f"pending after {name_revisions(stamped)}",
        live=live,
    )


def _observe(
    project: Project, selection: Selection, narrate: Narrate
) -> tuple[tuple[Observation, ...], dict[str, str]]:
    """What the revisions did on a scratch database, and why not all of them ran; nothing where no table is locked."""
    settings = project.settings
    if not target_dialect(settings).locks_tables:
        return (), {}
    broken = [
        finding
        for finding in find_chain_problems(project)
        if finding.severity >= Severity.ERROR and finding.rule.id not in _HISTORY_RULES
    ]
    if broken:
        return (), {"run": f"the revision chain is broken: {broken[0].message}"}
    narrate("making a scratch database as it is before them")
    count = len(selection.revisions)
    try:
        like = declared_like(settings)
        with declared_by_revisions(settings, selection.start, like=like) as declared:
            hear = count_revisions(
                narrate, f"running {count_of(count, 'revision')} on a scratch database", count
            )
            outcome = Runner(settings).upgrade(declared.url, selection.to, rehearsing=True, on_event=hear)
    except (CouldNotCheck, Refused) as error:
        return (), {"run": f"{error.what}: {error.why}"}
    if outcome.error is None:
        return outcome.observations, {}
    reason = f"revision {outcome.error.revision} fails on a scratch database: {outcome.error.message}"
    return outcome.observations, {"run": reason}


def _read_sizes(live: LiveDatabase | None, observations: tuple[Observation, ...]) -> Mapping[str, TableSize]:
    """Of the live tables that were seen to be locked, rewritten or read; none without a database that answers."""
    if live is None or not observations:
        return {}
    tables = {lock.table for seen in observations for lock in seen.locks}
    tables |= {table for seen in observations for table in (*seen.rewrites, *seen.scans)}
    with live.connect() as connection:
        return live.dialect.read_sizes(connection, sorted(tables))


def _commits_each(settings: Settings) -> bool:
    """Whether env.py asks for ``transaction_per_migration``, as far as its text says so."""
    try:
        module = ast.parse((settings.alembic.script_location / "env.py").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.keyword)
        and node.arg == "transaction_per_migration"
        and isinstance(node.value, ast.Constant)
        and node.value.value is True
        for node in ast.walk(module)
    )
