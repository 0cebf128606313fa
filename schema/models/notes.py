"""Notes, and how they travel between devices."""

from __future__ import annotations

import datetime
import enum
import uuid

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import Base, BigKey, OwnerId, SetByServer, UuidKey, native_enum


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[UuidKey]
    user_id: Mapped[OwnerId]
    title: Mapped[str] = mapped_column(String(200), server_default="")
    body: Mapped[str] = mapped_column(server_default="")
    tags: Mapped[list[str]] = mapped_column(server_default="{}")
    is_pinned: Mapped[bool] = mapped_column(server_default=text("false"))
    search: Mapped[str | None] = mapped_column(
        TSVECTOR, Computed("to_tsvector('english'::regconfig, title || ' ' || body)", persisted=True)
    )
    created_at: Mapped[SetByServer]
    updated_at: Mapped[SetByServer]
    deleted_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        Index("ix_notes_user_id_updated_at", "user_id", text("updated_at DESC")),
        Index("ix_notes_search", "search", postgresql_using="gin"),
        Index("ix_notes_tags", "tags", postgresql_using="gin"),
        {"comment": "Notes; the policy notes_of_one_user keeps them apart"},
    )


class SyncDirection(enum.StrEnum):
    PUSH = "push"
    PULL = "pull"


class NoteSyncLog(Base):
    __tablename__ = "note_sync_log"

    id: Mapped[BigKey]
    note_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"))
    device_id: Mapped[uuid.UUID]
    direction: Mapped[SyncDirection] = mapped_column(native_enum(SyncDirection, "sync_direction"))
    version: Mapped[int] = mapped_column(comment="Of the note, as the device counts")
    had_conflict: Mapped[bool] = mapped_column(server_default=text("false"))
    synced_at: Mapped[SetByServer]

    __table_args__ = (
        UniqueConstraint("note_id", "device_id", "version"),
        CheckConstraint("version >= 1", name="version_counts_from_one"),
        {"comment": "Which device sent or fetched which version of a note"},
    )
