"""What a database that is there already adds to a proposal: how many rows, and what env.py does not care for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from govern.config import Settings
from govern.core.changes import diff
from govern.core.restoration import name_place
from govern.core.scope import Scope
from govern.core.snapshot import Snapshot, default_namespace, join_name
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.declared import heed_env


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Nothing, where there is no database to ask."""

    rows: Mapping[str, int] = field(default_factory=dict)
    """By table; the server's estimates, and none on SQLite."""
    left_out: tuple[str, ...] = ()
    """Tables that env.py keeps from autogenerate."""
    is_unstamped: bool = False
    """Whether it has tables, and no version row."""


def look_at_database(settings: Settings, tables: Iterable[str]) -> Standing:
    """How things stand in the database of ``settings``. Raises CouldNotCheck where it does not answer."""
    if settings.url is None:
        return Standing()
    live = LiveDatabase(settings, DatabaseUrl.parse(settings.url))
    usual = default_namespace(live.url.dialect)
    asked = {join_name(*([] if "." in name else [usual]), *name.split(".")): name for name in tables}
    with live.connect() as connection:
        sizes = live.dialect.read_sizes(connection, asked)
        stamped = live.dialect.read_version_rows(connection, live.table)
    schema = live.read_snapshot()
    nothing = Snapshot(dialect=schema.dialect, server_version=schema.server_version, objects={})
    scope = heed_env(Scope(), live, diff(nothing, schema))
    return Standing(
        rows={asked[name]: size.rows for name, size in sizes.items() if size.rows is not None},
        left_out=tuple(
            sorted(
                name_place((key.namespace, key.name)) for key in scope.left_out or () if key.kind == "table"
            )
        ),
        is_unstamped=not stamped and any(key.kind == "table" for key in schema.objects),
    )
