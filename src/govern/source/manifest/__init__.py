"""The manifest, ``schema/governance.yaml``: critical tables, implied relationships, invariants, what is accepted."""

from govern.source.manifest.load import load_manifest, parse_manifest
from govern.source.manifest.model import (
    Allowed,
    Backups,
    CriticalTable,
    Drift,
    IgnoredDrift,
    Invariant,
    Lint,
    Manifest,
    MonitoredProbes,
    Notify,
    Relationship,
    WeighedDrift,
)
from govern.source.manifest.probes import Probes, Sequence
from govern.source.manifest.repairs import Repair
from govern.source.manifest.values import Scalar, split_column, split_table

__all__ = [
    "Allowed",
    "Backups",
    "CriticalTable",
    "Drift",
    "IgnoredDrift",
    "Invariant",
    "Lint",
    "Manifest",
    "MonitoredProbes",
    "Notify",
    "Probes",
    "Relationship",
    "Repair",
    "Scalar",
    "Sequence",
    "WeighedDrift",
    "load_manifest",
    "parse_manifest",
    "split_column",
    "split_table",
]
