"""Whether a restored database is as declared. What is not is told, and the restore stands: it is what was asked for."""

from __future__ import annotations

from collections.abc import Callable

from govern.actions.validate import serious, validate
from govern.checks.startup.rules import CANNOT_VERIFY
from govern.core.finding import Finding, Subject
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.errors import CouldNotCheck
from govern.revisions.counting import count_revisions
from govern.revisions.graph import Chain
from govern.source.manifest import Manifest

Narrate = Callable[[str], None]


def find_problem(
    database: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    *,
    narrate: Narrate = lambda _: None,
) -> str | None:
    """What is not as declared, as a sentence for the ledger; None where all is."""
    return describe_wrong(find_wrong(database, draft, chain, manifest, narrate=narrate))


def find_wrong(
    database: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    *,
    narrate: Narrate = lambda _: None,
) -> tuple[Finding, ...]:
    """What is not as declared; that nobody could say it is a finding, too."""
    stamped = database.read_stamped()
    if not stamped:
        reason = "the database has no revision"
        draft.add(Entry(name="validate", status="skipped", reason=reason, is_optional=True))
        return ()
    is_at_head = set(stamped) == set(chain.effective_heads)
    rows = manifest if is_at_head else None  # the manifest speaks of the newest schema
    hear = count_revisions(narrate, "validating the database", len(chain.ancestors(stamped)))
    try:
        return tuple(serious(validate(database, draft, rows, on_event=hear)))
    except CouldNotCheck as error:
        draft.add(Entry(name="validate", status="skipped", reason=f"{error.what}: {error.why}"))
        about = Subject(kind="database", name=database.url.redacted)
        return (Finding.of(CANNOT_VERIFY, about, f"it could not be validated: {error.what}"),)


def describe_wrong(findings: tuple[Finding, ...]) -> str | None:
    """A sentence for the ledger; None where there are none."""
    return f"{count_of(len(findings), 'finding')}; the first: {findings[0].message}" if findings else None
