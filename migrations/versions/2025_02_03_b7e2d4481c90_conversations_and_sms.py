"""Conversations, messages and text messages.

Revision ID: b7e2d4481c90
Revises: 5c1f0a9b3e27
Create Date: 2025-02-03
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b7e2d4481c90"
down_revision = "5c1f0a9b3e27"
branch_labels = None
depends_on = None

channel = postgresql.ENUM(name="channel", create_type=False)
conversation_status = postgresql.ENUM(
    "active", "waiting", "archived", name="conversation_status", create_type=False
)
message_author = postgresql.ENUM(
    "user", "assistant", "system", "tool", name="message_author", create_type=False
)
memory_context_kind = postgresql.ENUM(
    "fact", "preference", "summary", "document", name="memory_context_kind", create_type=False
)
sms_direction = postgresql.ENUM("inbound", "outbound", name="sms_direction", create_type=False)
sms_status = postgresql.ENUM("queued", "sent", "delivered", "failed", name="sms_status", create_type=False)


def upgrade() -> None:
    op.execute(postgresql.CreateEnumType(conversation_status))
    op.execute(postgresql.CreateEnumType(message_author))
    op.execute(postgresql.CreateEnumType(memory_context_kind))
    op.execute(postgresql.CreateEnumType(sms_direction))
    op.execute(postgresql.CreateEnumType(sms_status))

    op.create_table(
        "conversation_states",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("channel", channel, server_default="web", nullable=False),
        sa.Column("status", conversation_status, server_default="active", nullable=False),
        sa.Column("title", sa.String(length=200)),
        sa.Column(
            "context",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="What the assistant has to know to go on",
        ),
        sa.Column("message_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_message_id", sa.BigInteger()),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "(status = 'archived') = (archived_at IS NOT NULL)",
            name=op.f("ck_conversation_states_archived_has_moment"),
        ),
        sa.CheckConstraint(
            "message_count >= 0", name=op.f("ck_conversation_states_message_count_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_conversation_states_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_states")),
        comment="One row a conversation: where it stands",
    )
    op.create_index(
        "ix_conversation_states_context", "conversation_states", ["context"], postgresql_using="gin"
    )
    op.create_index("ix_conversation_states_last_message_id", "conversation_states", ["last_message_id"])
    op.create_index(
        "ix_conversation_states_user_id_updated_at",
        "conversation_states",
        ["user_id", sa.text("updated_at DESC")],
    )

    op.create_table(
        "conversation_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="Counts from 1 in each conversation"),
        sa.Column("author", message_author, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=80)),
        sa.Column("token_count", sa.Integer()),
        sa.Column("tool_calls", postgresql.JSONB()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_conversation_messages_position_counts_from_one")),
        sa.CheckConstraint(
            "token_count >= 0", name=op.f("ck_conversation_messages_token_count_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation_states.id"],
            name=op.f("fk_conversation_messages_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_messages")),
        sa.UniqueConstraint(
            "conversation_id", "position", name=op.f("uq_conversation_messages_conversation_id_position")
        ),
        comment="Every message, in order",
    )
    op.create_index(
        "ix_conversation_messages_tool_calls",
        "conversation_messages",
        ["tool_calls"],
        postgresql_using="gin",
        postgresql_where=sa.text("tool_calls IS NOT NULL"),
    )

    # The two tables point at each other; a deferred key lets a restore fill them in any order.
    op.create_foreign_key(
        "fk_conversation_states_last_message_id",
        "conversation_states",
        "conversation_messages",
        ["last_message_id"],
        ["id"],
        ondelete="SET NULL",
        deferrable=True,
        initially="DEFERRED",
    )

    op.create_table(
        "memory_context_items",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "source_message_id",
            sa.BigInteger(),
            comment="Points to conversation_messages.id; no foreign key, every answer waited for it",
        ),
        sa.Column("kind", memory_context_kind, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("relevance", sa.Double(), server_default=sa.text("0.5"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "relevance BETWEEN 0 AND 1", name=op.f("ck_memory_context_items_relevance_is_share")
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation_states.id"],
            name=op.f("fk_memory_context_items_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memory_context_items_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memory_context_items")),
        comment="What is put before the model in one conversation",
    )
    op.create_index("ix_memory_context_items_conversation_id", "memory_context_items", ["conversation_id"])
    op.create_index(
        "ix_memory_context_items_expires_at",
        "memory_context_items",
        ["expires_at"],
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index("ix_memory_context_items_user_id", "memory_context_items", ["user_id"])

    op.create_table(
        "sms_router_configs",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column(
            "country_codes",
            postgresql.ARRAY(sa.String(length=2)),
            nullable=False,
            comment="ISO 3166 codes this route serves; empty means all",
        ),
        sa.Column("settings", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("in_force", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("in_force"), "&&"), using="gist", name="ex_sms_router_configs_in_force"
        ),
        sa.CheckConstraint("NOT isempty(in_force)", name=op.f("ck_sms_router_configs_in_force_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_router_configs")),
        sa.UniqueConstraint("name", name=op.f("uq_sms_router_configs_name")),
        comment="How text messages are routed; exactly one configuration at a time",
    )

    op.create_table(
        "user_phone_mappings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "phone_number", sa.String(length=16), nullable=False, comment="E.164, for example +4930123456"
        ),
        sa.Column("label", sa.String(length=40)),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "phone_number ~ '^[+][1-9][0-9]{6,14}$'", name=op.f("ck_user_phone_mappings_phone_number_is_e164")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_phone_mappings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_phone_mappings")),
        comment="Which telephone belongs to whom",
    )
    op.create_index(
        "uq_user_phone_mappings_active",
        "user_phone_mappings",
        ["phone_number"],
        unique=True,
        postgresql_where=sa.text("is_active"),
    )
    op.create_index("ix_user_phone_mappings_user_id", "user_phone_mappings", ["user_id"])

    op.create_table(
        "sms_usage_logs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("router_config_id", sa.Integer(), nullable=False),
        sa.Column(
            "phone_mapping_id",
            sa.BigInteger(),
            comment="Points to user_phone_mappings.id; no foreign key, rows come in bulk from the provider",
        ),
        sa.Column("direction", sms_direction, nullable=False),
        sa.Column("status", sms_status, server_default="queued", nullable=False),
        sa.Column("segments", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("cost", sa.Numeric(precision=10, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="EUR", nullable=False),
        sa.Column("provider_message_id", sa.String(length=64)),
        sa.Column("sent_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_sms_usage_logs_cost_not_negative")),
        sa.CheckConstraint("segments > 0", name=op.f("ck_sms_usage_logs_segments_positive")),
        sa.ForeignKeyConstraint(
            ["router_config_id"],
            ["sms_router_configs.id"],
            name=op.f("fk_sms_usage_logs_router_config_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sms_usage_logs_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_usage_logs")),
        sa.UniqueConstraint("provider_message_id", name=op.f("uq_sms_usage_logs_provider_message_id")),
        comment="Every text message and its price",
    )
    op.create_index("ix_sms_usage_logs_router_config_id", "sms_usage_logs", ["router_config_id"])
    op.create_index("ix_sms_usage_logs_sent_at", "sms_usage_logs", ["sent_at"], postgresql_using="brin")
    op.create_index("ix_sms_usage_logs_user_id", "sms_usage_logs", ["user_id"])


def downgrade() -> None:
    op.drop_table("sms_usage_logs")
    op.drop_table("user_phone_mappings")
    op.drop_table("sms_router_configs")
    op.drop_table("memory_context_items")
    op.drop_constraint("fk_conversation_states_last_message_id", "conversation_states", type_="foreignkey")
    op.drop_table("conversation_messages")
    op.drop_table("conversation_states")
    op.execute(postgresql.DropEnumType(sms_status))
    op.execute(postgresql.DropEnumType(sms_direction))
    op.execute(postgresql.DropEnumType(memory_context_kind))
    op.execute(postgresql.DropEnumType(message_author))
    op.execute(postgresql.DropEnumType(conversation_status))
