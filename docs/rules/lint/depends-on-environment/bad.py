import os

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    if os.environ.get("STAGE") == "production":
        op.add_column("users", sa.Column("note", sa.Text()))
