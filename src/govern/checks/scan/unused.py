"""Tables that nothing in the code mentions: neither by their names nor by those of their models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from govern.checks.scan.names import split_place
from govern.checks.scan.rules import UNUSED_TABLE
from govern.core.code import CodeFile
from govern.core.finding import Finding, Subject
from govern.core.restoration import Place, name_place

_DEFINING = frozenset(
    {"__tablename__", "db_table", "_table_", "table_name", "table", "Table", "Entity", "define", "init"}
    | {"pgTable", "sqliteTable", "mysqlTable"}
)
"""What code says with them is that there is a table, not that it is used."""
_WORD = re.compile(r"[^\W\d]\w*")


def find_unused(
    tables: Iterable[Place], files: Iterable[CodeFile], texts: Iterable[tuple[str, str]]
) -> Iterator[Finding]:
    """A finding for each table. ``files`` are all of the project, ``texts`` their paths and what stands in them."""
    files = tuple(files)
    names = _names_of(files)
    tables = tuple(
        place for place in tables if names.get(place[1], frozenset()) is not None
    )  # else nobody knows
    defining = {
        (use.spot.path, use.spot.line) for file in files for use in file.names if use.via in _DEFINING
    }
    defining |= {(model.spot.path, model.spot.line) for file in files for model in file.models}
    wanted = {word for _, name in tables for word in (name, *(names.get(name) or ()))}
    used: set[str] = set()
    for path, text in texts:
        if wanted <= used:
            return
        for number, line in enumerate(text.splitlines(), 1):
            found = wanted.intersection(_WORD.findall(line))
            if found and (path, number) not in defining:
                used |= found
    for place in tables:
        if not used & {place[1], *(names.get(place[1]) or ())}:
            name = name_place(place)
            yield Finding.of(UNUSED_TABLE, Subject(kind="table", name=name), f"nothing mentions {name}")


def _names_of(files: Iterable[CodeFile]) -> Mapping[str, frozenset[str] | None]:
    """What tables' models are called, by the tables' names; None where a model's name is not known."""
    models: dict[str, frozenset[str]] = {}
    defined: set[str] = set()
    for file in files:
        for model in file.models:
            table = split_place(model.table)[1]
            models[table] = models.get(table, frozenset()) | {model.name}
        defined.update(split_place(use.name)[1] for use in file.names if use.via in _DEFINING)
    return {table: models.get(table) for table in defined}
