"""A project as read from its files, and the database a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from govern.core.finding import Finding, Severity
from govern.core.guard import CHAIN, HISTORY
from govern.core.report import Draft, Entry
from govern.core.retention import Policy
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.errors import Refused
from govern.revisions.graph import Chain, read_chain, read_project_chain

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.run import AppliedRevision
    from govern.source.manifest import Manifest

_MANY_RUNS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The files' side of things: nothing in it was imported or executed."""

    settings: Settings
    chain: Chain
    manifest: Manifest | None

    @property
    def critical_tables(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.manifest.critical_tables) if self.manifest else ()

    @property
    def backup_policy(self) -> Policy:
        return self.manifest.backups.policy if self.manifest else Policy()


def read_project(settings: Settings) -> Project:
    """Raises ConfigurationError for a manifest that cannot be read."""
    manifest = _load_manifest(settings.manifest) if settings.manifest else None
    return Project(settings=settings, chain=read_project_chain(settings), manifest=manifest)


def _load_manifest(path: Path) -> Manifest:
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    return load_manifest(path)


def open_database(project: Project, draft: Draft) -> LiveDatabase:
    """The target, started if it is the embedded server, and noted in the report. Raises Unreachable."""
    live = LiveDatabase(project.settings, resolve_target(project.settings))
    describe_target(live, project, draft)
    return live


def describe_target(live: LiveDatabase, project: Project, draft: Draft) -> None:
    """Notes the target in the report, as it is now."""
    with live.connect() as connection:
        draft.target = live.describe(connection, project.chain.effective_heads)


def find_chain_problems(
    project: Project,
    stamped: tuple[str, ...] | None = None,
    applied: Mapping[str, AppliedRevision] | None = None,
) -> tuple[Finding, ...]:
    """Problems of the revision files on their own and, if given, with a database that is stamped with them."""
    from govern.checks.chain import check_chain  # with all its rules, which few commands ask
    from govern.revisions.checksums import read_checksums

    settings = project.settings
    return check_chain(
        project.chain,
        root=settings.root,
        database_revisions=stamped,
        checksums=read_checksums(settings.checksums),
        applied=applied,
    )


def guard_chain(project: Project, draft: Draft, live: LiveDatabase | None = None) -> None:
    """Says no to a chain that cannot be walked. Raises Refused.

    Called before a database is touched, and again with the database it is for. What functions lack is told of pending
    revisions alone.
    """
    from govern.checks.chain import FUNCTION_RULES, HISTORY_RULES

    stamped = live.read_stamped() if live else None
    findings = find_chain_problems(project, stamped, read_applied(live) if live else None)
    broken = [finding for finding in findings if finding.severity >= Severity.ERROR]
    pending = frozenset() if broken else _list_pending(project, stamped)
    findings = tuple(one for one in findings if one.rule not in FUNCTION_RULES or one.subject.name in pending)
    of_history = tuple(finding for finding in findings if finding.rule in HISTORY_RULES)
    of_files = tuple(finding for finding in findings if finding.rule not in HISTORY_RULES)
    draft.replace(Entry.of(CHAIN.name, of_files, count_of(len(project.chain.files), "revision file")))
    if live or of_history:
        draft.replace(
            Entry.of(HISTORY.name, of_history, "as the database, its ledger and govern.sum know it")
        )
    if broken:
        first = broken[0]
        place = f"{first.subject.location}: " if first.subject.location else ""
        raise Refused(
            f"the revision chain is broken: {first.message}", why=place + first.why, next=first.remedy
        )


def _list_pending(project: Project, stamped: tuple[str, ...] | None) -> frozenset[str]:
    """What is still to run, and can be corrected; nothing where no database is known."""
    if stamped is None:
        return frozenset()
    applied = project.chain.ancestors(stamped)
    return frozenset(project.chain.revisions) - applied - find_history(project)


def find_history(project: Project) -> frozenset[str]:
    """The revisions that were there before govern, by the settings. Raises ConfigurationError for one there is not."""
    chain = project.chain
    return frozenset().union(*(chain.ancestors(chain.resolve(last)) for last in find_since(project)))


def find_since(project: Project) -> tuple[str, ...]:
    """``since`` without the revisions that lie in another engine's folder: it speaks of each engine's history."""
    settings, known = project.settings, project.chain.revisions
    if all(one in known for one in settings.since) or not settings.alembic.other_engines_locations:
        return settings.since
    others = read_chain(settings.alembic.other_engines_locations).revisions
    return tuple(one for one in settings.since if one in known or one not in others)


def read_applied(live: LiveDatabase) -> Mapping[str, AppliedRevision]:
    """Each revision as the database's ledger has it, the last time that it was applied."""
    with live.connect() as connection:
        runs = live.dialect.read_runs(connection, _MANY_RUNS)
    return {applied.revision: applied for run in reversed(runs) for applied in run.revisions}
