"""Is ``schema.lock`` what the models say today, and ``govern.sum`` what the revision files are?"""

from __future__ import annotations

from collections.abc import Mapping

from govern.core.changes import Change, describe_change, diff
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of
from govern.source.lock import Lock

LOCK_MISSING = Rule(
    id="drift.lock-missing",
    name="there is no schema.lock",
    severity=Severity.WARNING,
    condition="the file that holds the declared schema as text was never written",
    effect="reviewers do not see schema changes, and applications have nothing to hold their database against",
    remedy="govern lock",
)
LOCK_OUTDATED = Rule(
    id="drift.lock-outdated",
    name="schema.lock is not what the models say",
    severity=Severity.ERROR,
    condition="models, SQL files, revisions or the manifest's critical tables changed since the lock was written",
    effect="an application that ships this lock refuses the database it was written for",
    remedy="govern lock, and commit the file with the change that caused it",
)
RULES = (LOCK_MISSING, LOCK_OUTDATED)


def check_lock(
    lock: Lock | None,
    declared: Snapshot,
    heads: tuple[str, ...],
    *,
    path: str,
    critical_tables: Mapping[str, int],
) -> tuple[Finding, ...]:
    """Nothing, or one finding that names the first differences.

    ``declared`` is what the models say on a server of the lock's engine and major version, ``critical_tables`` what
    the manifest says.
    """
    about = Subject(kind="file", name=path, path=path)
    if lock is None:
        return (Finding.of(LOCK_MISSING, about, f"{path} does not exist"),)
    changes = [_describe(change) for change in diff(lock.snapshot, declared)]
    if set(lock.heads) != set(heads):
        changes.append(f"heads: {', '.join(lock.heads)} became {', '.join(heads)}")
    changes += _changed_tables(lock.critical_tables, critical_tables)
    if not changes:
        return ()
    shown = "; ".join(changes[:3]) + (f"; and {len(changes) - 3} more" if len(changes) > 3 else "")
    return (
        Finding.of(LOCK_OUTDATED, about, f"{path} is out of date: {shown}", evidence={"changes": changes}),
    )


def _changed_tables(locked: Mapping[str, int], critical: Mapping[str, int]) -> list[str]:
    return [
        f"critical table {name}: {_say_rows(locked.get(name))} became {_say_rows(critical.get(name))}"
        for name in sorted(locked.keys() | critical.keys())
        if locked.get(name) != critical.get(name)
    ]


def _say_rows(minimum: int | None) -> str:
    return "not critical" if minimum is None else f"at least {count_of(minimum, 'row')}"


def _describe(change: Change) -> str:
    words = {"added": "is new", "removed": "is gone"}
    return f"{change.key} {words[change.action]}" if change.action in words else describe_change(change)
