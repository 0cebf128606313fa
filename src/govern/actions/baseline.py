"""Adopts a database that has a schema but no version row, or a wrong one: which revision's schema is it?

The whole chain is applied to a scratch database, and the schema after each revision held against the live one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from govern.actions.stamp import write_stamp
from govern.actions.walk import walk_chain
from govern.checks.drift import judge_drift
from govern.core.changes import Change, diff
from govern.core.reached import Counter
from govern.core.report import Draft, Entry
from govern.core.scope import Scope, sort_changes
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import Declared, beside, heed_env, in_words_of
from govern.errors import Refused
from govern.revisions.graph import Chain
from govern.revisions.protocol import Paused
from govern.source.manifest import Manifest

_OF_A_NEW_DATABASE = frozenset({"schema", "extension"})
"""Kinds of what is there before anybody made anything: ``public``, ``plpgsql``."""


def adopt_database(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    *,
    at: str | None,
    manifest: Manifest | None,
    scope: Scope,
    today: date,
    dry_run: bool,
    narrate: Callable[[str], None],
) -> None:
    """Stamps the revision whose schema the database has, unless ``dry_run``; ``at`` says which one of several.

    Raises Refused where none has it (the report has the differences from the nearest), or more than one; nothing was
    changed then. Differences that ``scope`` ignores or knows are none.
    """
    wanted = chain.resolve(at) if at is not None else None
    fingerprint = live.read_fingerprint()
    schema = live.read_snapshot()
    if all(key.kind in _OF_A_NEW_DATABASE for key in schema.objects):
        raise Refused(
            "the database is empty: there is nothing to adopt",
            next="if it is the one that you mean, make its tables: govern migrate; else correct DATABASE_URL",
        )
    scope = heed_env(scope, live, _every_object(schema))
    sentence = (
        f"comparing the database with {count_of(len(chain.revisions), 'revision')}, one after the other"
    )
    counter = Counter(narrate, sentence, total=len(chain.revisions), unit="revision")
    search = _Search(live, chain, schema, scope, today, counter)
    walk_chain(live.settings, chain, like=live.url, look=search.look, watched=chain.revisions)
    if not search.fitting:
        raise _refuse_nearest(search, draft)
    target = _choose(search.fitting, wanted, live.read_stamped())
    compared = f"out of {count_of(len(chain.revisions), 'revision')}"
    draft.passed("baseline", f"the schema is that of {name_revisions(target)}, {compared}")
    if not dry_run:
        write_stamp(
            live, draft, chain, target, command="baseline", manifest=manifest, fingerprint=fingerprint
        )


def _every_object(schema: Snapshot) -> tuple[Change, ...]:
    """Each as if no revision had it: which of them will differ is not known yet."""
    return tuple(Change(key=key, action="added", live=facts) for key, facts in schema.objects.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Near:
    """A revision whose schema is not quite the live one."""

    rows: tuple[str, ...]
    declared: Snapshot
    differences: int


class _Search:
    """Looks at one revision's schema after the other."""

    def __init__(
        self,
        live: LiveDatabase,
        chain: Chain,
        schema: Snapshot,
        scope: Scope,
        today: date,
        counter: Counter,
    ) -> None:
        self._live, self._chain, self._counter = live, chain, counter
        self.schema, self.scope, self.today = schema, scope, today
        self._rows: tuple[str, ...] = ()
        self.fitting: list[tuple[str, ...]] = []
        """The version rows at which the schema is the live one, oldest first."""
        self.nearest: _Near | None = None

    def look(self, paused: Paused, scratch: Declared) -> None:
        """Texts are compared as the server means them, which takes a while: not where more objects are missing than the
        nearest revision differs in."""
        self._rows = self._chain.heads_after(self._rows, (self._chain.revisions[paused.revision],))
        self._counter.add()
        declared = scratch.snapshot
        missing = [change for change in self._find_changes(declared) if change.action != "changed"]
        if self.nearest is not None and len(missing) > self.nearest.differences:
            return
        declared = in_words_of(self.schema, declared, self._live.dialect, beside(scratch))
        differences = len(self._find_changes(declared))
        if not differences:
            self.fitting.append(self._rows)
        elif self.nearest is None or differences <= self.nearest.differences:
            self.nearest = _Near(rows=self._rows, declared=declared, differences=differences)

    def _find_changes(self, declared: Snapshot) -> Sequence[Change]:
        return sort_changes(diff(declared, self.schema), self.scope, self.today).open


def _choose(
    fitting: list[tuple[str, ...]], wanted: tuple[str, ...] | None, stamped: tuple[str, ...]
) -> tuple[str, ...]:
    """The only one; of several the one that was asked for, or that the version table has already."""
    by_rows = {frozenset(rows): rows for rows in fitting}
    names = [name_revisions(rows) for rows in fitting]
    if wanted is not None:
        if frozenset(wanted) not in by_rows:
            raise Refused(
                f"the database does not have the schema of {name_revisions(wanted)}",
                why=f"it has that of {' and of '.join(names)}",
                next=f"leave out --at; or see what differs: govern stamp {wanted[0] if wanted else 'base'}",
            )
        return by_rows[frozenset(wanted)]
    if len(fitting) > 1 and frozenset(stamped) not in by_rows:
        raise Refused(
            f"{len(fitting)} revisions have the schema of this database: {'; '.join(names)}",
            why="what lies between them changes rows alone, which no schema shows",
            next="find out which of them have done their work here, and name the newest: "
            f"govern baseline --at {fitting[-1][0]}",
        )
    return by_rows.get(frozenset(stamped), fitting[-1])


def _refuse_nearest(search: _Search, draft: Draft) -> Refused:
    """With the differences from the nearest as findings."""
    next_ = "take the differences away, or say in the manifest which of them are meant (drift: ignore); then run again"
    near = search.nearest
    if near is None:
        return Refused("there is no revision to compare with", next="write one: govern revision -m 'first'")
    findings = judge_drift(near.declared, search.schema, scope=search.scope, today=search.today).findings
    draft.add(Entry.of("baseline", findings, f"compared with {name_revisions(near.rows)}, the nearest"))
    return Refused(
        "no revision has the schema of this database",
        why=f"the nearest is {name_revisions(near.rows)}, with {count_of(len(findings), 'difference')}; "
        f"the first: {findings[0].message}",
        next=next_,
    )
