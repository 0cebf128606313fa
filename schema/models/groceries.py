"""The larder, the shops' offers, and what could be saved."""

from __future__ import annotations

import datetime
import decimal
import enum
from typing import Any

from sqlalchemy import CheckConstraint, Index, Numeric, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schema.models.declarative import Base, BigKey, OwnerId, SetByServer, native_enum


class GroceryUnit(enum.StrEnum):
    PIECE = "piece"
    GRAM = "g"
    KILOGRAM = "kg"
    MILLILITRE = "ml"
    LITRE = "l"


class GroceryItem(Base):
    __tablename__ = "grocery_items"

    id: Mapped[BigKey]
    user_id: Mapped[OwnerId] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(120))
    quantity: Mapped[decimal.Decimal] = mapped_column(Numeric(10, 3), server_default=text("1"))
    unit: Mapped[GroceryUnit] = mapped_column(
        native_enum(GroceryUnit, "grocery_unit"), server_default=GroceryUnit.PIECE.value
    )
    price: Mapped[decimal.Decimal | None]
    best_before: Mapped[datetime.date | None]
    purchased_at: Mapped[datetime.datetime | None] = mapped_column(comment="Null: still on the list")
    created_at: Mapped[SetByServer]
    updated_at: Mapped[SetByServer]

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("price >= 0", name="price_not_negative"),
        Index(
            "uq_grocery_items_on_list",
            "user_id",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("purchased_at IS NULL"),
        ),
        {"comment": "The shopping list, and what was bought from it"},
    )


class GroceryDeal(Base):
    __tablename__ = "grocery_deals"

    id: Mapped[BigKey]
    store: Mapped[str] = mapped_column(String(80))
    item_name: Mapped[str] = mapped_column(String(120))
    price: Mapped[decimal.Decimal]
    regular_price: Mapped[decimal.Decimal | None]
    valid_from: Mapped[datetime.date]
    valid_until: Mapped[datetime.date]
    source_url: Mapped[str | None]
    created_at: Mapped[SetByServer]

    __table_args__ = (
        UniqueConstraint("store", "item_name", "valid_from"),
        CheckConstraint("price >= 0 AND price <= regular_price", name="price_is_a_deal"),
        CheckConstraint("valid_until >= valid_from", name="valid_until_after_from"),
        Index("ix_grocery_deals_item_name", text("lower(item_name)"), "valid_until"),
        {"comment": "Offers read from the shops' leaflets"},
    )


class GroceryAnalysis(Base):
    __tablename__ = "grocery_analysis"

    id: Mapped[BigKey]
    user_id: Mapped[OwnerId]
    period_start: Mapped[datetime.date]
    period_end: Mapped[datetime.date]
    spent: Mapped[decimal.Decimal] = mapped_column(server_default=text("0"))
    could_save: Mapped[decimal.Decimal] = mapped_column(server_default=text("0"))
    breakdown: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    suggestions: Mapped[list[str]] = mapped_column(server_default="{}")
    created_at: Mapped[SetByServer]

    __table_args__ = (
        UniqueConstraint("user_id", "period_start", "period_end"),
        CheckConstraint("period_end > period_start", name="period_not_empty"),
        CheckConstraint("could_save <= spent", name="could_save_at_most_all"),
        {"comment": "What a household spent on food in a period, and what it need not have"},
    )
