"""Pruning never leaves less than the policy, touches nothing but whole backups, and is done or not done of each."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from govern.actions.backup import amend_manifest, list_backups, reading
from govern.actions.backup.locks import alone_with
from govern.actions.backup.removal import remove_backups
from govern.config import Settings
from govern.core.backup import Backup
from govern.core.retention import Policy
from govern.errors import ConfigurationError
from tests.fixtures.backups import NOW, manifest_of, prune, settings_of, write_backup

ONE = Policy(newest=1, days=0, ledger_days=0)


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "project")


def add(project: Settings, days_old: float, **facts: Any) -> Backup:
    return write_backup(project, manifest_of(NOW - timedelta(days=days_old), **facts))


def test_two_prunes_and_a_backup_at_once_leave_what_each_alone_would(project: Settings) -> None:
    """Each round all begin together; one makes a backup and verifies it meanwhile."""

    def make(days_old: float) -> None:
        backup = add(project, days_old)
        with reading(backup):
            verified = manifest_of(NOW, is_verified=True).verified
            amend_manifest(backup, lambda manifest: manifest.with_verification(verified))

    make(50)
    for number in range(40):
        for days_old in (60, 61):
            add(project, days_old, is_verified=True)
        barrier = threading.Barrier(3)

        def begin(work: Any, *arguments: Any, barrier: threading.Barrier = barrier) -> Any:
            barrier.wait()
            return work(*arguments)

        with ThreadPoolExecutor(3) as threads:
            made = threads.submit(begin, make, 49 - number)
            prunes = [threads.submit(begin, prune, project, ONE) for _ in range(2)]
            made.result()
            fates = [row["fate"] for one in prunes for row in one.result().values()]
        assert fates.count("removed") >= 2
        left = list_backups(project)
        assert left[0].manifest.is_proven
        assert {path.name for path in project.backups.iterdir()} == {one.id for one in left}
    assert len(list_backups(project)) <= 2


@pytest.mark.parametrize("is_cut", [True, False])
def test_nothing_goes_for_the_sake_of_one_that_lost_a_file(project: Settings, is_cut: bool) -> None:
    newest, older, oldest = (add(project, days, is_verified=True) for days in (0, 50, 90))
    data = newest.path / "data"
    data.write_text("what") if is_cut else data.unlink()
    rows = prune(project, Policy(newest=1, days=1, ledger_days=0))
    assert [rows[one.id]["fate"] for one in (newest, older, oldest)] == ["stays", "stays", "removed"]
    assert "the newest verified one" in rows[older.id]["why"]


def test_one_that_is_read_stays_until_it_is_not(project: Settings) -> None:
    newest, old = add(project, 0, is_verified=True), add(project, 400)
    with reading(old), reading(old):
        row = prune(project, ONE)[old.id]
        assert (row["fate"], row["why"]) == ("stays", ["it is being verified or restored right now"])
    assert prune(project, ONE)[old.id]["fate"] == "removed"
    assert list_backups(project) == (newest,)


def test_what_was_pruned_meanwhile_is_not_read(project: Settings) -> None:
    """Whoever had found it learns that it is gone, also where another took its name."""
    old = add(project, 400)
    prune(project, Policy(newest=1, days=0, ledger_days=0))  # the newest stays
    add(project, 0)
    prune(project, ONE)
    for read in (lambda: reading(old).__enter__(), lambda: amend_manifest(old, lambda manifest: manifest)):
        with pytest.raises(ConfigurationError, match="not there any more"):
            read()


def test_who_waits_for_one_that_is_being_removed_learns_that_it_is_gone(project: Settings) -> None:
    old = add(project, 400)
    with ThreadPoolExecutor(1) as threads:
        with alone_with(old.path):
            waiting = threads.submit(lambda: reading(old).__enter__())
            time.sleep(0.1)
            assert not waiting.done()
            old.path.rename(project.backups / ".partial-x")
        with pytest.raises(ConfigurationError, match="not there any more"):
            waiting.result()


def test_without_a_folder_there_is_nothing_to_prune(project: Settings) -> None:
    assert prune(project, ONE) == {}
    assert not project.backups.exists()


KILLED = """
import json, os, signal, sys
from pathlib import Path
from govern.actions.backup import check_files, list_backups
from govern.actions.backup.store import find_damaged
from tests.fixtures.backups import prune, settings_of
from tests.integration.test_prune import ONE, add

EVENTS = ("os.rename", "os.remove", "os.rmdir")
outcomes, number = [], 0
while True:
    project = settings_of(Path(sys.argv[1]) / str(number))
    newest = add(project, 0, is_verified=True)
    for days in (10, 20, 30):
        add(project, days, is_verified=True)
    if (child := os.fork()) == 0:
        left = number
        def count(event, _):
            global left
            if event in EVENTS:
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
        sys.addaudithook(count)
        prune(project, ONE)
        os._exit(0)
    is_killed = os.waitpid(child, 0)[1] != 0
    listed = list_backups(project)
    whole = not find_damaged(project) and not any(
        finding for backup in listed for finding in check_files(project, backup)
    )
    prune(project, ONE)
    clean = [path.name for path in project.backups.iterdir()] == [newest.id]
    outcomes.append([is_killed, len(listed), newest in listed, whole, clean])
    number += 1
    if not is_killed:
        break
print(json.dumps(outcomes))
"""


def test_killed_at_any_step_it_leaves_whole_backups_and_the_next_one_ends_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent.parent,
    )
    assert done.returncode == 0, done.stderr
    *killed, ended = json.loads(done.stdout)
    assert len(killed) >= 12
    assert ended == [False, 1, True, True, True]
    assert all(one[2:] == [True, True, True] for one in killed), killed
    assert {one[1] for one in killed} == {1, 2, 3, 4}  # none, some and all of them were listed no more


def test_only_what_is_chosen_is_removed(project: Settings) -> None:
    backups = [add(project, days) for days in range(4)]
    removal = remove_backups(project, lambda found: [backup for backup in found if backup == backups[2]])
    assert removal.removed == (backups[2],)
    assert list_backups(project) == (backups[0], backups[1], backups[3])
