from shop.models.base import Base
from shop.models.customers import Customer
from shop.models.orders import Country, Order

__all__ = ["Base", "Country", "Customer", "Order"]
