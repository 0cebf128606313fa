"""A hundred thousand revisions in one graph: what is asked of the graph alone, and of a database near its end."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from chain import line_up, name, write_project
from drift import bin
from scale_lines import Lines
from watched import watch

PART = "revisions"
LIMIT_SECONDS = 150
"""Of one command; what was too slow is not tried with more revisions."""
ENVIRONMENT = """import sqlalchemy as sa
from alembic import context
engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url") or "sqlite://")
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
FUNCTIONS = """
def upgrade() -> None:
    op.execute("SELECT {number}")


def downgrade() -> None:
    op.execute("SELECT {number}")
"""
"""What counts here is the graph, and not what it makes."""
VALIDATE = "import sys\nfrom govern import validate_on_startup\nvalidate_on_startup(sys.argv[1])\n"


def measure(lines: Lines, *, revisions: Sequence[int]) -> None:
    """On SQLite, whose scratch databases cost nothing."""
    too_slow: set[str] = set()
    for number in sorted(revisions):
        print(f"\n{number:,} revisions")
        with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
            project = write_project(Path(folder), line_up(number), FUNCTIONS)
            (project / "migrations/env.py").write_text(ENVIRONMENT, encoding="utf-8")
            url = _make_database(project, number)
            for case, command in _commands(url).items():
                if case in too_slow:
                    continue
                course = watch(command, project, limit_seconds=LIMIT_SECONDS)
                if course.used.exit_code not in (0, 1):
                    print((course.complained or course.told)[-800:])
                if lines.note(PART, case, number, course).used.is_out_of_time:
                    too_slow.add(case)


def _make_database(project: Path, number: int) -> str:
    """All but the newest revision were applied."""
    path = project / "app.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (name(number - 2),))
    url = f"sqlite:///{path}"
    (project / "targets.yaml").write_text(f"targets:\n  - {{name: one, url: '{url}'}}\n", encoding="utf-8")
    return url


def _commands(url: str) -> Mapping[str, Sequence[str]]:
    """In this order: the last one applies what is pending."""
    govern, quiet = bin("govern"), ("--quiet", "--url", url)
    bare = ("--backup", "off", "--rehearse", "off")
    return {
        "chain": (govern, "chain", "--quiet"),
        "alembic heads": (bin("alembic"), "heads"),
        "validate_on_startup": (sys.executable, "-c", VALIDATE, url),
        "fleet status": (govern, "fleet", "status", "--quiet", "--targets", "targets.yaml"),
        "migrate --dry-run": (govern, "migrate", *quiet, *bare, "--dry-run"),
        "migrate, one pending": (govern, "migrate", *quiet, *bare),
    }
