"""A picture of what is different between two schemas: both laid over each other, each difference marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from govern.core.changes import Change, diff
from govern.core.diagram import (
    Diagram,
    DrawnColumn,
    DrawnTable,
    Link,
    Mark,
    Remark,
    draw_schema,
    sort_columns,
)
from govern.core.reference import Reference
from govern.core.restoration import Place, name_place
from govern.core.snapshot import (
    ABOUT_AN_OBJECT,
    INSIDE_A_RELATION,
    RELATIONS,
    Fact,
    ObjectKey,
    Snapshot,
    split_name,
)

_TOLD_BY_ROWS = frozenset({"type", "nullable"})
"""Facts of a column that its row shows."""
_LONGEST_FACT = 40


def draw_change(
    before: Snapshot,
    after: Snapshot,
    *,
    implied: Iterable[Reference] = (),
    critical: Iterable[Place] = (),
) -> Diagram:
    """All tables and views of both schemas, with marks: ``added`` is in ``after`` alone.

    ``implied`` and ``critical`` as the manifest says them of both.
    """
    implied, critical = tuple(implied), tuple(critical)
    old, new = (
        draw_schema(schema, implied=implied, critical=critical, with_views=True) for schema in (before, after)
    )
    changes = diff(before, after)
    links = tuple(_mark_links(old.links, new.links))
    columns, remarks, beside = _sort_changes(changes, {*old.tables, *new.tables}, links)
    tables: dict[Place, DrawnTable] = {}
    for place in sorted({*old.tables, *new.tables}):
        if place not in old.tables:
            tables[place] = replace(new.tables[place], mark="added")
        elif place not in new.tables:
            tables[place] = replace(old.tables[place], mark="removed")
        else:
            tables[place] = _lay_over(old.tables[place], new.tables[place], columns[place], remarks[place])
    return Diagram(tables=tables, links=links, is_change=True, beside=tuple(beside))


def leave_out_same(diagram: Diagram, *, depth: int = 0) -> Diagram:
    """What is different, with the tables at both ends of a line that is; and those ``depth`` lines around them."""
    different = {place for place, table in diagram.tables.items() if table.mark != "same"}
    different.update(place for link in diagram.links if link.mark != "same" for place in link.ends)
    return diagram.around(different, depth=depth)


def _mark_links(old: Iterable[Link], new: Iterable[Link]) -> Iterator[Link]:
    before, after = ({_name_link(link): link for link in links} for links in (old, new))
    for name, link in after.items():
        yield link if name in before else replace(link, mark="added")
    for name, link in before.items():
        if name not in after:
            yield replace(link, mark="removed")


def _name_link(link: Link) -> tuple[object, ...]:
    reference = link.reference
    return (*link.ends, reference.columns, reference.parent_columns, reference.when, link.is_implied)


def _sort_changes(
    changes: Iterable[Change], drawn: set[Place], links: Iterable[Link]
) -> tuple[Mapping[Place, Mapping[str, Change]], Mapping[Place, tuple[Remark, ...]], list[str]]:
    """Changes of columns by table and column, remarks by table, and what belongs to no table that is drawn."""
    columns: dict[Place, dict[str, Change]] = defaultdict(dict)
    remarks: dict[Place, tuple[Remark, ...]] = defaultdict(tuple)
    beside: list[str] = []
    of_links = {
        (link.reference.child, link.reference.name)
        for link in links
        if link.mark != "same" and not link.is_read
    }
    for change in changes:
        owner, rest = _find_owner(change.key)
        if owner not in drawn:
            beside.append(f"{change.key} {change.action}")
        elif change.key.kind == "column":
            columns[owner][rest] = change
        elif change.key.kind in RELATIONS:
            remarks[owner] += tuple(_tell_facts(change))
        elif (owner, rest) not in of_links or change.key.kind != "constraint":
            remarks[owner] += (Remark(f"{change.key.kind} {rest}".rstrip(), change.action),)
    return columns, remarks, beside


def _find_owner(key: ObjectKey) -> tuple[Place | None, str]:
    """The relation that an object belongs to, and its name inside of it."""
    if key.kind in RELATIONS:
        return (key.namespace, key.name), ""
    if key.kind in INSIDE_A_RELATION:
        table, *rest = split_name(key.name)
        return (key.namespace, table), rest[-1] if rest else ""
    if key.kind in ABOUT_AN_OBJECT:
        kind, _, name = key.name.partition(" ")
        if kind in INSIDE_A_RELATION or kind in RELATIONS:
            table, *rest = split_name(name)
            return (key.namespace, table), f"of {kind} {rest[-1]}" if rest else ""
    return None, ""


def _tell_facts(change: Change) -> Iterator[Remark]:
    if change.action == "changed":
        for name, (was, is_) in change.facts.items():
            yield Remark(f"{name.replace('_', ' ')}: {_show(was)} → {_show(is_)}", "changed")


def _lay_over(
    old: DrawnTable, new: DrawnTable, changes: Mapping[str, Change], remarks: tuple[Remark, ...]
) -> DrawnTable:
    """One table with the columns of both."""
    before = {column.name: column for column in old.columns}
    names = {column.name for column in new.columns}
    columns = [
        _mark_column(before.get(column.name), column, changes.get(column.name)) for column in new.columns
    ]
    columns += [replace(column, mark="removed") for column in old.columns if column.name not in names]
    is_same = not remarks and all(column.mark == "same" for column in columns)
    order = [column.name for column in (*new.columns, *old.columns) if column.is_primary]
    mark: Mark = "same" if is_same and old.kind == new.kind else "changed"
    return replace(new, columns=sort_columns(columns, dict.fromkeys(order)), mark=mark, remarks=remarks)


def _mark_column(old: DrawnColumn | None, new: DrawnColumn, change: Change | None) -> DrawnColumn:
    if old is None:
        return replace(new, mark="added")
    was = tuple(_tell_difference(old, new, change))
    return replace(new, mark="changed", before=", ".join(was)) if was else new


def _tell_difference(old: DrawnColumn, new: DrawnColumn, change: Change | None) -> Iterator[str]:
    if old.type != new.type:
        yield f"was {old.type}"
    if old.is_optional != new.is_optional:
        yield "was optional" if old.is_optional else "was NOT NULL"
    if old.refers_to != new.refers_to:
        yield f"was → {name_place(old.refers_to)}" if old.refers_to else "was no reference"
    for name, (was, _) in change.facts.items() if change else ():
        if name not in _TOLD_BY_ROWS:
            yield f"{name.replace('_', ' ')} was {_show(was)}"


def _show(fact: Fact) -> str:
    said = ", ".join(fact) if isinstance(fact, tuple) else "nothing" if fact is None else str(fact)
    line = " ".join(said.split())
    return line if len(line) <= _LONGEST_FACT else f"{line[:_LONGEST_FACT]}…"
