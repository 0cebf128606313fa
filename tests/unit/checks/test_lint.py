"""Lint without a database: what texts give away, and what is made of observations. See also tests/dialects."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from textwrap import dedent, indent

import pytest

from govern.checks.lint import Thresholds, apply_allowances, lint, read_pending
from govern.checks.lint.squawk import find_with_squawk
from govern.checks.registry import all_rules
from govern.core.allowance import Allowance, Allowances
from govern.core.finding import Finding, Severity
from govern.core.observation import Observation, TableLock
from govern.core.plan import TableSize
from govern.errors import CouldNotCheck
from govern.revisions.graph import RevisionFile, read_revision_file


@dataclass(frozen=True, slots=True)
class Project:
    """Revision files on disk, and what is found in them."""

    root: Path

    def write(self, id_: str, upgrade: str, *, downgrade: str = "", down: str | None = None) -> RevisionFile:
        file = self.root / f"{id_}.py"
        functions = f"def upgrade():\n{indent(dedent(upgrade), '    ')}\n"
        if downgrade:
            functions += f"\ndef downgrade():\n{indent(dedent(downgrade), '    ')}\n"
        file.write_text(f"revision = {id_!r}\ndown_revision = {down!r}\n\n{functions}")
        read = read_revision_file(file)
        assert isinstance(read, RevisionFile)
        return read

    def lint(
        self,
        *revisions: RevisionFile,
        observations: Sequence[Observation] = (),
        sizes: Mapping[str, TableSize] | None = None,
        thresholds: Thresholds | None = None,
        commits_each: bool = False,
    ) -> tuple[Finding, ...]:
        linted = lint(
            read_pending(
                revisions,
                root=self.root,
                observations=observations,
                sizes=sizes,
                thresholds=thresholds,
                commits_each=commits_each,
            )
        )
        assert linted.undecided == {}
        return linted.findings

    def rules(self, upgrade: str, *, downgrade: str = "") -> list[str]:
        """What is found in one revision's text alone."""
        found = self.lint(self.write("r2", upgrade, downgrade=downgrade))
        return [finding.rule.id.removeprefix("lint.") for finding in found]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def seen(
    sql: str,
    *,
    revision: str = "r2",
    seconds: float = 0.0,
    in_transaction: bool = True,
    locks: Mapping[str, str] | None = None,
    **facts: tuple[str, ...],
) -> Observation:
    """A statement as it was observed: ``locks`` are modes by table."""
    taken = tuple(TableLock(table=table, mode=mode) for table, mode in (locks or {}).items())
    return Observation(
        revision=revision, sql=sql, seconds=seconds, in_transaction=in_transaction, locks=taken, **facts
    )


INDEX_SQL = "CREATE INDEX ix ON users (email)"
INDEX = 'op.create_index("ix", "users", ["email"])'
BUILT = seen(INDEX_SQL, seconds=40, locks={"public.users": "SHARE"}, scans=("public.users",))
LARGE = {"public.users": TableSize(rows=5_200_000, bytes=10**9)}


# --- the text alone ---------------------------------------------------------------------------------------


ONLY_IF_NONE = "op.execute('CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (a)')"
LOOKS_FIRST = "op.get_bind().exec_driver_sql('SELECT 1 FROM pg_index WHERE NOT indisvalid')"


@pytest.mark.parametrize(
    ("upgrade", "rules"),
    [
        ("op.drop_table('users')", ["drops-table"]),
        ("op.drop_column('users', 'nick')", ["drops-column"]),
        ("with op.batch_alter_table('users') as b:\n    b.drop_column('nick')", ["drops-column"]),
        ("op.create_table('a')\nop.drop_column('a', 'b')\nop.drop_table('a')", []),
        ("op.execute('TRUNCATE users')", ["irreversible-step"]),
        ("op.create_table('a')\nop.execute('DELETE FROM a')\nop.execute('UPDATE a SET b = 1')", []),
        ("op.execute('DELETE FROM users')", ["irreversible-step", "unbatched-change"]),
        ("op.execute('UPDATE users SET a = 1')", ["unbatched-change"]),
        ("while True:\n    op.execute('UPDATE users SET a = 1')", []),
        (
            "op.create_index('i', 'users', ['a'], postgresql_concurrently=True)",
            ["concurrently-in-transaction"],
        ),
        ("op.execute('CREATE INDEX CONCURRENTLY i ON users (a)')", ["concurrently-in-transaction"]),
        ("op.execute('REFRESH MATERIALIZED VIEW CONCURRENTLY v')", []),
        ("op.create_index('i', 'users', ['a'], if_not_exists=True)", []),
        ("metadata.create_all(op.get_bind())", ["create-all"]),
        ("op.execute('SET lock_timeout = 1')\nwith c.autocommit_block():\n    op.execute('X')", []),
        ("op.execute('Y')\nwith c.autocommit_block():\n    op.execute('X')", ["mixed-autocommit"]),
        ("with c.autocommit_block():\n    op.execute('X')\nop.execute('Y')", ["mixed-autocommit"]),
        (f"with c.autocommit_block():\n    {ONLY_IF_NONE}", ["concurrent-if-not-exists"]),
        (f"with c.autocommit_block():\n    {LOOKS_FIRST}\n    {ONLY_IF_NONE}", []),
        ("import os\nif os.getenv('A'):\n    pass", ["depends-on-environment"]),
        ("import os\nos.path.join('a')", []),
    ],
)
def test_the_text_of_a_revision_gives_away(project: Project, upgrade: str, rules: list[str]) -> None:
    assert project.rules(upgrade) == rules


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "severity"),
    [
        ("op.add_column('users', sa.Column('a'))", "op.drop_column('users', 'a')", Severity.INFO),
        ("op.f()", "op.drop_column('users', 'a')", Severity.WARNING),
        ("op.create_table('a')", "op.drop_table('a')", None),
        ("op.f()", "op.drop_index('a')", None),
    ],
)
def test_a_downgrade_loses_data_all_the_more_if_the_upgrade_did_not_create_it(
    project: Project, upgrade: str, downgrade: str, severity: Severity | None
) -> None:
    found = project.lint(project.write("r2", upgrade, downgrade=downgrade))
    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_a_table_another_pending_revision_creates_is_nobody_elses(project: Project) -> None:
    first = project.write("r1", "op.create_table('notes')")
    second = project.write("r2", "op.execute('UPDATE notes SET a = 1')\nop.drop_column('notes', 'b')")
    assert project.lint(first, second) == ()
    assert len(project.lint(second)) == 2


# --- observations -----------------------------------------------------------------------------------------


def test_a_finding_says_who_waits_how_many_rows_how_long_and_where(project: Project) -> None:
    file = project.write("r2", f"op.execute('SELECT 1')\n{INDEX}")
    (found,) = project.lint(file, observations=[BUILT], sizes=LARGE)
    assert found.message == (
        "building index ix blocks all writes to users, 5.2 M rows, about 40 s in the rehearsal"
    )
    assert found.subject.location == "r2.py:6"
    assert found.severity is Severity.ERROR
    assert found.evidence["lock"] == "SHARE"
    assert 'op.create_index("ix", "users", ["email"], postgresql_concurrently=True)' in found.remedy


def test_a_small_table_is_an_information_and_the_limit_is_the_manifests(project: Project) -> None:
    file = project.write("r2", INDEX)
    for rows, limit, severity in (
        (9_999, 10_000, Severity.INFO),
        (10_000, 10_000, Severity.ERROR),
        (10_000, 20_000, Severity.INFO),
        (0, 0, Severity.ERROR),
        (None, 10_000, Severity.ERROR),
    ):
        (found,) = project.lint(
            file,
            observations=[BUILT],
            sizes={"public.users": TableSize(rows=rows, bytes=1)},
            thresholds=Thresholds(small_table_rows=limit),
        )
        assert found.severity is severity, (rows, limit)


def test_a_table_the_run_creates_blocks_nobody(project: Project) -> None:
    first, second = project.write("r1", "op.create_table('users')"), project.write("r2", INDEX)
    created = seen("CREATE TABLE users ()", revision="r1", creates=("public.users",))
    assert project.lint(first, second, observations=[created, BUILT]) == ()


def test_a_lock_is_held_until_the_transaction_ends(project: Project) -> None:
    first, second = project.write("r1", "op.f()"), project.write("r2", "op.g()")
    locking = seen("ALTER TABLE users ADD a int", revision="r1", locks={"public.users": "ACCESS EXCLUSIVE"})
    reading = seen("SELECT a FROM users", scans=("public.users",))
    found = project.lint(first, second, observations=[locking, reading])
    assert [(finding.rule.id, finding.subject.path) for finding in found] == [("lint.blocking-scan", "r2.py")]
    assert project.lint(first, second, observations=[locking, reading], commits_each=True) == ()
    committing = seen("COMMIT", revision="r1")
    rules = {finding.rule.id for finding in project.lint(first, observations=[locking, committing])}
    assert rules == {"lint.transaction-nesting"}


def test_a_weak_lock_blocks_nobody_and_a_second_stronger_one_does(project: Project) -> None:
    file = project.write("r2", "op.f()")
    validating = seen(
        "ALTER TABLE users VALIDATE CONSTRAINT c",
        locks={"public.users": "SHARE UPDATE EXCLUSIVE"},
        scans=("public.users",),
    )
    assert project.lint(file, observations=[validating]) == ()
    locking = seen("ALTER TABLE users ADD a int", locks={"public.users": "ACCESS EXCLUSIVE"})
    assert project.lint(file, observations=[validating, locking]) == ()
    (found,) = project.lint(file, observations=[locking, validating])
    assert found.rule.id == "lint.blocking-scan"


def test_an_index_built_beside_the_transaction_is_known_to_block_though_its_lock_is_gone(
    project: Project,
) -> None:
    file = project.write("r2", f"with c.autocommit_block():\n    {INDEX}")
    built = seen(INDEX_SQL, in_transaction=False, scans=("public.users",))
    (found,) = project.lint(file, observations=[built])
    assert found.rule.id == "lint.index-not-concurrent"
    concurrent = seen(
        "CREATE INDEX CONCURRENTLY ix ON users (email)", in_transaction=False, scans=("public.users",)
    )
    assert project.lint(file, observations=[concurrent]) == ()


def test_slow_is_what_the_manifest_says_and_only_where_somebody_waits(project: Project) -> None:
    file = project.write("r2", "op.f()")
    locks = {"public.users": "ACCESS EXCLUSIVE"}
    slow = seen("SELECT f()", seconds=2.0, locks=locks)
    (found,) = project.lint(file, observations=[slow])
    assert found.rule.id == "lint.slow-statement"
    assert project.lint(file, observations=[slow], thresholds=Thresholds(slow_seconds=2.1)) == ()
    assert project.lint(file, observations=[seen("SELECT f()", seconds=2.0)]) == ()


def test_names_that_need_quotes_have_them_in_the_remedy(project: Project) -> None:
    file = project.write("r2", "op.f()")
    sql = 'ALTER TABLE app."order" ADD CONSTRAINT "Total" CHECK ("sum" > 0)'
    locked = seen(sql, locks={"app.order": "ACCESS EXCLUSIVE"}, scans=("app.order",))
    (found,) = project.lint(file, observations=[locked])
    assert 'op.create_check_constraint("Total", "order", "sum > 0", schema="app", ' in found.remedy
    assert """op.execute('ALTER TABLE "app"."order" VALIDATE CONSTRAINT "Total"')""" in found.remedy


# --- squawk -----------------------------------------------------------------------------------------------


def test_no_rule_of_squawk_about_taste_is_an_error() -> None:
    tasteful = ("lint.prefer-timestamp-tz", "lint.ban-char-field")
    assert all(all_rules()[rule].severity is Severity.INFO for rule in tasteful)


def test_statements_squawk_cannot_parse_do_not_hide_the_others(project: Project) -> None:
    file = project.write("r2", "op.f()")
    broken, renamed = seen("this is no SQL"), seen("ALTER TABLE users\n RENAME COLUMN a TO b")
    inserted = seen("INSERT INTO users VALUES (%(a)s)")
    found = project.lint(file, observations=[broken, inserted, renamed])
    assert [(one.rule.id, one.subject.name) for one in found] == [("lint.renaming-column", "users")]


def test_what_squawk_says_of_a_table_the_run_creates_is_left_out(project: Project) -> None:
    file = project.write("r2", "op.create_table('users')")
    created = seen("CREATE TABLE users (c char(2))", creates=("public.users",))
    renamed = seen("ALTER TABLE users RENAME TO people")
    found = project.lint(file, observations=[created, renamed])
    assert [finding.rule.id for finding in found] == ["lint.ban-char-field"]


def test_an_answer_that_is_no_json_is_no_finding_and_not_fine_either(project: Project) -> None:
    file = project.write("r2", "op.f()")
    pending = read_pending((file,), root=project.root, observations=[seen("DROP TABLE a")])
    with pytest.raises(CouldNotCheck, match="squawk gave no report"):
        list(find_with_squawk(pending, run=lambda command, text: "error: invalid value"))
    assert list(find_with_squawk(pending, run=lambda command, text: "[]")) == []


# --- allowances -------------------------------------------------------------------------------------------


def allow(subject: str, *, rule: str | None = None, hazard: str | None = None) -> Allowances:
    entry = Allowance(
        rule=rule,
        hazard=hazard,
        subject=subject,
        reason="nobody reads it",
        owner="accounts",
        expires=date(2031, 6, 30),
        line=7,
    )
    return Allowances(entries=(entry,), path="schema/governance.yaml")


def test_what_is_allowed_is_no_finding_until_it_expires(project: Project) -> None:
    found = project.lint(project.write("r2", "op.drop_column('users', 'nick')"))
    for allowances in (
        allow("users.nick", hazard="drops-column"),
        allow("users.nick", rule="lint.drops-column"),
    ):
        assert apply_allowances(found, allowances, date(2031, 6, 30)) == ()
        expired = apply_allowances(found, allowances, date(2031, 7, 1))
        assert [one.rule.id for one in expired] == ["lint.drops-column", "lint.allowance-expired"]
        assert expired[1].subject.location == "schema/governance.yaml:7"
        assert "accounts" in expired[1].why


def test_an_allowance_that_matches_nothing_is_told(project: Project) -> None:
    found = project.lint(project.write("r2", "op.drop_column('users', 'nick')"))
    left = apply_allowances(found, allow("users.name", hazard="drops-column"), date(2031, 6, 30))
    assert [one.rule.id for one in left] == ["lint.drops-column", "lint.allowance-unused"]


# --- what is not installed --------------------------------------------------------------------------------


def test_without_squawk_the_rest_is_found_and_the_install_line_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    pending = read_pending((project.write("r2", INDEX),), root=project.root, observations=[BUILT])
    linted = lint(pending)
    assert [finding.rule.id for finding in linted.findings] == ["lint.index-not-concurrent"]
    assert linted.undecided == {"squawk": "squawk is not installed; pip install 'govern[lint]'"}


def test_without_the_parser_the_texts_are_read_and_the_install_line_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pglast", None)
    file = project.write("r2", f"{INDEX}\nop.drop_column('users', 'nick')\nop.execute('UPDATE a SET b = 1')")
    linted = lint(read_pending((file,), root=project.root, observations=[BUILT]))
    assert {one.rule.id for one in linted.findings} == {"lint.drops-column", "lint.unbatched-change"}
    assert linted.undecided.keys() == {"locks", "squawk"}
    assert all("pip install 'govern[lint]'" in reason for reason in linted.undecided.values())
