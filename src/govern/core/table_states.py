"""How each table is, as far as open issues tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from govern.core.diagram import TableState
from govern.core.issue import Issue, Tier
from govern.core.restoration import Place

_OF_TIER: Mapping[Tier, TableState] = {"critical": "critical", "medium": "warning", "low": "unknown"}
_GRAVEST: Mapping[TableState, int] = {"unknown": 0, "healthy": 1, "warning": 2, "critical": 3, "missing": 4}


def name_fully(place: Place) -> str:
    """As issues name tables: ``public.users``; SQLite ``users``."""
    return ".".join(part for part in place if part)


def group_issues(issues: Iterable[Issue]) -> Mapping[str, tuple[Issue, ...]]:
    """By the full name of their table; those of no table are left out."""
    groups: dict[str, list[Issue]] = defaultdict(list)
    for issue in issues:
        if issue.table:
            groups[issue.table].append(issue)
    return {table: tuple(found) for table, found in groups.items()}


def judge_table(issues: Iterable[Issue], *, was_looked_at: bool) -> TableState:
    """What is worst about a table; advice makes none unhealthy."""
    states: list[TableState] = [_judge(issue) for issue in issues]
    states.append("healthy" if was_looked_at else "unknown")
    return max(states, key=_GRAVEST.__getitem__)


def sort_gravest_first(state: TableState) -> int:
    return -_GRAVEST[state]


def _judge(issue: Issue) -> TableState:
    if issue.rule == "drift.table-removed":
        return "missing"
    return _OF_TIER[issue.tier]
