"""Who uses the assistant, and what they may do."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import (
    CHANNEL,
    Base,
    Channel,
    OwnerId,
    SetByServer,
    SmallKey,
    UuidKey,
    native_enum,
)


class UserStatus(enum.StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class User(Base):
    __tablename__ = "users"

    id: Mapped[UuidKey]
    email: Mapped[str] = mapped_column(String(320))
    full_name: Mapped[str | None] = mapped_column(String(200), comment="As on a letter; many never give it")
    password_hash: Mapped[str | None] = mapped_column(comment="Argon2id; null for single sign-on")
    status: Mapped[UserStatus] = mapped_column(
        native_enum(UserStatus, "user_status"), server_default=UserStatus.INVITED.value
    )
    locale: Mapped[str] = mapped_column(String(16), server_default="en")
    time_zone: Mapped[str] = mapped_column(String(64), server_default="UTC", comment="An IANA name")
    last_login_at: Mapped[datetime.datetime | None]
    created_at: Mapped[SetByServer]
    updated_at: Mapped[SetByServer]
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(
        comment="Marked first, erased by a job 30 days later"
    )
    display_name: Mapped[str] = mapped_column(String(80), comment="What the assistant calls its user")

    __table_args__ = (
        CheckConstraint("position('@' in email) > 1", name="email_has_at"),
        CheckConstraint("char_length(btrim(display_name)) > 0", name="display_name_not_blank"),
        # An address may be used again once its account is deleted.
        Index(
            "uq_users_email_lower",
            text("lower(email)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_users_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        {"comment": "People with an account"},
    )


class UserSettings(Base):
    __tablename__ = "user_settings"

    user_id: Mapped[OwnerId] = mapped_column(primary_key=True)
    preferred_channel: Mapped[Channel] = mapped_column(CHANNEL, server_default=Channel.WEB.value)
    notifications_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    quiet_from: Mapped[datetime.time | None]
    quiet_until: Mapped[datetime.time | None]
    week_starts_on: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("1"), comment="1 is Monday, as in ISO 8601"
    )
    preferences: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="What the web client keeps for itself"
    )
    updated_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("week_starts_on BETWEEN 1 AND 7", name="week_starts_on_is_iso"),
        CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet_hours_complete"),
        {"comment": "At most one row for a user; no row means the defaults"},
    )


class Role(Base):
    __tablename__ = "roles"

    id: Mapped[SmallKey]
    name: Mapped[str] = mapped_column(String(40), unique=True)
    description: Mapped[str]
    is_system: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Shipped with the application; cannot be deleted in the console"
    )
    created_at: Mapped[SetByServer]

    __table_args__ = ({"comment": "Named bundles of permissions; the first ones are seeded"},)


class Permission(Base):
    __tablename__ = "permissions"

    id: Mapped[SmallKey]
    code: Mapped[str] = mapped_column(String(80), unique=True, comment="area:verb, for example notes:write")
    description: Mapped[str]

    __table_args__ = (
        CheckConstraint("code ~ '^[a-z_]+:[a-z_]+$'", name="code_is_area_and_verb"),
        {"comment": "What the code asks for before it acts"},
    )


class RolePermission(Base):
    __tablename__ = "role_permissions"

    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    permission_id: Mapped[int] = mapped_column(
        ForeignKey("permissions.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    granted_at: Mapped[SetByServer]

    __table_args__ = ({"comment": "Which role may do what"},)


class UserRole(Base):
    __tablename__ = "user_roles"

    user_id: Mapped[OwnerId] = mapped_column(primary_key=True)
    role_id: Mapped[int] = mapped_column(
        ForeignKey("roles.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
    granted_by: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    granted_at: Mapped[SetByServer]
    expires_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        CheckConstraint("expires_at > granted_at", name="expires_after_grant"),
        {"comment": "Which user has which role, for how long"},
    )
