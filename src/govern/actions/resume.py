"""A revision that commits midway and did not come to its end: whether the rest of it, and nothing else, is left.

Proven, not believed: what was noted as committed is executed on a copy of the schema before the revision, and
the copy has to become what the live schema is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from govern.checks.chain import HALF_APPLIED
from govern.checks.drift import judge_drift
from govern.core.finding import Finding, Subject
from govern.core.progress import LeftoverIndex, NotedStatement
from govern.core.report import Draft, Entry
from govern.core.scope import Scope
from govern.core.snapshot import ObjectKey, Snapshot, join_name
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.declared import Declared, beside, declared_by_revisions, in_words_of
from govern.errors import Refused
from govern.revisions.protocol import Committed, Orders

Narrate = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """What is known of the one revision that was begun before."""

    step: NotedStatement
    """The first statement noted of it."""
    done: tuple[NotedStatement, ...]
    """Proven to be in the database; none: the revision runs from its beginning."""
    leftovers: tuple[LeftoverIndex, ...]

    @property
    def committed(self) -> Committed:
        """What must not be executed again."""
        return {self.step.revision: [_as_order(statement) for statement in self.done]} if self.done else {}

    @property
    def described(self) -> str:
        if not self.done:
            return f"{self.step.named} runs from its beginning: nothing of it is left"
        return (
            f"{self.step.named} goes on after {count_of(len(self.done), 'statement')} that it has committed"
        )


def prepare_resumption(
    live: LiveDatabase, draft: Draft, steps: Sequence[str], scope: Scope, *, narrate: Narrate
) -> Committed:
    """What of the steps to come is committed already and must not be executed again, by revision.

    Called under the migration lock. Indexes that interrupted builds left invalid are dropped: they are in no
    backup, and nobody's data. Raises Refused as ``find_resumption`` does.
    """
    found = find_resumption(live, draft, steps, scope, narrate=narrate)
    if found is None:
        return {}
    with live.connect(read_only=False) as connection:
        for index in found.leftovers:
            narrate(f"dropping {index.name}, which an interrupted build left invalid")
            live.dialect.drop_leftover_index(connection, index)
        if not found.done:
            live.dialect.forget_progress(connection, steps)
    dropped = "".join(f"; dropped {index.name}, which was invalid" for index in found.leftovers)
    draft.passed("resume", f"{found.described}{dropped}")
    return found.committed


def find_resumption(
    live: LiveDatabase, draft: Draft, steps: Sequence[str], scope: Scope, *, narrate: Narrate
) -> Resumption | None:
    """What is left to do of a step that was begun before; None if none was. Changes nothing.

    Raises Refused where that cannot be proven, with an account of each statement.
    """
    with live.connect() as connection:
        noted = live.dialect.read_progress(connection, steps)
        leftovers = live.dialect.find_leftover_indexes(connection, steps)
    if not noted:
        return None
    narrate(f"{noted[0].named} was begun before: finding out what is left of it")
    done = _find_committed(live, noted, leftovers, scope)
    if done is None or any(statement.has_rows for statement in done):
        draft.add(Entry.of("resume", (_half_applied(noted, leftovers),)))
        raise _refused(noted, done)
    return Resumption(step=noted[0], done=done, leftovers=tuple(leftovers))


def orders(live: LiveDatabase, run: str, committed: Committed) -> Orders:
    """What the child is told: which run it is, what is committed already, and how to note what it commits."""
    statements = live.dialect.note_statements(live.url)
    return {**statements, "run": run, "committed": committed} if statements else {}


def forget(live: LiveDatabase, steps: Iterable[str]) -> None:
    """They came to their end."""
    with live.connect(read_only=False) as connection:
        live.dialect.forget_progress(connection, steps)


def forget_finished(live: LiveDatabase, revisions: Iterable[str]) -> None:
    """Notes of a run that was killed after its last commit. Who may not delete them leaves them to who may."""
    finished = list(revisions)
    with suppress(*live.dialect.errors()):
        with live.connect() as connection:
            noted = live.dialect.read_progress(connection, finished)
        if noted:
            forget(live, finished)


def _find_committed(
    live: LiveDatabase, noted: Sequence[NotedStatement], leftovers: Sequence[LeftoverIndex], scope: Scope
) -> tuple[NotedStatement, ...] | None:
    """The statements that are in the database, from the first on; none at all; or None if that is not proven."""
    committed = tuple(statement for statement in noted if statement.state == "committed")
    begun = tuple(statement for statement in noted if statement.state == "begun")
    if [statement.position for statement in committed + begun] != list(range(1, len(committed + begun) + 1)):
        return None
    schema = _without(leftovers, live.read_snapshot())
    with declared_by_revisions(live.settings, live.read_stamped(), like=live.url) as declared:
        copy = LiveDatabase(live.settings, declared.url)
        is_before = _is_alike(live, copy, declared, schema, scope)
        is_after = _runs(copy, committed) and _is_alike(live, copy, declared, schema, scope)
        if begun and not begun[0].is_repeatable:
            is_with_begun = _runs(copy, begun) and _is_alike(live, copy, declared, schema, scope)
            if is_with_begun and is_after:
                return None  # it leaves no trace in a schema
            if is_with_begun:
                return committed + begun
    if is_after:
        return committed
    is_undone = is_before and all(statement.changes_schema_alone for statement in committed)
    return () if is_undone else None


def _runs(copy: LiveDatabase, statements: Sequence[NotedStatement]) -> bool:
    """Executes on the copy what can change a schema."""
    with copy.connect(read_only=False) as connection:
        for statement in statements:
            if not statement.changes_rows:
                try:
                    connection.execute(statement.sql)
                except copy.dialect.errors():
                    return False
    return True


def _is_alike(
    live: LiveDatabase, copy: LiveDatabase, declared: Declared, schema: Snapshot, scope: Scope
) -> bool:
    """Whether the copy has the live schema by now, but for differences that the project accepts."""
    wanted = in_words_of(schema, copy.read_snapshot(), live.dialect, beside(declared))
    today = datetime.now().astimezone().date()
    return not judge_drift(wanted, schema, scope=scope, today=today).findings


def _without(leftovers: Sequence[LeftoverIndex], schema: Snapshot) -> Snapshot:
    hidden = {ObjectKey("index", index.namespace, join_name(index.table, index.name)) for index in leftovers}
    return replace(schema, objects={key: facts for key, facts in schema.objects.items() if key not in hidden})


def _as_order(statement: NotedStatement) -> dict[str, Any]:
    return {
        "sql": statement.sql,
        "digest": statement.digest,
        "has_rows": statement.has_rows,
        "position": statement.position,
    }


def _half_applied(noted: Sequence[NotedStatement], leftovers: Sequence[LeftoverIndex]) -> Finding:
    words = {"committed": "done", "begun": "broke off", "failed": "failed"}
    account = [f"{one.position}. {words[one.state]}: {' '.join(one.sql.split())}" for one in noted]
    return Finding.of(
        HALF_APPLIED,
        Subject(kind="revision", name=noted[0].revision),
        f"{noted[0].named} stopped midway: {'; '.join(account)}",
        evidence={
            "statements": [one.to_json() for one in noted],
            "invalid_indexes": [index.name for index in leftovers],
        },
    )


def _refused(noted: Sequence[NotedStatement], done: Sequence[NotedStatement] | None) -> Refused:
    step = noted[0]
    reached = "the revision before it" if step.is_downgrade else step.revision
    why = "what was noted of it is not what the database has by now"
    if done is not None:
        why = "it read something before it committed, which may be another answer by now"
    return Refused(
        f"the {step.step} is half done, and cannot safely go on by itself"
        if step.is_downgrade
        else f"revision {step.revision} is half applied, and cannot safely go on by itself",
        why=f"{why}; of it, {count_of(len(noted), 'statement')} are noted: see the finding",
        next=f"take back by hand what it did (govern drift), then delete its rows from govern.progress; "
        f"or finish it by hand, then: govern stamp {reached}",
        state="nothing was changed by this run",
    )
