"""a note for each order"""

import sqlalchemy as sa
from alembic import op

revision = "4d"
down_revision = "3c"


def upgrade() -> None:
    op.add_column("orders", sa.Column("note", sa.Text))
    op.create_index("ix_orders_cents", "orders", ["cents"])


def downgrade() -> None:
    op.drop_index("ix_orders_cents", "orders")
    with op.batch_alter_table("orders") as orders:
        orders.drop_column("note")
