"""Whether a restored database is as declared. What is not is told, and the restore stands: it is what was asked for."""

from __future__ import annotations

from govern.actions.validate import serious, validate
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.errors import CouldNotCheck
from govern.revisions.graph import Chain
from govern.source.manifest import Manifest


def find_problem(database: LiveDatabase, draft: Draft, chain: Chain, manifest: Manifest | None) -> str | None:
    """What is not as declared, as a sentence for the ledger; None where all is."""
    stamped = database.read_stamped()
    if not stamped:
        reason = "the database has no revision"
        draft.add(Entry(name="validate", status="skipped", reason=reason, is_optional=True))
        return None
    is_at_head = set(stamped) == set(chain.effective_heads)
    try:
        # the manifest speaks of the newest schema
        findings = serious(validate(database, draft, manifest if is_at_head else None))
    except CouldNotCheck as error:
        draft.add(Entry(name="validate", status="skipped", reason=f"{error.what}: {error.why}"))
        return f"it could not be validated: {error.what}"
    return f"{count_of(len(findings), 'finding')}; the first: {findings[0].message}" if findings else None
