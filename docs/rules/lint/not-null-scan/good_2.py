from alembic import op


def upgrade() -> None:
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_user_id_not_null")
    op.alter_column("orders", "user_id", nullable=False)
    op.drop_constraint("orders_user_id_not_null", "orders", type_="check")
