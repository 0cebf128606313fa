"""What a monitor keeps: documents by name, and events that are only added to. Each engine brings its statements.

They lie beside the ledger, where no snapshot looks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from govern.database.connection import Connection

Document = Mapping[str, Any]
PROBED = "probes"
"""The document that says how the running application answered."""
SECONDS = 5.0
"""How long a question about the monitor may take."""


class Turn(Protocol):
    """The right to be the active monitor. It ends with its process, or when the server loses the session."""

    def is_held(self) -> bool:
        """Whether it is still held; False as well where that cannot be found out in a few seconds."""

    def close(self) -> None:
        """Gives it to the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStatements:
    """The record in one engine's SQL."""

    exists: str
    """Answers true where there is one."""
    create: tuple[str, ...]
    read_documents: str
    put_document: str
    """Takes a name and a document; inserts or replaces."""
    drop_document: str
    add_event: str
    """Takes an id and a document; leaves one of that id as it is."""
    newest_events: str
    """Takes a limit."""
    forget_events: str
    """Takes how many of the newest stay."""


class MonitorRecord:
    """What a monitor keeps, over a connection that is open."""

    def __init__(self, connection: Connection, statements: RecordStatements) -> None:
        self._connection = connection
        self._statements = statements

    @property
    def exists(self) -> bool:
        return bool(self._connection.value(self._statements.exists))

    def read_documents(self) -> Mapping[str, Document]:
        """All of them by name; none where no monitor ever wrote one."""
        rows = self._connection.rows(self._statements.read_documents) if self.exists else []
        return {name: json.loads(text) for name, text in rows}

    def read_events(self, limit: int) -> tuple[Document, ...]:
        """The newest first."""
        rows = self._connection.rows(self._statements.newest_events, (limit,)) if self.exists else []
        return tuple(json.loads(text) for (text,) in rows)

    def write(
        self,
        documents: Mapping[str, Document | None],
        events: Iterable[tuple[str, Document]] = (),
        *,
        most_events: int,
    ) -> None:
        """All or nothing. A document that is None is dropped. Of the events the newest ``most_events`` stay."""
        with self._connection.transaction():
            if not self.exists:
                for statement in self._statements.create:
                    self._connection.execute(statement)
            for name, document in documents.items():
                if document is None:
                    self._connection.execute(self._statements.drop_document, (name,))
                else:
                    self._connection.execute(self._statements.put_document, (name, json.dumps(document)))
            for id, document in events:
                self._connection.execute(self._statements.add_event, (id, json.dumps(document)))
            if events:
                self._connection.execute(self._statements.forget_events, (most_events,))
