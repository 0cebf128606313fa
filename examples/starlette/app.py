"""Starlette: uvicorn examples.starlette.app:app"""

from __future__ import annotations

import os

from sqlalchemy import create_engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from govern.integrations.starlette import lifespan, router

engine = create_engine(os.environ["DATABASE_URL"])


def count_users(_: Request) -> JSONResponse:
    with engine.connect() as connection:
        return JSONResponse({"users": connection.scalar(text("SELECT count(*) FROM users"))})


# the last mount takes what is left: /health, /health/ping, /health/database, /metrics
app = Starlette(routes=[Route("/", count_users), Mount("/", router(engine))], lifespan=lifespan(engine))
