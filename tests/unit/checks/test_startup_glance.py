"""What a glance decides, and how a refusal is explained: no database is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from govern.checks.startup import Expectation, is_as_validated
from govern.checks.startup.explanation import explain_startup
from govern.checks.startup.rules import BEHIND
from govern.core.finding import Finding, Subject
from govern.core.glance import Glance, Validated
from govern.core.run import Run
from govern.core.snapshot import Snapshot
from govern.revisions.graph import build_chain
from govern.source.lock import parse_lock, render_lock

LOCK = parse_lock(
    render_lock(
        Snapshot(dialect="postgresql", server_version="18", objects={}), ("r2",), {"public.users": 2}
    ),
    Path("schema.lock"),
)
EXPECTED = Expectation(
    heads=("r2",),
    lock=LOCK,
    read_chain=lambda: build_chain(()),
    critical_tables={**LOCK.critical_tables, "public.notes": 0},
)
GLANCE = Glance(
    server_version="18.4",
    stamped=("r2",),
    validated=Validated(("r2",), LOCK.digest),
    is_untouched=True,
    rows={"public.users": 2},
)


def test_an_untouched_database_is_as_validated() -> None:
    assert is_as_validated(GLANCE, EXPECTED)
    assert is_as_validated(GLANCE._replace(rows={"public.users": 7}), EXPECTED)


@pytest.mark.parametrize(
    "change",
    [
        {"stamped": ()},
        {"stamped": ("r1",)},
        {"stamped": ("r1", "r2")},
        {"stamped": ("r2", "r2")},
        {"validated": None},
        {"validated": Validated(("r1",), LOCK.digest)},
        {"validated": Validated(("r2",), "another")},
        {"validated": Validated(("r2",), None)},
        {"is_untouched": False},
        {"rows": {"public.users": 1}},
        {"rows": {"public.users": None}},
        {"rows": {}},
    ],
    ids=str,
)
def test_whatever_is_otherwise_is_looked_at_closer(change: dict[str, Any]) -> None:
    assert not is_as_validated(GLANCE._replace(**change), EXPECTED)


def test_without_a_lock_the_digest_does_not_matter_and_without_heads_nothing_is_right() -> None:
    without = replace(EXPECTED, lock=None)
    assert is_as_validated(GLANCE._replace(validated=Validated(("r2",), None)), without)
    assert not is_as_validated(GLANCE._replace(stamped=()), replace(without, heads=()))


# --- the story of a refusal -------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
GOOD = Run(
    id="g1",
    command="migrate",
    actor="deploy@ci",
    started_at=NOW - timedelta(hours=5),
    result="applied",
    from_revision=("r1",),
    to_revision=("r2",),
    lock_digest=LOCK.digest,
    fingerprint="f",
    tool_version="0.9",
)
BROKEN = replace(GOOD, id="b2", command="repair", result="failed", started_at=NOW - timedelta(minutes=9))
FINDING = Finding.of(BEHIND, Subject(kind="database", name="app"), "app is at r1, the application needs r2")


def explain(runs: tuple[Run, ...] | None, *findings: Finding) -> dict[str, str]:
    told = explain_startup(
        findings or (FINDING,),
        EXPECTED,
        stamped=("r1",),
        lock_path="schema/schema.lock",
        runs=runs,
        now=NOW,
    )
    return {entry.name: entry.reason for entry in told}


def test_it_says_what_was_expected_and_who_ran_what_last() -> None:
    told = explain((BROKEN, GOOD))
    assert told["expected"] == f"r2, by schema/schema.lock ({LOCK.digest[:12]})"
    assert told["last validated"] == (
        "migrate g1 by deploy@ci 5 h ago (2026-11-20 22:00 UTC), with govern 0.9: r1 → r2, "
        f"against this schema.lock ({LOCK.digest[:12]})"
    )
    assert told["since then"] == "repair b2 by deploy@ci 9 min ago (2026-11-21 02:51 UTC): failed"


@pytest.mark.parametrize(
    ("runs", "entry", "said"),
    [
        (None, "last validated", "may not read the ledger"),
        (None, "since then", "not known"),
        ((BROKEN,), "last validated", "never: no run"),
        ((GOOD,), "since then", "changed by other means, after 2026-11-20 22:00 UTC"),
        (
            (replace(GOOD, lock_digest="0123456789abcdef"),),
            "last validated",
            "another schema.lock (0123456789ab)",
        ),
        ((replace(GOOD, lock_digest=None),), "last validated", "without a schema.lock"),
        ((BROKEN,) * 7 + (GOOD,), "since then", "; and 2 runs before"),
    ],
)
def test_it_says_what_it_does_not_know_and_what_is_odd(
    runs: tuple[Run, ...] | None, entry: str, said: str
) -> None:
    assert said in explain(runs)[entry]


def test_an_application_that_starts_needs_no_story() -> None:
    (entry,) = explain_startup(
        (), EXPECTED, stamped=("r2",), lock_path="schema/schema.lock", runs=(GOOD,), now=NOW
    )
    assert entry.status == "passed"
