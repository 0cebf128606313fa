"""Litestar: litestar --app examples.litestar.app:app run"""

from __future__ import annotations

import os

from litestar import Litestar, get
from sqlalchemy import create_engine, text

from govern.integrations.litestar import GovernPlugin, dashboard

engine = create_engine(os.environ["DATABASE_URL"])


@get("/", sync_to_thread=True)
def count_users() -> dict[str, int]:
    with engine.connect() as connection:
        return {"users": connection.scalar(text("SELECT count(*) FROM users")) or 0}


# /internal/admin/database-health, with GOVERN_MONITOR_TOKEN
app = Litestar(route_handlers=[count_users, dashboard(engine)], plugins=[GovernPlugin(engine)])
