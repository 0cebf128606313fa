"""What a command was asked to list (``report.data``): tables for rows, SQL as it can be pasted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from govern.core.wording import count_of, name_age, name_bytes, name_seconds
from govern.reports.effects import list_effects
from govern.reports.fleet import (
    tell_forms,
    tell_outliers,
    tell_problems,
    tell_revisions,
    tell_run,
    tell_targets,
)
from govern.reports.statements import terminate

if TYPE_CHECKING:
    from govern.core.report import Report
    from govern.reports.style import Style

Rows = Sequence[Mapping[str, Any]]

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "backups": (
        "id",
        "age_seconds",
        "target",
        "revision",
        "fits",
        "bytes",
        "pinned",
        "unfit",
        "signature",
        "drilled",
        "verified",
    ),
    "files": ("path", "bytes", "file", "table", "rows"),
    "checks": ("name", "status", "findings", "seconds", "reason"),
    "issues": ("key", "severity", "issue_type", "table", "column", "current_state", "first_seen"),
    "requests": ("at", "kind", "actor", "issue", "run"),
    "events": ("at", "kind", "actor", "subject", "run", "detail"),
    "runs": (
        "started_at",
        "command",
        "result",
        "probes",
        "from_revision",
        "to_revision",
        "actor",
        "backup",
        "error",
    ),
}
"""The columns worth a person's attention; other lists show the keys of their first row."""


_NAMES = 8
"""Of tables so many are named where there are more."""

_TOLD_BY_ENTRIES = frozenset(
    {
        "backup",
        "drill",
        "finished_runs",
        "freed_bytes",
        "heads",
        "missing_tables",
        "models",
        "path",
        "probes",
        "run",
        "safety",
        "written",
    }
)
"""Single facts that scripts want, and that people have read in an entry's reason."""


def render_listings(data: Mapping[str, Any], style: Style) -> Iterator[str]:
    """Lines of every listing in ``data``, an empty line between two."""
    told = {name: value for name, value in data.items() if name not in _TOLD_BY_ENTRIES}
    shown = [lines for name, value in told.items() if (lines := list(_listing(name, value, style)))]
    for position, lines in enumerate(shown):
        if position:
            yield ""
        yield from lines


_TOLD_BY_REVIEW = frozenset({"pull_request", "plan"})
_TEXTS_OF_THEIR_OWN = frozenset({"diagram", "notation", "title", "besides"})
"""What is the whole answer, where a text was asked for."""


def select_unsaid(report: Report) -> Mapping[str, Any]:
    """What is to be listed, but for what stands with the findings already, and what a review tells."""
    said = _TEXTS_OF_THEIR_OWN
    if any(finding.fix for finding in report.findings):
        said |= {"repair"}
    if "pull_request" in report.data:
        said |= _TOLD_BY_REVIEW
    unsaid = {name: value for name, value in report.data.items() if name not in said}
    if health := unsaid.get("health"):
        message, _, remedy = str(health["message"]).partition("; next: ")
        if any(remedy == finding.remedy for finding in report.findings):
            unsaid["health"] = {**health, "message": message}
    return unsaid


def _listing(name: str, value: Any, style: Style) -> Iterator[str]:
    special: Mapping[str, Callable[[Any, Style], Iterator[str]]] = {
        "application": _application,
        "fleet": tell_run,
        "found": _found,
        "groups": tell_forms,
        "guards": _guards,
        "health": _health,
        "plan": _plan,
        "problems": tell_problems,
        "statements": _statements,
        "repair": _repair,
        "repairs": _repairs,
        "remaining": _remaining,
        "next": _next_commands,
        "revisions": tell_revisions,
        "rule": _facts,
        "schemas": tell_outliers,
        "targets": tell_targets,
        "examples": _examples,
    }
    if name in special:
        yield from special[name](value, style)
    elif _is_rows(value):
        yield from _table(name, value, style)
    elif isinstance(value, Mapping):
        yield f"{style.say(name)}:"
        yield from (f"  {line}" for line in _facts(value, style))
    elif isinstance(value, (list, tuple)):
        yield from style.indent("\n".join(_cell(name, item) for item in value) or "none", first=f"{name}: ")
    elif value is not None:
        yield from style.indent(_cell(name, value), first=f"{name}: ")


def _is_rows(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _table(name: str, rows: Rows, style: Style) -> Iterator[str]:
    keys = [
        key
        for key in _COLUMNS.get(name, tuple(rows[0]))
        if any(row.get(key) not in (None, "", []) for row in rows)
    ]
    cells = [[style.say(_cell(key, row.get(key))).replace("\n", " ") for key in keys] for row in rows]
    titles = [key.removesuffix("_at").removesuffix("_seconds").replace("_", " ") for key in keys]
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    numeric = [
        all(isinstance(row.get(key), (int, float)) and not isinstance(row.get(key), bool) for row in rows)
        for key in keys
    ]
    yield style.paint(_row(titles, widths, numeric), "dim")
    yield from (_row(row, widths, numeric) for row in cells)


def _row(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return "  ".join(padded).rstrip()


def _examples(examples: Rows, style: Style) -> Iterator[str]:
    """Code as it stands, each below its title."""
    for position, example in enumerate(examples):
        if position:
            yield ""
        yield style.paint(f"{example['title']}:", "bold")
        yield from (f"    {style.say(line)}".rstrip() for line in example["code"].splitlines())


def _found(found: Rows, style: Style) -> Iterator[str]:
    """Each thing with what it holds, and what to type to go on with it."""
    for one in found:
        when = _cell("made_at", one["made_at"]) + (" (of the file)" if one["made_at_is_file_time"] else "")
        version = f"server {one['server_version']}" if one["server_version"] else ""
        yield style.paint(style.say(str(one["path"])), "bold")
        facts = (one["kind"], when, name_bytes(one["bytes"]), version)
        yield from style.indent(", ".join(filter(None, facts)), first="  ")
        if one["tables"]:
            rows = "" if one["rows"] is None else f"; {count_of(one['rows'], 'row')}"
            yield from style.indent(
                f"{count_of(len(one['tables']), 'table')}: {_some(one['tables'])}{rows}", first="  "
            )
        if one["trouble"]:
            yield from style.indent(one["trouble"], first="  but: ")
        if one["next"]:
            yield f"  next: {style.say(one['next'])}"


def _some(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _guards(guards: Rows, style: Style) -> Iterator[str]:
    """What each asks, and what would let it pass."""
    for guard in guards:
        facts = ("PostgreSQL" if guard["only_postgresql"] else "", str(guard["when"]))
        said = ", ".join(filter(None, facts))
        yield style.paint(style.say(str(guard["name"])), "bold") + (
            f"  {style.paint(style.say(f'({said})'), 'dim')}" if said else ""
        )
        yield from style.indent(str(guard["asks"]), first="  ")
        yield from style.indent(str(guard["passes"]), first="  if not: ")


def _health(health: Mapping[str, Any], style: Style) -> Iterator[str]:
    """The verdict, and the critical tables with their rows."""
    yield from style.indent(health["message"], first=f"{health['status']}: ")
    database = health["database"]
    estimated = database.get("estimated_counts", ())
    rows = {
        name: _say_rows(count, is_estimate=name in estimated)
        for name, count in database["table_counts"].items()
    }
    rows |= dict.fromkeys(database["missing_tables"], "missing")
    column = max(map(len, rows), default=0)
    yield from (style.say(f"  {name:<{column}}  {said}") for name, said in rows.items())
    if "probes" in health:
        yield from _application(health["probes"], style)


def _application(probed: Mapping[str, Any] | None, style: Style) -> Iterator[str]:
    """How it last answered its probes, and who asked; nothing where nobody did."""
    if probed is None:
        return
    yield style.say(f"application, asked by {probed['by']} at {_cell('asked_at', probed['at'])}:")
    column = max(map(len, probed["sequences"]), default=0)
    for name, one in probed["sequences"].items():
        found = f", {count_of(one['findings'], 'finding')}" if one["findings"] else ""
        said = f"{one['status']}{found} in {name_seconds(one['ms'] / 1000)}"
        yield style.say(f"  {name:<{column}}  {said}")


def _say_rows(count: int | None, *, is_estimate: bool) -> str:
    if count is None:
        return "rows unknown"
    return f"about {count_of(count, 'row')}" if is_estimate else count_of(count, "row")


def _plan(plan: Mapping[str, Any], style: Style) -> Iterator[str]:
    revisions = plan.get("revisions") or ()
    if not revisions:
        return  # the plan's entry says so
    yield style.say(f"{_join(plan.get('from')) or 'empty'} → {_join(plan.get('to'))}")
    sizes = {size["table"]: size for size in plan.get("tables") or ()}
    for revision in revisions:
        title, said, path = (
            style.say(str(revision.get(key) or "")) for key in ("revision", "message", "path")
        )
        yield ""
        yield "  ".join(filter(None, (style.paint(title, "bold"), said, style.paint(path, "dim"))))
        yield from (f"  {line}" for line in list_planned_statements(revision, sizes, style))
        for hazard in revision.get("hazards") or ():
            yield style.paint(style.say(f"  -- LOSES DATA: {hazard}"), "red")
    if "seconds" in plan:
        copy = {"schema": "a copy of the schema", "data": "the restored backup"}[plan["rehearsal"]]
        yield ""
        yield style.say(f"{plan['seconds']:.2f} s on {copy}")


def list_planned_statements(
    revision: Mapping[str, Any], sizes: Mapping[str, Mapping[str, Any]], style: Style
) -> Iterator[str]:
    """Each statement, and as comments under it what it did on the copy to tables that were there before."""
    statements, observed = revision.get("statements") or (), revision.get("observed") or ()
    if not observed:
        yield from _statements(statements, style)
        return
    for statement, seen in zip(statements, observed, strict=True):
        yield from _statements([statement], style)
        for effect in list_effects(seen, sizes):
            yield from style.indent(effect, first="-- ")


def _statements(statements: Sequence[str], style: Style) -> Iterator[str]:
    if not statements:
        yield "-- no statements"
    for statement in statements:
        yield from style.say(terminate(statement)).splitlines()


def _repair(repair: Mapping[str, Any], style: Style) -> Iterator[str]:
    """The script, and under it what it does not do or does harm to."""
    proven = "proven on a copy" if repair.get("proven") else "not proven"
    if repair.get("statements"):
        yield f"-- {proven}"
        yield from _statements(repair["statements"], style)
    for label, key in (("loses data", "hazards"), ("remains", "remaining"), ("problem", "problem")):
        texts = repair.get(key) or ()
        for text in [texts] if isinstance(texts, str) else texts:
            yield from style.indent(text, first=f"{label}: ")


def _repairs(plans: Rows, style: Style) -> Iterator[str]:
    """Of each what it runs, and under it the keys of rows and what goes with them."""
    for plan in plans:
        if not plan["statements"] and not plan["tables"]:
            continue
        yield style.paint(style.say(str(plan["repair"])), "bold")
        yield from (f"  {line}" for one in plan["statements"] for line in style.say(one).splitlines())
        for table in plan["tables"]:
            because = f", for {table['because']}" if table["because"] else ""
            rows = count_of(table["rows"], "row")
            keys = f": {'; '.join(table['keys'])}" if table["keys"] else ""
            yield from style.indent(
                f"{table['action']} {rows} of {table['table']}{because}{keys}", first="  -- "
            )
        for note in (*plan["notes"], *(f"others wait for {lock}" for lock in plan["locks"])):
            yield from style.indent(style.say(note), first="  -- ")
        allowed = plan["allowed"]
        for hazard in plan["hazards"]:
            yield style.say(f"  -- {hazard}{', allowed by the manifest' if hazard in allowed else ''}")


def _remaining(differences: Sequence[str], style: Style) -> Iterator[str]:
    """What a person has to write into a revision; none needs no word."""
    if differences:
        yield "to write by hand:"
        for difference in differences:
            yield from style.indent(difference, first="  ")


def _next_commands(commands: Sequence[str], style: Style) -> Iterator[str]:
    if commands:
        yield "next:"
        yield from (f"  {style.say(command)}" for command in commands)


def _facts(facts: Mapping[str, Any], style: Style) -> Iterator[str]:
    shown = {key: _cell(key, value) for key, value in facts.items() if value not in (None, "", [], ())}
    width = max(map(len, shown), default=0)
    for key, value in shown.items():
        yield from style.indent(value, first=f"{key.replace('_', ' '):<{width}}  ")


def _cell(key: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() if key == "bytes":
            return name_bytes(value)
        case list() | tuple() if key == "probes":
            return ", ".join(f"{proof['name']} {proof['status']}" for proof in value)
        case list() | tuple():
            return _join(value)
        case int() if key == "age_seconds":
            return name_age(value)
        case {"level": str(level), **more} if key == "verified":
            return f"{level} {str(more.get('at', ''))[:10]}".rstrip()
        case {"seconds": float(seconds), "at": str(at)} if key == "drilled":
            return f"{name_seconds(seconds)}, {at[:10]}"
        case {"state": str(state), "key": signed_by} if key == "signature":
            return {"right": "yes", "unknown-key": f"with key {signed_by}"}.get(state, state)
        case {"at": str(at)} if key == "unfit":
            return at[:10]
        case Mapping():
            return ", ".join(f"{name} {_cell(name, item)}" for name, item in value.items())
        case str() if key.endswith("_at"):
            return value[:19].replace("T", " ") + (" UTC" if value.endswith(("Z", "+00:00")) else "")
        case _:
            return str(value)


def _join(values: Any) -> str:
    if isinstance(values, (list, tuple)):
        return ", ".join(_cell("", value) for value in values)
    return "" if values is None else str(values)
