"""What to type once ``govern init`` is through."""

from __future__ import annotations

from collections.abc import Iterator

from govern.actions.init import proposals
from govern.actions.init.database import Standing
from govern.actions.init.layout import revision_files
from govern.config import Settings


def begin_again(settings: Settings, places: proposals.Places) -> tuple[str, ...]:
    """Once the project can be read: what env.py says of itself was not heard this time."""
    named = "" if places == proposals.USUAL else f" --name {settings.alembic.section}"
    return (f"rm {places.configuration} && govern init{named}",)


def next_commands(
    settings: Settings,
    places: proposals.Places,
    others: tuple[str, ...],
    ask: str | None,
    standing: Standing,
) -> Iterator[str]:
    """``others``: sections of alembic.ini that are to be adopted, too. ``ask``: what somebody has to say first."""
    if ask:
        yield ask
    govern = "govern" if places == proposals.USUAL else f"govern --config {places.configuration}"
    yield f"{govern} doctor"
    if not any(revision_files(settings)):
        yield f"{govern} revision -m 'first tables'"
    yield f"{govern} lock"
    yield f"{govern} check"
    yield f"{govern} {'baseline' if standing.is_unstamped else 'migrate'}"
    for section in others:
        is_usual = section == proposals.USUAL_SECTION
        places = proposals.USUAL if is_usual else proposals.places_of(section)
        if not (settings.root / places.configuration).exists():
            yield "govern init" if is_usual else f"govern init --name {section}"
