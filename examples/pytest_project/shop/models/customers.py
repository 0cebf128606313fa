from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from shop.models.base import Base


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(200), unique=True)
