"""Where the database is."""

import os

from sqlalchemy import Engine, create_engine, pool


def make_engine() -> Engine:
    return create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
