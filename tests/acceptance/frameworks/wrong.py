"""The ways in which a database is not the one an application was written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from govern.database.url import DatabaseUrl
from tests.acceptance.program import Project, execute

MakeEmpty = Callable[[], DatabaseUrl]
"""Makes a fresh database on the project's engine."""
POSTGRESQL = ("postgresql",)
BOTH = ("postgresql", "sqlite")
_UNHEALTHY = {
    "postgresql": """UPDATE govern.runs SET validated = false, run = run ||
        '{"result": "unhealthy", "error": "too few rows were left"}'""",
    "sqlite": """UPDATE govern_runs SET validated = 0, run = json_set(run, '$.result', 'unhealthy',
        '$.error', 'too few rows were left')""",
}
_OTHERS = (
    "CREATE TABLE invoices (id integer PRIMARY KEY)",
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
    "INSERT INTO alembic_version VALUES ('aaaa')",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One way, and what the refusal must name."""

    make: Callable[[Project, MakeEmpty], Project]
    said: str
    engines: tuple[str, ...] = BOTH


def _by_hand(*statements: str) -> Callable[[Project, MakeEmpty], Project]:
    def make(project: Project, _: MakeEmpty) -> Project:
        execute(project.database, *statements)
        return project

    return make


def _missing(project: Project, _: MakeEmpty) -> Project:
    if project.database.dialect == "postgresql":
        return project.with_url(project.database.with_database("not_there"))
    project.database.path.unlink()
    return project


def _another(*statements: str) -> Callable[[Project, MakeEmpty], Project]:
    def make(project: Project, make_empty: MakeEmpty) -> Project:
        url = make_empty()
        execute(url, *statements)
        return project.with_url(url)

    return make


def _unhealthy(project: Project, _: MakeEmpty) -> Project:
    execute(project.database, _UNHEALTHY[project.database.dialect])
    return project


def _other_lock(project: Project, _: MakeEmpty) -> Project:
    """Of an application with the same head and another schema: two branches that were built at once."""
    lock = (project.root / "schema/schema.lock").read_text(encoding="utf-8")
    before, name, after = lock.partition("notes.body\n")
    project.write(
        {"schema/schema.lock": before + name + after.replace("nullable: false", "nullable: true", 1)}
    )
    return project


WRONG: Mapping[str, Wrong] = {
    "missing": Wrong(make=_missing, said="there is no "),
    "empty": Wrong(make=_another(), said="has no tables"),
    "wrong database": Wrong(make=_another(*_OTHERS), said="and none of the application's"),
    "stamped but empty": Wrong(
        make=_another(_OTHERS[1], "INSERT INTO alembic_version VALUES ('r3')"),
        said="is stamped r3, but has no tables",
    ),
    "behind": Wrong(make=_by_hand("UPDATE alembic_version SET version_num = 'r2'"), said="is at r2"),
    "unknown revision": Wrong(
        make=_by_hand("UPDATE alembic_version SET version_num = 'ffff'"), said="is at ffff"
    ),
    "two version rows": Wrong(make=_by_hand("INSERT INTO alembic_version VALUES ('r2')"), said="r2"),
    "dropped column": Wrong(make=_by_hand("ALTER TABLE notes DROP COLUMN body"), said="notes.body"),
    "retyped column": Wrong(
        make=_by_hand("ALTER TABLE notes ALTER COLUMN body TYPE varchar(90)"),
        said="notes.body",
        engines=POSTGRESQL,
    ),
    "retyped column of SQLite": Wrong(
        make=_by_hand(
            "ALTER TABLE notes DROP COLUMN body",
            "ALTER TABLE notes ADD COLUMN body INTEGER NOT NULL DEFAULT 0",
        ),
        said="notes.body",
        engines=("sqlite",),
    ),
    "missing critical index": Wrong(make=_by_hand("DROP INDEX ix_notes_user_id"), said="ix_notes_user_id"),
    "INVALID index": Wrong(
        make=_by_hand(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_notes_user_id'::regclass"
        ),
        said="ix_notes_user_id",
        engines=POSTGRESQL,
    ),
    "NOT VALID foreign key": Wrong(
        make=_by_hand(
            "ALTER TABLE notes DROP CONSTRAINT notes_user_id_fkey",
            "ALTER TABLE notes ADD CONSTRAINT notes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users NOT VALID",
        ),
        said="notes_user_id_fkey",
        engines=POSTGRESQL,
    ),
    "disabled trigger": Wrong(
        make=_by_hand("ALTER TABLE notes DISABLE TRIGGER tidy_notes"), said="tidy_notes", engines=POSTGRESQL
    ),
    "row security off": Wrong(
        make=_by_hand("ALTER TABLE notes DISABLE ROW LEVEL SECURITY"), said="notes", engines=POSTGRESQL
    ),
    "too few rows": Wrong(make=_by_hand("DELETE FROM users"), said="users"),
    "unhealthy run": Wrong(make=_unhealthy, said="too few rows were left"),
    "another application's lock": Wrong(make=_other_lock, said="notes.body"),
}
