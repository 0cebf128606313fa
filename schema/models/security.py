"""Sessions, tokens, second factors, and the trails they leave."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import Base, BigKey, OwnerId, SetByServer, UuidKey, native_enum


class UserSession(Base):
    __tablename__ = "user_sessions"

    id: Mapped[UuidKey]
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    created_at: Mapped[SetByServer]
    last_seen_at: Mapped[SetByServer]
    expires_at: Mapped[datetime.datetime]
    revoked_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        CheckConstraint("expires_at > created_at", name="expires_after_creation"),
        Index("ix_user_sessions_open", "expires_at", postgresql_where=text("revoked_at IS NULL")),
        {"comment": "One row a signed-in browser or telephone"},
    )


class AuthTokenKind(enum.StrEnum):
    REFRESH = "refresh"
    PASSWORD_RESET = "password_reset"  # noqa: S105  the name of a kind, not a password
    EMAIL_VERIFICATION = "email_verification"
    API = "api"


class AuthToken(Base):
    __tablename__ = "auth_tokens"

    id: Mapped[BigKey]
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("user_sessions.id", ondelete="CASCADE"),
        index=True,
        comment="Null for tokens that outlive a session",
    )
    kind: Mapped[AuthTokenKind] = mapped_column(native_enum(AuthTokenKind, "auth_token_kind"))
    token_hash: Mapped[bytes] = mapped_column(
        unique=True, comment="SHA-256; the token itself is never stored"
    )
    issued_at: Mapped[SetByServer]
    expires_at: Mapped[datetime.datetime]
    consumed_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        CheckConstraint("kind <> 'refresh' OR session_id IS NOT NULL", name="refresh_has_session"),
        Index("ix_auth_tokens_open", "kind", "expires_at", postgresql_where=text("consumed_at IS NULL")),
        {"comment": "Everything that proves an identity without a password"},
    )


class MfaMethod(enum.StrEnum):
    TOTP = "totp"
    SMS = "sms"
    WEBAUTHN = "webauthn"


class MfaConfiguration(Base):
    __tablename__ = "mfa_configurations"

    id: Mapped[UuidKey]
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    method: Mapped[MfaMethod] = mapped_column(native_enum(MfaMethod, "mfa_method"))
    label: Mapped[str] = mapped_column(String(80))
    secret: Mapped[bytes] = mapped_column(comment="Encrypted with the application's key")
    recovery_code_hashes: Mapped[list[str]] = mapped_column(server_default="{}")
    is_primary: Mapped[bool] = mapped_column(server_default=text("false"))
    confirmed_at: Mapped[datetime.datetime | None]
    created_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("NOT is_primary OR confirmed_at IS NOT NULL", name="primary_is_confirmed"),
        Index("uq_mfa_configurations_primary", "user_id", unique=True, postgresql_where=text("is_primary")),
        {"comment": "Second factors; at most one of a user is the primary one"},
    )


class SecurityEventKind(enum.StrEnum):
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  the name of an event, not a password
    MFA_CHANGED = "mfa_changed"
    TOKEN_REUSED = "token_reused"  # noqa: S105  the same
    ROLE_CHANGED = "role_changed"


class SecurityEvent(Base):
    __tablename__ = "security_events"

    id: Mapped[BigKey]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    session_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="Points to user_sessions.id; no foreign key, so that logging in never waits for it"
    )
    kind: Mapped[SecurityEventKind] = mapped_column(native_enum(SecurityEventKind, "security_event_kind"))
    severity: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    ip_address: Mapped[str | None] = mapped_column(INET)
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    occurred_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("severity BETWEEN 0 AND 10", name="severity_in_range"),
        Index("ix_security_events_occurred_at", "occurred_at", postgresql_using="brin"),
        Index(
            "ix_security_events_details",
            "details",
            postgresql_using="gin",
            postgresql_ops={"details": "jsonb_path_ops"},
        ),
        {"comment": "What happened to accounts; append only"},
    )


class AccessAuditLog(Base):
    __tablename__ = "access_audit_logs"

    id: Mapped[BigKey]
    user_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="No foreign key: the trail stays when the account is erased"
    )
    action: Mapped[str] = mapped_column(String(80))
    resource: Mapped[str] = mapped_column(String(80))
    resource_id: Mapped[str | None]
    allowed: Mapped[bool]
    reason: Mapped[str | None]
    occurred_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("allowed OR reason IS NOT NULL", name="refusal_has_reason"),
        Index("ix_access_audit_logs_user_id_occurred_at", "user_id", text("occurred_at DESC")),
        Index("ix_access_audit_logs_refused", "occurred_at", postgresql_where=text("NOT allowed")),
        {"comment": "Who asked for what, and whether they got it"},
    )
