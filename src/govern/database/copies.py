"""Copies of one scratch database: quickly made, dropped while others work, swept where a killed process left them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from govern.database.engines import dialect_of
from govern.database.scratch import scratch_name
from govern.database.url import DatabaseUrl
from govern.errors import GovernError
from govern.log import Log

log = Log(__name__)


class Copies:
    """Makes copies of a database that nobody is connected to. ``close`` waits until all that were dropped are gone."""

    def __init__(self, template: DatabaseUrl) -> None:
        self._template = template
        self._dialect = dialect_of(template)
        self._dropping = ThreadPoolExecutor(max_workers=1, thread_name_prefix="govern-drop")

    @contextmanager
    def copy(self, label: str) -> Iterator[DatabaseUrl]:
        """A copy, rows and all, dropped after the block: not within it, for PostgreSQL waits for a checkpoint then.

        Raises CouldNotCheck where it cannot be made, as while somebody is connected to the template.
        """
        url = _beside(self._template, scratch_name(label))
        self._dialect.copy_database(self._template, url)
        try:
            yield url
        finally:
            self._dropping.submit(self._drop, url)

    def close(self) -> None:
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
