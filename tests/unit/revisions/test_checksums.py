"""``govern.sum`` records the revisions, and shows what became of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.errors import ConfigurationError
from govern.revisions.checksums import compare, parse_checksums, read_checksums, render_checksums
from govern.revisions.graph import BrokenFile, Chain, RevisionFile, build_chain, read_chain

PATH = Path("govern.sum")


def write(folder: Path, id_: str, down: str | None, extra: str = "") -> None:
    (folder / f"{id_}.py").write_text(f"revision = {id_!r}\ndown_revision = {down!r}\n{extra}")


def revision(id_: str, *down: str) -> RevisionFile:
    return RevisionFile(path=Path(f"{id_}.py"), revision=id_, down_revisions=down, checksum="0" * 64)


def deviations(recorded: str, chain: Chain) -> list[tuple[str, str]]:
    return [
        (found.recorded.revision, found.kind) for found in compare(parse_checksums(recorded, PATH), chain)
    ]


def test_the_file_has_one_line_a_revision_parents_first() -> None:
    text = render_checksums(build_chain([revision("c", "a", "b"), revision("b", "a"), revision("a")]))
    header, *lines = text.splitlines()
    assert header.startswith("# govern.sum 1:")
    assert [line.split(" ")[:2] for line in lines] == [["a", "-"], ["b", "a"], ["c", "a,b"]]
    assert text.endswith("\n")


def test_an_unchanged_chain_does_not_deviate(tmp_path: Path) -> None:
    write(tmp_path, "a", None)
    write(tmp_path, "b", "a")
    chain = read_chain((tmp_path,))
    assert deviations(render_checksums(chain), chain) == []


def test_a_checkout_with_windows_line_endings_does_not_deviate(tmp_path: Path) -> None:
    write(tmp_path, "a", None)
    recorded = render_checksums(read_chain((tmp_path,)))
    file = tmp_path / "a.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert deviations(recorded.replace("\n", "\r\n"), read_chain((tmp_path,))) == []


def test_an_edited_a_repointed_and_a_removed_revision_are_told_apart(tmp_path: Path) -> None:
    for id_, down in (("a", None), ("b", "a"), ("c", "b"), ("d", "c")):
        write(tmp_path, id_, down)
    recorded = render_checksums(read_chain((tmp_path,)))
    write(tmp_path, "b", "a", "x = 1\n")
    write(tmp_path, "c", "a")
    (tmp_path / "d.py").unlink()
    assert deviations(recorded, read_chain((tmp_path,))) == [
        ("b", "edited"),
        ("c", "repointed"),
        ("d", "removed"),
    ]


def test_a_new_revision_is_no_deviation() -> None:
    recorded = render_checksums(build_chain([revision("a")]))
    assert deviations(recorded, build_chain([revision("a"), revision("b", "a")])) == []


def test_a_broken_file_is_not_called_removed() -> None:
    recorded = render_checksums(build_chain([revision("a")]))
    broken = BrokenFile(path=Path("a.py"), line=1, message="is broken", revision="a")
    assert deviations(recorded, build_chain([], broken=[broken])) == []


def test_there_may_be_no_file(tmp_path: Path) -> None:
    assert read_checksums(tmp_path / "govern.sum") is None


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "does not begin"),
        ("a - " + "0" * 64, 1, "does not begin"),
        ("# govern.sum 2: later", 1, "does not begin"),
        ("# govern.sum 1:\na -", 2, "a line is"),
        ("# govern.sum 1:\na - xyz", 2, "a line is"),
        (f"# govern.sum 1:\n\na - {'0' * 64}\na - {'1' * 64}", 4, "already on line 3"),
        ("# govern.sum 1:\n<<<<<<< HEAD", 2, "merge conflict"),
    ],
)
def test_a_malformed_file_is_refused_at_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_checksums(text, PATH)
    assert refused.value.what.startswith(f"govern.sum:{line}:")
    assert words in refused.value.why


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "govern.sum"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_checksums(path)


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda id_: id_ != "-")


@given(st.lists(IDS, unique=True, min_size=1))
def test_any_id_survives_writing_and_reading(ids: list[str]) -> None:
    chain = build_chain(revision(id_, *ids[place - 1 : place]) for place, id_ in enumerate(ids))
    read = parse_checksums(render_checksums(chain), PATH)
    assert {id_: found.down_revisions for id_, found in read.revisions.items()} == {
        id_: file.down_revisions for id_, file in chain.revisions.items()
    }


def test_two_branches_that_add_a_revision_each_collide_in_git(tmp_path: Path) -> None:
    base = [revision("a"), revision("b", "a")]
    texts = [
        render_checksums(build_chain([*base, *more]))
        for more in ([], [revision("x", "b")], [revision("y", "b")])
    ]
    files = [tmp_path / name for name in ("base", "ours", "theirs")]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    base_file, ours, theirs = map(str, files)
    merged = subprocess.run(
        ["git", "merge-file", "-p", ours, base_file, theirs], capture_output=True, text=True, check=False
    )
    assert merged.returncode == 1
    with pytest.raises(ConfigurationError, match="malformed"):
        parse_checksums(merged.stdout, PATH)
