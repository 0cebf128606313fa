"""To-dos, background tasks, reminders and events.

Revision ID: 0d93f6a7c215
Revises: b7e2d4481c90
Create Date: 2025-03-18
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0d93f6a7c215"
down_revision = "b7e2d4481c90"
branch_labels = None
depends_on = None

todo_status = postgresql.ENUM(
    "open", "in_progress", "done", "cancelled", name="todo_status", create_type=False
)
task_state = postgresql.ENUM(
    "queued", "running", "succeeded", "failed", "cancelled", name="task_state", create_type=False
)
frequency = postgresql.ENUM("daily", "weekly", "monthly", "yearly", name="frequency", create_type=False)
channel = postgresql.ENUM(name="channel", create_type=False)
event_source = postgresql.ENUM(
    "manual", "assistant", "email", "calendar", name="event_source", create_type=False
)

task_numbers = sa.Sequence("task_number_seq", start=1000)


def upgrade() -> None:
    op.execute(postgresql.CreateEnumType(todo_status))
    op.execute(postgresql.CreateEnumType(task_state))
    op.execute(postgresql.CreateEnumType(frequency))
    op.execute(postgresql.CreateEnumType(event_source))

    op.create_table(
        "todos",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), comment="The to-do this one is a step of"),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("details", sa.Text()),
        sa.Column("status", todo_status, server_default="open", nullable=False),
        sa.Column(
            "priority",
            sa.SmallInteger(),
            server_default=sa.text("3"),
            nullable=False,
            comment="1 is the most urgent, 5 the least",
        ),
        sa.Column("labels", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(status = 'done') = (completed_at IS NOT NULL)", name=op.f("ck_todos_done_has_moment")
        ),
        sa.CheckConstraint("id <> parent_id", name=op.f("ck_todos_not_its_own_parent")),
        sa.CheckConstraint("priority BETWEEN 1 AND 5", name=op.f("ck_todos_priority_in_range")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["todos.id"], name=op.f("fk_todos_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_todos_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
        sa.UniqueConstraint("id", "user_id", name=op.f("uq_todos_id_user_id")),
        comment="What a user wants to get done",
    )
    op.create_index(
        "ix_todos_due_on", "todos", ["due_on"], postgresql_where=sa.text("status IN ('open', 'in_progress')")
    )
    op.create_index("ix_todos_labels", "todos", ["labels"], postgresql_using="gin")
    op.create_index("ix_todos_parent_id", "todos", ["parent_id"])
    op.create_index("ix_todos_user_id_status", "todos", ["user_id", "status"])

    op.execute(sa.schema.CreateSequence(task_numbers))
    op.create_table(
        "tasks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "number",
            sa.BigInteger(),
            server_default=task_numbers.next_value(),
            nullable=False,
            comment="What support staff and users call the task",
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("todo_id", sa.Uuid()),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("state", task_state, server_default="queued", nullable=False),
        sa.Column("payload", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("attempts BETWEEN 0 AND 10", name=op.f("ck_tasks_attempts_in_range")),
        sa.CheckConstraint("finished_at >= started_at", name=op.f("ck_tasks_finished_after_start")),
        sa.ForeignKeyConstraint(
            ["todo_id"], ["todos.id"], name=op.f("fk_tasks_todo_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tasks_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("number", name=op.f("uq_tasks_number")),
        comment="Work done in the background; also the queue the workers read",
    )
    op.create_index(
        "ix_tasks_queue", "tasks", ["run_after", "id"], postgresql_where=sa.text("state = 'queued'")
    )
    op.create_index("ix_tasks_todo_id", "tasks", ["todo_id"])
    op.create_index("ix_tasks_user_id", "tasks", ["user_id"])

    op.create_table(
        "task_results",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("state", task_state, nullable=False),
        sa.Column("output", postgresql.JSONB()),
        sa.Column("error", sa.Text()),
        sa.Column("duration", sa.Interval(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("duration >= interval '0'", name=op.f("ck_task_results_duration_not_negative")),
        sa.CheckConstraint(
            "state <> 'failed' OR error IS NOT NULL", name=op.f("ck_task_results_failure_has_error")
        ),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_task_results_attempt_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_task_results_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "attempt", name=op.f("pk_task_results")),
        comment="What each attempt of a task came to",
    )

    op.create_table(
        "ai_tasks",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.Uuid()),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column(
            "temperature", sa.Numeric(precision=3, scale=2), server_default=sa.text("0.7"), nullable=False
        ),
        sa.Column("max_tokens", sa.Integer(), server_default=sa.text("1024"), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=6)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("max_tokens > 0", name=op.f("ck_ai_tasks_max_tokens_positive")),
        sa.CheckConstraint("temperature BETWEEN 0 AND 2", name=op.f("ck_ai_tasks_temperature_in_range")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation_states.id"],
            name=op.f("fk_ai_tasks_conversation_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_ai_tasks_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_tasks")),
        sa.UniqueConstraint("task_id", name=op.f("uq_ai_tasks_task_id")),
        comment="What a task asks of a language model",
    )
    op.create_index("ix_ai_tasks_conversation_id", "ai_tasks", ["conversation_id"])

    op.create_table(
        "recurrence_patterns",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("frequency", frequency, nullable=False),
        sa.Column(
            "every",
            sa.SmallInteger(),
            server_default=sa.text("1"),
            nullable=False,
            comment="2 with weekly: every second week",
        ),
        sa.Column(
            "weekdays",
            postgresql.ARRAY(sa.SmallInteger()),
            server_default="{}",
            nullable=False,
            comment="1 is Monday, as in ISO 8601",
        ),
        sa.Column("starts_on", sa.Date(), server_default=sa.text("CURRENT_DATE"), nullable=False),
        sa.Column("ends_on", sa.Date()),
        sa.CheckConstraint(
            "weekdays <@ '{1,2,3,4,5,6,7}'::smallint[]", name=op.f("ck_recurrence_patterns_weekdays_are_iso")
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_recurrence_patterns_ends_after_start")),
        sa.CheckConstraint("every BETWEEN 1 AND 366", name=op.f("ck_recurrence_patterns_every_in_range")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recurrence_patterns_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recurrence_patterns")),
        comment="How often something comes again",
    )
    op.create_index("ix_recurrence_patterns_user_id", "recurrence_patterns", ["user_id"])

    op.create_table(
        "reminders",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("todo_id", sa.Uuid()),
        sa.Column("recurrence_id", sa.Integer()),
        sa.Column("channel", channel, server_default="web", nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["recurrence_id"],
            ["recurrence_patterns.id"],
            name=op.f("fk_reminders_recurrence_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["todo_id", "user_id"],
            ["todos.id", "todos.user_id"],
            name=op.f("fk_reminders_todo_id_user_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_reminders_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
        comment="When and how a user is to be reminded",
    )
    op.create_index("ix_reminders_recurrence_id", "reminders", ["recurrence_id"])
    op.create_index(
        "ix_reminders_pending", "reminders", ["remind_at"], postgresql_where=sa.text("sent_at IS NULL")
    )
    op.create_index("ix_reminders_todo_id_user_id", "reminders", ["todo_id", "user_id"])
    op.create_index("ix_reminders_user_id", "reminders", ["user_id"])

    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("recurrence_id", sa.Integer()),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("location", sa.String(length=300)),
        sa.Column(
            "attendees",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="E-mail addresses",
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_all_day", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("source", event_source, server_default="manual", nullable=False),
        sa.Column("external_id", sa.String(length=200)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_events_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["recurrence_id"],
            ["recurrence_patterns.id"],
            name=op.f("fk_events_recurrence_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_events_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        comment="Appointments, typed in or found by the assistant",
    )
    op.create_index("ix_events_recurrence_id", "events", ["recurrence_id"])
    op.create_index("ix_events_user_id", "events", ["user_id"])
    op.create_index(
        "uq_events_external_id",
        "events",
        ["user_id", "source", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "ix_events_period", "events", [sa.text("tstzrange(starts_at, ends_at)")], postgresql_using="gist"
    )

    op.create_table(
        "event_creation_logs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid()),
        sa.Column("requested_text", sa.Text(), nullable=False, comment="What the user said, word for word"),
        sa.Column("parsed", postgresql.JSONB(), nullable=False),
        sa.Column("confidence", sa.REAL(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "confidence BETWEEN 0 AND 1", name=op.f("ck_event_creation_logs_confidence_is_share")
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation_states.id"],
            name=op.f("fk_event_creation_logs_conversation_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_event_creation_logs_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_creation_logs")),
        comment="How the assistant came to create an event",
    )
    op.create_index("ix_event_creation_logs_conversation_id", "event_creation_logs", ["conversation_id"])
    op.create_index("ix_event_creation_logs_event_id", "event_creation_logs", ["event_id"])

    op.create_table(
        "event_processing_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "event_id",
            sa.Uuid(),
            nullable=False,
            comment="Points to events.id; no foreign key, the import writes both in any order",
        ),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column(
            "processed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "outcome IN ('done', 'skipped', 'failed')", name=op.f("ck_event_processing_log_outcome_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_processing_log")),
        comment="What the calendar import did with an event, step by step",
    )
    op.create_index(
        "ix_event_processing_log_event_id_processed_at",
        "event_processing_log",
        ["event_id", sa.text("processed_at DESC")],
    )


def downgrade() -> None:
    op.drop_table("event_processing_log")
    op.drop_table("event_creation_logs")
    op.drop_table("events")
    op.drop_table("reminders")
    op.drop_table("recurrence_patterns")
    op.drop_table("ai_tasks")
    op.drop_table("task_results")
    op.drop_table("tasks")
    op.execute(sa.schema.DropSequence(task_numbers))
    op.drop_table("todos")
    op.execute(postgresql.DropEnumType(event_source))
    op.execute(postgresql.DropEnumType(frequency))
    op.execute(postgresql.DropEnumType(task_state))
    op.execute(postgresql.DropEnumType(todo_status))
