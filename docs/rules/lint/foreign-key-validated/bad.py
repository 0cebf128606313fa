from alembic import op


def upgrade() -> None:
    op.create_foreign_key("orders_user_id_fkey", "orders", "users", ["user_id"], ["id"])
