"""To-dos, background tasks, reminders and events."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    Sequence,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import (
    CHANNEL,
    Base,
    BigKey,
    Channel,
    OwnerId,
    SetByServer,
    SmallKey,
    UuidKey,
    native_enum,
)


class TodoStatus(enum.StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class Todo(Base):
    __tablename__ = "todos"

    id: Mapped[UuidKey]
    user_id: Mapped[OwnerId]
    parent_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("todos.id", ondelete="CASCADE"), index=True, comment="The to-do this one is a step of"
    )
    title: Mapped[str] = mapped_column(String(300))
    details: Mapped[str | None]
    status: Mapped[TodoStatus] = mapped_column(
        native_enum(TodoStatus, "todo_status"), server_default=TodoStatus.OPEN.value
    )
    priority: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("3"), comment="1 is the most urgent, 5 the least"
    )
    labels: Mapped[list[str]] = mapped_column(server_default="{}")
    due_on: Mapped[datetime.date | None]
    completed_at: Mapped[datetime.datetime | None]
    created_at: Mapped[SetByServer]
    updated_at: Mapped[SetByServer]

    __table_args__ = (
        UniqueConstraint("id", "user_id"),  # what reminders point to: the to-do and its owner
        CheckConstraint("id <> parent_id", name="not_its_own_parent"),
        CheckConstraint("priority BETWEEN 1 AND 5", name="priority_in_range"),
        CheckConstraint("(status = 'done') = (completed_at IS NOT NULL)", name="done_has_moment"),
        Index("ix_todos_user_id_status", "user_id", "status"),
        Index("ix_todos_due_on", "due_on", postgresql_where=text("status IN ('open', 'in_progress')")),
        Index("ix_todos_labels", "labels", postgresql_using="gin"),
        {"comment": "What a user wants to get done"},
    )


class TaskState(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TASK_STATE = native_enum(TaskState, "task_state")
TASK_NUMBERS = Sequence("task_number_seq", start=1000, metadata=Base.metadata)


class Task(Base):
    __tablename__ = "tasks"

    id: Mapped[BigKey]
    number: Mapped[int] = mapped_column(
        BigInteger,
        unique=True,
        server_default=TASK_NUMBERS.next_value(),
        comment="What support staff and users call the task",
    )
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    todo_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("todos.id", ondelete="SET NULL"), index=True)
    kind: Mapped[str] = mapped_column(String(60))
    state: Mapped[TaskState] = mapped_column(TASK_STATE, server_default=TaskState.QUEUED.value)
    payload: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    run_after: Mapped[SetByServer]
    started_at: Mapped[datetime.datetime | None]
    finished_at: Mapped[datetime.datetime | None]
    created_at: Mapped[SetByServer]
    updated_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("attempts BETWEEN 0 AND 10", name="attempts_in_range"),
        CheckConstraint("finished_at >= started_at", name="finished_after_start"),
        Index("ix_tasks_queue", "run_after", "id", postgresql_where=text("state = 'queued'")),
        {"comment": "Work done in the background; also the queue the workers read"},
    )


class TaskResult(Base):
    __tablename__ = "task_results"

    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    state: Mapped[TaskState] = mapped_column(TASK_STATE)
    output: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    duration: Mapped[datetime.timedelta]
    finished_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("attempt >= 1", name="attempt_counts_from_one"),
        CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="failure_has_error"),
        CheckConstraint("duration >= interval '0'", name="duration_not_negative"),
        {"comment": "What each attempt of a task came to"},
    )


class AiTask(Base):
    __tablename__ = "ai_tasks"

    id: Mapped[UuidKey]
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), unique=True)
    conversation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("conversation_states.id", ondelete="SET NULL"), index=True
    )
    model: Mapped[str] = mapped_column(String(80))
    prompt: Mapped[str]
    temperature: Mapped[decimal.Decimal] = mapped_column(Numeric(3, 2), server_default=text("0.7"))
    max_tokens: Mapped[int] = mapped_column(server_default=text("1024"))
    cost_usd: Mapped[decimal.Decimal | None] = mapped_column(Numeric(12, 6))
    created_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("temperature BETWEEN 0 AND 2", name="temperature_in_range"),
        CheckConstraint("max_tokens > 0", name="max_tokens_positive"),
        {"comment": "What a task asks of a language model"},
    )


class Frequency(enum.StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


class RecurrencePattern(Base):
    __tablename__ = "recurrence_patterns"

    id: Mapped[SmallKey]
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    frequency: Mapped[Frequency] = mapped_column(native_enum(Frequency, "frequency"))
    every: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("1"), comment="2 with weekly: every second week"
    )
    weekdays: Mapped[list[int]] = mapped_column(
        ARRAY(SmallInteger), server_default="{}", comment="1 is Monday, as in ISO 8601"
    )
    starts_on: Mapped[datetime.date] = mapped_column(server_default=text("CURRENT_DATE"))
    ends_on: Mapped[datetime.date | None]

    __table_args__ = (
        CheckConstraint("every BETWEEN 1 AND 366", name="every_in_range"),
        CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}'::smallint[]", name="weekdays_are_iso"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        {"comment": "How often something comes again"},
    )


class Reminder(Base):
    __tablename__ = "reminders"

    id: Mapped[UuidKey]
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    todo_id: Mapped[uuid.UUID | None]
    recurrence_id: Mapped[int | None] = mapped_column(
        ForeignKey("recurrence_patterns.id", ondelete="SET NULL"), index=True
    )
    channel: Mapped[Channel] = mapped_column(CHANNEL, server_default=Channel.WEB.value)
    message: Mapped[str]
    remind_at: Mapped[datetime.datetime]
    sent_at: Mapped[datetime.datetime | None]
    created_at: Mapped[SetByServer]

    __table_args__ = (
        # Both columns, so that nobody is reminded of another user's to-do.
        ForeignKeyConstraint(
            ["todo_id", "user_id"], ["todos.id", "todos.user_id"], ondelete="CASCADE", onupdate="CASCADE"
        ),
        Index("ix_reminders_todo_id_user_id", "todo_id", "user_id"),
        Index("ix_reminders_pending", "remind_at", postgresql_where=text("sent_at IS NULL")),
        {"comment": "When and how a user is to be reminded"},
    )


class EventSource(enum.StrEnum):
    MANUAL = "manual"
    ASSISTANT = "assistant"
    EMAIL = "email"
    CALENDAR = "calendar"


class Event(Base):
    __tablename__ = "events"

    id: Mapped[UuidKey]
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    recurrence_id: Mapped[int | None] = mapped_column(
        ForeignKey("recurrence_patterns.id", ondelete="SET NULL"), index=True
    )
    title: Mapped[str] = mapped_column(String(300))
    location: Mapped[str | None] = mapped_column(String(300))
    attendees: Mapped[list[str]] = mapped_column(server_default="{}", comment="E-mail addresses")
    starts_at: Mapped[datetime.datetime]
    ends_at: Mapped[datetime.datetime]
    is_all_day: Mapped[bool] = mapped_column(server_default=text("false"))
    source: Mapped[EventSource] = mapped_column(
        native_enum(EventSource, "event_source"), server_default=EventSource.MANUAL.value
    )
    external_id: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[SetByServer]
    updated_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_events_period", text("tstzrange(starts_at, ends_at)"), postgresql_using="gist"),
        Index(
            "uq_events_external_id",
            "user_id",
            "source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        {"comment": "Appointments, typed in or found by the assistant"},
    )


class EventCreationLog(Base):
    __tablename__ = "event_creation_logs"

    id: Mapped[BigKey]
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("conversation_states.id", ondelete="SET NULL"), index=True
    )
    requested_text: Mapped[str] = mapped_column(comment="What the user said, word for word")
    parsed: Mapped[dict[str, Any]]
    confidence: Mapped[float] = mapped_column(REAL)
    created_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_is_share"),
        {"comment": "How the assistant came to create an event"},
    )


class EventProcessingLog(Base):
    __tablename__ = "event_processing_log"

    id: Mapped[BigKey]
    event_id: Mapped[uuid.UUID] = mapped_column(
        comment="Points to events.id; no foreign key, the import writes both in any order"
    )
    step: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[str] = mapped_column(String(16))
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    processed_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'skipped', 'failed')", name="outcome_known"),
        Index("ix_event_processing_log_event_id_processed_at", "event_id", text("processed_at DESC")),
        {"comment": "What the calendar import did with an event, step by step"},
    )
