"""Notes.

Revision ID: 27ac98e1d0f4
Revises: e481b05d7a3c
Create Date: 2025-06-24
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "27ac98e1d0f4"
down_revision = "e481b05d7a3c"
branch_labels = None
depends_on = None

sync_direction = postgresql.ENUM("push", "pull", name="sync_direction", create_type=False)


def upgrade() -> None:
    op.execute(postgresql.CreateEnumType(sync_direction))

    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("is_pinned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed("to_tsvector('english'::regconfig, title || ' ' || body)", persisted=True),
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        comment="Notes",
    )
    op.create_index("ix_notes_search", "notes", ["search"], postgresql_using="gin")
    op.create_index("ix_notes_tags", "notes", ["tags"], postgresql_using="gin")
    op.create_index("ix_notes_user_id_updated_at", "notes", ["user_id", sa.text("updated_at DESC")])

    op.create_table(
        "note_sync_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sync_direction, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="Of the note, as the device counts"),
        sa.Column("had_conflict", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_note_sync_log_version_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["note_id"], ["notes.id"], name=op.f("fk_note_sync_log_note_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_sync_log")),
        sa.UniqueConstraint(
            "note_id", "device_id", "version", name=op.f("uq_note_sync_log_note_id_device_id_version")
        ),
        comment="Which device sent or fetched which version of a note",
    )


def downgrade() -> None:
    op.drop_table("note_sync_log")
    op.drop_table("notes")
    op.execute(postgresql.DropEnumType(sync_direction))
