"""Celery: celery --app examples.celery.app worker

Without a broker of its own it uses one in memory, which is enough to see it start, or refuse.
"""

from __future__ import annotations

import os

from celery import Celery
from sqlalchemy import create_engine, text

from govern.integrations import celery as govern

url = os.environ["DATABASE_URL"]
app = Celery("examples", broker=os.environ.get("CELERY_BROKER_URL", "memory://"))
govern.init_app(app, url)  # asked of workers and the beat, not of who only sends tasks


@app.task
def count_users() -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        users: int = connection.scalar(text("SELECT count(*) FROM users")) or 0
    engine.dispose()
    return users
