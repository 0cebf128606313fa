"""The rules of what pending revisions do."""

from __future__ import annotations

from collections.abc import Mapping

from govern.core.finding import Rule, Severity

# --- seen in the rehearsal: locks, rewrites, scans ----------------------------------------------------------

INDEX_NOT_CONCURRENT = Rule(
    id="lint.index-not-concurrent",
    name="an index is built while writes wait",
    severity=Severity.ERROR,
    condition="CREATE INDEX without CONCURRENTLY reads an existing table under a lock that blocks writes",
    effect="every INSERT, UPDATE and DELETE on the table waits until the index is built, "
    "and so does everything queued behind them",
    remedy="build it CONCURRENTLY, in an autocommit_block of a revision of its own",
)
FOREIGN_KEY_VALIDATED = Rule(
    id="lint.foreign-key-validated",
    name="a foreign key is added and validated at once",
    severity=Severity.ERROR,
    condition="ADD FOREIGN KEY reads an existing table under locks that block writes to both tables",
    effect="writes to the referencing and to the referenced table wait until every row has been looked up",
    remedy="add it NOT VALID, and validate it in a second revision: that blocks nobody",
)
CHECK_VALIDATED = Rule(
    id="lint.check-validated",
    name="a check constraint is added and validated at once",
    severity=Severity.ERROR,
    condition="ADD CHECK reads an existing table while nobody can use it",
    effect="reads and writes of the table wait until every row has been checked",
    remedy="add it NOT VALID, and validate it in a second revision: that blocks nobody",
)
NOT_NULL_SCAN = Rule(
    id="lint.not-null-scan",
    name="NOT NULL is proven by reading the table",
    severity=Severity.ERROR,
    condition="SET NOT NULL reads an existing table while nobody can use it",
    effect="reads and writes of the table wait until every row has been checked",
    remedy="validate a CHECK (… IS NOT NULL) first: PostgreSQL 12 and later take it for a proof",
)
CONSTRAINT_BUILDS_INDEX = Rule(
    id="lint.constraint-builds-index",
    name="a constraint builds its index while the table is locked",
    severity=Severity.ERROR,
    condition="ADD UNIQUE, PRIMARY KEY or EXCLUDE builds an index on an existing table while nobody can use it",
    effect="reads and writes of the table wait until the index is built",
    remedy="build the unique index CONCURRENTLY first, then add the constraint USING INDEX",
)
TYPE_CHANGE_REWRITE = Rule(
    id="lint.type-change-rewrite",
    name="a change of type writes every row again",
    severity=Severity.ERROR,
    condition="ALTER COLUMN … TYPE rewrites or reads an existing table while nobody can use it",
    effect="reads and writes wait until table and indexes are written again; that takes as much disk space once more",
    remedy="add a column of the new type, fill it in batches, and change over",
)
VOLATILE_DEFAULT_REWRITE = Rule(
    id="lint.volatile-default-rewrite",
    name="a new column gives every row a value of its own",
    severity=Severity.ERROR,
    condition="ADD COLUMN with a volatile default, an identity or a generated value rewrites an existing table",
    effect="reads and writes wait until table and indexes are written again",
    remedy="add the column without the default, set the default for new rows, fill the old ones in batches",
)
BLOCKING_REWRITE = Rule(
    id="lint.blocking-rewrite",
    name="a table is written again while it is locked",
    severity=Severity.ERROR,
    condition="any other statement rewrites an existing table under a lock that blocks its users",
    effect="whoever uses the table waits until every row is written again",
    remedy="do it in steps that rewrite nothing, or when nobody uses the table",
)
BLOCKING_SCAN = Rule(
    id="lint.blocking-scan",
    name="a table is read from end to end while it is locked",
    severity=Severity.ERROR,
    condition="any other statement reads all of an existing table under a lock that blocks its users; "
    "the lock may come from a statement before it in the same transaction",
    effect="whoever uses the table waits until all of it has been read",
    remedy="move it to a revision of its own, so that the lock is released before it begins",
)
SLOW_STATEMENT = Rule(
    id="lint.slow-statement",
    name="a slow statement while tables are locked",
    severity=Severity.WARNING,
    condition="a statement took longer in the rehearsal than slow_seconds in the manifest's lint section, "
    "and its transaction holds a lock on an existing table that blocks others",
    effect="whoever needs the locked table waits for the slow statement, whatever it does",
    remedy="move the slow statement to a revision of its own, before the one that takes the lock",
)
MANY_EXCLUSIVE_TABLES = Rule(
    id="lint.many-exclusive-tables",
    name="several tables are locked by one transaction",
    severity=Severity.WARNING,
    condition="one transaction takes ACCESS EXCLUSIVE on more than one existing table",
    effect="all of them are unusable until the last lock was waited for; "
    "an application that uses them in another order ends in a deadlock",
    remedy="one revision for each table, with transaction_per_migration=True in env.py",
)
INVALID_INDEX = Rule(
    id="lint.invalid-index",
    name="an invalid index is left behind",
    severity=Severity.ERROR,
    condition="a statement left an index that is not valid",
    effect="it is updated with every write and never read; a unique one may or may not refuse duplicates",
    remedy="drop it and build it again; if it is unique, remove the duplicates first",
)

# --- what is lost -------------------------------------------------------------------------------------------

DROPS_TABLE = Rule(
    id="lint.drops-table",
    name="a table is dropped",
    severity=Severity.ERROR,
    condition="an upgrade drops a table that existed before",
    effect="its rows are gone, a downgrade brings back an empty table, "
    "and the application version that still runs fails at once",
    remedy="deploy code that does not use it first, and drop it in a later release",
)
DROPS_COLUMN = Rule(
    id="lint.drops-column",
    name="a column is dropped",
    severity=Severity.ERROR,
    condition="an upgrade drops a column of a table that existed before",
    effect="its values are gone, a downgrade brings back an empty column, "
    "and the application version that still runs fails at once",
    remedy="deploy code that does not use it first, and drop it in a later release",
)
IRREVERSIBLE_STEP = Rule(
    id="lint.irreversible-step",
    name="rows are deleted",
    severity=Severity.WARNING,
    condition="an upgrade deletes from, or truncates, a table that existed before",
    effect="no downgrade brings the rows back; the way back is to restore the backup",
    remedy="copy the rows to a table of their own first, and drop that when nobody missed them",
)
DOWNGRADE_LOSES_DATA = Rule(
    id="lint.downgrade-loses-data",
    name="the downgrade loses data",
    severity=Severity.INFO,
    condition="downgrade() drops a column or table that existed before, or a column of such a table; "
    "a warning where its own upgrade() did not create it",
    effect="what was written to them since the upgrade is gone after a downgrade",
    remedy="going back is to restore a backup, or to write a revision that keeps the data",
)
UNBATCHED_CHANGE = Rule(
    id="lint.unbatched-change",
    name="rows are changed in one go",
    severity=Severity.WARNING,
    condition="an upgrade runs UPDATE or DELETE on a table that existed before, and not in a loop",
    effect="every changed row stays locked until the revision ends, with all locks of the statements before it; "
    "the table grows by as many dead rows",
    remedy="change them in batches, each its own transaction, in a revision of its own",
)

# --- how the revision is written ----------------------------------------------------------------------------

MIXED_AUTOCOMMIT = Rule(
    id="lint.mixed-autocommit",
    name="statements beside an autocommit_block",
    severity=Severity.WARNING,
    condition="an upgrade runs statements before or after its autocommit_block",
    effect="the block commits what came before it: if anything after that fails, the revision is half applied, "
    "is not stamped, and fails again at its first statement",
    remedy="leave the block alone in its revision, and the other statements in one of their own",
)
CONCURRENTLY_IN_TRANSACTION = Rule(
    id="lint.concurrently-in-transaction",
    name="CONCURRENTLY inside a transaction",
    severity=Severity.ERROR,
    condition="CREATE or DROP INDEX CONCURRENTLY stands outside an autocommit_block",
    effect="PostgreSQL refuses it: it cannot run inside a transaction block",
    remedy="put it into an autocommit_block",
)
CONCURRENT_IF_NOT_EXISTS = Rule(
    id="lint.concurrent-if-not-exists",
    name="IF NOT EXISTS takes a broken index for a good one",
    severity=Severity.ERROR,
    condition="an index is created CONCURRENTLY and only if there is none of its name",
    effect="an interrupted build leaves an invalid index of that name: the next run skips it, "
    "the revision is stamped, and the index is never used",
    remedy="drop what an earlier try left, then create it without if_not_exists",
)
CREATE_ALL = Rule(
    id="lint.create-all",
    name="a revision creates whatever the models say today",
    severity=Severity.ERROR,
    condition="a revision calls create_all() or drop_all()",
    effect="the revision does something else with every change of the models: new databases get tables "
    "that later revisions create again, and fail there",
    remedy="write out the tables as they were: op.create_table for each",
)
DEPENDS_ON_ENVIRONMENT = Rule(
    id="lint.depends-on-environment",
    name="a revision that depends on where it runs",
    severity=Severity.WARNING,
    condition="a revision reads environment variables, the machine's name or Alembic's -x arguments",
    effect="two databases at the same revision can have different schemas, and none of them knows",
    remedy="decide in a revision for all environments; what differs between them belongs into configuration",
)

# --- what squawk knows --------------------------------------------------------------------------------------

ADDING_REQUIRED_FIELD = Rule(
    id="lint.adding-required-field",
    name="a NOT NULL column without a default",
    severity=Severity.ERROR,
    condition="a column that is NOT NULL and has no default is added to an existing table (squawk)",
    effect="it fails as soon as the table has a row, which an empty rehearsal cannot see; "
    "after it, inserts of the application version that still runs fail",
    remedy="add it with a constant server_default, or nullable, filled in batches, and made NOT NULL later",
)
RENAMING_COLUMN = Rule(
    id="lint.renaming-column",
    name="a column gets another name",
    severity=Severity.WARNING,
    condition="a column of an existing table is renamed (squawk)",
    effect="the application version that still runs fails at its next query of the table",
    remedy="add a column of the new name, write both, fill the old rows, then drop the old one",
)
RENAMING_TABLE = Rule(
    id="lint.renaming-table",
    name="a table gets another name",
    severity=Severity.WARNING,
    condition="an existing table is renamed (squawk)",
    effect="the application version that still runs fails at its next query of the table",
    remedy="leave a view of the old name behind until no code uses it",
)
TRANSACTION_NESTING = Rule(
    id="lint.transaction-nesting",
    name="a revision ends the transaction it runs in",
    severity=Severity.WARNING,
    condition="a revision executes BEGIN, COMMIT or ROLLBACK (squawk)",
    effect="what ran before it is committed without its version row: what fails after it leaves it half applied",
    remedy="use op.get_context().autocommit_block(), in a revision of its own",
)
IDENTIFIER_TOO_LONG = Rule(
    id="lint.identifier-too-long",
    name="a name that PostgreSQL cuts off",
    severity=Severity.WARNING,
    condition="a name is longer than 63 bytes (squawk)",
    effect="the object gets another name than the models say, and may collide with one that begins alike",
    remedy="give it a shorter name",
)
PREFER_TIMESTAMP_TZ = Rule(
    id="lint.prefer-timestamp-tz",
    name="a point in time without its zone",
    severity=Severity.INFO,
    condition="a column has the type timestamp without time zone (squawk)",
    effect="the offset of what is written is dropped silently: two servers in two zones mean different times",
    remedy="sa.DateTime(timezone=True)",
)
BAN_CHAR_FIELD = Rule(
    id="lint.ban-char-field",
    name="text that is filled up with blanks",
    severity=Severity.INFO,
    condition="a column has the type char(n) (squawk)",
    effect="values are padded with blanks, which some comparisons ignore and others do not",
    remedy="sa.Text(), with a check constraint where the length matters",
)

# --- allowances ---------------------------------------------------------------------------------------------

ALLOWANCE_EXPIRED = Rule(
    id="lint.allowance-expired",
    name="the end of an allowance has come",
    severity=Severity.WARNING,
    condition="an entry under allow in the manifest has expired",
    effect="it allows nothing any more",
    remedy="take it out, or decide anew until when",
)
ALLOWANCE_UNUSED = Rule(
    id="lint.allowance-unused",
    name="an allowance for nothing",
    severity=Severity.INFO,
    condition="an entry under allow in the manifest matches nothing that was found",
    effect="it will allow what nobody has looked at: the next thing that fits",
    remedy="take it out once its revision is applied everywhere",
)

SQUAWK: Mapping[str, Rule] = {
    rule.id.removeprefix("lint."): rule
    for rule in (
        ADDING_REQUIRED_FIELD,
        BAN_CHAR_FIELD,
        IDENTIFIER_TOO_LONG,
        PREFER_TIMESTAMP_TZ,
        RENAMING_COLUMN,
        RENAMING_TABLE,
        TRANSACTION_NESTING,
    )
}
"""By squawk's own names. The others are decided better by what was observed, or are a matter of taste."""

HAZARDS: Mapping[str, str] = {
    DROPS_COLUMN.id: "drops-column",
    DROPS_TABLE.id: "drops-table",
    TYPE_CHANGE_REWRITE.id: "retypes-column",
}
"""The hazard whose allowance covers a rule, too."""

RULES = (
    ALLOWANCE_EXPIRED,
    ALLOWANCE_UNUSED,
    BLOCKING_REWRITE,
    BLOCKING_SCAN,
    CHECK_VALIDATED,
    CONCURRENTLY_IN_TRANSACTION,
    CONCURRENT_IF_NOT_EXISTS,
    CONSTRAINT_BUILDS_INDEX,
    CREATE_ALL,
    DEPENDS_ON_ENVIRONMENT,
    DOWNGRADE_LOSES_DATA,
    DROPS_COLUMN,
    DROPS_TABLE,
    FOREIGN_KEY_VALIDATED,
    INDEX_NOT_CONCURRENT,
    INVALID_INDEX,
    IRREVERSIBLE_STEP,
    MANY_EXCLUSIVE_TABLES,
    MIXED_AUTOCOMMIT,
    NOT_NULL_SCAN,
    SLOW_STATEMENT,
    TYPE_CHANGE_REWRITE,
    UNBATCHED_CHANGE,
    VOLATILE_DEFAULT_REWRITE,
    *SQUAWK.values(),
)
