"""What the ledger says of a run's statements."""

from __future__ import annotations

from govern.actions.account import Account
from govern.revisions.protocol import RevisionStarted, Statement

BEGUN = RevisionStarted(revision="r1", direction="upgrade")


def statement(sql: str, seconds: float = 0.0, *, is_skipped: bool = False) -> Statement:
    return Statement(sql=sql, seconds=seconds, revision="r1", is_skipped=is_skipped)


def account_of(*events: RevisionStarted | Statement) -> Account:
    account = Account()
    for event in events:
        account.note(event)
    return account


def told(account: Account) -> list[tuple[str, float]]:
    return [(one.sql, one.seconds) for one in account.statements_of("r1", ())]


def test_a_try_that_was_taken_back_is_not_told() -> None:
    account = account_of(BEGUN, statement("A", 1.0), BEGUN, statement("A", 2.0), statement("B", 3.0))
    assert told(account) == [("A", 2.0), ("B", 3.0)]


def test_what_a_try_before_has_committed_is_told_with_the_time_it_took_then() -> None:
    again = statement("A", is_skipped=True)
    account = account_of(BEGUN, statement("A", 1.0), BEGUN, again, statement("B", 3.0))
    assert told(account) == [("A", 1.0), ("B", 3.0)]
    assert list(account.executed) == [("r1", "A"), ("r1", "B")]


def test_what_an_earlier_run_has_committed_is_not_told_again() -> None:
    account = account_of(BEGUN, statement("A", is_skipped=True), statement("B", 3.0))
    assert told(account) == [("B", 3.0)]
