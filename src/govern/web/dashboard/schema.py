"""The schema as a picture, with how each table is; below it the same in words."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from govern.api.drawing import draw_declared
from govern.core.diagram import Diagram, DrawnTable, Link, TableState
from govern.core.issue import Issue
from govern.core.restoration import Place, name_place
from govern.core.table_states import group_issues, judge_table, name_fully, sort_gravest_first
from govern.core.wording import count_of
from govern.errors import GovernError
from govern.reports.diagram import STATE_SIGNS, STATE_WORDS, render_svg
from govern.web.dashboard.record import Record, read_record
from govern.web.dashboard.visit import Visit
from govern.web.monitor.request import Reply

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

_MOST_DRAWN = 400
"""Tables of one picture: a browser and an eye take in no more."""
_MOST_ROWS = 500
_FEW = 60
"""Tables that need nobody to look for one by its name."""
_ALL = "all"
_TITLES = {
    "all": "All tables",
    "critical": "Critical tables and their neighbours",
    "one": "A table and its neighbours",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A table in words."""

    name: str
    anchor: str
    around: str
    """The query of the picture of its neighbourhood."""
    state: TableState
    is_critical: bool
    refers_to: tuple[tuple[str, str, bool], ...]
    """Columns with the tables that they refer to, and whether the manifest alone says so."""
    issues: tuple[Issue, ...]


def show_schema(dashboard: Dashboard, visit: Visit) -> Reply:
    """Critical tables with their neighbours; all tables, or one with its neighbours, where that is asked for."""
    if not visit.visitor.is_insider:
        return dashboard.show(visit, "closed.html", name="The schema")
    record = read_record(dashboard.api)
    try:
        drawn = _draw(dashboard, record)
    except GovernError as error:
        return dashboard.show(visit, "schema.html", trouble=error, record=record)
    return _show(dashboard, visit, record, drawn)


def _draw(dashboard: Dashboard, record: Record) -> Diagram:
    diagram = draw_declared(dashboard.api.settings)
    issues, is_known = group_issues(record.issues), record.was_looked_at
    return diagram.with_states(
        {
            place: judge_table(issues.get(name_fully(place), ()), was_looked_at=is_known)
            for place in diagram.tables
        }
    )


def _show(dashboard: Dashboard, visit: Visit, record: Record, whole: Diagram) -> Reply:
    asked = visit.request.parameters
    centre = next((place for place in whole.tables if name_fully(place) == asked.get("table")), None)
    view, shown = _choose(whole, centre, wants_all=asked.get("show") == _ALL)
    issues = group_issues(record.issues)
    sought = asked.get("find", "").strip()
    found = [table for table in shown.tables.values() if sought.lower() in name_fully(table.place).lower()]
    found.sort(key=lambda table: (sort_gravest_first(table.state), table.place))
    is_too_large = len(shown.tables) > _MOST_DRAWN
    is_drawn = bool(shown.tables) and not is_too_large and not sought
    return dashboard.show(
        visit,
        "schema.html",
        trouble=None,
        record=record,
        view=view,
        centre=name_place(centre) if centre else "",
        shown=shown,
        whole=whole,
        rows=_describe_all(found[:_MOST_ROWS], shown, issues),
        found=len(found),
        sought=sought,
        is_large=len(shown.tables) > _FEW,
        words=STATE_WORDS,
        signs=STATE_SIGNS,
        most=_MOST_DRAWN,
        is_too_large=is_too_large,
        picture=_render(shown, view, issues) if is_drawn else None,
    )


def _choose(whole: Diagram, centre: Place | None, *, wants_all: bool) -> tuple[str, Diagram]:
    if centre is not None:
        return "one", whole.around([centre])
    if wants_all or not whole.critical:
        return "all", whole
    return "critical", whole.around(whole.critical)


def _render(shown: Diagram, view: str, issues: Mapping[str, tuple[Issue, ...]]) -> object:
    from markupsafe import Markup  # which comes with jinja2

    notes = {
        place: count_of(len(found), "issue")
        for place in shown.tables
        if (found := issues.get(name_fully(place)))
    }
    svg = render_svg(
        shown.showing(), title=_TITLES[view], href=lambda place: f"#{_anchor(place)}", notes=notes
    )
    return Markup(svg)  # noqa: S704 - govern.reports.diagram escapes every name


def _describe_all(
    tables: Iterable[DrawnTable], shown: Diagram, issues: Mapping[str, tuple[Issue, ...]]
) -> list[Row]:
    links: dict[Place, list[Link]] = defaultdict(list)
    for link in shown.links:
        links[link.reference.child].append(link)
    return [_describe(table, links[table.place], issues) for table in tables]


def _describe(table: DrawnTable, links: Iterable[Link], issues: Mapping[str, tuple[Issue, ...]]) -> Row:
    return Row(
        name=name_place(table.place),
        anchor=_anchor(table.place),
        around=urlencode({"table": name_fully(table.place)}),
        state=table.state,
        is_critical=table.is_critical,
        refers_to=tuple(
            (", ".join(link.reference.columns), link.reference.parent_name, link.is_implied) for link in links
        ),
        issues=issues.get(name_fully(table.place), ()),
    )


def _anchor(place: Place) -> str:
    """Of a table's row: no name of a table can be anything but an anchor."""
    return f"table-{hashlib.sha256(name_fully(place).encode()).hexdigest()[:12]}"
