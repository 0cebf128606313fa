"""What the shop does."""

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from shop.models import Customer, Order


def place_order(engine: Engine, email: str, cents: int) -> int:
    """Takes an order, and makes a customer of whoever is none yet; returns the order's number."""
    with Session(engine) as session, session.begin():
        customer = session.scalar(select(Customer).where(Customer.email == email))
        if customer is None:
            customer = Customer(email=email)
            session.add(customer)
            session.flush()
        order = Order(customer_id=customer.id, cents=cents)
        session.add(order)
        session.flush()
        return order.id


def revenue(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.coalesce(func.sum(Order.cents), 0))) or 0
