from alembic import op


def upgrade() -> None:
    op.create_check_constraint(
        "orders_user_id_not_null", "orders", "user_id IS NOT NULL", postgresql_not_valid=True
    )
