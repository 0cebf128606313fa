"""The pytest plugin in a project of its own: examples/pytest_project, as it is and broken in one way for each test."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl

PROJECT = Path(__file__).parent.parent.parent / "examples" / "pytest_project"
QUIET = ("-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider")
ROUND_TRIPS = (
    "up_down_up[1a customers]",
    "up_down_up[2b orders]",
    "up_down_up[3c countries, with the first ones]",
    "up_down_up[4d a note for each order]",
)
SCHEMA_TESTS = (
    "chain_is_valid",
    "replays_from_empty",
    "models_equal_revisions",
    "models_are_registered",
    *ROUND_TRIPS,
    "no_drift_after_tests",
)
OWN_TESTS = (
    "test_an_order_makes_a_customer_once",
    "test_nothing_is_left_of_another_test",
    "test_the_countries_of_the_revisions_are_there",
    "test_the_shop_leaves_the_schema_alone",
    "test_a_database_is_a_tests_own",
)
NOTES = "migrations/versions/4d_order_notes.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of pytest that has ended."""

    exit_code: int
    outcomes: Mapping[str, str]
    """By the test's name: passed, failure, error or skipped."""
    said: Mapping[str, str]
    """What those had to say that did not pass."""
    output: str

    def others_than(self, outcome: str) -> dict[str, str]:
        return {name: found for name, found in self.outcomes.items() if found != outcome}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A copy of the sample project, and the database that it is configured for."""

    root: Path
    url: DatabaseUrl

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> Run:
        report = self.root.parent / "report.xml"
        finished = subprocess.run(
            (sys.executable, "-m", "pytest", *QUIET, f"--junitxml={report}", *arguments),
            cwd=self.root,
            env={**os.environ, "DATABASE_URL": self.url.text, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert "INTERNALERROR" not in finished.stdout, finished.stdout
        outcomes, said = _read(report) if finished.returncode in (0, 1) else ({}, {})
        return Run(exit_code=finished.returncode, outcomes=outcomes, said=said, output=finished.stdout)


def _read(report: Path) -> tuple[dict[str, str], dict[str, str]]:
    outcomes, said = {}, {}
    for case in ElementTree.parse(report).iter("testcase"):
        told = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        outcomes[case.get("name", "")] = told.tag if told is not None else "passed"
        if told is not None:
            said[case.get("name", "")] = f"{told.get('message')}\n{told.text}"
    return outcomes, said


@pytest.fixture(params=["sqlite"])
def suite(request: pytest.FixtureRequest, tmp_path: Path) -> Suite:
    root = tmp_path / "shop"
    shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache", ".govern"))
    return Suite(root=root, url=request.getfixturevalue(f"{request.param}_database"))


on_postgresql = pytest.mark.parametrize("suite", ["postgresql"], indirect=True)


# --- as it is ---------------------------------------------------------------------------------------------


@on_postgresql
def test_a_sound_project_passes_on_two_workers_and_leaves_nothing(suite: Suite) -> None:
    run = suite.run("-n", "2")
    assert run.exit_code == 0, run.output
    assert run.outcomes == dict.fromkeys((*OWN_TESTS, *SCHEMA_TESTS), "passed")
    assert list_copies(suite.url) == []
    with dialect_of(suite.url).connect(suite.url, read_only=True) as connection:
        assert connection.value("SELECT count(*) FROM pg_class WHERE relname = 'orders'") == 0


def test_what_is_asked_for_is_what_runs(suite: Suite) -> None:
    suite.edit("pyproject.toml", 'govern_tests = "all"', 'govern_tests = ["up_down_up", "chain_is_valid"]')
    listed = {
        ("--collect-only",): (*OWN_TESTS, "chain_is_valid", *ROUND_TRIPS),
        ("--collect-only", "tests/test_checkout.py"): OWN_TESTS,
        ("--collect-only", "pyproject.toml::govern::up_down_up[2b orders]"): ("up_down_up[2b orders]",),
    }
    for arguments, expected in listed.items():
        assert collected(suite.run(*arguments, "-q")) == set(expected), arguments


def collected(run: Run) -> set[str]:
    return set(re.findall(r"^\S+::(\S.*)$", run.output.replace("::govern::", "::"), re.M))


def test_a_name_that_is_no_test_is_told_with_what_was_meant(suite: Suite) -> None:
    run = suite.run("-o", "govern_tests=chain_is_vald")
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "there is no test 'chain_is_vald'; did you mean chain_is_valid?" in run.output


# --- broken in one way for each test ----------------------------------------------------------------------


def add_second_head(suite: Suite) -> None:
    """Two people wrote a revision after 3c."""
    suite.write(
        "migrations/versions/5e_names.py",
        '"""spell names"""\nfrom alembic import op\nrevision = "5e"\ndown_revision = "3c"\n\n\n'
        "def upgrade():\n    op.execute(\"UPDATE countries SET name = 'Suisse' WHERE code = 'CH'\")\n",
    )


def alter_what_nothing_creates(suite: Suite) -> None:
    suite.edit(NOTES, 'op.add_column("orders"', 'op.add_column("purchases"')


def forget_a_revision(suite: Suite) -> None:
    suite.edit(
        "shop/models/orders.py", "mapped_column(String(100))", "mapped_column(String(100), index=True)"
    )


def forget_an_import(suite: Suite) -> None:
    suite.write(
        "shop/models/vouchers.py",
        "from shop.models.base import Base\nfrom sqlalchemy.orm import Mapped, mapped_column\n\n\n"
        "class Voucher(Base):\n    __tablename__ = 'vou' + 'chers'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n",
    )


def leave_something_behind(suite: Suite) -> None:
    suite.edit(NOTES, '    op.drop_index("ix_orders_cents", "orders")\n', "")
    suite.edit(NOTES, 'op.create_index("ix_orders_cents", "orders", ["cents"])', PATIENT_INDEX)


def change_the_schema_by_hand(suite: Suite) -> None:
    suite.edit(
        "shop/checkout.py",
        "        session.add(order)\n",
        "        session.add(order)\n"
        '        session.execute(text("CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY)"))\n',
    )
    suite.edit("shop/checkout.py", "func, select\n", "func, select, text\n")
    suite.edit("tests/test_checkout.py", "    assert govern_snapshot() == govern_snapshot.declared\n", "")


PATIENT_INDEX = 'op.create_index("ix_orders_cents", "orders", ["cents"], if_not_exists=True)'


@pytest.mark.parametrize(
    ("break_it", "failing", "reasons"),
    [
        (
            add_second_head,
            "chain_is_valid",
            ("chain.multiple-heads: the chain has 2 heads", "alembic merge 4d 5e"),
        ),
        (
            forget_a_revision,
            "models_equal_revisions",
            ("drift.index-removed: index countries.ix_countries_name", "govern revision -m"),
        ),
        (
            forget_an_import,
            "models_are_registered",
            (
                "drift.model-not-registered: table vouchers",
                "import shop.models.vouchers where migrations/env.py",
            ),
        ),
        (
            leave_something_behind,
            "up_down_up[4d a note for each order]",
            ("chain.downgrade-leaves-trace", "index orders.ix_orders_cents is left"),
        ),
        (
            change_the_schema_by_hand,
            "no_drift_after_tests",
            (
                "drift.table-added: table audit exists, but is not declared, after tests/test_checkout.py::"
                "test_an_order_makes_a_customer_once and 1 more test",
                "@pytest.mark.govern_ddl",
            ),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_one_test_fails_for_its_own_reason(
    suite: Suite, break_it: Callable[[Suite], None], failing: str, reasons: tuple[str, ...]
) -> None:
    break_it(suite)
    run = suite.run()
    assert run.exit_code == 1, run.output
    new = {"up_down_up[5e spell names]": "skipped"} if break_it is add_second_head else {}
    assert run.others_than("passed") == {failing: "failure", **new}, run.output
    for reason in (*reasons, "  why: ", "  next: "):
        assert reason in run.said[failing]
    assert "Traceback" not in run.output
    assert "site-packages" not in run.output
    assert "src/govern" not in run.said[failing]


def test_revisions_that_do_not_replay_fail_one_test_and_the_rest_says_why(suite: Suite) -> None:
    alter_what_nothing_creates(suite)
    run = suite.run()
    need_them = ("models_equal_revisions", *ROUND_TRIPS)
    assert run.others_than("passed") == {
        "replays_from_empty": "failure",
        **dict.fromkeys(need_them, "skipped"),
        **dict.fromkeys(OWN_TESTS, "error"),
        "no_drift_after_tests": "skipped",
    }
    assert "chain.does-not-replay: revision 4d fails on an empty database" in run.said["replays_from_empty"]
    assert "the revisions do not replay: see replays_from_empty" in run.said[ROUND_TRIPS[0]]
    assert "the revisions do not replay from an empty database" in run.said[OWN_TESTS[0]]


@on_postgresql
def test_postgresql_tells_a_type_that_is_left_and_a_change_by_hand(suite: Suite) -> None:
    change_the_schema_by_hand(suite)
    suite.edit(
        NOTES,
        "def upgrade() -> None:\n",
        "def upgrade() -> None:\n    op.execute(\"CREATE TYPE mood AS ENUM ('a')\")\n",
    )
    suite.edit(
        NOTES,
        "def downgrade() -> None:\n",
        'def downgrade() -> None:\n    op.execute("ALTER TYPE mood RENAME TO moods")\n',
    )
    run = suite.run("-k", "4d or no_drift or customer_once")
    assert run.others_than("passed") == {ROUND_TRIPS[3]: "failure", "no_drift_after_tests": "failure"}
    assert "enum moods is left" in run.said[ROUND_TRIPS[3]]
    assert "table public.audit exists, but is not declared" in run.said["no_drift_after_tests"]


@on_postgresql
def test_what_a_killed_run_leaves_is_swept_by_the_next(suite: Suite) -> None:
    suite.write(
        "tests/test_killed.py",
        "import os, signal\n\n\ndef test_it(govern_database):\n"
        "    with open('pid', 'w') as file:\n        file.write(str(os.getpid()))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    assert suite.run("tests/test_killed.py").exit_code == -signal.SIGKILL
    pid = (suite.root / "pid").read_text()
    assert len(list_copies(suite.url, pid)) == 2
    suite.write(
        "tests/test_killed.py", "def test_it(govern_database):\n    assert govern_database.conninfo\n"
    )
    assert suite.run("tests/test_killed.py").outcomes == {"test_it": "passed"}
    assert list_copies(suite.url, pid) == []


def list_copies(url: DatabaseUrl, pid: str | None = None) -> list[str]:
    """Those of one process, template included; or copies of any process that has to do with this test run."""
    names = dialect_of(url).list_databases(url, "govern_scratch_")
    if pid is not None:
        return [name for name in names if f"_{pid}_" in name]
    return [name for name in names if name.startswith("govern_scratch_pytest_")]
