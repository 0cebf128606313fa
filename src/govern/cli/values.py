"""What a shell completes a value with. No database is asked, and a project that cannot be read completes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from govern.cli.session import Session

if TYPE_CHECKING:
    from govern.source.manifest import Manifest

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _completing(list_names: Callable[[Session], Iterable[str]]) -> Complete:
    def complete(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        try:
            return [name for name in list_names(context.ensure_object(Session)) if name.startswith(begun)]
        except Exception:
            return []

    return complete


def _list_rules(_session: Session) -> Iterable[str]:
    from govern.checks.registry import all_rules

    return all_rules()


def _list_targets(session: Session) -> Iterable[str]:
    from govern.config import list_targets

    return list_targets(session.config)


def _list_revisions(session: Session) -> Iterable[str]:
    from govern.revisions.graph import read_project_chain

    chain = read_project_chain(session.settings)
    return (*chain.revisions, *chain.labels, "heads", "head")


def _list_backups(session: Session) -> Iterable[str]:
    from govern.actions.backup.store import LATEST, list_backups

    return (LATEST, *(backup.id for backup in list_backups(session.settings)))


def _list_probes(session: Session) -> Iterable[str]:
    manifest = _read_manifest(session)
    return (sequence.name for sequence in manifest.probes.sequences) if manifest else ()


def _list_repairs(session: Session) -> Iterable[str]:
    manifest = _read_manifest(session)
    return ("schema", *(repair.name for repair in manifest.repairs)) if manifest else ("schema",)


def _read_manifest(session: Session) -> Manifest | None:
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    return load_manifest(session.settings.manifest) if session.settings.manifest else None


def _list_tables(session: Session) -> Iterable[str]:
    from govern.source.lock import read_lock

    lock = read_lock(session.settings.lock)
    return sorted(key.name for key in lock.snapshot.of_kind("table")) if lock else ()


complete_backup = _completing(_list_backups)
complete_probe = _completing(_list_probes)
complete_repair = _completing(_list_repairs)
complete_revision = _completing(_list_revisions)
complete_rule = _completing(_list_rules)
complete_table = _completing(_list_tables)
complete_target = _completing(_list_targets)
