"""Which backup is the latest, whether it fits the code, and that nothing known of one gets lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from govern.actions.backup import BackupDamaged, amend_manifest, find_backup, list_backups
from govern.actions.backup.listing import describe_backups
from govern.config import Settings
from govern.core.backup import Backup
from govern.errors import ConfigurationError
from govern.revisions.graph import read_chain
from tests.fixtures.backups import NOW, manifest_of, settings_of, write_backup
from tests.fixtures.projects import CASES


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "project")


def add(project: Settings, days_old: float, **facts: Any) -> Backup:
    return write_backup(project, manifest_of(NOW - timedelta(days=days_old), **facts))


def test_the_latest_is_the_newest_that_was_not_found_unfit(project: Settings) -> None:
    verified = add(project, 3, is_verified=True)
    assert find_backup(project) == verified
    unverified = add(project, 2)
    assert find_backup(project) == unverified
    unfit = add(project, 1, is_unfit=True)
    add(project, 0, target="staging")
    safety = add(project, 0, reason="before-restore", is_verified=True)
    assert find_backup(project) == safety
    assert find_backup(project, but_for="before-restore") == unverified
    assert find_backup(project, unfit.id) == unfit


def test_the_latest_is_none_whose_manifest_cannot_be_read(project: Settings) -> None:
    good, damaged = add(project, 1), add(project, 0)
    (damaged.path / "manifest.json").write_text("{}")
    assert find_backup(project) == good
    with pytest.raises(BackupDamaged):
        find_backup(project, damaged.id)


def test_where_none_is_good_it_is_said_why(project: Settings) -> None:
    add(project, 1, is_unfit=True)
    add(project, 0, reason="before-restore")
    with pytest.raises(ConfigurationError, match="no good backup") as caught:
        find_backup(project, but_for="before-restore")
    assert caught.value.why.startswith("1 of 2 were found unfit")


def test_a_proof_takes_back_what_was_found_wrong_and_the_files_alone_do_not(project: Settings) -> None:
    unfit = add(project, 0, is_unfit=True)
    proof = manifest_of(NOW, is_verified=True).verified
    assert proof is not None
    files = replace(proof, level="files")
    assert amend_manifest(unfit, lambda one: one.with_verification(files)).manifest.unfit is not None
    amended = amend_manifest(unfit, lambda one: one.with_verification(proof))
    assert (amended.manifest.unfit, amended.manifest.is_proven) == (None, True)
    assert list_backups(project) == (amended,)


def test_what_several_write_into_one_manifest_is_all_in_it(project: Settings) -> None:
    """A verification, a pin and many more at once: each changes what is there, not what it once had read."""
    backup = add(project, 0)

    def count(number: int) -> None:
        amend_manifest(backup, lambda one: replace(one, rows={**one.rows, f"table_{number}": number}))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(60)))
    assert len(find_backup(project, backup.id).manifest.rows) == 60
    assert [path.name for path in project.backups.iterdir()] == [backup.id]


def test_a_backup_fits_or_is_older_or_newer_or_of_another_history(project: Settings) -> None:
    chain = read_chain((CASES / "plain" / "migrations" / "versions",))
    other = {"target": "staging", "revision": ("b7",)}
    made = [
        (add(project, 6, revision=None), "unstamped", "has no revision"),
        (add(project, 5, revision=("x9",)), "foreign", "of another history"),
        (add(project, 4, revision=("r1",)), "older", "older by 1 revision"),
        (add(project, 3, revision=("r2",)), "fits", "fits"),
        (add(project, 2, revision=("x9",)), "newer", "newer than the code"),
        (add(project, 1, **other), "foreign", "of another history"),
    ]
    rows = describe_backups((one for one, *_ in made), list_backups(project), chain, now=NOW)
    assert [(row["fit"], row["fits"]) for row in rows] == [(state, words) for _, state, words in made]
    assert [row["revisions_behind"] for row in rows] == [None, None, 1, 0, None, None]
    assert [row["age_seconds"] for row in rows] == [days * 86_400 for days in (6, 5, 4, 3, 2, 1)]
