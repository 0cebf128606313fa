import pytest
from sqlalchemy import Engine

from govern.pytest_plugin import GovernDatabase


@pytest.fixture
def engine(govern_database: GovernDatabase) -> Engine:
    """The shop's database, empty but for what the revisions bring; each test has its own."""
    return govern_database.engine
