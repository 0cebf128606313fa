"""What the manifest says to the monitor: how often, what may be fixed, who is told. Read anew with every pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from govern.config import Settings
from govern.core.fixing import AllowedFix, Policy
from govern.core.snapshot import default_namespace
from govern.errors import ConfigurationError
from govern.source.manifest import Manifest, MonitoredProbes, Notify, load_manifest, split_table

DEFAULT_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The manifest's word."""

    policy: Policy = field(default_factory=lambda: Policy(mode="off"))
    every: timedelta = DEFAULT_EVERY
    notify: tuple[Notify, ...] = ()
    probes: MonitoredProbes | None = None
    """What the running application is asked."""
    folder: Path = Path()
    """Where commands are started."""
    trouble: str = ""
    """Why the manifest cannot be read: then nothing is fixed."""


def read_orders(settings: Settings, dialect: str) -> Orders:
    """Never raises: a manifest that is being edited must not end a monitor."""
    if settings.manifest is None:
        return Orders(folder=settings.root)
    try:
        manifest = load_manifest(settings.manifest)
    except ConfigurationError as error:
        return Orders(folder=settings.root, trouble=error.what)
    return Orders(
        policy=_read_policy(manifest, dialect),
        every=manifest.monitor.every,
        notify=manifest.monitor.notify,
        probes=manifest.monitor.probes,
        folder=settings.root,
    )


def _read_policy(manifest: Manifest, dialect: str) -> Policy:
    fixes = manifest.monitor.fixes
    return Policy(
        mode=fixes.mode,
        allowed=tuple(
            AllowedFix(
                kind=one.kind,
                repair=one.repair,
                tables=tuple(_full_name(table, dialect) for table in one.tables),
                most_rows=one.most_rows,
            )
            for one in fixes.allow
        ),
        critical_tables=frozenset(_full_name(table.name, dialect) for table in manifest.critical_tables),
        hours=fixes.part_of_day,
        most_per_hour=fixes.most_per_hour,
    )


def _full_name(name: str, dialect: str) -> str:
    namespace, table = split_table(name)
    return ".".join(part for part in (namespace or default_namespace(dialect), table) if part)
