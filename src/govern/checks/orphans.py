"""Rows without what they refer to: over every declared foreign key, and every relationship of the manifest.

A foreign key that the server upholds can have orphans all the same: rows that came while its triggers were off
(``session_replication_role``, ``pg_restore --disable-triggers``), or before it was validated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.reached import Counter
from govern.core.reference import NotCounted, OrphanCount, Reference
from govern.core.restoration import Place
from govern.core.wording import count_of
from govern.database.connection import Connection
from govern.database.dialect import Dialect
from govern.database.integrity import home_of_rows

if TYPE_CHECKING:  # with pydantic, which is slow to import
    from govern.source.manifest import Manifest

ORPHAN = Rule(
    id="integrity.orphan",
    name="rows without what they refer to",
    severity=Severity.ERROR,
    condition="a foreign key's rows refer to rows that are not there",
    effect="joins lose these rows, and code that follows the reference fails",
    remedy="bring the parents back from a backup, or declare a repair: delete_orphans or set_null; govern repair plan",
)
RULES = (ORPHAN,)

EXAMPLES = 5
"""Keys shown of each reference."""
_SENTENCE = "looking for rows without what they refer to"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanCheck:
    """What was found, and what could not be looked at."""

    findings: tuple[Finding, ...]
    looked_at: tuple[OrphanCount, ...]
    not_counted: tuple[NotCounted, ...]

    @property
    def with_orphans(self) -> tuple[tuple[OrphanCount, Finding], ...]:
        """The counts that something was found by, each with its finding."""
        found = (one for one in self.looked_at if one.rows)
        return tuple(zip(found, self.findings, strict=True))

    @property
    def references(self) -> tuple[Reference, ...]:
        """All of them."""
        looked_at = tuple(one.reference for one in self.looked_at)
        return (*looked_at, *(one.reference for one in self.not_counted))


def check_orphans(
    connection: Connection,
    dialect: Dialect,
    manifest: Manifest | None,
    *,
    path: str | None,
    seconds: float,
    narrate: Callable[[str], None] = lambda _: None,
) -> OrphanCheck:
    """Counts the rows of every reference that name no parent, for at most ``seconds``, on a read-only connection.

    ``path`` is the manifest's, for the findings.
    """
    home = home_of_rows(connection, dialect)
    weights = _weigh_tables(manifest, home)
    lines = read_implied(manifest, home)
    implied = dialect.resolve_implied(connection, tuple(lines))
    references = (
        *dialect.read_references(connection),
        *(one for one in implied if isinstance(one, Reference)),
    )
    found: list[OrphanCount | NotCounted] = []
    counter = Counter(narrate, _SENTENCE, total=len(references), unit="reference")
    for one in dialect.find_orphans(connection, references, examples=EXAMPLES, seconds=seconds):
        found.append(one)
        counter.add()
    counts = tuple(one for one in found if isinstance(one, OrphanCount))
    by_name = {str(reference): line for reference, line in lines.items()}
    return OrphanCheck(
        findings=tuple(
            _judge(count, weights, path, by_name.get(str(count.reference))) for count in counts if count.rows
        ),
        looked_at=counts,
        not_counted=tuple(one for one in (*implied, *found) if isinstance(one, NotCounted)),
    )


def find_references(
    connection: Connection, dialect: Dialect, manifest: Manifest | None
) -> tuple[Reference, ...]:
    """Those that are declared, and those of the manifest."""
    implied = read_implied(manifest, home_of_rows(connection, dialect))
    return (*dialect.read_references(connection), *implied)


def _weigh_tables(manifest: Manifest | None, home: str) -> Mapping[Place, Severity]:
    tables = manifest.critical_tables if manifest else ()
    return {(one.namespace or home, one.table): one.severity for one in tables}


def read_implied(manifest: Manifest | None, home: str) -> dict[Reference, int]:
    """The manifest's relationships, each with its line; ``home``: the namespace of tables named without one."""
    relationships = manifest.relationships if manifest else ()
    return {
        replace(refer(one.source, one.target, home), when=tuple(one.when.items())): one.line
        for one in relationships
    }


def refer(source: str, target: str, home: str) -> Reference:
    """The reference from ``notes.user_id`` to ``users.id``; ``home``: the namespace of tables named without one."""
    from govern.source.manifest import split_column

    namespace, table, column = split_column(source)
    parent_namespace, parent, parent_column = split_column(target)
    return Reference(
        child=(namespace or home, table),
        columns=(column,),
        parent=(parent_namespace or home, parent),
        parent_columns=(parent_column,),
    )


def _judge(
    count: OrphanCount, weights: Mapping[Place, Severity], path: str | None, line: int | None
) -> Finding:
    reference = count.reference
    parent = reference.parent_name
    sampled = f", in {count.sampled_percent:.2g} % of the table" if count.sampled_percent is not None else ""
    verb = "refers" if count.rows == 1 else "refer"
    missing = f"; missing: {'; '.join(count.examples)}" if count.examples else ""
    return Finding.of(
        ORPHAN,
        _subject_of(reference, path, line),
        f"{count_of(count.rows, 'row')} of {reference.child_name}{sampled} {verb} to rows of {parent} "
        f"that are not there ({reference}){missing}",
        severity=max(
            ORPHAN.severity,
            *(weights.get(place, Severity.INFO) for place in (reference.child, reference.parent)),
        ),
        why=_explain(reference),
        remedy=f"see them: {count.query}",
        evidence={
            "rows": count.rows,
            "keys": list(count.examples),
            "query": count.query,
            "sampled_percent": count.sampled_percent,
        },
    )


def _subject_of(reference: Reference, path: str | None, line: int | None) -> Subject:
    namespace, table = reference.child
    if reference.name is None:
        return Subject(kind="relationship", name=str(reference), path=path, line=line)
    return Subject(kind="constraint", namespace=namespace or None, name=f"{table}.{reference.name}")


def _explain(reference: Reference) -> str:
    if reference.name is None:
        return f"no foreign key keeps this reference; {ORPHAN.effect}"
    if reference.doubt:
        return f"the foreign key {reference.name} does not keep them out: {reference.doubt}; {ORPHAN.effect}"
    return f"the foreign key {reference.name} was off when they came, or the parents' rows were lost; {ORPHAN.effect}"
