import sqlalchemy as sa
from alembic import op

revision = "3f2a91c07d14"
down_revision = "first"


def upgrade() -> None:
    op.add_column("users", sa.Column("nick", sa.Text()))


def downgrade() -> None:
    op.drop_column("users", "nick")
