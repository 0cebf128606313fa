"""Transactions of others: with a change of the schema that is not committed, or open for long."""

from __future__ import annotations

from collections.abc import Iterable

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.observation import Observation
from govern.core.session import OpenTransaction
from govern.database.live import LiveDatabase

UNCOMMITTED_CHANGE = Rule(
    id="guard.uncommitted-change",
    name="a change of the schema that is not committed",
    severity=Severity.ERROR,
    condition="another session's open transaction, or a prepared one, holds a lock that a change of the schema takes",
    effect="what it changes is in no backup and no rehearsal, and is there when it commits; until then the revisions "
    "wait for its locks",
    remedy="commit or roll back there, then run again",
)
LONG_TRANSACTION = Rule(
    id="guard.long-transaction",
    name="a transaction that is open for long",
    severity=Severity.WARNING,
    condition="a transaction is older than long_transaction_seconds and holds what the revisions lock; where they "
    "build or drop an index CONCURRENTLY, whatever it holds",
    effect="the revisions are tried again until it ends or lock_retry_seconds are over; CONCURRENTLY waits for it as "
    "long as it takes",
    remedy="let it end, or end it; calm_wait_seconds waits for it before anything is begun",
)


def check_uncommitted(live: LiveDatabase) -> tuple[Finding, ...]:
    """One finding for each transaction that may have changed the schema."""
    with live.connect() as connection:
        found = live.dialect.find_uncommitted_changes(connection)
    return tuple(_uncommitted(transaction) for transaction in found)


def check_long_transactions(live: LiveDatabase, observations: Iterable[Observation]) -> tuple[Finding, ...]:
    """One finding for each transaction that what was observed would wait for. Raises NotPermitted."""
    observed = tuple(observations)
    with live.connect() as connection:
        found = live.dialect.find_long_transactions(
            connection,
            _locked(observed),
            seconds=live.settings.long_transaction_seconds,
            everywhere=any(one.is_concurrent for one in observed),
        )
    return tuple(_long(transaction) for transaction in found)


def _locked(observations: Iterable[Observation]) -> dict[str, bool]:
    """The tables whose writers have to wait, and whether readers have to."""
    tables: dict[str, bool] = {}
    for lock in (lock for one in observations for lock in one.locks if lock.blocks_writes):
        tables[lock.table] = tables.get(lock.table, False) or lock.blocks_reads
    return tables


def _uncommitted(transaction: OpenTransaction) -> Finding:
    return Finding.of(
        UNCOMMITTED_CHANGE,
        _subject(transaction),
        f"{transaction.described} may have changed the schema and has not committed",
        why=f"it holds locks on {', '.join(transaction.holds)}; {UNCOMMITTED_CHANGE.effect}",
        remedy=_end(transaction),
        evidence=_evidence(transaction),
    )


def _long(transaction: OpenTransaction) -> Finding:
    holds = f" and holds {', '.join(transaction.holds)}" if transaction.holds else ""
    return Finding.of(
        LONG_TRANSACTION,
        _subject(transaction),
        f"{transaction.described}{holds}",
        evidence=_evidence(transaction),
    )


def _subject(transaction: OpenTransaction) -> Subject:
    return Subject(kind="transaction", name=transaction.name)


def _end(transaction: OpenTransaction) -> str:
    if transaction.pid is not None:
        return f"COMMIT or ROLLBACK there, or end it: SELECT pg_terminate_backend({transaction.pid})"
    identifier = "'" + str(transaction.identifier).replace("'", "''") + "'"
    return f"COMMIT PREPARED {identifier} or ROLLBACK PREPARED {identifier}"


def _evidence(transaction: OpenTransaction) -> dict[str, object]:
    return {
        "pid": transaction.pid,
        "prepared": transaction.identifier,
        "user": transaction.user,
        "application": transaction.application,
        "state": transaction.state,
        "seconds": None if transaction.seconds is None else round(transaction.seconds, 1),
        "holds": list(transaction.holds),
    }
