"""Does a text look like SQL? Only a first sieve: the database is the judge."""

from __future__ import annotations

import re

_OPENING = r"^(?:\s+|--[^\n]*\n|/\*.*?\*/|\()*"
_STATEMENT = re.compile(
    _OPENING
    + r"(?:SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|CREATE|ALTER|DROP|TRUNCATE|COPY|CALL|REFRESH|LOCK|GRANT|REVOKE"
    r"|EXPLAIN|VALUES|TABLE|ANALYZE|VACUUM|COMMENT|DECLARE|REINDEX|REPLACE|PRAGMA|SET|SHOW|DO)\b",
    re.IGNORECASE | re.DOTALL,
)
_UNMISTAKABLE = re.compile(
    _OPENING
    + r"(?:SELECT\b.*\bFROM\b|INSERT\s+INTO\s+\S|UPDATE\s+\S.*\bSET\b|DELETE\s+FROM\s+\S|WITH\b.*\bAS\s*\("
    r"|MERGE\s+INTO\b|TRUNCATE\s+\S|(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|UNIQUE|VIEW|MATERIALIZED|TEMP)\b)",
    re.DOTALL,
)


def may_be_sql(text: str) -> bool:
    """Whether a text that is given to something that runs SQL begins as a statement does."""
    return _STATEMENT.match(text) is not None


def is_surely_sql(text: str) -> bool:
    """Whether a text that nobody is seen to run is SQL all the same: in capitals, and more than one of its words."""
    return _UNMISTAKABLE.match(text) is not None
