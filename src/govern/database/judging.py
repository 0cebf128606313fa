"""What a code scan asks of a database engine: whether it would take a statement. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from govern.core.objection import Objection
from govern.core.restoration import Place
from govern.database.connection import Connection

Asked = tuple[str, int]
"""A statement, and the number of its parameters, which are ``$1`` to ``$n``."""


class Judging(Protocol):
    """The part of a dialect that judges statements against the schema of the database it is connected to."""

    def judge(self, connection: Connection, asked: Iterable[Asked]) -> list[Objection | None]:
        """What the engine has against each of these statements; None where it would take it.

        A statement that defines something is only read, not looked up: see ``read_relations``.
        """

    def read_relations(self, connection: Connection) -> Mapping[Place, tuple[str, ...]]:
        """Every table, view and the like, also the engine's own, with its columns."""

    def read_search_path(self, connection: Connection) -> tuple[str, ...]:
        """The schemas that names without one are looked for in; one without a name where the engine has none."""

    def look_in(self, connection: Connection, schemas: Sequence[str]) -> None:
        """From now on names without a schema are looked for in these, one after the other."""
