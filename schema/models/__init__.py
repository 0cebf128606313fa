"""The tables of a personal assistant, one module an area. ``metadata`` holds all 38 of them.

The order of the columns in a class is their order in the table.
"""

from schema.models import (
    conversations,
    groceries,
    identity,
    memory,
    messaging,
    money,
    notes,
    planning,
    security,
)
from schema.models.declarative import Base

metadata = Base.metadata

__all__ = [
    "Base",
    "conversations",
    "groceries",
    "identity",
    "memory",
    "messaging",
    "metadata",
    "money",
    "notes",
    "planning",
    "security",
]
