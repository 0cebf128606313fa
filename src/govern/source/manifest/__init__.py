"""The manifest, ``schema/governance.yaml``: critical tables, implied relationships, invariants."""

from govern.source.manifest.load import load_manifest, parse_manifest
from govern.source.manifest.model import (
    CriticalTable,
    Invariant,
    Manifest,
    Relationship,
    Scalar,
    split_column,
    split_table,
)

__all__ = [
    "CriticalTable",
    "Invariant",
    "Manifest",
    "Relationship",
    "Scalar",
    "load_manifest",
    "parse_manifest",
    "split_column",
    "split_table",
]
