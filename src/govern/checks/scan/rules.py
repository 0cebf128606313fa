"""The rules of what an application's code asks of its database."""

from __future__ import annotations

from govern.core.finding import Rule, Severity

UNDEFINED_TABLE = Rule(
    id="scan.undefined-table",
    name="code uses a table that no schema defines",
    severity=Severity.ERROR,
    condition="SQL, a model or a call names a table or view that the declared schema has not",
    effect="the request that runs it fails: relation does not exist",
    remedy="correct the name, or add the model and a revision that creates it",
)
UNDEFINED_COLUMN = Rule(
    id="scan.undefined-column",
    name="code uses a column that no schema defines",
    severity=Severity.ERROR,
    condition="SQL or a foreign key names a column that its table has not in the declared schema",
    effect="the request that runs it fails: column does not exist",
    remedy="correct the name, or add the column to the model and a revision that creates it",
)
UNDEFINED_MODEL = Rule(
    id="scan.undefined-model",
    name="code names a model that there is not",
    severity=Severity.ERROR,
    condition="`relationship` names a class that no scanned file has, and one of nearly the name is there",
    effect="the first query of any model fails: SQLAlchemy cannot configure its mappers",
    remedy="correct the name, or add the model",
)
WRONG_TYPE = Rule(
    id="scan.wrong-type",
    name="code compares or stores values of types that do not fit",
    severity=Severity.ERROR,
    condition="the database knows no way to compare or assign the two types: text = integer",
    effect="the request that runs it fails, whatever the values are",
    remedy="make both sides one type; a cast at each place only hides that one of the columns has the wrong one",
)
UNDEFINED_FUNCTION = Rule(
    id="scan.undefined-function",
    name="code calls a function that the database has not",
    severity=Severity.ERROR,
    condition="SQL calls a function that neither the engine nor the declared schema has for these arguments",
    effect="the request that runs it fails: function does not exist",
    remedy="correct the call, or declare the function among the SQL files of the schema",
)
TYPE_WORKAROUND = Rule(
    id="scan.type-workaround",
    name="code papers over a column's wrong type",
    severity=Severity.WARNING,
    condition="a cast, a conversion or a helper makes of a key what it would be if its column had the right type",
    effect="every new place needs it, too: where it is forgotten, rows are not found, and indexes are not used",
    remedy="fix the column's type, then remove the conversion: govern scan PATH --fix",
)
NOT_UNDERSTOOD = Rule(
    id="scan.not-understood",
    name="the database does not understand a statement",
    severity=Severity.WARNING,
    condition="a statement of which everything is known has a syntax that the declared engine refuses",
    effect="the request that runs it fails, unless it is meant for another database",
    remedy="correct the statement; what is meant for another database can be left out: # govern: ignore",
)
UNVERIFIED = Rule(
    id="scan.unverified",
    name="SQL that is only known when it runs",
    severity=Severity.INFO,
    condition="a statement is put together in a way that its text does not tell: nobody can say what it asks for",
    effect="a mistake in it is found by whoever runs it first",
    remedy="let the statement be a constant, and what varies its parameters",
)
ANOTHER_DATABASE = Rule(
    id="scan.another-database",
    name="statements for another database",
    severity=Severity.INFO,
    condition="the driver that runs them, or a syntax that only one database has, says that statements of a file are "
    "meant for another one than the declared",
    effect="nobody says whether they fit: the declared schema is not theirs",
    remedy="none is needed; a driver that is imported and not used can go",
)
UNUSED_TABLE = Rule(
    id="scan.unused-table",
    name="a table that nothing in the code mentions",
    severity=Severity.INFO,
    condition="the whole project is scanned, and neither the name of a declared table nor that of its model stands in "
    "any file, but where they are defined",
    effect="none today; it is migrated, backed up and read by people for nobody",
    remedy="remove the model with a revision that drops the table; what others use is named in the manifest's "
    "critical_tables",
)
UNREAD = Rule(
    id="scan.unread",
    name="a source file could not be read",
    severity=Severity.WARNING,
    condition="a file is of an unknown encoding, cannot be opened, or is too large to be written by a person",
    effect="what it asks of the database is not known",
    remedy="correct the file, or leave it out of the paths",
)
UNUSED_IGNORE = Rule(
    id="scan.unused-ignore",
    name="a comment ignores nothing",
    severity=Severity.WARNING,
    condition="`govern: ignore` stands where nothing of the rules that it names is found",
    effect="the next mistake on that line is ignored without anybody having meant it",
    remedy="remove the comment",
)
IGNORED_WITHOUT_REASON = Rule(
    id="scan.ignored-without-reason",
    name="a finding is ignored, and nobody says why",
    severity=Severity.WARNING,
    condition="`govern: ignore` is followed by no reason",
    effect="nobody knows whether it still holds",
    remedy="write the reason behind it: # govern: ignore[scan.undefined-table] made by the importer",
)
RULES = (
    UNDEFINED_TABLE,
    UNDEFINED_COLUMN,
    UNDEFINED_MODEL,
    WRONG_TYPE,
    UNDEFINED_FUNCTION,
    TYPE_WORKAROUND,
    NOT_UNDERSTOOD,
    UNVERIFIED,
    ANOTHER_DATABASE,
    UNUSED_TABLE,
    UNREAD,
    UNUSED_IGNORE,
    IGNORED_WITHOUT_REASON,
)
