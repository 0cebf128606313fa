"""What users and the assistant say to each other."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import (
    CHANNEL,
    Base,
    BigKey,
    Channel,
    OwnerId,
    SetByServer,
    UuidKey,
    native_enum,
)


class ConversationStatus(enum.StrEnum):
    ACTIVE = "active"
    WAITING = "waiting"
    ARCHIVED = "archived"


class ConversationState(Base):
    __tablename__ = "conversation_states"

    id: Mapped[UuidKey]
    user_id: Mapped[OwnerId]
    channel: Mapped[Channel] = mapped_column(CHANNEL, server_default=Channel.WEB.value)
    status: Mapped[ConversationStatus] = mapped_column(
        native_enum(ConversationStatus, "conversation_status"), server_default=ConversationStatus.ACTIVE.value
    )
    title: Mapped[str | None] = mapped_column(String(200))
    context: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="What the assistant has to know to go on"
    )
    message_count: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Kept by the trigger count_messages"
    )
    last_message_id: Mapped[int | None] = mapped_column(
        # The two tables point at each other, so one of the keys is added after both exist.
        ForeignKey(
            "conversation_messages.id",
            ondelete="SET NULL",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        index=True,
        comment="Kept by the trigger count_messages",
    )
    started_at: Mapped[SetByServer]
    updated_at: Mapped[SetByServer]
    archived_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        CheckConstraint("message_count >= 0", name="message_count_not_negative"),
        CheckConstraint("(status = 'archived') = (archived_at IS NOT NULL)", name="archived_has_moment"),
        Index("ix_conversation_states_user_id_updated_at", "user_id", text("updated_at DESC")),
        Index("ix_conversation_states_context", "context", postgresql_using="gin"),
        {"comment": "One row a conversation: where it stands"},
    )


class MessageAuthor(enum.StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class ConversationMessage(Base):
    __tablename__ = "conversation_messages"

    id: Mapped[BigKey]
    conversation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conversation_states.id", ondelete="CASCADE")
    )
    position: Mapped[int] = mapped_column(comment="Counts from 1 in each conversation")
    author: Mapped[MessageAuthor] = mapped_column(native_enum(MessageAuthor, "message_author"))
    body: Mapped[str]
    model: Mapped[str | None] = mapped_column(String(80))
    token_count: Mapped[int | None]
    tool_calls: Mapped[dict[str, Any] | None]
    created_at: Mapped[SetByServer]

    __table_args__ = (
        UniqueConstraint("conversation_id", "position"),
        CheckConstraint("position >= 1", name="position_counts_from_one"),
        CheckConstraint("token_count >= 0", name="token_count_not_negative"),
        Index(
            "ix_conversation_messages_tool_calls",
            "tool_calls",
            postgresql_using="gin",
            postgresql_where=text("tool_calls IS NOT NULL"),
        ),
        Index("ix_conversation_messages_created_at", "created_at"),
        {"comment": "Every message, in order"},
    )


class MemoryContextKind(enum.StrEnum):
    FACT = "fact"
    PREFERENCE = "preference"
    SUMMARY = "summary"
    DOCUMENT = "document"


class MemoryContextItem(Base):
    __tablename__ = "memory_context_items"

    id: Mapped[UuidKey]
    conversation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conversation_states.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    source_message_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Points to conversation_messages.id; no foreign key, every answer waited for it"
    )
    kind: Mapped[MemoryContextKind] = mapped_column(native_enum(MemoryContextKind, "memory_context_kind"))
    content: Mapped[str]
    relevance: Mapped[float] = mapped_column(server_default=text("0.5"))
    created_at: Mapped[SetByServer]
    expires_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        CheckConstraint("relevance BETWEEN 0 AND 1", name="relevance_is_share"),
        Index(
            "ix_memory_context_items_expires_at",
            "expires_at",
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
        {"comment": "What is put before the model in one conversation"},
    )
