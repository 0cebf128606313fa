"""Revision files are read, never imported, and make up a chain."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from alembic.script.revision import Revision, RevisionMap

from govern.errors import ConfigurationError
from govern.revisions.graph import BrokenFile, Chain, RevisionFile, build_chain, checksum_of, read_chain

BODY = """
def upgrade() -> None:
    op.create_table("t")


def downgrade() -> None:
    op.drop_table("t")
"""


def write(folder: Path, name: str, text: str, body: str = BODY) -> Path:
    path = folder / name
    path.write_text(text + body, encoding="utf-8")
    return path


def read_one(folder: Path, text: str, *, name: str = "one.py", body: str = BODY) -> RevisionFile:
    write(folder, name, text, body)
    (file,) = read_chain((folder,)).files
    return file


def read_broken(folder: Path, text: str, *, name: str = "one.py") -> BrokenFile:
    write(folder, name, text)
    (broken,) = read_chain((folder,)).broken
    return broken


def chain_of(**parents: str | tuple[str, ...] | None) -> Chain:
    """``chain_of(a=None, b="a")``."""
    return build_chain(revision(id_, down) for id_, down in parents.items())


def revision(
    id_: str,
    down: str | tuple[str, ...] | None = None,
    *,
    depends_on: tuple[str, ...] = (),
    labels: tuple[str, ...] = (),
) -> RevisionFile:
    down_revisions = (down,) if isinstance(down, str) else down or ()
    return RevisionFile(
        path=Path(f"versions/{id_}.py"),
        revision=id_,
        down_revisions=down_revisions,
        depends_on=depends_on,
        branch_labels=labels,
    )


def test_a_file_as_alembic_writes_it_is_read_with_its_lines(tmp_path: Path) -> None:
    file = read_one(
        tmp_path,
        '"""add users\n\nRevision ID: b2\n"""\n'
        "from typing import Sequence, Union\nfrom alembic import op\n\n"
        "revision: str = 'b2'\n"
        "down_revision: Union[str, None] = 'a1'\n"
        "branch_labels: Union[str, Sequence[str], None] = None\n"
        "depends_on: Union[str, Sequence[str], None] = None\n",
    )
    assert (file.revision, file.down_revisions, file.depends_on, file.branch_labels) == (
        "b2",
        ("a1",),
        (),
        (),
    )
    assert file.doc == "add users"
    assert (file.line_of("revision"), file.line_of("down_revision")) == (8, 9)
    assert file.line_of("upgrade") == 13
    assert (file.has_upgrade, file.upgrade_is_empty) == (True, False)
    assert (file.has_downgrade, file.downgrade_is_empty, file.downgrade_raises) == (True, False, False)


@pytest.mark.parametrize(
    ("text", "down_revisions"),
    [
        ("revision = 'b'\ndown_revision = None", ()),
        ("revision = 'b'", ()),
        ("revision = 'b'\ndown_revision = ()", ()),
        ("revision = 'b'\ndown_revision = ('a', 'c')", ("a", "c")),
        ("revision = 'b'\ndown_revision = ['a', 'c']", ("a", "c")),
        ("revision, down_revision = 'b', 'a'", ("a",)),
        ("revision = 'b'\ndown_revision = ('a1'\n 'b2')", ("a1b2",)),
        ("PARENT = 'a'\nrevision = 'b'\ndown_revision = PARENT", ("a",)),
        ("revision = 'b'\ndown_revision = 'None'", ("None",)),
        ("revision = 'b'\ndown_revision = ''", ("",)),
        ("revision = 'b'\ndown_revision = '1.10.0'", ("1.10.0",)),
        ("revision = 'b'\ndown_revision = 'a'\ndown_revision = 'c'", ("c",)),
    ],
)
def test_parents_are_read_in_every_form_people_write_them(
    tmp_path: Path, text: str, down_revisions: tuple[str, ...]
) -> None:
    assert read_one(tmp_path, text + "\n").down_revisions == down_revisions


def test_labels_that_are_an_expression_are_unknown_and_nothing_else_is(tmp_path: Path) -> None:
    file = read_one(tmp_path, "revision = 'b'\ndown_revision = 'a'\nbranch_labels = (make_label(),)\n")
    assert file.branch_labels is None
    assert file.down_revisions == ("a",)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("revision = (\n", 1, "is not valid Python"),
        ("revision = 'a'\ndef f(:\n", 2, "is not valid Python"),
        ("x = 1\n", 1, "no assignment to 'revision'"),
        ("\nrevision = make_id()\n", 2, "not written out as text: make_id()"),
        ("revision = 12\n", 1, "not written out as text: 12"),
        ("revision = 'a\\ud800'\n", 1, "not written out as text: 'a\\ud800'"),
        ("revision = 'a'\ndown_revision = 'a\\nb'\n", 2, "not written out as text"),
        ("revision = None\n", 1, "not a text"),
        ("revision = ''\n", 1, "not a text"),
        ("revision = 'a'\ndown_revision = f()\n", 2, "'down_revision' that is not written out as text"),
        ("revision = 'a'\ndown_revision = ('b', None)\n", 2, "mixes ids and None"),
        ("revision = 'a'\nif True:\n    down_revision = 'b'\n", 3, "assigned on a condition"),
        ("from ids import revision\n", 1, "it is imported"),
        ("revision = 'a'\nrevision += 'b'\n", 2, "assigned on a condition"),
    ],
)
def test_a_file_that_does_not_say_what_it_is_is_broken_at_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    broken = read_broken(tmp_path, text)
    assert message in broken.message
    assert broken.line == line


@pytest.mark.parametrize(
    "content",
    [
        b"revision = " + b"-" * 3000 + b"1",
        b"\0",
        b"\xff\xfe\x00",
        b"x = '\xe9'\n",
        b"(" * 5000,
        b"-" * 200_000 + b"1",
    ],
)
def test_hostile_bytes_are_a_broken_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.py").write_bytes(content)
    chain = read_chain((tmp_path,))
    assert [file.path.name for file in chain.broken] == ["bad.py"]


def test_a_broken_file_still_shows_its_id(tmp_path: Path) -> None:
    assert read_broken(tmp_path, "revision: str = 'b2'\n)\n").revision == "b2"


def test_a_latin_1_file_that_says_so_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"# -*- coding: latin-1 -*-\n'''\xe9tat'''\nrevision = 'a'\n")
    (file,) = read_chain((tmp_path,)).files
    assert file.doc == "état"


def test_a_hexadecimal_file_name_is_an_id_as_in_old_alembic(tmp_path: Path) -> None:
    assert read_one(tmp_path, "down_revision = None\n", name="ab12cd.py").revision == "ab12cd"


def test_files_alembic_does_not_load_are_not_read(tmp_path: Path) -> None:
    for name in ("__init__.py", ".#a.py", "a.pyc", "notes.txt"):
        (tmp_path / name).write_text("(((")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "below").mkdir()
    write(tmp_path / "below", "b.py", "revision = 'b'\n")
    chain = read_chain((tmp_path,))
    assert (chain.files, chain.broken) == ((), ())
    assert [file.revision for file in read_chain((tmp_path,), recursive=True).files] == ["b"]


def test_a_location_named_twice_is_read_once_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "revision = 'a'\n")
    chain = read_chain((tmp_path, tmp_path / "missing", tmp_path / "." / ".." / tmp_path.name))
    assert len(chain.files) == 1


def test_reading_never_runs_a_line(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    trace = tmp_path / "trace"
    harm = f"import os, time\nopen({str(trace)!r}, 'w').close()\ntime.sleep(60)\nos._exit(7)\n"
    write(versions, "a.py", f"{harm}revision = 'a'\n")
    write(versions, "b.py", f"raise SystemExit(1)\nrevision, down_revision = 'b', 'a'\n{harm}")
    assert read_chain((versions,)).heads == ("b",)
    assert not trace.exists()
    assert not list(tmp_path.rglob("*.pyc"))


def test_invalid_escapes_in_a_revision_warn_nobody(tmp_path: Path) -> None:
    assert read_one(tmp_path, "revision = 'a'\nSQL = '\\d'\n").revision == "a"  # warnings are errors here


@pytest.mark.parametrize(
    ("body", "facts"),
    [
        ("def upgrade(): pass\ndef downgrade(): pass\n", "upgrade_is_empty downgrade_is_empty"),
        (
            'def upgrade():\n    """Nothing."""\ndef downgrade():\n    ...\n',
            "upgrade_is_empty downgrade_is_empty",
        ),
        (
            "def upgrade():\n    return\ndef downgrade():\n    return None\n",
            "upgrade_is_empty downgrade_is_empty",
        ),
        ("def upgrade(): f()\ndef downgrade():\n    raise NotImplementedError\n", "downgrade_raises"),
        ("def upgrade(): f()\ndef downgrade(): f()\n", ""),
        ("from shared import upgrade, downgrade\n", ""),
        ("upgrade = downgrade = make()\n", ""),
        ("from shared import *\n", ""),
        ("if True:\n    def upgrade(): pass\n    def downgrade(): pass\n", ""),
        ("class C:\n    def upgrade(self): pass\ndef downgrade(): f()\n", "no_upgrade"),
        ("def upgrade(): f()\n", "no_downgrade"),
        ("async def upgrade(): pass\ndef downgrade(): f()\n", "upgrade_is_empty"),
    ],
)
def test_what_the_functions_do_is_seen_from_outside(tmp_path: Path, body: str, facts: str) -> None:
    file = read_one(tmp_path, "revision = 'a'\n", body=body)
    seen = {
        "no_upgrade": not file.has_upgrade,
        "upgrade_is_empty": file.upgrade_is_empty,
        "no_downgrade": not file.has_downgrade,
        "downgrade_is_empty": file.downgrade_is_empty,
        "downgrade_raises": file.downgrade_raises,
    }
    assert {name for name, is_so in seen.items() if is_so} == set(facts.split())


def test_a_thousand_files_make_one_chain(tmp_path: Path) -> None:
    for number in range(1000):
        write(tmp_path, f"{number:04}.py", f"revision = 'r{number}'\ndown_revision = 'r{number - 1}'\n")
    chain = read_chain((tmp_path,))
    assert len(chain.files) == 1000
    assert chain.heads == ("r999",)


def test_a_hundred_thousand_revisions_need_no_deeper_stack() -> None:
    chain = build_chain(
        revision(f"r{number}", f"r{number - 1}" if number else None) for number in reversed(range(100_000))
    )
    assert len(chain.pending(("r10",))) == 99_989
    assert chain.position["r99999"] == 99_999


def test_heads_and_bases_are_alembics() -> None:
    chain = build_chain(
        [revision("a"), revision("b", "a"), revision("x"), revision("y", "x", depends_on=("b",))]
    )
    assert chain.heads == ("b", "y")
    assert chain.effective_heads == ("y",)
    assert chain.bases == ("a", "x")


def test_pending_counts_what_is_depended_on() -> None:
    chain = build_chain(
        [
            revision("a", labels=("main",)),
            revision("b", "a"),
            revision("x"),
            revision("y", "x", depends_on=("main",)),
        ]
    )
    assert [file.revision for file in chain.pending((), "y")] == ["a", "x", "y"]
    assert [file.revision for file in chain.pending(("y",))] == ["b"]
    assert chain.pending(("b", "y")) == ()
    assert chain.pending(("b",), "a") == ()


def test_version_rows_after_a_run_leave_out_what_is_implied() -> None:
    chain = build_chain(
        [revision("a"), revision("b", "a"), revision("x"), revision("y", "x", depends_on=("b",))]
    )
    assert chain.heads_after((), chain.pending(())) == ("y",)
    assert chain.heads_after(("a",), chain.pending(("a",), "b")) == ("b",)
    assert chain.heads_after(("a", "x"), ()) == ("a", "x")


def test_targets_mean_what_they_mean_to_alembic() -> None:
    chain = build_chain(
        [
            revision("aaa1"),
            revision("bbb2", "aaa1", labels=("blue",)),
            revision("bbb3", "aaa1"),
            revision("ccc4", "bbb2"),
        ]
    )
    assert chain.resolve("heads") == ("bbb3", "ccc4")
    assert chain.resolve("base") == ()
    assert chain.resolve("c") == ("ccc4",)
    assert chain.resolve("blue") == ("bbb2",)
    assert chain.resolve("blue@head") == ("ccc4",)
    assert chain.resolve("bbb3@head") == ("bbb3",)
    assert chain.resolve("blue@heads") == ("ccc4",)
    assert chain_of().resolve("head") == ()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("head", "bbb2, bbb3"),
        ("bbb", "beginning of 2 revisions"),
        ("bbb4", "did you mean"),
        ("zzzzz", "name a revision, or a head"),
        ("", "there is no revision ''"),
        ("+1", "there is no revision '+1'"),
        ("bbb2@bbb3", "not on the branch 'bbb2'"),
        ("nope@head", "there is no revision 'nope'"),
    ],
)
def test_a_target_that_is_none_is_refused_with_the_candidates(target: str, words: str) -> None:
    chain = chain_of(aaa1=None, bbb2="aaa1", bbb3="aaa1")
    with pytest.raises(ConfigurationError) as refused:
        chain.resolve(target)
    assert words in str(refused.value)


def test_pending_from_an_unknown_revision_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="stamped with 'zzz'"):
        chain_of(a=None).pending(("zzz",))


def test_the_apply_order_of_two_branches_and_their_merge_is_alembics() -> None:
    files = [
        revision("a"),
        revision("b", "a"),
        revision("c", "a"),
        revision("d", "b"),
        revision("m", ("d", "c")),
    ]
    ours = [file.revision for file in build_chain(files).pending(())]
    assert ours == upgrade_order(files) == ["a", "c", "b", "d", "m"]


def test_the_apply_order_has_parents_first_and_is_nearly_always_alembics() -> None:
    """Between branches Alembic may go otherwise; which of them is first means nothing."""
    randomly = random.Random(20)
    same = 0
    for _ in range(1000):
        files = random_history(randomly)
        chain = build_chain(files)
        ours = [file.revision for file in chain.pending(())]
        assert_parents_first(chain, ours)
        theirs = upgrade_order(files)
        assert set(ours) == set(theirs)
        same += ours == theirs
    assert same >= 800


def upgrade_order(files: list[RevisionFile]) -> list[str]:
    known = RevisionMap(lambda: [as_alembic(file) for file in files])
    return [each.revision for each in known.iterate_revisions("heads", "base")][::-1]


def random_history(randomly: random.Random) -> list[RevisionFile]:
    """A tree of up to 8 revisions, some of them merges."""
    ids = randomly.sample("abcdefgh", randomly.randint(1, 8))
    files = []
    for place, id_ in enumerate(ids):
        parents = randomly.sample(ids[:place], min(place, randomly.choice((1, 1, 1, 2))))
        files.append(revision(id_, tuple(parents)))
    return files


def assert_parents_first(chain: Chain, order: list[str]) -> None:
    seen: set[str] = set()
    for id_ in order:
        assert seen.issuperset(chain.parents[id_])
        seen.add(id_)


def as_alembic(file: RevisionFile) -> Revision:
    return Revision(
        file.revision, file.down_revisions or None, file.depends_on or None, file.branch_labels or None
    )


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (b"a = 1\r\n\r\nb = 2\r\n", True),
        (b"\xef\xbb\xbfa = 1\n\nb = 2\n", True),
        (b"a = 1\n\nb = 2", True),
        (b"a = 1  \n\t\nb = 2\n\n\n", True),
        (b"a = 1\rb = 2", False),
        (b"a = 1\n\n b = 2\n", False),
        (b"a = 1\n\nb = 2  # why\n", False),
        (b"a = 1\nb = 2\n", False),
        (b"a  = 1\n\nb = 2\n", False),
    ],
)
def test_a_checksum_forgets_what_checkouts_change_and_nothing_else(other: bytes, is_same: bool) -> None:
    assert (checksum_of(other) == checksum_of(b"a = 1\n\nb = 2\n")) is is_same


def test_every_other_byte_counts_in_a_checksum() -> None:
    content = b"revision = 'a'\n\n\ndef upgrade():\n    op.add('x')\n"
    ignored = set(b" \t\r\n\f")
    for place, byte in enumerate(content):
        if byte not in ignored:
            changed = content[:place] + bytes([byte ^ 1]) + content[place + 1 :]
            assert checksum_of(changed) != checksum_of(content), place
