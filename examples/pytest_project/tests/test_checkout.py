import pytest
from shop.checkout import place_order, revenue
from shop.models import Country
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from govern.pytest_plugin import GovernDatabase, GovernSnapshot


def test_an_order_makes_a_customer_once(engine: Engine) -> None:
    place_order(engine, "ada@example.org", 1200)
    place_order(engine, "ada@example.org", 300)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM customers")) == 1
    assert revenue(engine) == 1500


def test_nothing_is_left_of_another_test(engine: Engine) -> None:
    assert revenue(engine) == 0


def test_the_countries_of_the_revisions_are_there(engine: Engine) -> None:
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Country)) == 2


def test_the_shop_leaves_the_schema_alone(engine: Engine, govern_snapshot: GovernSnapshot) -> None:
    place_order(engine, "ada@example.org", 1200)
    assert govern_snapshot() == govern_snapshot.declared


@pytest.mark.govern_ddl
def test_a_database_is_a_tests_own(govern_database: GovernDatabase, govern_snapshot: GovernSnapshot) -> None:
    with govern_database.engine.begin() as connection:
        connection.execute(text("DROP TABLE orders"))
    assert govern_snapshot() != govern_snapshot.declared
