from alembic import op


def upgrade() -> None:
    op.execute(
        "ALTER TABLE orders ADD COLUMN reason_why_the_customer_changed_the_delivery_address_after_the_order text"
    )
