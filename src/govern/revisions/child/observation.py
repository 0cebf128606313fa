"""What each statement of a revision does to tables that were there before it: seen in pg_locks and the catalog.

Read on the migrating connection with a cursor of its own, inside a savepoint: neither the transaction nor the
journal notices. A scan is seen by the table's own counter (track_counts, on by default) while a strong lock is held.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from .driver_connection import driver_connection, execute_past_events
from .sqlite import is_in_transaction

# the modes of rows being read and written; every change of a table takes a stronger one
_WEAK = frozenset(("AccessShareLock", "RowShareLock", "RowExclusiveLock"))

# no sign of percent: some drivers would take it for a parameter
_FACTS = """
WITH own AS MATERIALIZED (
  SELECT l.locktype, l.relation, l.mode, l.virtualtransaction FROM pg_catalog.pg_locks l
  WHERE '{newest_known}' <> '0' AND l.pid = pg_catalog.pg_backend_pid() AND l.granted
    AND (l.locktype = 'virtualxid' OR l.locktype = 'relation' AND l.relation <= '{newest_known}')
),
held AS (
  SELECT relation, mode FROM own WHERE locktype = 'relation'
),
scope AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relfilenode
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' {within}
)
SELECT CAST(pg_catalog.json_build_object(
  'transaction', (SELECT virtualtransaction FROM own WHERE locktype = 'virtualxid' LIMIT 1),
  'locks', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(relation, mode)) FROM held),
  'tables', (SELECT pg_catalog.json_agg(
    pg_catalog.json_build_array(oid, nspname, relname, relkind, relfilenode)) FROM scope),
  'scans', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(oid, scans)) FROM (
    SELECT oid, pg_catalog.pg_stat_get_xact_numscans(oid) AS scans
    FROM (SELECT oid FROM scope UNION SELECT relation FROM held) AS counted) AS counts WHERE scans > 0),
  'indexes', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
      x.indexrelid, x.indrelid, i.relfilenode, x.indisvalid OR i.relkind = 'I', s.nspname, i.relname))
    FROM scope s JOIN pg_catalog.pg_index x ON x.indrelid = s.oid
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid),
  'foreign_keys', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(k.oid, k.conrelid))
    FROM scope s JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid
    WHERE k.contype = 'f' AND k.convalidated),
  'columns', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
      a.attrelid, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)))
    FROM scope s JOIN pg_catalog.pg_attribute a ON a.attrelid = s.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped)
) AS text)
"""
_EVERYTHING = _FACTS.format(within="", newest_known=2**32 - 1)
# of a table that the revision itself made the server is asked once, else each statement would take longer than the
# one before it: nobody waits for such a table, and it has no row that could be lost
_WHAT_IS_LOCKED_OR_NEW = """AND c.oid IN (
  SELECT relation FROM held WHERE mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
  UNION ALL SELECT oid FROM pg_catalog.pg_class WHERE oid > '{newest_seen}')"""

_CONTROL = re.compile(
    r"\s*(SET|RESET|BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE)\b", re.IGNORECASE
)
_MAY_RENAME = re.compile(r"\bRENAME\b|\bSET\s+SCHEMA\b|^\s*(SELECT|WITH|DO|CALL)\b", re.IGNORECASE)
_ABOUT_ROWS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH)\b", re.IGNORECASE)
_TRUNCATE = re.compile(r"\s*TRUNCATE\b", re.IGNORECASE)
_CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
# statements that may run in a transaction; the others are run as they are, and their locks are gone unseen
_FITS_TRANSACTION = re.compile(
    r"\s*(ALTER\s+TABLE|ALTER\s+INDEX|CREATE\s+(UNIQUE\s+)?INDEX|CREATE\s+TABLE|CREATE\s+TRIGGER|"
    r"DROP\s+(TABLE|INDEX|TRIGGER|VIEW|SEQUENCE)|TRUNCATE|COMMENT|INSERT|UPDATE|DELETE|LOCK)\b",
    re.IGNORECASE,
)


class Table:
    """One table or materialized view as the catalog has it."""

    def __init__(self, namespace: str, name: str, kind: str, file: str) -> None:
        self.name = [namespace, name]
        self.kind = kind
        self.file = file
        self.columns: dict[int, tuple[str, str]] = {}
        """Name and type by attribute number, which a renamed column keeps and a new one does not get."""
        self.indexes: dict[str, tuple[str, bool, tuple[str, ...]]] = {}
        """File, whether it is valid, and name."""
        self.foreign_keys: set[str] = set()
        """Those that were validated."""


class Facts:
    """What one look at the catalog found. Oids are texts."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.transaction: str | None = document["transaction"]
        self.locks: set[tuple[str, str]] = {(one[0], one[1]) for one in document["locks"] or ()}
        self.scans: dict[str, int] = dict(document["scans"] or ())
        self.tables = {oid: Table(*table) for oid, *table in document["tables"] or ()}
        for oid, number, name, type_ in document["columns"] or ():
            self.tables[oid].columns[number] = (name, type_)
        for index, oid, file, is_valid, *name in document["indexes"] or ():
            self.tables[oid].indexes[index] = (file, is_valid, tuple(name))
        for key, oid in document["foreign_keys"] or ():
            self.tables[oid].foreign_keys.add(key)

    @property
    def strongly_held(self) -> set[str]:
        return {relation for relation, mode in self.locks if mode not in _WEAK}

    def complete(self, earlier: Facts) -> None:
        """Takes over from ``earlier`` the tables that nobody else could have changed since."""
        unlocked = {oid: one for oid, one in earlier.tables.items() if oid not in self.strongly_held}
        self.tables = {**unlocked, **self.tables}
        self.scans = {**earlier.scans, **self.scans}

    def newest(self, *, but: str = "") -> int:
        """The highest oid of a table or an index; 0 if there is none, ``but`` for the table of that name.

        A server counts them up; after four billions it begins anew, which makes an answer longer, and leaves
        nothing out that was there before.
        """
        tables = {oid: table for oid, table in self.tables.items() if table.name[1] != but}
        indexes = (oid for table in tables.values() for oid in table.indexes)
        return max(map(int, itertools.chain(tables, indexes)), default=0)


class Observer:
    """Follows one run. ``give_up`` is told why if the catalog cannot be read; the run goes on unobserved."""

    def __init__(self, give_up: Callable[[str], None]) -> None:
        self._give_up = give_up
        self._is_able = True
        self._revision: str | None = None
        self._origin: Facts | None = None
        """Before the run: what is in none of these tables is nobody's data."""
        self._start: Facts | None = None
        """Before the revision."""
        self._newest_known = 0
        """The newest table or index that was there then, by its oid; 0 if nobody had one."""
        self._facts: Facts | None = None
        """Before the statement."""
        self._newest_seen = 0
        self._is_inside = False
        self._is_wrapped = False
        self._repeated: set[str] = set()

    def before(self, connection: Any, sql: str, revision: str | None, *, hidden: str) -> None:
        """To be called right before ``sql`` is executed on a SQLAlchemy connection; ``hidden`` is the version table."""
        if not self._is_able or revision is None or _CONTROL.match(sql):
            return
        if connection.dialect.name == "sqlite":
            self._revision = revision
            return
        with self._able_or_not():
            self._is_inside = _is_inside(connection)
            if not self._is_inside and _FITS_TRANSACTION.match(sql) and not _CONCURRENTLY.search(sql):
                # locks of a statement that commits by itself are gone before they can be read
                execute_past_events(connection, "BEGIN")
                self._is_wrapped = True
            if revision != self._revision or self._is_wrapped:
                self._facts = self._look(connection, _EVERYTHING)
                if revision != self._revision:
                    self._begin(revision, self._facts, hidden)

    def _begin(self, revision: str, facts: Facts, hidden: str) -> None:
        self._revision, self._start, self._repeated = revision, facts, set()
        self._newest_known, self._newest_seen = facts.newest(but=hidden), facts.newest()
        self._origin = self._origin or facts

    def after(self, connection: Any, sql: str, *, hidden: str) -> dict[str, Any]:
        """What ``sql`` did, as the event ``statement`` has it; ``hidden`` as before."""
        if connection.dialect.name == "sqlite":
            in_transaction = is_in_transaction(driver_connection(connection))
            return {"is_seen": False, "in_transaction": in_transaction}
        seen: dict[str, Any] = {}
        if not _CONTROL.match(sql) and not self._has_told(sql):
            with self._able_or_not():
                seen = self._compare(connection, sql, hidden)
        self._end_own_transaction(connection, "COMMIT")
        return dict(seen, is_seen=self._is_able, in_transaction=self._is_inside)

    def _compare(self, connection: Any, sql: str, hidden: str) -> dict[str, Any]:
        if not self._is_able or self._facts is None:
            return {}
        is_seen = self._is_inside or self._is_wrapped
        facts = self._look(connection, self._narrowed(sql) if is_seen else _EVERYTHING)
        self._newest_seen = max(self._newest_seen, facts.newest())
        if is_seen:
            facts.complete(self._facts)
        before, self._facts = self._facts, facts
        return Comparison(
            self._origin, self._start, before, facts, sql, is_seen=is_seen, hidden=hidden
        ).told()

    def _narrowed(self, sql: str) -> str:
        """The question for what ``sql`` may have changed."""
        seen = self._newest_known if _MAY_RENAME.search(sql) else self._newest_seen
        within = _WHAT_IS_LOCKED_OR_NEW.format(newest_seen=seen)
        return _FACTS.format(within=within, newest_known=self._newest_known)

    def failed(self, connection: Any) -> None:
        """The statement raised: ends the transaction that was put around it alone."""
        with contextlib.suppress(Exception):
            self._end_own_transaction(connection, "ROLLBACK")

    def _has_told(self, sql: str) -> bool:
        """A data migration may say the same many thousand times; it locks what it locked the first time."""
        is_known = self._is_inside and sql in self._repeated
        if _ABOUT_ROWS.match(sql):
            self._repeated.add(sql)
        return is_known

    def _look(self, connection: Any, query: str) -> Facts:
        is_inside = self._is_inside or self._is_wrapped
        if is_inside:
            execute_past_events(connection, "SAVEPOINT govern_observation")
        try:
            document = execute_past_events(connection, query)
        except Exception:
            if is_inside:
                execute_past_events(connection, "ROLLBACK TO SAVEPOINT govern_observation")
            raise
        if is_inside:
            execute_past_events(connection, "RELEASE SAVEPOINT govern_observation")
        return Facts(json.loads(document))

    def _end_own_transaction(self, connection: Any, how: str) -> None:
        if self._is_wrapped:
            self._is_wrapped = False
            execute_past_events(connection, how)

    @contextlib.contextmanager
    def _able_or_not(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._is_able = False
            self._give_up(f"what statements lock could not be observed: {error}")


class Comparison:
    """The facts before and after one statement."""

    def __init__(
        self, origin: Any, start: Any, before: Facts, after: Facts, sql: str, *, is_seen: bool, hidden: str
    ) -> None:
        self.origin: Facts = origin
        self.known = {oid: one for oid, one in start.tables.items() if one.name[1] != hidden}
        self.start: Facts = start
        self.before = before
        self.after = after
        self.sql = sql
        self.is_seen = is_seen
        self.table_of = {index: oid for oid, one in self.known.items() for index in one.indexes}
        self.table_of.update((oid, oid) for oid in self.known)

    def told(self) -> dict[str, Any]:
        return {
            "locks": sorted([*self.known[oid].name, mode] for oid, mode in self._locks()),
            "rewrites": self._names(self._rewritten()),
            "scans": self._names(self._scanned() - self._rewritten()),
            "creates": sorted(self._created()),
            "invalid_indexes": sorted(self._invalid()),
            "drops": sorted(self._dropped()),
            "retypes": sorted(self._retyped()),
        }

    def _names(self, oids: set[str]) -> list[list[str]]:
        return sorted(self.known[oid].name for oid in oids)

    def _locks(self) -> set[tuple[str, str]]:
        if not self.is_seen:
            return self._documented_locks()
        is_same = self.before.transaction == self.after.transaction
        held = self._of_tables(self.before.locks) if is_same else set()
        return self._of_tables(self.after.locks) - held

    def _of_tables(self, locks: set[tuple[str, str]]) -> set[tuple[str, str]]:
        return {(self.table_of[relation], mode) for relation, mode in locks if relation in self.table_of}

    def _documented_locks(self) -> set[tuple[str, str]]:
        """As the manual has it of the statements that refuse a transaction: every file replaced was locked
        exclusively, unless an index was built, dropped or replaced CONCURRENTLY."""
        rewritten = {(oid, "AccessExclusiveLock") for oid in self._rewritten()}
        if not _CONCURRENTLY.search(self.sql):
            return rewritten
        return rewritten | {(oid, "ShareUpdateExclusiveLock") for oid in self._reindexed()}

    def _both(self) -> Iterator[tuple[str, Table, Table]]:
        """The tables from before the revision that are still there: as they were and as they are."""
        for oid in self.known:
            if oid in self.before.tables and oid in self.after.tables:
                yield oid, self.before.tables[oid], self.after.tables[oid]

    def _rewritten(self) -> set[str]:
        if _TRUNCATE.match(self.sql):  # new files, but no row in them
            return set()
        return {oid for oid, old, new in self._both() if old.file != new.file}

    def _reindexed(self) -> set[str]:
        return {oid for oid, old, new in self._both() if old.indexes != new.indexes}

    def _scanned(self) -> set[str]:
        if _TRUNCATE.match(self.sql):
            return set()
        validated = {oid for oid, old, new in self._both() if new.foreign_keys - old.foreign_keys}
        if not self.is_seen:
            built = {
                oid for oid, old, new in self._both() if set(new.indexes.items()) - set(old.indexes.items())
            }
            return validated | built
        held = self.after.strongly_held
        return validated | {
            oid
            for oid in self.known
            if oid in held and self.after.scans.get(oid, 0) > self.before.scans.get(oid, 0)
        }

    def _created(self) -> Iterator[list[str]]:
        for oid in self.after.tables.keys() - self.start.tables.keys():
            old, new = self.before.tables.get(oid), self.after.tables[oid]
            if old is None or old.name != new.name:
                yield new.name

    def _invalid(self) -> Iterator[tuple[str, ...]]:
        known = {
            index for one in self.before.tables.values() for index, fact in one.indexes.items() if not fact[1]
        }
        for one in self.after.tables.values():
            for index, (_, is_valid, name) in one.indexes.items():
                if not is_valid and index not in known:
                    yield name

    def _dropped(self) -> Iterator[list[str]]:
        for oid, old in self.before.tables.items():
            origin = self.origin.tables.get(oid)
            if origin is None:
                continue
            new = self.after.tables.get(oid)
            if new is None:
                yield ["materialized-view" if old.kind == "m" else "table", *old.name]
                continue
            for number in old.columns.keys() & origin.columns.keys() - new.columns.keys():
                yield ["column", *old.name, old.columns[number][0]]

    def _retyped(self) -> Iterator[list[Any]]:
        """Columns with other types: name, the type before, the type after, whether the table was rewritten."""
        for oid, old in self.before.tables.items():
            new = self.after.tables.get(oid)
            origin = self.origin.tables.get(oid)
            if origin is None or new is None:
                continue
            for number in old.columns.keys() & new.columns.keys() & origin.columns.keys():
                if old.columns[number][1] != new.columns[number][1]:
                    name, type_ = new.columns[number]
                    yield [*new.name, name, old.columns[number][1], type_, old.file != new.file]


def _is_inside(connection: Any) -> bool:
    """Whether a transaction is open; one that SQLAlchemy has promised is begun."""
    try:
        execute_past_events(connection, "SAVEPOINT govern_observation")
    except Exception:  # each driver has its own
        return False
    execute_past_events(connection, "RELEASE SAVEPOINT govern_observation")
    return True
