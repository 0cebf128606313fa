"""Expenses and groceries.

Revision ID: e481b05d7a3c
Revises: 0d93f6a7c215
Create Date: 2025-05-06
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "e481b05d7a3c"
down_revision = "0d93f6a7c215"
branch_labels = None
depends_on = None

grocery_unit = postgresql.ENUM("piece", "g", "kg", "ml", "l", name="grocery_unit", create_type=False)

CATEGORIES = (
    ("Groceries", "#4c9f70"),
    ("Eating out", "#d98324"),
    ("Housing", "#5b6c9d"),
    ("Transport", "#3d7ea6"),
    ("Health", "#b4436c"),
    ("Leisure", "#8f5fbf"),
    ("Other", "#7a7a7a"),
)


def upgrade() -> None:
    op.execute(postgresql.CreateEnumType(grocery_unit))

    op.create_table(
        "expense_categories",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), comment="Null: offered to everyone, seeded"),
        sa.Column("parent_id", sa.Integer()),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("monthly_limit", sa.Numeric(precision=12, scale=2)),
        sa.Column("colour", sa.CHAR(length=7), comment="As in CSS: #rrggbb"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("colour ~ '^#[0-9a-f]{6}$'", name=op.f("ck_expense_categories_colour_is_css")),
        sa.CheckConstraint("id <> parent_id", name=op.f("ck_expense_categories_not_its_own_parent")),
        sa.CheckConstraint("monthly_limit > 0", name=op.f("ck_expense_categories_monthly_limit_positive")),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["expense_categories.id"],
            name=op.f("fk_expense_categories_parent_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_expense_categories_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expense_categories")),
        comment="What money is spent on",
    )
    op.create_index(
        "uq_expense_categories_owner_name",
        "expense_categories",
        [sa.text("coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid)"), sa.text("lower(name)")],
        unique=True,
    )
    op.create_index("ix_expense_categories_parent_id", "expense_categories", ["parent_id"])
    op.create_index("ix_expense_categories_user_id", "expense_categories", ["user_id"])

    op.create_table(
        "expenses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column(
            "amount",
            sa.Numeric(precision=12, scale=2),
            nullable=False,
            comment="Negative for money that came back",
        ),
        sa.Column("currency", sa.CHAR(length=3), server_default="EUR", nullable=False),
        sa.Column(
            "exchange_rate",
            sa.Numeric(precision=12, scale=6),
            server_default=sa.text("1"),
            nullable=False,
            comment="To the user's own currency, on the day",
        ),
        sa.Column(
            "amount_converted",
            sa.Numeric(precision=12, scale=2),
            sa.Computed("round(amount * exchange_rate, 2)", persisted=True),
        ),
        sa.Column("spent_on", sa.Date(), server_default=sa.text("CURRENT_DATE"), nullable=False),
        sa.Column("merchant", sa.String(length=200)),
        sa.Column("receipt", postgresql.JSONB(), comment="What was read from the photograph"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_expenses_currency_is_iso")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_expenses_amount_not_zero")),
        sa.CheckConstraint("exchange_rate > 0", name=op.f("ck_expenses_exchange_rate_positive")),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["expense_categories.id"],
            name=op.f("fk_expenses_category_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_expenses_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expenses")),
        comment="Every expense, in the currency it was made in",
    )
    op.create_index("ix_expenses_category_id", "expenses", ["category_id"])
    op.create_index(
        "ix_expenses_user_id_spent_on",
        "expenses",
        ["user_id", sa.text("spent_on DESC")],
        postgresql_include=["amount_converted"],
    )

    op.create_table(
        "grocery_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=10, scale=3), server_default=sa.text("1"), nullable=False),
        sa.Column("unit", grocery_unit, server_default="piece", nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=2)),
        sa.Column("best_before", sa.Date()),
        sa.Column("purchased_at", sa.DateTime(timezone=True), comment="Null: still on the list"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_grocery_items_price_not_negative")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_grocery_items_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_grocery_items_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grocery_items")),
        comment="The shopping list, and what was bought from it",
    )
    op.create_index("ix_grocery_items_user_id", "grocery_items", ["user_id"])
    op.create_index(
        "uq_grocery_items_on_list",
        "grocery_items",
        ["user_id", sa.text("lower(name)")],
        unique=True,
        postgresql_where=sa.text("purchased_at IS NULL"),
    )

    op.create_table(
        "grocery_deals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("store", sa.String(length=80), nullable=False),
        sa.Column("item_name", sa.String(length=120), nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("regular_price", sa.Numeric(precision=12, scale=2)),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("source_url", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "price >= 0 AND price <= regular_price", name=op.f("ck_grocery_deals_price_is_a_deal")
        ),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_grocery_deals_valid_until_after_from")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grocery_deals")),
        sa.UniqueConstraint(
            "store", "item_name", "valid_from", name=op.f("uq_grocery_deals_store_item_name_valid_from")
        ),
        comment="Offers read from the shops' leaflets",
    )
    op.create_index(
        "ix_grocery_deals_item_name", "grocery_deals", [sa.text("lower(item_name)"), "valid_until"]
    )

    op.create_table(
        "grocery_analysis",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("spent", sa.Numeric(precision=12, scale=2), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "could_save", sa.Numeric(precision=12, scale=2), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("breakdown", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("suggestions", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("could_save <= spent", name=op.f("ck_grocery_analysis_could_save_at_most_all")),
        sa.CheckConstraint("period_end > period_start", name=op.f("ck_grocery_analysis_period_not_empty")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_grocery_analysis_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grocery_analysis")),
        sa.UniqueConstraint(
            "user_id",
            "period_start",
            "period_end",
            name=op.f("uq_grocery_analysis_user_id_period_start_period_end"),
        ),
        comment="What a household spent on food in a period, and what it need not have",
    )

    # Without an owner: offered to everyone.
    categories = sa.table(
        "expense_categories", sa.column("name", sa.String()), sa.column("colour", sa.CHAR(7))
    )
    op.bulk_insert(categories, [{"name": name, "colour": colour} for name, colour in CATEGORIES])


def downgrade() -> None:
    op.drop_table("grocery_analysis")
    op.drop_table("grocery_deals")
    op.drop_table("grocery_items")
    op.drop_table("expenses")
    op.drop_table("expense_categories")
    op.execute(postgresql.DropEnumType(grocery_unit))
