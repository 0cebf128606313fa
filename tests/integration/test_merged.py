"""Revisions as a git reference has them, in real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from govern.checks.chain import check_merged
from govern.core.finding import Finding
from govern.errors import ConfigurationError
from govern.revisions.graph import read_chain
from govern.revisions.merged import read_merged

BODY = "\n\ndef upgrade():\n    op.f()\n\n\ndef downgrade():\n    op.g()\n"


class Repository:
    """A project below the top of a repository."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.root = top / "backend"
        self.versions = self.root / "versions"
        self.versions.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> None:
        names = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        subprocess.run(("git", "-C", str(self.top), *names, *arguments), check=True, capture_output=True)

    def write(self, id_: str, down: str | None = None, *, name: str = "", body: str = BODY) -> Path:
        file = self.versions / f"{name or id_}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"revision = {id_!r}\ndown_revision = {down!r}{body}")
        return file

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x")

    def check(self, ref: str = "main") -> list[Finding]:
        merged = read_merged(self.root, ref, [self.versions])
        return list(check_merged(read_chain((self.versions,)), merged, root=self.root))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """a ← b, committed on main."""
    repository = Repository(tmp_path / "repository")
    repository.write("a")
    repository.write("b", "a")
    repository.commit()
    return repository


def test_what_is_as_merged_has_no_finding_nor_has_what_is_new(repository: Repository) -> None:
    repository.write("c", "b")
    merged = read_merged(repository.root, "main", [repository.versions])
    assert merged.revisions == {"a", "b"}
    assert repository.check() == []


def test_an_edited_revision_is_found_and_white_space_is_no_edit(repository: Repository) -> None:
    file = repository.write("b", "a", body=BODY.replace("op.f()", "op.f(1)"))
    (found,) = repository.check()
    assert (found.rule.id, found.subject.path) == ("chain.edited-revision", "versions/b.py")
    assert found.message == "the file of revision b is not the one that main has"
    file.write_bytes(f"revision = 'b'\ndown_revision = 'a'{BODY}\n\n".replace("\n", "  \r\n").encode())
    assert repository.check() == []


def test_a_repointed_revision_says_where_it_was(repository: Repository) -> None:
    repository.write("c", "a")
    repository.write("b", "c")
    (found,) = repository.check()
    assert found.rule.id == "chain.repointed-revision"
    assert found.message == "revision b came after a in main, now it says c"


def test_a_renamed_file_is_the_same_revision_and_a_deleted_one_is_missed(repository: Repository) -> None:
    (repository.versions / "b.py").rename(repository.versions / "other_name.py")
    assert repository.check() == []
    (repository.versions / "other_name.py").unlink()
    (found,) = repository.check()
    assert found.rule.id == "chain.edited-revision"
    assert found.message == "revision b is in main, but its file is gone or has another id"
    assert found.subject.path is None


def test_the_working_tree_does_not_count_nor_do_folders_below(repository: Repository) -> None:
    repository.write("d", "a", name="archive/d")
    repository.commit()
    repository.git("branch", "with-d")
    read = read_merged(repository.root, "with-d", [repository.versions])
    assert read.revisions == {"a", "b"}
    deep = read_merged(repository.root, "with-d", [repository.versions], recursive=True)
    assert deep.revisions == {"a", "b", "d"}


def test_file_names_git_would_quote_are_read(repository: Repository) -> None:
    repository.write("ä", "b", name='näme "of" a\tfile')
    repository.commit()
    assert "ä" in read_merged(repository.root, "main", [repository.versions]).revisions


@pytest.mark.parametrize("ref", ["origin/nowhere", "--help", "", "main:backend"])
def test_a_reference_there_is_not_is_a_wrong_use(repository: Repository, ref: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no git reference") as told:
        read_merged(repository.root, ref, [repository.versions])
    assert told.value.exit_code == 2


def test_a_reference_that_is_not_at_hand_comes_with_what_to_do(
    repository: Repository, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as told:
        read_merged(repository.root, "mian", [repository.versions])
    assert told.value.next == "did you mean main?"
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.top}", str(clone))
    with pytest.raises(ConfigurationError) as told:
        read_merged(clone / "backend", "release/7", [clone / "backend" / "versions"])
    assert "a shallow clone" in (told.value.why or "")
    assert "git fetch --unshallow origin" in (told.value.next or "")


def test_a_project_in_no_repository_is_a_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ConfigurationError, match="the project is in no git repository"):
        read_merged(tmp_path, "main", [tmp_path])


def test_a_reference_without_any_revision_has_none(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "empty")
    repository.git("rm", "-r", "--quiet", "--force", ".")
    repository.git("commit", "--quiet", "--allow-empty", "--message=x")
    repository.root.mkdir()
    assert read_merged(repository.root, "empty", [repository.versions]).files == ()


def test_what_the_reference_has_got_since_is_not_missed_here(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.git("checkout", "--quiet", "main")
    repository.write("c", "b")
    repository.write("b", "a", body=BODY.replace("op.f()", "op.f(1)"))
    repository.commit()
    repository.git("checkout", "--quiet", "work")
    assert repository.check() == []
    (repository.versions / "a.py").unlink()
    (found,) = repository.check()
    assert found.message == "revision a is in main, but its file is gone or has another id"
    assert found.remedy.startswith("restore it (git checkout main -- versions/a.py)")


def test_new_revisions_on_both_sides_collide_before_they_are_merged(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.write("ours", "b")
    repository.commit()
    assert repository.check() == []
    repository.git("checkout", "--quiet", "main")
    repository.write("theirs", "b")
    repository.commit()
    repository.git("checkout", "--quiet", "work")
    (found,) = repository.check()
    assert (found.rule.id, found.subject.path) == ("chain.multiple-heads", "versions/ours.py")
    assert found.message == "main has gone on to theirs: with ours the chain will have 2 heads"
    assert "git merge main" in found.remedy
    repository.git("merge", "--quiet", "--no-edit", "main")
    repository.write("ours", "theirs")
    assert repository.check() == []


def test_what_was_merged_otherwise_than_it_is_here_was_edited_wherever_the_branches_part(
    repository: Repository,
) -> None:
    """As after a squash whose revision was corrected in the review."""
    repository.git("checkout", "--quiet", "-b", "work")
    repository.write("c", "b")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("c", "b", body=BODY.replace("op.f()", "op.f(1)"))
    repository.commit()
    repository.git("checkout", "--quiet", "work")
    (found,) = repository.check()
    assert found.message == "the file of revision c is not the one that main has"


def test_where_git_knows_nothing_in_common_what_is_missed_is_said(repository: Repository) -> None:
    """As in a clone of depth 1: nothing is taken for newer that may have been removed."""
    repository.git("checkout", "--quiet", "--orphan", "work")
    (repository.versions / "b.py").unlink()
    repository.commit()
    assert read_merged(repository.root, "main", [repository.versions]).forked is None
    (found,) = repository.check()
    assert found.rule.id == "chain.edited-revision"
    assert "git fetch --unshallow" in found.remedy
