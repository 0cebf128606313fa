"""The long-term memory (ltm): what the assistant keeps of its user from one conversation to the next."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Any

from sqlalchemy import (
    REAL,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import Base, BigKey, OwnerId, SetByServer, UuidKey, native_enum


class LtmContext(Base):
    __tablename__ = "ltm_contexts"

    id: Mapped[BigKey]
    user_id: Mapped[OwnerId]
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("ltm_contexts.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str | None]
    created_at: Mapped[SetByServer]

    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        CheckConstraint("id <> parent_id", name="not_its_own_parent"),
        {"comment": "Parts of a user's life: work, family, the garden"},
    )


class MemoryKind(enum.StrEnum):
    SEMANTIC = "semantic"
    EPISODIC = "episodic"
    PROCEDURAL = "procedural"


class LtmMemory(Base):
    __tablename__ = "ltm_memories"

    id: Mapped[UuidKey]
    user_id: Mapped[OwnerId]
    context_id: Mapped[int | None] = mapped_column(
        ForeignKey("ltm_contexts.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[MemoryKind] = mapped_column(native_enum(MemoryKind, "memory_kind"))
    content: Mapped[str]
    importance: Mapped[float] = mapped_column(server_default=text("0.5"))
    confidence: Mapped[float] = mapped_column(server_default=text("1"))
    embedding: Mapped[list[float] | None] = mapped_column(
        ARRAY(REAL), comment="Unit vector; its model is in embedding_model"
    )
    embedding_model: Mapped[str | None] = mapped_column(String(80))
    source: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Where it was learned: conversation, message, quotation"
    )
    created_at: Mapped[SetByServer]
    updated_at: Mapped[SetByServer]
    last_accessed_at: Mapped[datetime.datetime | None]
    archived_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        CheckConstraint("importance BETWEEN 0 AND 1", name="importance_is_share"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_is_share"),
        CheckConstraint("(embedding IS NULL) = (embedding_model IS NULL)", name="embedding_has_model"),
        Index(
            "ix_ltm_memories_recall",
            "user_id",
            text("importance DESC"),
            postgresql_where=text("archived_at IS NULL"),
        ),
        Index("ix_ltm_memories_user_id", "user_id"),
        Index(
            "ix_ltm_memories_source",
            "source",
            postgresql_using="gin",
            postgresql_ops={"source": "jsonb_path_ops"},
        ),
        {"comment": "One thing the assistant remembers"},
    )


class LtmMemoryAccess(Base):
    __tablename__ = "ltm_memory_access"

    id: Mapped[BigKey]
    memory_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ltm_memories.id", ondelete="CASCADE"), index=True
    )
    conversation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("conversation_states.id", ondelete="SET NULL"), index=True
    )
    score: Mapped[float] = mapped_column(REAL, comment="How well it matched, from 0 to 1")
    was_useful: Mapped[bool | None]
    accessed_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("score BETWEEN 0 AND 1", name="score_is_share"),
        Index("ix_ltm_memory_access_accessed_at", "accessed_at", postgresql_using="brin"),
        {"comment": "When a memory was called up, and for which conversation"},
    )


class MemoryRelationKind(enum.StrEnum):
    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    FOLLOWS = "follows"
    PART_OF = "part_of"


class LtmMemoryRelationship(Base):
    __tablename__ = "ltm_memory_relationships"

    from_memory_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ltm_memories.id", ondelete="CASCADE"), primary_key=True
    )
    to_memory_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ltm_memories.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kind: Mapped[MemoryRelationKind] = mapped_column(
        native_enum(MemoryRelationKind, "memory_relation_kind"), primary_key=True
    )
    strength: Mapped[float] = mapped_column(REAL, server_default=text("1"))
    created_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("from_memory_id <> to_memory_id", name="not_to_itself"),
        CheckConstraint("strength > 0 AND strength <= 1", name="strength_in_range"),
        {"comment": "How two memories belong together"},
    )


class LtmMemoryTag(Base):
    __tablename__ = "ltm_memory_tags"

    memory_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ltm_memories.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(String(60), primary_key=True)
    created_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("tag = lower(btrim(tag)) AND tag <> ''", name="tag_is_normal"),
        Index("ix_ltm_memory_tags_tag", "tag", postgresql_ops={"tag": "text_pattern_ops"}),
        {"comment": "Words by which memories are found"},
    )
