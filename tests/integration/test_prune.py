"""Pruning never leaves less than the policy, touches nothing but whole backups, and is done or not done of each."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from govern.actions.backup import amend_manifest, list_backups, reading
from govern.actions.backup.locks import alone_with, lock_partial
from govern.actions.backup.removal import remove_backups
from govern.actions.prune import Ledger, prune_backups
from govern.config import Settings
from govern.core.backup import Backup
from govern.core.report import Draft
from govern.core.retention import Policy, Source
from govern.core.run import Run
from govern.errors import ConfigurationError
from tests.fixtures.backups import NOW, manifest_of, settings_of, write_backup

ONE = Policy(newest=1, days=0, ledger_days=0)
TARGETS = ("default", "staging")
COUNTS = st.sampled_from((0, 0, 0, 0, 1, 3))
POLICIES = st.builds(
    Policy,
    newest=st.integers(1, 3),
    days=st.sampled_from((0, 5, 30)),
    daily=COUNTS,
    weekly=COUNTS,
    monthly=COUNTS,
    yearly=COUNTS,
    verified=st.integers(1, 2),
    ledger_days=st.sampled_from((0, 10)),
)
PERIODS = {"daily": "%Y-%m-%d", "weekly": "%G-%V", "monthly": "%Y-%m", "yearly": "%Y"}


def prune(
    project: Settings, policy: Policy, *, runs: tuple[Run, ...] = (), now: datetime = NOW
) -> dict[str, Any]:
    """The rows of the report, by id."""
    draft = Draft("backup prune", now)
    ledger = Ledger(runs=runs, source=Source("default", "app", "sqlite"))
    prune_backups(project, draft, policy, ledger, yes=True, now=now)
    return {row["id"]: row for row in draft.data["prune"]}


class Pruning(RuleBasedStateMachine):
    """Backups come, are verified, found unfit, pinned, read, damaged; clocks jump; and again and again it is pruned."""

    def __init__(self) -> None:
        super().__init__()
        self.exits = contextlib.ExitStack()
        folder = self.exits.enter_context(_temporary_folder())
        self.project = settings_of(folder / "project")
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()
        self.now = NOW
        self.runs: tuple[Run, ...] = ()
        self.damaged: set[str] = set()
        self.in_use: dict[str, contextlib.ExitStack] = {}
        self.foreign_inside: set[str] = set()
        self.foreign: set[str] = set()
        self.project.backups.mkdir(mode=0o700)

    def teardown(self) -> None:
        for reader in self.in_use.values():
            reader.close()
        self.exits.close()

    @property
    def backups(self) -> list[Backup]:
        return list(list_backups(self.project))

    def pick(self, number: int) -> Backup:
        return self.backups[number % len(self.backups)]

    @rule(
        of=st.sampled_from(TARGETS),
        is_verified=st.booleans(),
        is_unfit=st.booleans(),
        many=st.integers(1, 4),
    )
    def create(self, of: str, is_verified: bool, is_unfit: bool, many: int) -> None:
        for _ in range(many):
            manifest = manifest_of(
                self.now, target=of, is_verified=is_verified and not is_unfit, is_unfit=is_unfit
            )
            write_backup(self.project, manifest)

    @rule(hours=st.sampled_from((0, 1, 20, 24, 24 * 8, 24 * 40, 24 * 500, -1, -48, -24 * 60)))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.backups)
    @rule(number=st.integers(0, 99), is_good=st.booleans())
    def verify(self, number: int, is_good: bool) -> None:
        verified = manifest_of(self.now, is_verified=True).verified
        amend_manifest(
            self.pick(number),
            lambda manifest: (
                manifest.with_verification(verified)
                if is_good
                else manifest.found_unfit(self.now, "a byte was flipped")
            ),
        )

    @precondition(lambda self: self.backups)
    @rule(number=st.integers(0, 99), pinned=st.sampled_from(("before the move", None)))
    def pin(self, number: int, pinned: str | None) -> None:
        amend_manifest(self.pick(number), lambda manifest: replace(manifest, pinned=pinned))

    @precondition(lambda self: self.backups)
    @rule(number=st.integers(0, 99))
    def run_with(self, number: int) -> None:
        run = Run(id="x", command="migrate", actor="me", started_at=self.now, backup=self.pick(number).id)
        self.runs += (run,)

    @precondition(lambda self: self.backups)
    @rule(number=st.integers(0, 99))
    def begin_reading(self, number: int) -> None:
        backup = self.pick(number)
        reader = self.in_use.setdefault(backup.id, contextlib.ExitStack())
        reader.enter_context(reading(backup))

    @rule()
    def end_reading(self) -> None:
        if self.in_use:
            self.in_use.popitem()[1].close()

    @precondition(lambda self: len(self.backups) > 3)
    @rule(number=st.integers(0, 99), how=st.sampled_from(("{}", None)))
    def damage(self, number: int, how: str | None) -> None:
        backup = self.pick(number)
        manifest = backup.path / "manifest.json"
        manifest.unlink() if how is None else manifest.write_text(how)
        self.damaged.add(backup.id)

    @precondition(lambda self: self.backups)
    @rule(number=st.integers(0, 99), is_link=st.booleans())
    def put_something_into(self, number: int, is_link: bool) -> None:
        backup = self.pick(number)
        file = backup.path / "notes"
        if not file.is_symlink() and not file.exists():
            file.symlink_to(self.elsewhere) if is_link else file.write_text("mine")
        self.foreign_inside.add(backup.id)

    @rule(name=st.sampled_from(("README.md", "old", "20200101T000000Z-manual-00000g")))
    def put_something_beside(self, name: str) -> None:
        path = self.project.backups / name
        if not path.exists():
            path.mkdir() if name == "old" else path.write_text("mine")
        self.foreign.add(name)

    @rule()
    def link_something_beside(self) -> None:
        name = "20200101T000000Z-manual-abcdef"
        path = self.project.backups / name
        if not path.is_symlink():
            kept = write_backup(
                replace(self.project, backups=self.elsewhere), manifest_of(NOW, backup_id=name)
            )
            path.symlink_to(kept.path)
        self.foreign.add(name)

    @rule(is_alive=st.booleans())
    def leave_half_of_one(self, is_alive: bool) -> None:
        partial = self.project.backups / f".partial-{'alive' if is_alive else 'dead'}"
        if not partial.exists():
            partial.mkdir()
            (partial / "data").write_text("half of")
            if is_alive:
                self.exits.callback(os.close, lock_partial(partial))
                self.foreign.add(partial.name)

    @rule(policy=POLICIES)
    def prune(self, policy: Policy) -> None:
        before = self.backups
        protected = {one.id for one in before if self.is_protected(one, before, policy)}
        rows = prune(self.project, policy, runs=self.runs, now=self.now)
        left = {one.id for one in self.backups}
        assert left == protected
        assert {name for name, row in rows.items() if row["fate"] == "removed"} == {
            one.id for one in before
        } - protected
        assert {name for name, row in rows.items() if row["fate"] == "stays"} == protected | self.damaged
        assert all(row["why"] for row in rows.values())
        assert not (self.project.backups / ".partial-dead").exists()
        for target in TARGETS:
            had, has = (
                sum(one.manifest.is_proven and one.manifest.target == target for one in backups)
                for backups in (before, self.backups)
            )
            assert has >= min(had, policy.verified)

    def is_protected(self, one: Backup, backups: list[Backup], policy: Policy) -> bool:
        """The same rules, asked of one backup at a time and in the simplest way."""
        if one.id in self.in_use or one.id in self.foreign_inside or one.manifest.pinned:
            return True
        made = one.manifest.created_at
        mine = [other for other in backups if other.manifest.target == one.manifest.target]
        past = [other for other in mine if other.manifest.created_at <= self.now]
        since = max((other.manifest.created_at for other in past), default=self.now)
        age = since - made
        if made > self.now or age < timedelta(days=policy.days):
            return True
        if one.manifest.target == "default":
            seen = [run for run in self.runs if run.started_at <= self.now]
            newest = max((run.started_at for run in seen), default=self.now)
            span = timedelta(days=policy.ledger_days)
            if any(run.backup == one.id and newest - run.started_at < span for run in self.runs):
                return True
        elif age < timedelta(days=policy.ledger_days):
            return True
        if one.manifest.unfit:
            return not any(other.manifest.is_proven for other in past)
        newer = [other for other in past if not other.manifest.unfit and _moment(other) > _moment(one)]
        if len(newer) < policy.newest:
            return True
        if one.manifest.verified and sum(other.manifest.is_proven for other in newer) < policy.verified:
            return True
        return any(
            f"{made:{form}}" not in (periods := {f"{other.manifest.created_at:{form}}" for other in newer})
            and len(periods) < getattr(policy, name)
            for name, form in PERIODS.items()
        )

    @invariant()
    def nothing_else_is_touched(self) -> None:
        there = {path.name for path in self.project.backups.iterdir()}
        assert there >= self.foreign | self.damaged
        assert all((self.project.backups / name / "notes").is_symlink() or
                   (self.project.backups / name / "notes").exists() for name in self.foreign_inside)  # fmt: skip


def _moment(backup: Backup) -> tuple[datetime, str]:
    return backup.manifest.created_at, backup.id


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


TestPruning = Pruning.TestCase
TestPruning.settings = settings(
    max_examples=70, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


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
from tests.fixtures.backups import manifest_of, settings_of, write_backup
from tests.integration.test_prune import ONE, add, prune

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
