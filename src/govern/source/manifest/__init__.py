"""The manifest, ``schema/governance.yaml``: critical tables, implied relationships, invariants, accepted drift."""

from govern.source.manifest.load import load_manifest, parse_manifest
from govern.source.manifest.model import (
    CriticalTable,
    Drift,
    IgnoredDrift,
    Invariant,
    Manifest,
    Relationship,
    Scalar,
    WeighedDrift,
    split_column,
    split_table,
)

__all__ = [
    "CriticalTable",
    "Drift",
    "IgnoredDrift",
    "Invariant",
    "Manifest",
    "Relationship",
    "Scalar",
    "WeighedDrift",
    "load_manifest",
    "parse_manifest",
    "split_column",
    "split_table",
]
