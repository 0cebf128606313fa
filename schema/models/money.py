"""What users spend, and on what."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

from sqlalchemy import CHAR, CheckConstraint, Computed, ForeignKey, Index, Numeric, String, text
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import Base, BigKey, OwnerId, SetByServer, SmallKey


class ExpenseCategory(Base):
    __tablename__ = "expense_categories"

    id: Mapped[SmallKey]
    user_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True, comment="Null: offered to everyone, seeded"
    )
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("expense_categories.id", ondelete="SET NULL"), index=True
    )
    name: Mapped[str] = mapped_column(String(80))
    monthly_limit: Mapped[decimal.Decimal | None]
    colour: Mapped[str | None] = mapped_column(CHAR(7), comment="As in CSS: #rrggbb")
    created_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("id <> parent_id", name="not_its_own_parent"),
        CheckConstraint("monthly_limit > 0", name="monthly_limit_positive"),
        CheckConstraint("colour ~ '^#[0-9a-f]{6}$'", name="colour_is_css"),
        # A unique index takes two nulls for different; the nil uuid stands for "everyone".
        Index(
            "uq_expense_categories_owner_name",
            text("coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid)"),
            text("lower(name)"),
            unique=True,
        ),
        {"comment": "What money is spent on"},
    )


class Expense(Base):
    __tablename__ = "expenses"

    id: Mapped[BigKey]
    user_id: Mapped[OwnerId]
    category_id: Mapped[int] = mapped_column(
        ForeignKey("expense_categories.id", ondelete="RESTRICT"), index=True
    )
    amount: Mapped[decimal.Decimal] = mapped_column(comment="Negative for money that came back")
    currency: Mapped[str] = mapped_column(CHAR(3), server_default="EUR")
    exchange_rate: Mapped[decimal.Decimal] = mapped_column(
        Numeric(12, 6), server_default=text("1"), comment="To the user's own currency, on the day"
    )
    amount_converted: Mapped[decimal.Decimal | None] = mapped_column(
        Computed("round(amount * exchange_rate, 2)", persisted=True)
    )
    spent_on: Mapped[datetime.date] = mapped_column(server_default=text("CURRENT_DATE"))
    merchant: Mapped[str | None] = mapped_column(String(200))
    receipt: Mapped[dict[str, Any] | None] = mapped_column(comment="What was read from the photograph")
    created_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_is_iso"),
        CheckConstraint("exchange_rate > 0", name="exchange_rate_positive"),
        Index(
            "ix_expenses_user_id_spent_on",
            "user_id",
            text("spent_on DESC"),
            postgresql_include=["amount_converted"],
        ),
        {"comment": "Every expense, in the currency it was made in"},
    )
