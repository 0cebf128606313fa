"""Text messages: through whom they go, to whom, and what they cost."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import Base, BigKey, OwnerId, SetByServer, SmallKey, native_enum


class SmsRouterConfig(Base):
    __tablename__ = "sms_router_configs"

    id: Mapped[SmallKey]
    name: Mapped[str] = mapped_column(String(80), unique=True)
    provider: Mapped[str] = mapped_column(String(40))
    country_codes: Mapped[list[str]] = mapped_column(
        ARRAY(String(2)), comment="ISO 3166 codes this route serves; empty means all"
    )
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    in_force: Mapped[Range[datetime.datetime]] = mapped_column(TSTZRANGE)
    created_at: Mapped[SetByServer]

    __table_args__ = (
        ExcludeConstraint(("in_force", "&&"), name="ex_sms_router_configs_in_force", using="gist"),
        CheckConstraint("NOT isempty(in_force)", name="in_force_not_empty"),
        {"comment": "How text messages are routed; exactly one configuration at a time"},
    )


class UserPhoneMapping(Base):
    __tablename__ = "user_phone_mappings"

    id: Mapped[BigKey]
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    phone_number: Mapped[str] = mapped_column(String(16), comment="E.164, for example +4930123456")
    label: Mapped[str | None] = mapped_column(String(40))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    verified_at: Mapped[datetime.datetime | None]
    created_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("phone_number ~ '^[+][1-9][0-9]{6,14}$'", name="phone_number_is_e164"),
        # A number may change hands, but it has one owner at a time.
        Index(
            "uq_user_phone_mappings_active", "phone_number", unique=True, postgresql_where=text("is_active")
        ),
        {"comment": "Which telephone belongs to whom"},
    )


class SmsDirection(enum.StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class SmsStatus(enum.StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


class SmsUsageLog(Base):
    __tablename__ = "sms_usage_logs"

    id: Mapped[BigKey]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    router_config_id: Mapped[int] = mapped_column(
        ForeignKey("sms_router_configs.id", ondelete="RESTRICT"), index=True
    )
    phone_mapping_id: Mapped[int | None] = mapped_column(
        BigInteger,
        comment="Points to user_phone_mappings.id; no foreign key, rows come in bulk from the provider",
    )
    direction: Mapped[SmsDirection] = mapped_column(native_enum(SmsDirection, "sms_direction"))
    status: Mapped[SmsStatus] = mapped_column(
        native_enum(SmsStatus, "sms_status"), server_default=SmsStatus.QUEUED.value
    )
    segments: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    cost: Mapped[decimal.Decimal] = mapped_column(Numeric(10, 4), server_default=text("0"))
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    provider_message_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    sent_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("segments > 0", name="segments_positive"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
        Index("ix_sms_usage_logs_sent_at", "sent_at", postgresql_using="brin"),
        {"comment": "Every text message and its price"},
    )
