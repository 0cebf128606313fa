"""Does a text look like SQL? Only a first sieve: the database is the judge."""

from __future__ import annotations

import re

_OPENING = r"^(?:\s|--[^\n]*\n|/\*.*?\*/|\()*+"
"""Nothing of it is given back: a long text of blanks would be tried in all its parts."""
_OBJECT = (
    r"(?:(?:TEMP|TEMPORARY|UNLOGGED|UNIQUE|MATERIALIZED|RECURSIVE|OR|REPLACE|FOREIGN|EVENT|CONSTRAINT)\s+)*"
)
_OBJECT += (
    r"(?:TABLE|INDEX|VIEW|TRIGGER|FUNCTION|PROCEDURE|SEQUENCE|SCHEMA|TYPE|DOMAIN|EXTENSION|ROLE|USER|DATABASE"
)
_OBJECT += (
    r"|POLICY|RULE|PUBLICATION|SUBSCRIPTION|AGGREGATE|DEFAULT\s+PRIVILEGES|SYSTEM|COLLATION|CAST|OPERATOR)\b"
)
_STATEMENTS = (
    r"SELECT\b(?:.*\bFROM\s|\s*(?:[\d'\"(*$:%]|DISTINCT\b|CURRENT_\w+|\w+(?:\.\w+)?\s*\())",
    r"INSERT\s+(?:OR\s+\w+\s+)?INTO\s+\S",
    r"UPDATE\s+\S.*\bSET\b",
    r"DELETE\s+FROM\s+\S",
    r"WITH\b.*\bAS\s+(?:NOT\s+)?(?:MATERIALIZED\s*)?\(",
    r"MERGE\s+INTO\s+\S",
    r"REPLACE\s+INTO\s+\S",
    r"(?:CREATE|ALTER|DROP)\s+" + _OBJECT,
    r"TRUNCATE\s+(?:TABLE\s+)?\S+\s*(?:$|,|;|RESTART|CASCADE|CONTINUE|RESTRICT)",
    r"(?:GRANT|REVOKE)\b.*\b(?:ON|TO|FROM)\s",
    r"COPY\b.*\b(?:FROM|TO)\s",
    r"CALL\s+[\w.\"]+\s*\(",
    r"REFRESH\s+MATERIALIZED\b",
    r"LOCK\s+TABLE\b",
    r"COMMENT\s+ON\b",
    r"EXPLAIN\s+(?:\(|ANALYZE|VERBOSE|SELECT|INSERT|UPDATE|DELETE|WITH)",
    r"VALUES\s*\(",
    r"(?:VACUUM|ANALYZE|REINDEX|CLUSTER)\b\s*(?:\(|TABLE|INDEX|DATABASE|\w+\s*;?\s*$)",
    r"SET\s+(?:LOCAL\s+|SESSION\s+)?[\w.]+\s*(?:=|TO\b)",
    r"(?:SHOW|RESET|LISTEN|NOTIFY|UNLISTEN|PRAGMA)\s+\w+(?:\.\w+)?\s*(?:[;=,(]|$)",
    r"DO\s+\$",
)
_MAY_BE = re.compile(_OPENING + "(?:" + "|".join(_STATEMENTS) + ")", re.IGNORECASE | re.DOTALL)
_SURELY = re.compile(
    _OPENING + r"(?:SELECT\b.*\bFROM\b|" + "|".join(_STATEMENTS[1:9]) + ")",
    re.DOTALL,
)
_OPENERS = re.compile(
    r"SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|REPLACE|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|[{\\]"
)
"""What ``_SURELY`` begins with, and what may have it come from elsewhere."""


def may_be_sql(text: str) -> bool:
    """Whether a text that is given to something that often runs SQL is a statement, and no sentence or label."""
    return _MAY_BE.match(text) is not None


def is_surely_sql(text: str) -> bool:
    """Whether a text that nobody is seen to run is SQL all the same: in capitals, and more than one of its words."""
    return _SURELY.match(text) is not None


def cannot_be_sql(literal: str) -> bool:
    """Whether ``is_surely_sql`` would say no of whatever this string of a program means, told by its source alone.

    No word that SQL begins with stands in it, and nothing is filled in or escaped.
    """
    return _OPENERS.search(literal) is None
