"""Schemas by the words that people have for them: the declared one, the models', the database's, a reference's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from govern.api.command import Narrate
from govern.api.declaring import DECLARATIONS, declared_as
from govern.api.project import Project, open_database
from govern.config import Settings
from govern.core.report import Draft
from govern.core.snapshot import Snapshot
from govern.database.dialect import OpenScratch
from govern.database.engines import dialect_of
from govern.database.live import LiveDatabase
from govern.database.target import declared_like
from govern.database.url import DatabaseUrl
from govern.declared import Declared, beside, copied, in_words_of
from govern.errors import ConfigurationError, NoSuchName
from govern.revisions.merged import read_merged_file
from govern.source.lock import parse_lock, read_lock

WORDS = "declared (schema.lock), models, head, revision (the stamped one), live, a snapshot file, or a URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A schema, for as long as the database lasts that it may be read from."""

    snapshot: Snapshot
    said: str
    """``the models``."""
    database: DatabaseUrl | None = None
    scratch: OpenScratch | None = None
    """Where its texts can be compared with others."""


@contextmanager
def read_schema(project: Project, what: str, draft: Draft, narrate: Narrate) -> Iterator[Schema]:
    """One of ``WORDS``. A live database is noted in the report.

    Raises ConfigurationError for a file that is not there, and as reading a database and replaying do.
    """
    if what == "declared":
        yield read_declared(project.settings)
    elif what in DECLARATIONS:
        narrate(f"building the schema of {DECLARATIONS[what]}")
        with _declare(project, what, draft) as declared:
            yield Schema(
                snapshot=declared.snapshot,
                said=DECLARATIONS[what],
                database=declared.url,
                scratch=beside(declared),
            )
    elif what == "live":
        yield _read_live(open_database(project, draft), "the live schema")
    elif "://" in what:
        url = DatabaseUrl.parse(what)
        yield _read_live(LiveDatabase(project.settings, url), url.redacted)
    else:
        yield _read_snapshot_file(what)


def read_schema_at(settings: Settings, ref: str) -> Schema:
    """What ``schema.lock`` declares in a git reference.

    Raises ConfigurationError where the project is in no repository, or there is no such reference or no lock in it.
    """
    path = settings.relative(settings.lock)
    content = read_merged_file(settings.root, ref, settings.lock)
    if content is None:
        raise ConfigurationError(
            f"{ref} has no {path}",
            why="it was not committed there: the schema of that reference is not known",
            next="name a reference that has it, or draw all of the schema: govern diagram",
        )
    lock = parse_lock(content.decode(errors="replace"), Path(f"{ref}:{path}"))
    return Schema(snapshot=lock.snapshot, said=ref)


def in_same_words(before: Schema, after: Schema) -> Snapshot:
    """The snapshot of ``before`` with the texts of ``after`` where both mean the same, as far as a database is there
    to be asked. Raises ConfigurationError for two engines."""
    one, other = before.snapshot.dialect, after.snapshot.dialect
    if one != other:
        raise ConfigurationError(
            f"{before.said} is of {one}, and {after.said} of {other}",
            why="schemas of two engines have hardly a fact in common",
            next="compare two of one engine",
        )
    asked = next((schema for schema in (before, after) if schema.scratch and schema.database), None)
    if asked is None or asked.scratch is None or asked.database is None:
        return before.snapshot
    return in_words_of(after.snapshot, before.snapshot, dialect_of(asked.database), asked.scratch)


def read_declared(settings: Settings) -> Schema:
    """That of ``schema.lock``. Raises ConfigurationError where there is none."""
    lock = read_lock(settings.lock)
    if lock is None:
        raise ConfigurationError(
            f"{settings.relative(settings.lock)} is not there",
            why="it has the declared schema",
            next="write it: govern lock; or draw the models: govern diagram --of models",
        )
    return Schema(snapshot=lock.snapshot, said="the declared schema")


def _read_snapshot_file(path: str) -> Schema:
    lock = read_lock(Path(path))
    if lock is None:
        raise NoSuchName(
            f"there is no snapshot file {path}",
            wanted=path,
            known=("declared", "live", *DECLARATIONS),
            why=f"a schema is one of: {WORDS}",
            next="write one: govern snapshot --output FILE",
        )
    return Schema(snapshot=lock.snapshot, said=path)


def _read_live(live: LiveDatabase, said: str) -> Schema:
    return Schema(snapshot=live.read_snapshot(), said=said, database=live.url, scratch=copied(live))


def _declare(project: Project, what: str, draft: Draft) -> AbstractContextManager[Declared]:
    is_stamped = what == "revision"
    live = (
        open_database(project, draft)
        if is_stamped
        else LiveDatabase(project.settings, declared_like(project.settings))
    )
    return declared_as(project, live, what)
