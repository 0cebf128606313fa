"""Why an application does not start, as rules."""

from __future__ import annotations

from govern.core.finding import Rule, Severity

UNREACHABLE = Rule(
    id="startup.unreachable",
    name="the database cannot be reached",
    severity=Severity.CRITICAL,
    condition="no connection to the database can be made",
    effect="every request that needs the database would fail",
    remedy="start the server or correct the URL; see govern doctor",
)
EMPTY = Rule(
    id="startup.empty-database",
    name="the database is empty",
    severity=Severity.CRITICAL,
    condition="the database has no tables, whatever its version row says",
    effect="users would see all of their data gone, and the application would write into nothing",
    remedy="check that the URL is the right one; a new database is made with: govern migrate",
)
BEHIND = Rule(
    id="startup.behind",
    name="revisions are pending",
    severity=Severity.CRITICAL,
    condition="the database is stamped with an older revision than the application's",
    effect="queries name tables and columns that are not there yet",
    remedy="govern migrate",
)
AHEAD = Rule(
    id="startup.ahead",
    name="the database is newer than the application",
    severity=Severity.WARNING,
    condition="the ledger says the database passed this application's revision and went on",
    effect="this application may write what the newer schema no longer expects",
    remedy="deploy the newer application; during a rolling deploy this is normal",
)
UNKNOWN_REVISION = Rule(
    id="startup.unknown-revision",
    name="the database is stamped with a revision nobody knows",
    severity=Severity.CRITICAL,
    condition="the version table names a revision that neither the files nor the ledger have",
    effect="the schema may be another application's, or a branch's that was never merged",
    remedy="check the URL and the deployed version, see govern history; if both are right, govern baseline finds out "
    "which revision's schema it has",
)
UNHEALTHY = Rule(
    id="startup.unhealthy-run",
    name="the last run left the schema unhealthy",
    severity=Severity.CRITICAL,
    condition="the last run that was applied did not pass its validation",
    effect="what the validation found would be met by users first",
    remedy="correct what it found, then run govern migrate: it says what is left, or that all is well",
)
CANNOT_VERIFY = Rule(
    id="startup.cannot-verify",
    name="there is nothing to hold the database against",
    severity=Severity.CRITICAL,
    condition="no schema.lock of this engine came with the application, and the ledger has no validated run",
    effect="the revision may be right while tables are missing",
    remedy="write the lock and ship it with the application: govern lock",
)
MIGRATING = Rule(
    id="startup.migrating",
    name="a migration is changing the database",
    severity=Severity.CRITICAL,
    condition="what was to be read has been locked by another session for a second, or for ten on SQLite",
    effect="what the application finds now is not what it will find in a moment",
    remedy="wait until it is done: wait_seconds; who it is says: govern doctor --locks",
)
WRONG_DATABASE = Rule(
    id="startup.wrong-database",
    name="the database is another application's",
    severity=Severity.CRITICAL,
    condition="the database has tables, and none of them is one of schema.lock's",
    effect="the application would find none of its data, and a migration would write into somebody else's",
    remedy="correct the URL: the message names the database that it leads to",
)
SEVERAL_REVISIONS = Rule(
    id="startup.several-revisions",
    name="the version table has rows that exclude each other",
    severity=Severity.CRITICAL,
    condition="the version table has a row twice, a revision beside one that comes after it, or one too many",
    effect="nobody can say how far the database was migrated, and the next migration fails or runs twice",
    remedy="find out which is true (govern drift --against head), then delete the others from the version table",
)
OTHER_LOCK = Rule(
    id="startup.other-lock",
    name="the database was validated with another schema.lock",
    severity=Severity.WARNING,
    condition="the heads are the same, the schema differs, and the ledger's last validated run had another schema.lock",
    effect="one of the two was written from models that the other does not know: two builds of one revision",
    remedy="deploy what belongs together: the schema.lock of the commit whose migrations the database has",
)
UNVERIFIED_ROWS = Rule(
    id="startup.unverified-rows",
    name="the rows of a critical table cannot be counted",
    severity=Severity.WARNING,
    condition="the role may not read a critical table with a minimum of rows, or row security may hide some of them",
    effect="the application starts, and nobody knows whether the rows are there that it cannot work without",
    remedy="let its role read the table, or let health be asked by one that may",
)
RULES = (
    UNREACHABLE,
    EMPTY,
    BEHIND,
    AHEAD,
    UNKNOWN_REVISION,
    UNHEALTHY,
    CANNOT_VERIFY,
    MIGRATING,
    WRONG_DATABASE,
    SEVERAL_REVISIONS,
    OTHER_LOCK,
    UNVERIFIED_ROWS,
)
