"""Whether ``schema.lock`` is up to date: with the models, the revisions and the manifest's critical tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.checks.lock import check_lock
from govern.core.snapshot import ObjectKey, Snapshot
from govern.source.lock import parse_lock, render_lock
from govern.source.manifest import parse_manifest

SCHEMA = Snapshot(
    dialect="sqlite", server_version="3", objects={ObjectKey("table", "", "users"): {}}, unmodelled=()
)


def check(locked: dict[str, int], critical: dict[str, int]) -> tuple[str, ...]:
    lock = parse_lock(render_lock(SCHEMA, ("r1",), locked), Path("schema.lock"))
    findings = check_lock(lock, SCHEMA, ("r1",), path="schema.lock", critical_tables=critical)
    return tuple(finding.message for finding in findings)


@pytest.mark.parametrize("tables", [{}, {"users": 0}, {"users": 2, "roles": 3}])
def test_a_lock_with_the_manifests_tables_is_up_to_date(tables: dict[str, int]) -> None:
    assert check(tables, dict(reversed(tables.items()))) == ()


@pytest.mark.parametrize(
    ("locked", "critical", "said"),
    [
        ({}, {"users": 1}, "critical table users: not critical became at least 1 row"),
        ({"users": 1}, {}, "critical table users: at least 1 row became not critical"),
        ({"users": 1}, {"users": 2}, "critical table users: at least 1 row became at least 2 rows"),
    ],
)
def test_a_lock_is_out_of_date_once_the_manifest_asks_for_something_else(
    locked: dict[str, int], critical: dict[str, int], said: str
) -> None:
    assert check(locked, critical) == (f"schema.lock is out of date: {said}",)


def test_the_manifests_tables_get_their_full_names_and_rows_whose_lack_is_an_error() -> None:
    manifest = parse_manifest(
        "critical_tables:\n- {name: users, min_rows: 1}\n- {name: crm.plans, min_rows: 2, severity: warning}\n",
        Path("governance.yaml"),
    )
    assert manifest.minimum_rows("postgresql") == {"public.users": 1, "crm.plans": 0}
    assert manifest.minimum_rows("sqlite") == {"users": 1, "crm.plans": 0}
