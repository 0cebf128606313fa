"""Index messages by time, for the job that thins out old ones.

The table is the largest there is, so the index is built beside the traffic. That cannot be done inside a
transaction, which is why this revision does nothing else.

Revision ID: 81e5d0c4a72f
Revises: 4ad81c35f9b6
Create Date: 2025-11-04
"""

from alembic import op

revision = "81e5d0c4a72f"
down_revision = "4ad81c35f9b6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_conversation_messages_created_at",
            "conversation_messages",
            ["created_at"],
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_conversation_messages_created_at",
            table_name="conversation_messages",
            postgresql_concurrently=True,
        )
