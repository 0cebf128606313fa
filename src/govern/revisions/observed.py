"""What the child saw statements do, as values: observations, and the harms among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from govern.core.hazard import Hazard, hazard_of
from govern.core.observation import Observation, TableLock
from govern.core.snapshot import join_name
from govern.revisions.protocol import Event, RevisionStarted, Statement

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WHOLE_NUMBERS = ("smallint", "integer", "bigint")
_TEXT = re.compile(r"(character varying|varchar|text)(\(\d+\))?")


def of_last_tries(events: Iterable[Event]) -> tuple[Statement, ...]:
    """The statements of revisions, without those of tries that were taken back."""
    statements: dict[str, list[Statement]] = {}
    for event in events:
        if isinstance(event, RevisionStarted):
            statements.pop(event.revision, None)
        elif isinstance(event, Statement) and event.revision is not None:
            statements.setdefault(event.revision, []).append(event)
    return tuple(statement for of_revision in statements.values() for statement in of_revision)


def observations_of(statements: Iterable[Statement]) -> tuple[Observation, ...]:
    """Of the statements that revisions ran, in order; those that were not observed are told without facts."""
    return tuple(
        _observation(statement, statement.observed or {}) for statement in statements if statement.revision
    )


def hazards_of(
    statements: Iterable[Statement], schema: str | None = None
) -> dict[str, tuple[Hazard, ...]] | None:
    """What revisions were seen to lose of what was there before the run, by revision.

    Of a ``schema`` by itself they are named without it: one may be allowed for all that are alike.
    None where the engine does not tell, or the catalog could not be read at every statement.
    """
    found: dict[str, set[Hazard]] = {}
    for statement in statements:
        if statement.revision and statement.observed:
            if not statement.observed["is_seen"]:
                return None
            if harms := set(_hazards(statement.sql, statement.observed, schema)):
                found.setdefault(statement.revision, set()).update(harms)
    return {revision: tuple(sorted(hazards)) for revision, hazards in found.items()}


def _observation(statement: Statement, seen: Mapping[str, Any]) -> Observation:
    locks = (
        TableLock(table=join_name(namespace, table), mode=_spell(mode))
        for namespace, table, mode in seen.get("locks", ())
    )
    return Observation(
        revision=str(statement.revision),
        sql=statement.sql,
        seconds=statement.seconds,
        in_transaction=bool(seen.get("in_transaction", True)),
        locks=tuple(locks),
        rewrites=_names(seen, "rewrites"),
        scans=_names(seen, "scans"),
        creates=_names(seen, "creates"),
        invalid_indexes=_names(seen, "invalid_indexes"),
    )


def _names(seen: Mapping[str, Any], what: str) -> tuple[str, ...]:
    return tuple(join_name(*parts) for parts in seen.get(what, ()))


def _spell(mode: str) -> str:
    """``ACCESS EXCLUSIVE`` of pg_locks' ``AccessExclusiveLock``."""
    return _WORDS.sub(" ", mode.removesuffix("Lock")).upper()


def _hazards(sql: str, seen: Mapping[str, Any], schema: str | None) -> Iterator[Hazard]:
    for kind, namespace, *parts in seen.get("drops", ()):
        yield hazard_of(f"drops-{kind}", _name_outside(namespace, schema), *parts)
    for namespace, table, column, old, new, is_rewritten in seen.get("retypes", ()):
        if not _keeps_values(old, new, has_using=" USING " in f" {sql.upper()} ", is_rewritten=is_rewritten):
            yield hazard_of("retypes-column", _name_outside(namespace, schema), table, column)


def _name_outside(namespace: str, schema: str | None) -> str:
    return "" if namespace == schema else namespace


def _keeps_values(old: str, new: str, *, has_using: bool, is_rewritten: bool) -> bool:
    """Whether every value is the same after the change, or the change fails.

    What is not rewritten is the same bytes read otherwise. A wider whole number holds each narrower one; a text
    that does not fit into its new length is refused (manual, "Character Types").
    """
    if not is_rewritten:
        return True
    if has_using:
        return False
    if old in _WHOLE_NUMBERS:
        wider = _WHOLE_NUMBERS[_WHOLE_NUMBERS.index(old) :]
        return new in wider or new == "numeric"
    return bool(_TEXT.fullmatch(old) and _TEXT.fullmatch(new)) or (old, new) == ("real", "double precision")
