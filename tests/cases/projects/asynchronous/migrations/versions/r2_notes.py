"""notes"""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.execute("INSERT INTO users (id, email) VALUES (1, 'first@example.org')")


def downgrade():
    op.execute("DELETE FROM users WHERE id = 1")
    op.drop_table("notes")
