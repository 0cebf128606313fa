"""The declarative base, how constraints are named, and the kinds of column many tables share."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Numeric,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Base(DeclarativeBase):
    """Base of all models: every constraint has a name we chose, every timestamp a time zone."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own attribute, read once
        str: Text(),
        uuid.UUID: Uuid(),
        float: Double(),
        datetime.datetime: DateTime(timezone=True),
        decimal.Decimal: Numeric(12, 2),
        dict[str, Any]: JSONB(),
        list[str]: ARRAY(Text()),
    }


def native_enum(labels: type[enum.StrEnum], name: str) -> Enum:
    """A native enum type called ``name``, with the values of ``labels`` in the order of the class."""
    return Enum(labels, name=name, values_callable=lambda kind: [label.value for label in kind])


class Channel(enum.StrEnum):
    """How the assistant and its user speak to each other."""

    WEB = "web"
    SMS = "sms"
    EMAIL = "email"
    VOICE = "voice"


CHANNEL = native_enum(Channel, "channel")

# Rows people see in URLs have uuid keys, rows only the database knows count upwards.
UuidKey = Annotated[uuid.UUID, mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))]
SmallKey = Annotated[int, mapped_column(Integer, Identity(always=True), primary_key=True)]
BigKey = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]

OwnerId = Annotated[uuid.UUID, mapped_column(ForeignKey("users.id", ondelete="CASCADE"))]
"""The user to whom a row belongs, and with whom it goes."""

SetByServer = Annotated[datetime.datetime, mapped_column(server_default=func.now())]
"""A moment the database writes down by itself."""
