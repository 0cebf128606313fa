"""How many of a run's revisions are through, told from what the child says."""

from __future__ import annotations

from collections.abc import Callable

from govern.core.reached import Counter
from govern.revisions.protocol import Event, RevisionDone


def count_revisions(
    narrate: Callable[[str], None], sentence: str, total: int | None
) -> Callable[[Event], None]:
    """Narrates each revision as it ends. What is returned is ``on_event`` of a run of ``total`` revisions."""
    counter = Counter(narrate, sentence, total=total, unit="revision")

    def hear(event: Event) -> None:
        if isinstance(event, RevisionDone):
            counter.add()

    return hear
