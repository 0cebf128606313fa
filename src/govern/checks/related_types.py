"""Do columns that hold the same keys have the same type? Where not, code papers over it with casts, and joins are slow.

Related are the two ends of a reference, and columns of one name where foreign keys say what that name means: if
``user_id`` refers to ``users.id`` wherever a foreign key is declared, it means that in the other tables, too.
"""

from __future__ import annotations

from collections.abc import Iterable

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.keys import Column, ends_of, family_of, read_meanings, read_types
from govern.core.reference import Reference
from govern.core.snapshot import Snapshot

TYPE_MISMATCH = Rule(
    id="integrity.type-mismatch",
    name="related columns have different types",
    severity=Severity.ERROR,
    condition="a column that holds another's keys is of another kind of type: text here, integer or uuid there",
    effect="no foreign key can keep the reference, joins need casts and use no index",
    remedy="convert the column with a revision: ALTER TABLE … ALTER COLUMN … TYPE … USING …",
)
RULES = (TYPE_MISMATCH,)


def check_related_types(live: Snapshot, references: Iterable[Reference]) -> tuple[Finding, ...]:
    """Columns whose type is of another family than that of the key that they hold, each once."""
    references = tuple(references)
    types, meanings = read_types(live), read_meanings(references)
    by_name = {column: meanings[column.name] for column in types if column.name in meanings}
    return tuple(
        _mismatch(column, types[column], key, types[key])
        for column, key in sorted({**by_name, **dict(ends_of(references))}.items())
        if column in types and key in types and family_of(types[column]) != family_of(types[key])
    )


def _mismatch(column: Column, kind: str, key: Column, key_kind: str) -> Finding:
    namespace, table = column.table
    return Finding.of(
        TYPE_MISMATCH,
        Subject(kind="column", namespace=namespace or None, name=f"{table}.{column.name}"),
        f"{column} is {kind}, and {key}, whose values it holds, is {key_kind}",
        evidence={"type": kind, "key": str(key), "key_type": key_kind},
    )
