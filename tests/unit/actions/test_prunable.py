"""Whether backups could go is asked after every migration: it has to cost nothing where none is old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from govern.actions.backup import store
from govern.actions.prune import tell_prunable
from govern.config import Settings, load
from govern.core.backup import BackupManifest, ManifestDamaged
from govern.core.report import Draft
from govern.core.retention import Policy

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "govern.toml").touch()
    (tmp_path / "backups").mkdir()
    return load(start=tmp_path, environ={})


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of which backups the manifest was read."""
    ids: list[str] = []
    original: Callable[[Settings, Path], object] = store.read_backup

    def note(settings: Settings, folder: Path) -> object:
        ids.append(folder.name)
        return original(settings, folder)

    monkeypatch.setattr(store, "read_backup", note)
    return ids


def back_up(settings: Settings, *, days: float, target: str = "default") -> Path:
    moment = NOW - timedelta(days=days)
    manifest = BackupManifest(
        id=store.new_id("migrate", moment),
        reason="migrate",
        created_at=moment,
        target=target,
        database="app",
        dialect="sqlite",
        server_version="3.40.1",
        tool="sqlite3",
        govern_version="0.1.0",
        revision=("r1",),
        lock_digest=None,
        files=(),
    )
    folder = settings.backups / manifest.id
    folder.mkdir()
    (folder / store.MANIFEST).write_text(manifest.to_text(), encoding="utf-8")
    return folder


def tell(settings: Settings) -> list[str]:
    draft = Draft(command="migrate", started_at=NOW)
    tell_prunable(settings, draft, Policy(newest=1, days=30, ledger_days=1), now=NOW)
    return [entry.reason for entry in draft.entries]


def test_where_all_are_young_no_manifest_is_read(settings: Settings, read: list[str]) -> None:
    for number in range(20):
        back_up(settings, days=29.9, target=f"tenant{number}")
    assert tell(settings) == []
    assert read == []


def test_an_old_one_is_told_of(settings: Settings, read: list[str]) -> None:
    old, young = back_up(settings, days=90), back_up(settings, days=1)
    assert [reason.partition(",")[0] for reason in tell(settings)] == ["1 backup could go"]
    assert sorted(read) == [old.name, young.name]


def test_a_manifest_that_was_changed_is_read_anew(settings: Settings) -> None:
    folder = back_up(settings, days=1)
    (backup,) = store.list_backups(settings)
    store.amend_manifest(backup, lambda manifest: replace(manifest, pinned="the audit"))
    (again,) = store.list_backups(settings)
    assert again.manifest.pinned == "the audit"
    text = (folder / store.MANIFEST).read_text(encoding="utf-8")
    (folder / store.MANIFEST).write_text(text.replace("the audit", "an audit"), encoding="utf-8")
    with pytest.raises(ManifestDamaged):
        BackupManifest.from_text(text.replace("the audit", "an audit"))
    assert store.list_backups(settings) == ()
