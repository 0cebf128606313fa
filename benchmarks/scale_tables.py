"""One database with ten thousand tables: what each command takes that looks at all of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg
from drift import FAST, batches, bin, make_database, make_project, schema_sql
from scale_lines import Lines
from watched import watch

from govern.database import embedded

PART = "tables"
LIMIT_SECONDS = 600
FIRST = '''"""all of the schema"""
from pathlib import Path

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    for text in Path(__file__).with_name("schema.sql").read_text().split("\\n--\\n"):
        op.get_bind().exec_driver_sql(text)


def downgrade():
    raise NotImplementedError
'''
SECOND = '''"""one column"""
import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.add_column("t5", sa.Column("more", sa.Text))


def downgrade():
    op.drop_column("t5", "more")
'''
CODE = "\n".join(
    f'def find_{number}(session): return session.execute("SELECT id, name FROM t{number} WHERE amount > 1")'
    for number in range(1000)
)
VALIDATE = "import sys\nfrom govern import validate_on_startup\nvalidate_on_startup(sys.argv[1])\n"
HELD_SQL = "SELECT count(*) FROM pg_class"


def measure(lines: Lines, *, tables: int) -> None:
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the server may run as another user
        try:
            _measure(lines, folder, tables)
        finally:
            embedded.stop(folder / ".govern")


def _measure(lines: Lines, folder: Path, tables: int) -> None:
    server = embedded.ensure_running(folder / ".govern", settings=FAST).with_database("postgres")
    live, other = (make_database(server, name, tables) for name in ("live", "other"))
    with psycopg.connect(live.conninfo) as session:
        objects = session.execute(HELD_SQL).fetchone()
    project = make_project(folder / "project", live, tables)
    _write_revisions(project, tables)
    lock = project / "schema" / "schema.lock"
    govern, quiet = bin("govern"), ("--quiet", "--url", live.text)
    validate = (sys.executable, "-c", VALIDATE, live.text)
    print(f"\n{tables:,} tables, {objects[0] if objects else 0:,} relations")

    def run(case: str, *command: str, made: Path | None = None) -> None:
        course = watch(command, project, server=folder, limit_seconds=LIMIT_SECONDS)
        if course.used.exit_code not in (0, 1):
            print(course.complained[-1500:] or course.told[-1500:])
        facts = {"made_megabytes": round(made.stat().st_size / 1e6, 1)} if made and made.exists() else {}
        lines.note(PART, case, tables, course, **facts)

    snapshot, picture = project / "live.lock", project / "schema.svg"
    run("snapshot", govern, "snapshot", *quiet, "--output", str(snapshot), made=snapshot)
    run("drift --against URL", govern, "drift", *quiet, "--against", other.text)
    run("drift --against a snapshot file", govern, "drift", *quiet, "--against", str(snapshot))
    run("drift --against revision", govern, "drift", *quiet)
    run("lock", govern, "lock", *quiet, made=lock)
    run("validate_on_startup, never governed", *validate)
    run("diagram, as SVG", govern, "diagram", *quiet, "--output", str(picture), made=picture)
    (project / "code").mkdir()
    (project / "code" / "queries.py").write_text(CODE, encoding="utf-8")
    run("scan of 1,000 statements", govern, "scan", *quiet, "--against", "revision", "code")
    (project / "migrations/versions/r2.py").write_text(SECOND, encoding="utf-8")
    migrate = (govern, "migrate", *quiet)
    run("plan of one column", govern, "plan", *quiet)
    run("migrate, one column: no rehearsal, no backup", *migrate, "--rehearse", "off", "--backup", "off")
    run("validate_on_startup, as migrated", *validate)
    run("fleet status", *_fleet(project, live.text, "status"))
    run("fleet check", *_fleet(project, live.text, "check"))
    with psycopg.connect(live.conninfo, autocommit=True) as session:
        session.execute("ALTER TABLE t5 DROP COLUMN IF EXISTS more")
        session.execute("UPDATE alembic_version SET version_num = 'r1'")
    run("migrate, one column: rehearsed, no backup", *migrate, "--backup", "off")


def _fleet(project: Path, url: str, command: str) -> Sequence[str]:
    (project / "targets.yaml").write_text(f"targets:\n  - {{name: one, url: '{url}'}}\n", encoding="utf-8")
    return (bin("govern"), "fleet", command, "--quiet", "--targets", "targets.yaml")


def _write_revisions(project: Path, tables: int) -> None:
    """The first revision makes what SQL files declare: what models can say is not all of the schema."""
    texts = [";\n".join(batch) for batch in batches(schema_sql(tables), 500)]
    versions, declared = project / "migrations/versions", project / "schema/sql"
    (versions / "r1.py").write_text(FIRST, encoding="utf-8")
    (versions / "schema.sql").write_text("\n--\n".join(texts), encoding="utf-8")
    declared.mkdir(parents=True)
    for number, text in enumerate(texts):
        (declared / f"{number:04}.sql").write_text(f"{text};\n", encoding="utf-8")
    (project / "models.py").write_text("metadata = None\n", encoding="utf-8")
    (project / "govern.toml").write_text('sql = "schema/sql"\n', encoding="utf-8")
