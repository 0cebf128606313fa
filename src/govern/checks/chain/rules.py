"""The rules of the revision chain."""

from __future__ import annotations

from govern.core.finding import Rule, Severity

PLACEHOLDER_PARENT = Rule(
    id="chain.placeholder-parent",
    name="a placeholder instead of a parent",
    severity=Severity.CRITICAL,
    condition="down_revision or depends_on holds a text nobody filled in, such as 'previous_revision_id'",
    effect="every Alembic command ends in a KeyError, even current and stamp: nothing can be migrated, "
    "and an application that starts anyway starts on an old or empty schema",
    remedy="set it to the id of the revision that comes before; None for the first",
)
MISSING_PARENT = Rule(
    id="chain.missing-parent",
    name="the parent has no file",
    severity=Severity.CRITICAL,
    condition="down_revision or depends_on names a revision that is in no file",
    effect="every Alembic command ends in a KeyError, even current and stamp: nothing can be migrated",
    remedy="add the missing file, or correct the id",
)
CYCLE = Rule(
    id="chain.cycle",
    name="revisions that come before themselves",
    severity=Severity.CRITICAL,
    condition="following down_revision and depends_on leads from a revision back to it",
    effect="none of them can be applied first: Alembic refuses every command, or, where a merge hides the "
    "cycle from it, upgrades and then breaks half way through a downgrade",
    remedy="decide which of them comes first, and set its down_revision to what comes before them all",
)
DUPLICATE_ID = Rule(
    id="chain.duplicate-id",
    name="one id, several revisions",
    severity=Severity.CRITICAL,
    condition="two files have the same revision id, or two revisions the same branch label",
    effect="Alembic keeps one of the files and silently never runs the other; or it refuses with "
    "'Multiple head revisions', which is not what is wrong",
    remedy="give one of them an id of its own, and correct the down_revision of what follows it",
)
MULTIPLE_HEADS = Rule(
    id="chain.multiple-heads",
    name="several heads",
    severity=Severity.ERROR,
    condition="more than one revision has no successor",
    effect="'alembic upgrade head' fails with 'Multiple head revisions are present'",
    remedy="join them with a merge revision: alembic merge heads",
)
MULTIPLE_BASES = Rule(
    id="chain.multiple-bases",
    name="several first revisions",
    severity=Severity.ERROR,
    condition="more than one revision has down_revision = None",
    effect="the chain falls apart: in which order its parts run is left to chance",
    remedy="set the down_revision of all but one to the revision that comes before",
)
BROKEN_FILE = Rule(
    id="chain.broken-file",
    name="a revision file that cannot be used",
    severity=Severity.CRITICAL,
    condition="a file in a version location is not valid Python, has no revision id or no upgrade(), "
    "or an id that Alembic or its version table cannot hold",
    effect="Alembic loads every file for every command: one that fails stops them all, and one without "
    "upgrade() stops an upgrade after the revisions before it have run",
    remedy="correct the file, or move it out of the version location",
)
EMPTY_UPGRADE = Rule(
    id="chain.empty-upgrade",
    name="a revision that does nothing",
    severity=Severity.WARNING,
    condition="upgrade() of a revision that is no merge has an empty body",
    effect="the database is stamped with a change that was never made",
    remedy="write what it should do, or delete the file if it was not applied anywhere",
)
MISSING_DOWNGRADE = Rule(
    id="chain.missing-downgrade",
    name="no way back",
    severity=Severity.WARNING,
    condition="downgrade() is missing or empty, though upgrade() does something",
    effect="a downgrade stops there, or stamps an older revision on a schema that is newer; "
    "the way back is to restore a backup",
    remedy="write the downgrade, or let it raise, which at least says that there is none",
)
DOWNGRADE_LEAVES_TRACE = Rule(
    id="chain.downgrade-leaves-trace",
    name="a downgrade that leaves a trace",
    severity=Severity.WARNING,
    condition="on a scratch database the schema after downgrade() is not what it was before upgrade()",
    effect="after a downgrade the database has a schema that no revision has: drift from then on, "
    "and what was left is in the way of the next upgrade",
    remedy="let downgrade() drop what upgrade() made, and bring back what it dropped or changed",
)
DOWNGRADE_FAILS = Rule(
    id="chain.downgrade-fails",
    name="a downgrade that fails",
    severity=Severity.WARNING,
    condition="downgrade() raises on a scratch database that its upgrade() has just been applied to",
    effect="on the day it is needed there is no way back but to restore a backup, and nobody has planned for that",
    remedy="correct it; or let it raise NotImplementedError, which at least says that there is none",
)
UPGRADE_NOT_REPEATABLE = Rule(
    id="chain.upgrade-not-repeatable",
    name="a revision that cannot be applied again",
    severity=Severity.WARNING,
    condition="on a scratch database upgrade() raises after the revision's own downgrade()",
    effect="whoever goes back does not get forward again: the upgrade stops at what the downgrade left or took away",
    remedy="let downgrade() undo all of upgrade(): drop the types, sequences and functions that it made, too",
)
EDITED_REVISION = Rule(
    id="chain.edited-revision",
    name="a revision was edited",
    severity=Severity.ERROR,
    condition="a revision file is not what govern.sum, the ledger or the git reference of --against-ref has; "
    "or is gone",
    effect="databases that have applied it will never run the edit: they differ from new ones from now on, "
    "and Alembic does not notice",
    remedy="applied anywhere: restore the file and write a new revision; else record it: govern lock",
)
REPOINTED_REVISION = Rule(
    id="chain.repointed-revision",
    name="a revision was given another parent",
    severity=Severity.ERROR,
    condition="the down_revision of a revision is not what govern.sum, the ledger or the git reference of "
    "--against-ref has",
    effect="databases that are past it skip whatever was put before it, and Alembic does not notice",
    remedy="if it was applied anywhere, restore its down_revision and append the new revision at the end; "
    "else record it: govern lock",
)
UNKNOWN_DATABASE_REVISION = Rule(
    id="chain.unknown-database-revision",
    name="the database has a revision this project has not",
    severity=Severity.ERROR,
    condition="the database is stamped with a revision that is in no file",
    effect='Alembic answers every command with "Can\'t locate revision"; '
    "the code was not written for this schema",
    remedy="deploy the code that has the revision, or bring its file back from version control",
)
OVERLAPPING_DATABASE_REVISIONS = Rule(
    id="chain.overlapping-database-revisions",
    name="the database is stamped with a revision and its ancestor",
    severity=Severity.ERROR,
    condition="the version table has two rows, and one comes before the other",
    effect="Alembic refuses to upgrade: 'Requested revision overlaps with other requested revisions'",
    remedy="find out which revision the schema really is at, then stamp that one: govern stamp",
)
HALF_APPLIED = Rule(
    id="chain.half-applied",
    name="a revision stopped midway",
    severity=Severity.ERROR,
    condition="a revision that commits before its end, as with autocommit_block(), did not come to its end",
    effect="to run it again would execute a second time what it has committed: Alembic does, and fails or does harm",
    remedy="govern migrate goes on after the last committed statement where it can prove what is left; "
    "else finish it by hand and stamp it, or take it back by hand",
)
DOES_NOT_REPLAY = Rule(
    id="chain.does-not-replay",
    name="the chain does not build the schema from nothing",
    severity=Severity.ERROR,
    condition="a revision fails when all are run on an empty database",
    effect="no new environment, test database or restore into an empty server can be made from this history",
    remedy="add a first revision that creates what the history takes for granted",
)
CONFIG_ERROR = Rule(
    id="chain.config-error",
    name="the chain cannot be found or loaded",
    severity=Severity.ERROR,
    condition="there are no revision files, or Alembic's configuration or env.py is wrong",
    effect="'alembic upgrade head' does nothing and exits 0, or fails before it reads a revision",
    remedy="correct script_location or version_locations in Alembic's configuration",
)
RULES = (
    BROKEN_FILE,
    CONFIG_ERROR,
    CYCLE,
    DOES_NOT_REPLAY,
    DOWNGRADE_FAILS,
    DOWNGRADE_LEAVES_TRACE,
    DUPLICATE_ID,
    EDITED_REVISION,
    EMPTY_UPGRADE,
    HALF_APPLIED,
    MISSING_DOWNGRADE,
    MISSING_PARENT,
    MULTIPLE_BASES,
    MULTIPLE_HEADS,
    OVERLAPPING_DATABASE_REVISIONS,
    PLACEHOLDER_PARENT,
    REPOINTED_REVISION,
    UNKNOWN_DATABASE_REVISION,
    UPGRADE_NOT_REPEATABLE,
)
