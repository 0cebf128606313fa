"""PostgreSQL in a container, where a Docker engine answers and testcontainers is installed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, ToolMissing

INSTALL_LINE = "pip install 'govern[containers]'"
_SOCKET = Path("/var/run/docker.sock")


@contextmanager
def run_postgresql(major: int) -> Iterator[DatabaseUrl]:
    """Database "postgres" of a fresh server of that major, removed at the end of the block. Takes seconds.

    Raises ToolMissing without testcontainers or Docker, CouldNotCheck where the container does not come up.
    """
    try:
        from testcontainers.community.postgres import PostgresContainer
    except ImportError:
        raise ToolMissing(
            "testcontainers is not installed", next=f"{INSTALL_LINE}, or configure scratch_url"
        ) from None
    if not is_docker_answering():
        raise ToolMissing(
            "no Docker engine answers", why=f"neither DOCKER_HOST nor {_SOCKET}", next="start Docker"
        )
    password = secrets.token_hex(16)
    started = PostgresContainer(
        f"postgres:{major}", username="postgres", password=password, dbname="postgres", driver=None
    )
    try:
        started.start()
    except Exception as error:  # docker, requests and testcontainers each raise their own
        started.stop()
        raise CouldNotCheck(
            f"a container of postgres:{major} did not start", why=str(error), next="see: docker ps -a"
        ) from error
    try:
        yield DatabaseUrl.parse(started.get_connection_url())
    finally:
        started.stop()


def is_installed() -> bool:
    """Whether the extra is there; without it nobody looks for a Docker engine."""
    return find_spec("testcontainers") is not None


def is_docker_answering() -> bool:
    """Whether there is a Docker engine; quick where there is none."""
    if "DOCKER_HOST" not in os.environ and not _SOCKET.exists():
        return False
    try:
        import docker  # comes with testcontainers
        from docker.errors import DockerException
    except ImportError:
        return False
    try:
        client = docker.from_env(timeout=5)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except DockerException:
        return False
    finally:
        client.close()
