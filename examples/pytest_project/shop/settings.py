"""Where the database is, when the shop is open."""

import os


def database_url() -> str:
    return os.environ.get("DATABASE_URL", "postgresql+psycopg:///shop")
