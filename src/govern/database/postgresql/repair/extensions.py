"""What somebody said DEPENDS ON EXTENSION: it goes when the extension does."""

from __future__ import annotations

from collections.abc import Iterator

from govern.core.snapshot import Facts
from govern.database.postgresql.repair.names import quote


def depend_on_extensions(address: str, wanted: Facts, existing: Facts) -> Iterator[str]:
    """``address`` as ALTER says it: of a function, trigger, index or materialized view."""
    before, after = (_extensions(facts) for facts in (existing, wanted))
    yield from (
        f"ALTER {address} NO DEPENDS ON EXTENSION {quote(name)}" for name in before if name not in after
    )
    yield from (f"ALTER {address} DEPENDS ON EXTENSION {quote(name)}" for name in after if name not in before)


def _extensions(facts: Facts) -> tuple[str, ...]:
    names = facts.get("extensions")
    return names if isinstance(names, tuple) else ()
