"""The eight breakages of a PostgreSQL database: what happened, by which rules it is found, who brings it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import psycopg


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """One thing that went wrong."""

    name: str
    sentence: str
    """What happened, as one would tell it."""
    table: str
    statements: Sequence[str]
    rules: frozenset[str]
    """Of all that is found because of it; nothing else may be."""
    by: Literal["monitor", "person"]
    """Who brings it back: the monitor by its policy, or a person."""
    commands: Sequence[str] = ()
    """What a person types for it, in this order; ``{backup}`` is the one of before."""


ORPHANS = Breakage(
    name="orphans",
    sentence="a crashed import left tokens of sessions that are not there",
    table="auth_tokens",
    statements=(
        "SET session_replication_role = replica",
        """
        INSERT INTO auth_tokens (user_id, session_id, kind, token_hash, expires_at)
        SELECT md5('user ' || n)::uuid, md5('lost session ' || n)::uuid, 'refresh',
               sha256(('lost token ' || n)::bytea), '2099-01-01Z'
        FROM generate_series(1, 7) AS n
        """,
        "RESET session_replication_role",
    ),
    rules=frozenset({"integrity.orphan"}),
    by="monitor",
)
COLUMN = Breakage(
    name="column",
    sentence="somebody dropped the passwords' column",
    table="users",
    statements=("ALTER TABLE users DROP COLUMN password_hash",),
    rules=frozenset({"drift.column-removed"}),
    by="person",
    commands=("repair apply", "restore {backup} --table users --allow overwrites-rows:users"),
)
TEXT = Breakage(
    name="text",
    sentence="a hotfix made user_id a text, and its foreign key was in the way",
    table="user_phone_mappings",
    statements=(
        "ALTER TABLE user_phone_mappings DROP CONSTRAINT fk_user_phone_mappings_user_id",
        "ALTER TABLE user_phone_mappings ALTER COLUMN user_id TYPE text USING user_id::text",
    ),
    rules=frozenset({"drift.column-changed", "drift.constraint-removed", "integrity.type-mismatch"}),
    by="person",
    commands=("repair apply user-ids-are-uuids", "repair apply telephones-belong-to-users"),
)
INDEX = Breakage(
    name="index",
    sentence="an index was dropped for a load, and never made again",
    table="user_sessions",
    statements=("DROP INDEX ix_user_sessions_user_id",),
    rules=frozenset({"drift.index-removed"}),
    by="monitor",
)
TRIGGER = Breakage(
    name="trigger",
    sentence="a trigger was disabled for the same load",
    table="users",
    statements=("ALTER TABLE users DISABLE TRIGGER touch_updated_at",),
    rules=frozenset({"drift.trigger-changed"}),
    by="monitor",
)
EXPIRED = Breakage(
    name="expired",
    sentence="the job that deletes expired sessions has not run for months",
    table="user_sessions",
    statements=(
        """
        INSERT INTO user_sessions (id, user_id, user_agent, created_at, last_seen_at, expires_at)
        SELECT md5('expired session ' || n)::uuid, md5('user ' || n)::uuid, 'Netscape',
               '2025-01-01Z', '2025-01-01Z', '2025-01-08Z'
        FROM generate_series(1, 40) AS n
        """,
    ),
    rules=frozenset({"integrity.repair-due"}),
    by="person",
    commands=("repair apply expired-sessions",),
)
DEFAULTS = Breakage(
    name="defaults",
    sentence="users were imported without the settings that each of them should have",
    table="user_settings",
    statements=(
        """
        DELETE FROM user_settings AS settings USING users AS account
        WHERE account.id = settings.user_id AND account.display_name LIKE '%0'
        """,
    ),
    rules=frozenset({"integrity.repair-due"}),
    by="person",
    commands=("repair apply default-settings",),
)
TABLE = Breakage(
    name="table",
    sentence="a table was taken for a left-over",
    table="grocery_deals",
    statements=("DROP TABLE grocery_deals",),
    rules=frozenset({"drift.table-removed"}),
    by="person",
    commands=("restore {backup} --merge --table grocery_deals",),
)
BREAKAGES = (ORPHANS, TEXT, COLUMN, INDEX, TRIGGER, EXPIRED, DEFAULTS, TABLE)


def break_database(conninfo: str, breakages: Sequence[Breakage] = BREAKAGES) -> None:
    """Does all of it to the database of a drill, each breakage in one transaction."""
    with psycopg.connect(conninfo) as session:
        for breakage in breakages:
            for statement in breakage.statements:
                session.execute(statement.encode())
            session.commit()
