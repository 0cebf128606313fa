"""What stands in the way of a migration that is about to begin. They read, and neither wait nor decide."""

from __future__ import annotations

from govern.checks.guard.hazards import HAZARD, check_hazards
from govern.checks.guard.lock import POOLED_CONNECTION, check_lock_free, check_session
from govern.checks.guard.replicas import LAGGING_REPLICA, check_replicas
from govern.checks.guard.rights import MISSING_RIGHT, check_rights
from govern.checks.guard.space import TOO_LITTLE_SPACE, Room, check_space
from govern.checks.guard.transactions import (
    LONG_TRANSACTION,
    UNCOMMITTED_CHANGE,
    check_long_transactions,
    check_uncommitted,
)

RULES = (
    POOLED_CONNECTION,
    UNCOMMITTED_CHANGE,
    LAGGING_REPLICA,
    TOO_LITTLE_SPACE,
    HAZARD,
    MISSING_RIGHT,
    LONG_TRANSACTION,
)

__all__ = [
    "RULES",
    "Room",
    "check_hazards",
    "check_lock_free",
    "check_long_transactions",
    "check_replicas",
    "check_rights",
    "check_session",
    "check_space",
    "check_uncommitted",
]
