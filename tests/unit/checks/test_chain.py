"""Each rule of the revision chain: the case it names, and the twin it leaves alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from govern.checks.chain import RULES, check_chain, does_not_replay
from govern.checks.chain.parents import is_placeholder
from govern.core.finding import Finding, Severity
from govern.revisions.checksums import Checksums, parse_checksums, render_checksums
from govern.revisions.graph import Chain, read_chain

BODY = "\ndef upgrade():\n    op.f()\n\ndef downgrade():\n    op.g()\n"


@dataclass(frozen=True, slots=True)
class Project:
    """Revision files on disk, and what is found in them."""

    root: Path

    @property
    def versions(self) -> Path:
        return self.root / "versions"

    @property
    def chain(self) -> Chain:
        return read_chain((self.versions,))

    def write(
        self, id_: str, down: object = None, *, name: str = "", more: str = "", body: str = BODY
    ) -> None:
        self.versions.mkdir(exist_ok=True)
        text = f"revision = {id_!r}\ndown_revision = {down!r}\n{more}{body}"
        (self.versions / f"{name or id_}.py").write_text(text)

    def check(
        self,
        *,
        database: tuple[str, ...] | None = None,
        checksums: Checksums | None = None,
    ) -> tuple[Finding, ...]:
        return check_chain(self.chain, root=self.root, database_revisions=database, checksums=checksums)

    def only(self, *, database: tuple[str, ...] | None = None, checksums: Checksums | None = None) -> Finding:
        """The one finding there must be."""
        found = self.check(database=database, checksums=checksums)
        assert len(found) == 1, [(each.rule.id, each.message) for each in found]
        return found[0]

    def record(self) -> Checksums:
        return parse_checksums(render_checksums(self.chain), self.root / "govern.sum")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """a ← b ← c, as it should be."""
    project = Project(tmp_path)
    project.write("a")
    project.write("b", "a")
    project.write("c", "b")
    return project


def test_a_chain_as_it_should_be_has_no_finding(project: Project) -> None:
    assert project.check(database=("b",), checksums=project.record()) == ()


def test_all_rules_of_the_contract_exist_once() -> None:
    names = (
        "placeholder-parent missing-parent cycle duplicate-id multiple-heads multiple-bases broken-file empty-upgrade "
        "missing-downgrade edited-revision repointed-revision unknown-database-revision does-not-replay config-error"
    )
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert {f"chain.{name}" for name in names.split()} <= set(ids)


def test_a_placeholder_in_the_newest_file_is_the_only_finding_and_names_the_parent(project: Project) -> None:
    project.write("d", "previous_revision_id")
    found = project.only()
    assert found.rule.id == "chain.placeholder-parent"
    assert found.severity is Severity.CRITICAL
    assert found.subject.location == "versions/d.py:2"
    assert "'previous_revision_id'" in found.message
    assert "set down_revision = 'c'" in found.remedy


def test_a_placeholder_in_mid_chain_names_the_head_that_does_not_come_after_it(project: Project) -> None:
    project.write("d", "REPLACE_ME")
    project.write("e", "d")
    assert "set down_revision = 'c'" in project.only().remedy


def test_a_placeholder_in_the_only_lineage_is_told_to_be_none(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("a", "<parent>")
    project.write("b", "a")
    assert "set down_revision = None" in project.only().remedy


def test_two_placeholders_are_two_findings_and_do_not_recommend_each_other(project: Project) -> None:
    project.write("d", "TODO")
    project.write("e", "TODO")
    assert [found.remedy for found in project.check()] == [
        "set down_revision = 'c' (the only other head, c.py)"
    ] * 2


def test_the_text_none_is_told_to_lose_its_quotes(project: Project) -> None:
    project.write("a", "None")
    found = project.only()
    assert found.rule.id == "chain.placeholder-parent"
    assert found.remedy == "write down_revision = None without quotes"


def test_a_placeholder_in_depends_on_is_found_at_its_line(project: Project) -> None:
    project.write("d", "c", more="depends_on = 'previous_revision'\n")
    found = project.only()
    assert (found.rule.id, found.subject.line) == ("chain.placeholder-parent", 3)


PLACEHOLDERS = """\
previous_revision_id
REPLACE_ME
<parent>
${down_revision}
{{ prev }}
TODO
xxxx
your previous revision
down_revision
%(down)s
...
None
null
head
INSERT-ID-HERE
"""


@pytest.mark.parametrize("text", ["", " ", *PLACEHOLDERS.splitlines()])
def test_texts_nobody_filled_in_are_placeholders(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "3f2a9b1c77de",
        "deadbeef0000",
        "add_users",
        "1.10.0",
        "0001",
        "previous_addresses",
        "a",
        "202401011200",
    ],
)
def test_ids_people_use_are_no_placeholders(text: str) -> None:
    assert not is_placeholder(text)


def test_a_revision_that_is_called_like_a_placeholder_is_one_all_the_same(project: Project) -> None:
    project.write("head_here", "c")
    project.write("d", "head_here")
    assert project.check() == ()


def test_a_missing_parent_is_found_with_the_id_that_was_meant(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("3f2a9b1c77de")
    project.write("b", "3f2a9b1c77d")
    found = project.only()
    assert found.rule.id == "chain.missing-parent"
    assert found.subject.location == "versions/b.py:2"
    assert "did you mean '3f2a9b1c77de'" in found.remedy


def test_of_many_missing_parents_only_the_first_are_held_against_every_revision(project: Project) -> None:
    project.write("3f2a9b1c77de", "c")
    for number in range(30):
        project.write(f"child{number:02}", "3f2a9b1c77df")
    found = [finding for finding in project.check() if finding.rule.id == "chain.missing-parent"]
    assert ["did you mean" in finding.remedy for finding in found] == [True] * 10 + [False] * 20


def test_a_missing_parent_nothing_resembles_may_not_have_been_committed(project: Project) -> None:
    project.write("d", "77ee88ff")
    assert "was it committed?" in project.only().remedy


def test_each_missing_parent_of_a_merge_is_found(project: Project) -> None:
    project.write("d", ("c", "11111111", "22222222"))
    assert [found.evidence["down_revision"] for found in project.check()] == ["11111111", "22222222"]


def test_a_missing_depends_on_is_a_missing_parent(project: Project) -> None:
    project.write("d", "c", more="depends_on = ('99999999',)\n")
    found = project.only()
    assert (found.rule.id, found.severity, found.subject.line) == (
        "chain.missing-parent",
        Severity.CRITICAL,
        3,
    )


def test_depends_on_may_name_a_label_but_down_revision_may_not(project: Project) -> None:
    project.write("b", "a", more="branch_labels = ('blue',)\n")
    project.write("d", "c", more="depends_on = 'blue'\n")
    assert project.check() == ()
    project.write("d", "blue")
    assert "set it to 'b'" in project.only().remedy


def test_a_depends_on_that_may_be_a_computed_label_is_only_a_warning(project: Project) -> None:
    project.write("b", "a", more="branch_labels = (label(),)\n")
    project.write("d", "c", more="depends_on = '99999999'\n")
    assert project.only().severity is Severity.WARNING


def test_a_revision_that_names_itself_is_a_cycle(project: Project) -> None:
    project.write("d", ("d", "c"))
    found = project.only()
    assert (found.rule.id, found.subject.location) == ("chain.cycle", "versions/d.py:2")
    assert "names itself" in found.message


def test_a_plain_cycle_is_named_with_all_its_revisions(project: Project) -> None:
    project.write("a", "c")
    found = project.only()
    assert found.rule.id == "chain.cycle"
    assert set(found.evidence["cycle"]) == {"a", "b", "c"}  # type: ignore[call-overload]


def test_a_cycle_hidden_behind_a_merge_is_named_at_the_merge(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("aa11")
    project.write("bb22", ("aa11", "cc33"))
    project.write("cc33", "bb22")
    project.write("dd44", "cc33")
    found = project.only()
    assert (found.rule.id, found.subject.location) == ("chain.cycle", "versions/bb22.py:2")
    assert found.remedy == "take 'cc33' out of the down_revision of revision bb22"


def test_a_cycle_over_depends_on_is_named_there(project: Project) -> None:
    project.write("b", "a", more="depends_on = 'c'\n")
    found = project.only()
    assert (found.rule.id, found.subject.location) == ("chain.cycle", "versions/b.py:3")


def test_two_cycles_are_two_findings(project: Project) -> None:
    for one, other in (("m", "n"), ("x", "y")):
        project.write(one, other)
        project.write(other, one)
    assert [found.rule.id for found in project.check()] == ["chain.cycle", "chain.cycle"]


def test_a_diamond_is_no_cycle(project: Project) -> None:
    project.write("x", "a")
    project.write("m", ("c", "x"))
    assert project.check() == ()


def test_a_duplicate_id_at_the_head_is_found_at_the_second_file(project: Project) -> None:
    project.write("c", "b", name="c_again", more="x = 1\n")
    found = project.only()
    assert (found.rule.id, found.subject.location) == ("chain.duplicate-id", "versions/c_again.py:1")
    assert found.evidence == {"files": ["versions/c.py", "versions/c_again.py"]}


def test_a_duplicate_id_in_mid_chain_is_found(project: Project) -> None:
    project.write("b", "a", name="b_other", more="x = 1\n")
    assert project.only().rule.id == "chain.duplicate-id"


def test_a_copied_file_with_only_a_new_parent_is_a_duplicate_and_no_cycle(project: Project) -> None:
    project.write("c", "c", name="d")
    assert project.only().rule.id == "chain.duplicate-id"


def test_a_copy_is_told_to_be_deleted(project: Project) -> None:
    project.write("b", "a", name="b_copy")
    assert "they are copies: delete" in project.only().remedy


def test_a_label_used_twice_or_like_an_id_is_a_duplicate(project: Project) -> None:
    project.write("b", "a", more="branch_labels = ('blue',)\n")
    project.write("c", "b", more="branch_labels = ('blue', 'a')\n")
    assert [(found.rule.id, found.subject.line) for found in project.check()] == [
        ("chain.duplicate-id", 3)
    ] * 2


def test_two_heads_are_one_finding_that_names_both(project: Project) -> None:
    project.write("d", "b")
    found = project.only()
    assert (found.rule.id, found.severity) == ("chain.multiple-heads", Severity.ERROR)
    assert found.evidence == {"heads": ["c", "d"]}
    assert "alembic merge c d" in found.remedy


def test_heads_of_labelled_branches_are_meant(project: Project) -> None:
    project.write("d", "b", more="branch_labels = ('contract',)\n")
    assert project.only().severity is Severity.INFO


def test_a_label_below_the_branch_point_does_not_excuse_two_heads(project: Project) -> None:
    project.write("a", None, more="branch_labels = ('app',)\n")
    project.write("d", "b")
    assert project.only().severity is Severity.ERROR


def test_a_second_base_is_one_finding_at_the_shorter_part(project: Project) -> None:
    project.write("x")
    found = project.only()
    assert (found.rule.id, found.severity) == ("chain.multiple-bases", Severity.ERROR)
    assert found.subject.location == "versions/x.py:2"
    assert "set the down_revision of revision x to 'c'" in found.remedy


def test_bases_that_a_merge_joins_are_a_warning(project: Project) -> None:
    project.write("x")
    project.write("m", ("c", "x"))
    assert project.only().severity is Severity.WARNING


def test_a_labelled_base_is_meant(project: Project) -> None:
    project.write("x", None, more="branch_labels = ('audit',)\n")
    found = project.only()
    assert (found.rule.id, found.severity) == ("chain.multiple-bases", Severity.INFO)


def test_a_syntax_error_is_the_only_finding_though_it_has_children(project: Project) -> None:
    project.write("b", "a", body="\ndef upgrade(:\n")
    found = project.only()
    assert (found.rule.id, found.subject.location) == ("chain.broken-file", "versions/b.py:4")


def test_a_file_that_is_no_revision_is_broken_because_alembic_stops_at_it(project: Project) -> None:
    (project.versions / "helpers.py").write_text("x = 1\n")
    assert project.only().rule.id == "chain.broken-file"


def test_a_revision_without_upgrade_is_broken(project: Project) -> None:
    project.write("d", "c", body="def downgrade():\n    op.g()\n")
    found = project.only()
    assert (found.rule.id, found.message) == ("chain.broken-file", "revision d has no upgrade()")


def test_an_id_that_fits_the_version_table_is_fine_and_one_that_does_not_is_broken(project: Project) -> None:
    project.write("x" * 32, "c")
    assert project.check() == ()
    project.write("y" * 33, "x" * 32)
    assert project.only().evidence == {"length": 33, "limit": 32}
    assert check_chain(project.chain, root=project.root, version_table_length=64) == ()


@pytest.mark.parametrize("id_", ["a@b", "a-b", "a+b", "a:b"])
def test_an_id_alembic_refuses_is_broken(project: Project, id_: str) -> None:
    project.write(id_, "c", name="d")
    assert project.only().rule.id == "chain.broken-file"


def test_an_empty_upgrade_is_a_warning_of_its_own(project: Project) -> None:
    project.write("d", "c", body="def upgrade():\n    pass\ndef downgrade():\n    pass\n")
    found = project.only()
    assert (found.rule.id, found.severity, found.subject.line) == ("chain.empty-upgrade", Severity.WARNING, 3)


def test_an_empty_merge_is_what_a_merge_is(project: Project) -> None:
    project.write("d", "b")
    project.write("m", ("c", "d"), body="def upgrade():\n    pass\ndef downgrade():\n    pass\n")
    assert project.check() == ()


def test_an_empty_first_revision_marks_a_beginning(project: Project) -> None:
    project.write("a", None, body="def upgrade():\n    pass\ndef downgrade():\n    pass\n")
    assert project.only().severity is Severity.INFO


@pytest.mark.parametrize(
    ("downgrade", "severity"),
    [
        ("", Severity.WARNING),
        ("def downgrade():\n    pass\n", Severity.WARNING),
        ("def downgrade():\n    raise NotImplementedError\n", Severity.INFO),
    ],
)
def test_a_missing_way_back_is_told(project: Project, downgrade: str, severity: Severity) -> None:
    project.write("d", "c", body=f"def upgrade():\n    op.f()\n{downgrade}")
    found = project.only()
    assert (found.rule.id, found.severity) == ("chain.missing-downgrade", severity)


def test_a_revision_only_the_database_knows_is_found(project: Project) -> None:
    found = project.only(database=("zzz",))
    assert found.rule.id == "chain.unknown-database-revision"
    assert found.subject.name == "zzz"


def test_an_empty_version_table_and_several_heads_in_it_are_fine(project: Project) -> None:
    project.write("d", "b", more="branch_labels = ('x',)\n")
    assert [found.rule.id for found in project.check(database=("c", "d"))] == ["chain.multiple-heads"]
    assert [found.rule.id for found in project.check(database=())] == ["chain.multiple-heads"]


def test_a_database_stamped_with_an_ancestor_too_is_found(project: Project) -> None:
    found = project.only(database=("c", "a"))
    assert (found.rule.id, found.subject.name) == ("chain.overlapping-database-revisions", "a")
    assert found.remedy.endswith("govern stamp c")


def test_a_broken_file_is_not_unknown_to_the_database(project: Project) -> None:
    project.write("c", "b", body="(")
    assert project.only(database=("c",)).rule.id == "chain.broken-file"


def test_an_edited_revision_is_found_unless_it_is_known_to_be_pending(project: Project) -> None:
    recorded = project.record()
    project.write("c", "b", more="x = 1\n")
    assert project.only(checksums=recorded).severity is Severity.ERROR
    assert project.only(checksums=recorded, database=("c",)).severity is Severity.ERROR
    found = project.only(checksums=recorded, database=("b",))
    assert (found.rule.id, found.severity) == ("chain.edited-revision", Severity.WARNING)


def test_a_revision_put_in_between_repoints_the_next_one(project: Project) -> None:
    recorded = project.record()
    project.write("between", "b")
    project.write("c", "between")
    found = project.only(checksums=recorded, database=("c",))
    assert (found.rule.id, found.subject.location) == ("chain.repointed-revision", "versions/c.py:2")
    assert found.evidence == {"recorded": ["b"], "now": ["between"]}


def test_a_recorded_revision_whose_file_is_gone_is_found_in_the_record(project: Project) -> None:
    recorded = project.record()
    (project.versions / "c.py").unlink()
    found = project.only(checksums=recorded)
    assert (found.rule.id, found.subject.location) == ("chain.edited-revision", "govern.sum:4")


def test_no_revision_files_at_all_is_one_finding(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert "there is no folder" in project.only().remedy
    project.versions.mkdir()
    found = project.only(database=("c",))
    assert found.rule.id == "chain.config-error"
    assert "the database is stamped with c" in found.message


@dataclass(frozen=True)
class Failure:
    type: str = "UndefinedTable"
    message: str = 'relation "users" does not exist\nLINE 1: ...'
    revision: str | None = "a"
    statement: str | None = "ALTER TABLE users ..."
    sqlstate: str | None = "42P01"


def test_a_first_revision_that_only_alters_does_not_replay(project: Project) -> None:
    found = does_not_replay(project.chain, Failure(), root=project.root)
    assert (found.rule.id, found.subject.location) == ("chain.does-not-replay", "versions/a.py:4")
    assert found.message == 'revision a fails on an empty database: relation "users" does not exist'
    assert "put a revision before it" in found.remedy


def test_a_replay_that_fails_outside_of_a_revision_has_no_file(project: Project) -> None:
    found = does_not_replay(project.chain, replace(Failure(), revision=None, message=""), root=project.root)
    assert found.subject.path is None
    assert found.message.endswith("UndefinedTable")


def test_an_extension_that_the_server_does_not_offer_is_no_fault_of_the_revision(project: Project) -> None:
    wants = replace(Failure(), statement="CREATE EXTENSION IF NOT EXISTS pg_trgm;")
    missing, refused = (
        does_not_replay(project.chain, replace(wants, sqlstate=state), root=project.root)
        for state in ("0A000", "42501")
    )
    assert "install the extension pg_trgm" in missing.remedy
    assert "install" not in refused.remedy
