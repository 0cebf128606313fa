"""The long-term memory.

Revision ID: 9f3507c6be81
Revises: 27ac98e1d0f4
Create Date: 2025-08-12
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "9f3507c6be81"
down_revision = "27ac98e1d0f4"
branch_labels = None
depends_on = None

memory_kind = postgresql.ENUM("semantic", "episodic", "procedural", name="memory_kind", create_type=False)
memory_relation_kind = postgresql.ENUM(
    "supports", "contradicts", "follows", "part_of", name="memory_relation_kind", create_type=False
)


def upgrade() -> None:
    op.execute(postgresql.CreateEnumType(memory_kind))
    op.execute(postgresql.CreateEnumType(memory_relation_kind))

    op.create_table(
        "ltm_contexts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.BigInteger()),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id <> parent_id", name=op.f("ck_ltm_contexts_not_its_own_parent")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["ltm_contexts.id"], name=op.f("fk_ltm_contexts_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_ltm_contexts_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ltm_contexts")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_ltm_contexts_user_id_name")),
        comment="Parts of a user's life: work, family, the garden",
    )
    op.create_index("ix_ltm_contexts_parent_id", "ltm_contexts", ["parent_id"])

    op.create_table(
        "ltm_memories",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("context_id", sa.BigInteger()),
        sa.Column("kind", memory_kind, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("importance", sa.Double(), server_default=sa.text("0.5"), nullable=False),
        sa.Column("confidence", sa.Double(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "embedding", postgresql.ARRAY(sa.REAL()), comment="Unit vector; its model is in embedding_model"
        ),
        sa.Column("embedding_model", sa.String(length=80)),
        sa.Column(
            "source",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Where it was learned: conversation, message, quotation",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_accessed_at", sa.DateTime(timezone=True)),
        sa.Column("archived_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "(embedding IS NULL) = (embedding_model IS NULL)",
            name=op.f("ck_ltm_memories_embedding_has_model"),
        ),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_ltm_memories_confidence_is_share")),
        sa.CheckConstraint("importance BETWEEN 0 AND 1", name=op.f("ck_ltm_memories_importance_is_share")),
        sa.ForeignKeyConstraint(
            ["context_id"], ["ltm_contexts.id"], name=op.f("fk_ltm_memories_context_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_ltm_memories_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ltm_memories")),
        comment="One thing the assistant remembers",
    )
    op.create_index("ix_ltm_memories_context_id", "ltm_memories", ["context_id"])
    op.create_index(
        "ix_ltm_memories_source",
        "ltm_memories",
        ["source"],
        postgresql_using="gin",
        postgresql_ops={"source": "jsonb_path_ops"},
    )
    op.create_index("ix_ltm_memories_user_id", "ltm_memories", ["user_id"])
    op.create_index(
        "ix_ltm_memories_recall",
        "ltm_memories",
        ["user_id", sa.text("importance DESC")],
        postgresql_where=sa.text("archived_at IS NULL"),
    )

    op.create_table(
        "ltm_memory_access",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid()),
        sa.Column("score", sa.REAL(), nullable=False, comment="How well it matched, from 0 to 1"),
        sa.Column("was_useful", sa.Boolean()),
        sa.Column("accessed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_ltm_memory_access_score_is_share")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation_states.id"],
            name=op.f("fk_ltm_memory_access_conversation_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["memory_id"],
            ["ltm_memories.id"],
            name=op.f("fk_ltm_memory_access_memory_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ltm_memory_access")),
        comment="When a memory was called up, and for which conversation",
    )
    op.create_index(
        "ix_ltm_memory_access_accessed_at", "ltm_memory_access", ["accessed_at"], postgresql_using="brin"
    )
    op.create_index("ix_ltm_memory_access_conversation_id", "ltm_memory_access", ["conversation_id"])
    op.create_index("ix_ltm_memory_access_memory_id", "ltm_memory_access", ["memory_id"])

    op.create_table(
        "ltm_memory_relationships",
        sa.Column("from_memory_id", sa.Uuid(), nullable=False),
        sa.Column("to_memory_id", sa.Uuid(), nullable=False),
        sa.Column("kind", memory_relation_kind, nullable=False),
        sa.Column("strength", sa.REAL(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "from_memory_id <> to_memory_id", name=op.f("ck_ltm_memory_relationships_not_to_itself")
        ),
        sa.CheckConstraint(
            "strength > 0 AND strength <= 1", name=op.f("ck_ltm_memory_relationships_strength_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["from_memory_id"],
            ["ltm_memories.id"],
            name=op.f("fk_ltm_memory_relationships_from_memory_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["to_memory_id"],
            ["ltm_memories.id"],
            name=op.f("fk_ltm_memory_relationships_to_memory_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "from_memory_id", "to_memory_id", "kind", name=op.f("pk_ltm_memory_relationships")
        ),
        comment="How two memories belong together",
    )
    op.create_index("ix_ltm_memory_relationships_to_memory_id", "ltm_memory_relationships", ["to_memory_id"])

    op.create_table(
        "ltm_memory_tags",
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "tag = lower(btrim(tag)) AND tag <> ''", name=op.f("ck_ltm_memory_tags_tag_is_normal")
        ),
        sa.ForeignKeyConstraint(
            ["memory_id"], ["ltm_memories.id"], name=op.f("fk_ltm_memory_tags_memory_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("memory_id", "tag", name=op.f("pk_ltm_memory_tags")),
        comment="Words by which memories are found",
    )
    op.create_index(
        "ix_ltm_memory_tags_tag", "ltm_memory_tags", ["tag"], postgresql_ops={"tag": "text_pattern_ops"}
    )


def downgrade() -> None:
    op.drop_table("ltm_memory_tags")
    op.drop_table("ltm_memory_relationships")
    op.drop_table("ltm_memory_access")
    op.drop_table("ltm_memories")
    op.drop_table("ltm_contexts")
    op.execute(postgresql.DropEnumType(memory_relation_kind))
    op.execute(postgresql.DropEnumType(memory_kind))
