"""The schemas that code is held against: declared ones in scratch databases, and another database's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from govern.api.declaring import DECLARATIONS, declared_as
from govern.api.project import read_project
from govern.checks.scan.schema import Schema
from govern.config import Settings
from govern.database.engines import dialect_of
from govern.database.live import LiveDatabase
from govern.database.target import declared_like, make_absolute, resolve_target
from govern.database.url import DatabaseUrl
from govern.declared import declared_by_models
from govern.errors import ConfigurationError


def require_schema(against: str) -> None:
    """Raises ConfigurationError for what no database can be made of."""
    if against in DECLARATIONS or "://" in against:
        return
    raise ConfigurationError(
        f"code cannot be held against {against}",
        why="a database that has the schema prepares each statement, and of a snapshot file none is made; "
        "--against takes models, revision, head or a URL",
        next="say --against head, or --against revision for the schema that the database is stamped with",
    )


@contextmanager
def schema_of(settings: Settings, against: str) -> Iterator[Schema]:
    """``against``: ``models``, ``revision`` (the one that the target is stamped with), ``head``, or a URL."""
    if against == "models":
        with (
            declared_by_models(settings, like=declared_like(settings)) as declared,
            open_schema(declared.url) as schema,
        ):
            yield schema
    elif against in DECLARATIONS:
        url = resolve_target(settings) if against == "revision" else declared_like(settings)
        live = LiveDatabase(settings, url)
        with (
            declared_as(read_project(settings), live, against) as declared,
            open_schema(declared.url) as schema,
        ):
            yield schema
    else:
        with open_schema(make_absolute(DatabaseUrl.parse(against))) as schema:
            yield schema


@contextmanager
def open_schema(url: DatabaseUrl) -> Iterator[Schema]:
    """A database's schema, for as long as the context lasts."""
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        judging = dialect.judging()
        yield Schema(
            relations=judging.read_relations(connection),
            search_path=judging.read_search_path(connection),
            judge=lambda asked: judging.judge(connection, asked),
            engine=dialect.name,
            reads_grammar=dialect.is_server,
        )
