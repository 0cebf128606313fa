"""Starlette: uvicorn examples.starlette.app:app"""

from __future__ import annotations

import os

from sqlalchemy import create_engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from govern.integrations.starlette import dashboard, lifespan, router

engine = create_engine(os.environ["DATABASE_URL"])


def count_users(_: Request) -> JSONResponse:
    with engine.connect() as connection:
        return JSONResponse({"users": connection.scalar(text("SELECT count(*) FROM users"))})


routes = [
    Route("/", count_users),
    Mount("/internal", dashboard(engine)),  # /internal/admin/database-health, with GOVERN_MONITOR_TOKEN
    Mount("/", router(engine)),  # takes what is left: /health, /health/ping, /health/database, /metrics
]
app = Starlette(routes=routes, lifespan=lifespan(engine))
