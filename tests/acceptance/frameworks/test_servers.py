"""Each framework's real server: it serves on its own schema, and ends with the reason on any other."""

from __future__ import annotations

import pytest

from tests.acceptance.frameworks.servers import COMMANDS, refused, serving
from tests.acceptance.program import Done, Project, dump, execute

PLAIN = ["-m", "examples.plain"]
WORKER = ["-m", "celery", "--quiet", "--app", "examples.celery.app", "worker", "--pool", "solo"]
BEAT = ["-m", "celery", "--quiet", "--app", "examples.celery.app", "beat", "--schedule", "{schedule}"]
BEHIND = "UPDATE alembic_version SET version_num = 'r1'"


def assert_refused(done: Done, exit_codes: set[int]) -> None:
    """It ended, and the four sentences were said."""
    assert done.exit_code in exit_codes, done
    said = done.err[done.err.index("the application refuses to start: ") :]
    assert "is at r1, the application needs r2\n" in said, done
    assert "next:  govern migrate\n" in said, done
    assert "state: nothing was changed\n" in said, done


def exit_codes_of(server: str) -> set[int]:
    """ASGI servers have their own for a lifespan that failed; so has a gunicorn that loses two workers at once."""
    is_lifespan = server.startswith(("fastapi", "starlette", "litestar"))
    return {3 if is_lifespan else 4} | ({1} if "gunicorn" in server else set())


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
@pytest.mark.parametrize("server", COMMANDS)
def test_a_server_answers_on_its_own_schema_and_ends_on_another(server: str, governed: Project) -> None:
    with serving(governed, server) as running:
        assert running.get("/") == (200, {"users": 1})
        status, health = running.get("/health")
        assert (status, health["status"]) == (200, "healthy"), health
        assert running.get("/health/database")[0] == 200
        assert running.get("/metrics")[0] == 200
    execute(governed.database, BEHIND)
    before, files = dump(governed.database), governed.read_files()
    done = refused(governed, server)
    assert_refused(done, exit_codes_of(server))
    if not server.startswith("litestar"):  # it wraps every error of a start in a group of its own
        traceback = [line for line in done.err.splitlines() if line.startswith('  File "')]
        assert len(traceback) <= 6 * done.err.count("Traceback"), done
    assert dump(governed.database) == before
    assert governed.read_files() == files
