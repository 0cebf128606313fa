"""The guards of a migration: what each asks before the first statement runs, and what would let it pass.

A guard is data. What it asks is answered elsewhere; the answer is the entry of its name in a report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Something that can say no while nothing was touched."""

    name: str
    """Of its entry in a report."""
    asks: str
    """The question whose answer has to be yes."""
    passes: str
    """What to do where it is no."""
    is_asked_by_plan: bool
    """Whether it can be asked without changing or making anything but scratch databases."""
    needs_server: bool = False
    """Whether it asks of roles, sessions or replicas, which a file has none of."""
    when: str = ""
    """On which runs it is asked, where not on each."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "asks": self.asks,
            "passes": self.passes,
            "when": self.when,
            "asked_by_plan": self.is_asked_by_plan,
            "only_postgresql": self.needs_server,
        }


CHAIN = Guard(
    name="chain",
    asks="can the revision files be walked: every parent there, no cycle, one base, one head, each file readable?",
    passes="correct the file that is named; all that is wrong with the files: govern chain",
    is_asked_by_plan=True,
)
HISTORY = Guard(
    name="history",
    asks="are the revisions that this database, its ledger and govern.sum know still the files that they were?",
    passes="bring the file back as it was; an edit that was reviewed is recorded by govern lock",
    is_asked_by_plan=True,
)
SAVED_PLAN = Guard(
    name="plan",
    asks="are the database and the revision files still those that the saved plan was made for?",
    passes="make the plan again and review it: govern plan --out FILE",
    is_asked_by_plan=True,
    when="with --plan",
)
WAY_BACK = Guard(
    name="way-back",
    asks="has each revision that is to be taken back a downgrade that takes it back?",
    passes="restore a backup from before it, or write its downgrade(); one that does nothing is gone past with "
    "--allow keeps-changes:REVISION",
    is_asked_by_plan=True,
    when="with govern downgrade",
)
POOLER = Guard(
    name="pooler",
    asks="does the URL lead to a session that stays ours, so that a lock of it holds?",
    passes="give the URL of PostgreSQL itself, or of a connection pool in session mode",
    is_asked_by_plan=True,
    needs_server=True,
)
LOCK = Guard(
    name="lock",
    asks="does nobody else migrate, repair or back up this database?",
    passes="wait (lock_wait_seconds), or see who it is: govern doctor --locks",
    is_asked_by_plan=True,
)
RESUME = Guard(
    name="resume",
    asks="of a revision that was begun before and commits midway: is it proven what of it is left to do?",
    passes="take back by hand what it did, or finish it by hand and stamp it; the finding has each statement",
    is_asked_by_plan=True,
    when="where a revision was begun before",
)
UNCOMMITTED = Guard(
    name="uncommitted",
    asks="has no other session changed the schema, or prepared a transaction, without having committed it?",
    passes="commit or roll back there: the session, or the prepared transaction, is named",
    is_asked_by_plan=True,
    needs_server=True,
)
REPLICAS = Guard(
    name="replicas",
    asks="do the replicas keep up?",
    passes="wait until they do; replica_lag_seconds says from when on it matters. It warns, and refuses only after "
    "calm_wait_seconds",
    is_asked_by_plan=True,
    needs_server=True,
)
DISK = Guard(
    name="disk",
    asks="is there room for the backup, and for the scratch database that it is restored into?",
    passes="free some space, or set backups elsewhere; --backup off needs none",
    is_asked_by_plan=True,
    when="without --backup off",
)
BACKUP = Guard(
    name="backup",
    asks="is there a backup of this moment?",
    passes="see to what is named: the folder, the disk, pg_dump; --backup off goes without one",
    is_asked_by_plan=False,
    when="without --backup off",
)
VERIFY = Guard(
    name="verify",
    asks="does the backup restore to the same revision, schema and numbers of rows?",
    passes="look at the disk and at the server's log; a place for scratch databases is named by govern doctor",
    is_asked_by_plan=False,
    when="without --backup off",
)
REHEARSE = Guard(
    name="rehearse",
    asks="do the pending revisions succeed on a copy, and is it as declared afterwards?",
    passes="correct the revision, or bring the schema in order first: govern drift; --rehearse off does without, "
    "and then nobody has seen what they do",
    is_asked_by_plan=True,
    when="without --rehearse off",
)
HAZARDS = Guard(
    name="hazards",
    asks="is everything that the revisions lose allowed by its name?",
    passes="allow each loss: --allow drops-column:users.nick, or allow in the manifest, with an owner and a last day",
    is_asked_by_plan=True,
)
RIGHTS = Guard(
    name="rights",
    asks="may the role do to the live objects what the revisions did to their copies?",
    passes="migrate as the owner, or let one who may grant what is named",
    is_asked_by_plan=True,
    needs_server=True,
    when="after a rehearsal",
)
DRIFT = Guard(
    name="drift",
    asks="is the schema the one that its revision declares, or will it be once the pending revisions have run?",
    passes="bring it in order: govern drift, govern repair plan; or accept the difference: drift in the manifest",
    is_asked_by_plan=True,
)
TRANSACTIONS = Guard(
    name="transactions",
    asks="is no transaction open for long that the revisions would wait for?",
    passes="let it end; long_transaction_seconds says from when on it is long. It warns, and refuses only after "
    "calm_wait_seconds",
    is_asked_by_plan=True,
    needs_server=True,
    when="after a rehearsal",
)

GUARDS = (
    CHAIN,
    HISTORY,
    WAY_BACK,
    POOLER,
    LOCK,
    SAVED_PLAN,
    RESUME,
    UNCOMMITTED,
    REPLICAS,
    DISK,
    BACKUP,
    VERIFY,
    REHEARSE,
    HAZARDS,
    DRIFT,
    RIGHTS,
    TRANSACTIONS,
)
"""In the order in which they are asked."""
