"""Copies of one scratch database: quickly made, and dropped while a test's successor gets ready."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from govern.database.engines import dialect_of
from govern.database.scratch import scratch_name
from govern.database.url import DatabaseUrl
from govern.errors import GovernError
from govern.log import Log

log = Log(__name__)


class Copies:
    """Copies of a database that nobody changes; swept as scratch databases are, where a killed process left them."""

    def __init__(self, template: DatabaseUrl, *, label: str) -> None:
        """``label`` says in their names what they are for."""
        self._template = template
        self._label = label
        self._dialect = dialect_of(template)
        self._dropping = ThreadPoolExecutor(max_workers=1, thread_name_prefix="govern-drop")
        self._last_drop: Future[None] | None = None

    @contextmanager
    def copy(self) -> Iterator[DatabaseUrl]:
        """A copy, rows and all, dropped after the block while the caller goes on.

        Raises CouldNotCheck where it cannot be made, as while somebody is connected to the template.
        """
        if self._last_drop is not None:
            # PostgreSQL drops after a checkpoint, which would write all of a new copy to the disk as well
            self._last_drop.result()
        url = _beside(self._template, scratch_name(self._label))
        self._dialect.copy_database(self._template, url)
        try:
            yield url
        finally:
            self._last_drop = self._dropping.submit(self._drop, url)

    def close(self) -> None:
        """Returns when all of them are gone."""
        self._dropping.shutdown(wait=True)

    def _drop(self, url: DatabaseUrl) -> None:
        try:
            self._dialect.drop_database(url)
        except GovernError as error:  # a later start sweeps it
            log.warning("copy_not_dropped", database=url.database, error=error.what, why=error.why)


def _beside(template: DatabaseUrl, name: str) -> DatabaseUrl:
    """Another database of the same server, or another file in the same folder."""
    if template.dialect != "sqlite":
        return template.with_database(name)
    return DatabaseUrl.parse(f"sqlite:///{template.path.with_name(name)}.sqlite")
