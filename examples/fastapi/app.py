"""FastAPI with an async engine: uvicorn examples.fastapi.app:app"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from govern.integrations.fastapi import dashboard, lifespan, router

engine = create_async_engine(os.environ["DATABASE_URL"])


@asynccontextmanager
async def own_lifespan(_: FastAPI) -> AsyncIterator[None]:
    """What the application needs itself; entered only on the right schema."""
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan(engine, then=own_lifespan))
app.include_router(router(engine))  # /health, /health/ping, /health/database, /metrics
app.mount("/internal", dashboard(engine))  # /internal/admin/database-health, with GOVERN_MONITOR_TOKEN


@app.get("/")
async def count_users() -> dict[str, int]:
    async with engine.connect() as connection:
        return {"users": await connection.scalar(text("SELECT count(*) FROM users")) or 0}
