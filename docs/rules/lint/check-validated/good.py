from alembic import op


def upgrade() -> None:
    op.create_check_constraint("orders_total_check", "orders", "total >= 0", postgresql_not_valid=True)
