"""Whatever happens to backups, pruning leaves what the policy keeps and removes the rest: told by a simpler model."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from govern.actions.backup import amend_manifest, list_backups, reading
from govern.actions.backup.locks import lock_partial
from govern.core.backup import Backup
from govern.core.retention import Policy
from govern.core.run import Run
from tests.fixtures.backups import NOW, manifest_of, prune, settings_of, write_backup

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
_STRIDE = 0x9E3779
"""Ids of one second come in no order, and in the same one whenever an example is run again."""
PERIODS = {"daily": "%Y-%m-%d", "weekly": "%G-%V", "monthly": "%Y-%m", "yearly": "%Y"}


class Pruning(RuleBasedStateMachine):
    """Backups come, are verified, found unfit, pinned, read, damaged; clocks jump; and again and again it is pruned."""

    def __init__(self) -> None:
        super().__init__()
        self.exits = contextlib.ExitStack()
        folder = Path(self.exits.enter_context(tempfile.TemporaryDirectory()))
        self.project = settings_of(folder / "project")
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()
        self.now = NOW
        self.made = 0
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
            self.made += 1
            manifest = manifest_of(
                self.now,
                target=of,
                is_verified=is_verified and not is_unfit,
                is_unfit=is_unfit,
                backup_id=f"{self.now:%Y%m%dT%H%M%SZ}-manual-{self.made * _STRIDE % 16**6:06x}",
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
        seen = [run for run in self.runs if run.started_at <= self.now]
        newest = max((run.started_at for run in seen), default=self.now)
        span = timedelta(days=policy.ledger_days)
        if any(run.backup == one.id and newest - run.started_at < span for run in self.runs):
            return True  # of whichever target: what a ledger names may be needed
        if one.manifest.target != "default" and age < span:
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


TestPruning = Pruning.TestCase
TestPruning.settings = settings(
    max_examples=70, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
