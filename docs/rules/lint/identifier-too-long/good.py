from alembic import op


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN address_change_reason text")
