"""The command that draws a schema, a part of it, or what is different between two."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import Literal

from govern.api.command import Narrate, command, silent
from govern.api.drawing import draw_difference, draw_whole
from govern.api.project import Project, read_project
from govern.api.schemas import in_same_words, read_schema, read_schema_at
from govern.config import Settings
from govern.core.diagram import Detail, Diagram
from govern.core.diagram_of_change import leave_out_same
from govern.core.report import Draft
from govern.core.restoration import Place, name_place
from govern.core.wording import count_of
from govern.database.scratch import dropping_meanwhile
from govern.errors import ConfigurationError, CouldNotCheck, NoSuchName
from govern.reports.diagram import (
    LONGEST_MERMAID,
    count_marks,
    count_relations,
    render_dot,
    render_mermaid,
    render_svg,
)

Notation = Literal["mermaid", "dot", "svg"]


@command("diagram")
@dropping_meanwhile()
def diagram(
    draft: Draft,
    settings: Settings,
    *,
    notation: Notation = "mermaid",
    of: str = "declared",
    against: str | None = None,
    against_ref: str | None = None,
    tables: Sequence[str] = (),
    depth: int | None = None,
    detail: Detail | None = None,
    narrate: Narrate = silent,
) -> None:
    """A picture as text in the report's ``diagram``: of one schema, or of what is different in it.

    ``of`` and ``against`` are what ``govern.api.schemas.read_schema`` takes; ``against_ref`` is a git reference.
    ``tables``: only these, with what is at most ``depth`` lines around them (1); of a difference what is around what
    is different (0). ``detail``: which columns; without it as many as can be read.

    Raises ConfigurationError for a table or reference there is not, CouldNotCheck where there is nothing to draw.
    """
    project = read_project(settings)
    whole, title = _draw(draft, project, of, against, against_ref, narrate)
    if not whole.tables:
        raise CouldNotCheck(
            f"there is nothing to draw: {title[:1].lower()}{title[1:]} has no tables",
            next="declare some, or draw another schema: govern diagram --of models, --of live",
        )
    centre = [find_table(name, whole.tables) for name in tables]
    if centre:
        shown = whole.around(centre, depth=1 if depth is None else depth)
        title = f"{title}: {', '.join(map(name_place, centre))} and what is around"
    else:
        shown = leave_out_same(whole, depth=depth or 0) if whole.is_change else whole
    if whole.is_change:
        title = f"{title}: {count_marks(shown)}"
    text = _render(shown, notation, detail, title)
    draft.data |= {"diagram": text, "notation": notation, "title": title, "besides": list(shown.beside)}
    draft.passed("diagram", _describe(shown, text, notation))


def find_table(name: str, places: Collection[Place]) -> Place:
    """The table that somebody means: with its namespace or, where it is the only one, without.

    Raises ConfigurationError with names that are close.
    """
    exact = [place for place in places if name in (".".join(filter(None, place)), name_place(place))]
    alike = exact or [place for place in places if place[1] == name]
    if len(alike) == 1:
        return alike[0]
    if alike:
        which = " or ".join(sorted(".".join(place) for place in alike))
        raise ConfigurationError(
            f"{count_of(len(alike), 'table')} are called {name}",
            why="the namespace says which one",
            next=f"name it: {which}",
        )
    names = sorted({said for place in places for said in (name_place(place), place[1])})
    raise NoSuchName(
        f"there is no table {name}",
        wanted=name,
        known=names,
        why=f"{len(places):,} tables and views can be drawn",
        next="see all of them: govern diagram --columns none",
    )


def _draw(
    draft: Draft, project: Project, of: str, against: str | None, against_ref: str | None, narrate: Narrate
) -> tuple[Diagram, str]:
    """All of it, and its title."""
    settings, manifest = project.settings, project.manifest
    with ExitStack() as stack:
        before = None
        if against_ref is not None:
            before = read_schema_at(settings, against_ref)
        elif against is not None:
            before = stack.enter_context(read_schema(project, against, draft, narrate))
        after = stack.enter_context(read_schema(project, of, draft, narrate))
        if before is None:
            return draw_whole(after.snapshot, manifest), _begin(after.said)
        drawn = draw_difference(in_same_words(before, after), after.snapshot, manifest)
        return drawn, f"From {before.said} to {after.said}"


def _render(shown: Diagram, notation: Notation, detail: Detail | None, title: str) -> str:
    if notation == "svg":
        return render_svg(shown.showing(detail), title=title, is_alone=True)
    if notation == "dot":
        return render_dot(shown.showing(detail), title=title)
    text = render_mermaid(shown.showing(detail), title=title)
    if detail is None and len(text) > LONGEST_MERMAID:
        return render_mermaid(shown.showing("none"), title=title)
    return text


def _describe(shown: Diagram, text: str, notation: Notation) -> str:
    said = f"{count_marks(shown)}; {count_relations(shown)}" if shown.is_change else count_relations(shown)
    if notation == "mermaid" and len(text) > LONGEST_MERMAID:
        said += f"; {len(text):,} characters, where browsers draw {LONGEST_MERMAID:,}"
    return said


def _begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
