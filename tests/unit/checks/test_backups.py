"""What health says of backups: too old, not proven; and nothing of those that are well."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from govern.checks.backups import check_backups
from govern.core.backup import Backup
from tests.fixtures.backups import NOW, manifest_of

DAY = timedelta(days=1)


def backup(hours_old: float, **facts: bool) -> Backup:
    manifest = manifest_of(NOW - timedelta(hours=hours_old), **facts)  # type: ignore[arg-type]
    return Backup(path=Path("/backups") / manifest.id, manifest=manifest)


def look(*backups: Backup, max_age: timedelta | None = DAY, in_use: tuple[Backup, ...] = ()) -> list[str]:
    found = check_backups(
        backups, "default", max_age=max_age, now=NOW, is_in_use=lambda backup: backup in in_use
    )
    return [finding.rule.id for finding in found]


def test_a_young_verified_backup_is_well() -> None:
    assert look(backup(1, is_verified=True)) == []
    assert look(backup(24, is_verified=True), backup(900)) == []


def test_one_that_is_too_old_is_told_with_its_age() -> None:
    (finding,) = check_backups(
        (backup(72, is_verified=True),), "default", max_age=DAY, now=NOW, is_in_use=lambda _: False
    )
    assert finding.rule.id == "backup.stale"
    assert "was made 3 days ago; 24 h are allowed" in finding.message
    assert finding.evidence == {"age_seconds": 259_200, "max_age_seconds": 86_400}


def test_a_limit_without_a_backup_is_not_kept() -> None:
    assert look() == ["backup.stale"]
    assert look(max_age=None) == []


def test_only_a_verified_backup_is_young_enough() -> None:
    assert look(backup(1), backup(2, is_verified=True)) == ["backup.unverified"]
    assert look(backup(1), backup(72, is_verified=True)) == ["backup.unverified", "backup.stale"]


def test_without_a_limit_no_backup_is_too_old() -> None:
    assert look(backup(9000, is_verified=True), max_age=None) == []


@pytest.mark.parametrize("max_age", [DAY, None])
def test_a_newest_one_that_was_found_unfit_is_told(max_age: timedelta | None) -> None:
    assert look(backup(1, is_unfit=True), backup(2, is_verified=True), max_age=max_age) == [
        "backup.unverified"
    ]
    assert look(backup(1, is_verified=True), backup(2, is_unfit=True), max_age=max_age) == []


def test_one_that_is_being_verified_is_waited_for() -> None:
    fresh = backup(0)
    assert look(fresh, backup(2, is_verified=True), in_use=(fresh,)) == []
    unfit = backup(0, is_unfit=True)
    assert look(unfit, backup(2, is_verified=True), in_use=(unfit,)) == ["backup.unverified"]


def test_one_from_the_future_counts_for_nothing() -> None:
    assert look(backup(-24, is_verified=True)) == ["backup.stale"]
    assert look(backup(-24), backup(1, is_verified=True)) == []
