"""What revision files said is remembered by their content, and forgotten without harm."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from govern.config import load
from govern.revisions.graph import Chain, files, read_chain, read_project_chain, remembered

TEXT = '''"""number {number}"""
revision = "r{number}"
down_revision = {parents!r}
branch_labels = {labels!r}


def upgrade() -> None:
    op.create_table("t{number}")


def downgrade() -> None:
    {downgrade}
'''


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "versions"
    folder.mkdir()
    for number in range(150):
        write(folder, number)
    return folder


def write(folder: Path, number: int, *, downgrade: str = "pass") -> None:
    parents = (f"r{number - 1}", f"r{number - 2}") if number > 1 else None
    text = TEXT.format(
        number=number, parents=parents, labels=("main",) if not number else None, downgrade=downgrade
    )
    (folder / f"{number:03}.py").write_text(text, encoding="utf-8")


def read(versions: Path, state: Path | None = None) -> Chain:
    return read_chain((versions,), memory=state or versions.parent / "cache")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that were given to Python's parser."""
    names: list[str] = []
    parse = files.parse_revision_file

    def note(path: Path, content: bytes) -> files.RevisionFile | files.BrokenFile:
        names.append(path.name)
        return parse(path, content)

    monkeypatch.setattr(remembered, "parse_revision_file", note)
    return names


def test_what_is_remembered_is_what_is_read(versions: Path, parsed: list[str]) -> None:
    fresh = read_chain((versions,))
    assert read(versions) == fresh
    assert len(parsed) == 150
    assert read(versions) == fresh
    assert len(parsed) == 150


def test_a_change_is_seen_whatever_the_clock_says(versions: Path, parsed: list[str]) -> None:
    read(versions)
    file = versions / "007.py"
    before = file.stat()
    write(versions, 7, downgrade="xxxx")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    parsed.clear()
    assert read(versions).revisions["r7"].downgrade_is_empty is False
    assert parsed == ["007.py"]


def test_a_name_that_is_the_id_is_a_part_of_what_was_read(versions: Path) -> None:
    (versions / "abc1.py").write_text("def upgrade(): op.f()\ndef downgrade(): op.f()\n", encoding="utf-8")
    assert "abc1" in read(versions).revisions
    (versions / "abc1.py").rename(versions / "abc2.py")
    revisions = read(versions).revisions
    assert "abc2" in revisions
    assert "abc1" not in revisions


def test_a_broken_file_is_read_anew_and_nothing_of_it_is_kept(versions: Path, parsed: list[str]) -> None:
    (versions / "003.py").write_text("def (", encoding="utf-8")
    assert [one.path.name for one in read(versions).broken] == ["003.py"]
    parsed.clear()
    assert [one.path.name for one in read(versions).broken] == ["003.py"]
    assert parsed == ["003.py"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: b"",
        lambda content: content[:-100],
        lambda content: b"\x00" * 100,
        lambda content: content.replace(b'"r12"', b'"r13"', 1),
        lambda content: content.replace(b"\n", b""),
        lambda content: content + b" ",
    ],
    ids=["empty", "cut", "zeros", "another id", "one line", "longer"],
)
def test_a_damaged_memory_is_no_memory(versions: Path, harm: Callable[[bytes], bytes]) -> None:
    fresh = read(versions)
    kept = versions.parent / "cache" / remembered.FILE
    whole = kept.read_bytes()
    assert harm(whole) != whole
    kept.write_bytes(harm(whole))
    assert read(versions) == fresh
    assert kept.read_bytes() == whole


def test_another_reader_believes_nothing(
    versions: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read(versions)
    monkeypatch.setattr(remembered, "_READER", b"a later one")
    parsed.clear()
    read(versions)
    assert len(parsed) == 150


def test_where_nothing_can_be_written_everything_is_read(
    versions: Path, tmp_path: Path, parsed: list[str]
) -> None:
    (tmp_path / "state").write_text("a file where the folder would be", encoding="utf-8")
    for _ in range(2):
        assert len(read(versions, tmp_path / "state").files) == 150
    assert len(parsed) == 300


def test_what_is_gone_is_forgotten_in_the_end(versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_SPARE", 5)
    kept = versions.parent / "cache" / remembered.FILE
    read(versions)
    for turn in range(10):
        write(versions, 7, downgrade=f"turn({turn})")
        read(versions)
    names = [key.split()[1] for key in json.loads(kept.read_bytes().splitlines()[1])]
    assert len(names) == 155
    assert names.count("007.py") == 6


def test_a_few_files_are_not_worth_a_memory(versions: Path) -> None:
    for file in list(versions.iterdir())[10:]:
        file.unlink()
    read(versions)
    assert not (versions.parent / "cache").exists()


def test_many_at_once_leave_one_whole_memory(versions: Path, parsed: list[str]) -> None:
    fresh = read_chain((versions,))
    with ThreadPoolExecutor(8) as many:
        assert all(chain == fresh for chain in many.map(lambda _: read(versions), range(24)))
    state = versions.parent / "cache"
    assert [path.name for path in state.iterdir()] == [remembered.FILE]
    parsed.clear()
    assert read(versions) == fresh
    assert parsed == []


def test_what_a_project_brings_with_it_is_not_believed(
    versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull request could have a memory in which its bad revision is a good one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n", encoding="utf-8")
    (tmp_path / "govern.toml").write_text("", encoding="utf-8")
    settings = load(start=tmp_path, environ={})
    read_project_chain(settings)
    write(versions, 7, downgrade="raise NotImplementedError")
    fresh = read_project_chain(settings)
    kept = next((tmp_path / "cache").rglob(remembered.FILE))
    assert tmp_path / "cache" in kept.parents
    forged = json.loads(kept.read_bytes().partition(b"\n")[2])
    honest, good = (
        next(key for key in order if key.endswith(" 007.py")) for order in (forged, list(forged)[::-1])
    )
    assert honest != good
    forged[honest] = forged[good]
    body = json.dumps(forged).encode()
    brought = tmp_path / ".govern" / remembered.FILE
    brought.parent.mkdir()
    brought.write_bytes(remembered._mark(body) + b"\n" + body)
    assert read_project_chain(settings) == fresh
    brought.replace(kept)
    assert read_project_chain(settings) != fresh, "it would have been believed there"


def test_only_its_user_may_read_and_write_the_folder(versions: Path) -> None:
    read(versions)
    assert (versions.parent / "cache").stat().st_mode & 0o077 == 0


def test_no_value_of_a_revision_is_lost(versions: Path) -> None:
    """A new field that JSON cannot hold would be noticed here."""
    read(versions)
    again = read(versions).revisions["r0"]
    assert again.branch_labels == ("main",)
    assert again.down_revisions == ()
    assert again.lines["upgrade"] == 7
    assert re.fullmatch(r"[0-9a-f]{64}", again.checksum)
