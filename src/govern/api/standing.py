"""The schemas that code is held against: declared ones in scratch databases, and another database's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from govern.api.declaring import DECLARATIONS, declared_as
from govern.api.project import read_project
from govern.checks.scan.schema import Schema
from govern.code.kept.store import digest
from govern.config import Settings
from govern.core.code import CodeFile
from govern.core.restoration import Place
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.live import LiveDatabase
from govern.database.target import declared_like, make_absolute, resolve_target
from govern.database.url import DatabaseUrl
from govern.declared import declared_by_models
from govern.errors import ConfigurationError
from govern.source.lock import render_lock


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


class Standing(NamedTuple):
    """A database that has a schema, for as long as its context lasts."""

    url: DatabaseUrl
    fingerprint: str
    """Of all that its answers depend on."""
    tables: tuple[Place, ...]
    snapshot: Snapshot


@contextmanager
def schema_of(settings: Settings, against: str) -> Iterator[Standing]:
    """The schema of ``models``, ``head``, ``revision`` (that the target is stamped with), or a URL's."""
    if against == "models":
        with declared_by_models(settings, like=declared_like(settings)) as declared:
            yield _standing(declared.url, declared.snapshot)
    elif against in DECLARATIONS:
        url = resolve_target(settings) if against == "revision" else declared_like(settings)
        live = LiveDatabase(settings, url)
        with declared_as(read_project(settings), live, against) as declared:
            yield _standing(declared.url, declared.snapshot)
    else:
        other = LiveDatabase(settings, make_absolute(DatabaseUrl.parse(against)))
        yield _standing(other.url, other.read_snapshot())


def _standing(url: DatabaseUrl, schema: Snapshot) -> Standing:
    tables = tuple(sorted((key.namespace, key.name) for key in schema.of_kind("table")))
    return Standing(url, _digest(schema), tables, schema)


def _digest(schema: Snapshot) -> str:
    return digest(schema.dialect, schema.server_version, render_lock(schema, ()))


def search_path_of(files: Iterable[CodeFile]) -> tuple[str, ...]:
    """All schemas that the code has names without a schema looked for in, wherever it says so."""
    return tuple(dict.fromkeys(schema for file in files for schema in file.search_path))


@contextmanager
def open_schema(url: DatabaseUrl, also: Sequence[str] = ()) -> Iterator[Schema]:
    """A database's schema, for as long as the context lasts; ``also``: where names without a schema are looked for."""
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        judging = dialect.judging()
        relations = judging.read_relations(connection)
        ours = dict.fromkeys((*judging.read_search_path(connection), *(also if dialect.is_server else ())))
        search_path = tuple(schema for schema in ours if any(place[0] == schema for place in relations))
        if also:
            judging.look_in(connection, search_path)
        yield Schema(
            relations=relations,
            search_path=(*search_path, "pg_catalog") if dialect.is_server else search_path,
            judge=lambda asked: judging.judge(connection, asked),
            engine=dialect.name,
            reads_grammar=dialect.is_server,
        )
