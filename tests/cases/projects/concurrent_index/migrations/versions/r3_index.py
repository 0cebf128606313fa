"""an index without blocking writers"""

from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("ix_notes_user", "notes", ["user_id"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index("ix_notes_user", postgresql_concurrently=True)
