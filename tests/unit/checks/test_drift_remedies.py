"""What is said of a difference leads to what can be pasted."""

from __future__ import annotations

from datetime import date

import pytest

from govern.checks.drift import judge_drift
from govern.core.scope import Scope
from govern.core.snapshot import Facts, ObjectKey, Snapshot


def snapshot(*tables: tuple[str, str]) -> Snapshot:
    objects: dict[ObjectKey, Facts] = {ObjectKey("table", namespace, name): {} for namespace, name in tables}
    return Snapshot(dialect="postgresql", server_version="18.1", objects=objects)


@pytest.mark.parametrize(
    ("namespace", "name", "argument"),
    [
        ("public", "notes", "notes"),
        ("audit", "events", "audit.events"),
        ("public", "my notes", "'\"my notes\"'"),
    ],
)
def test_a_table_that_is_gone_is_brought_back_with_its_rows(namespace: str, name: str, argument: str) -> None:
    declared = snapshot((namespace, name))
    [finding] = judge_drift(declared, snapshot(), scope=Scope(), today=date.min).findings
    assert f"govern restore --table {argument} --merge; empty: govern repair plan" in finding.remedy
    [added] = judge_drift(snapshot(), declared, scope=Scope(), today=date.min).findings
    assert "restore" not in added.remedy
    forgotten = judge_drift(
        declared, snapshot(), scope=Scope(), today=date.min, remedy="write a revision"
    ).findings
    assert [finding.remedy for finding in forgotten] == ["write a revision"]
