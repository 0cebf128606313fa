"""Which database a statement was written for, by words and signs that only one of them takes."""

from __future__ import annotations

import re

_QUIET = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL)
"""Texts, comments and bodies: what stands in them says nothing."""
_ANY = re.IGNORECASE | re.DOTALL
_SIGNS: tuple[tuple[str, re.Pattern[str], frozenset[str]], ...] = (
    (
        "bigquery",
        re.compile(
            r"`[\w-]+\.[\w.*-]+`|\bSAFE_CAST\s*\(|\bSTRUCT<|\bWITH\s+OFFSET\b|\b_TABLE_SUFFIX\b", _ANY
        ),
        frozenset(),
    ),
    (
        "clickhouse",
        re.compile(
            r"\bENGINE\s*=\s*(?:\w*MergeTree|Distributed|Kafka|Memory|Null|Buffer)\b|\bPREWHERE\b|\bARRAY\s+JOIN\b"
            r"|\bFORMAT\s+(?:JSON|CSV|TabSeparated|TSV|Pretty|Native|Values)\w*\s*;?\s*$|\bLIMIT\s+\d+\s+BY\b"
            r"|\b(?:toDate|toDateTime|toDateTime64|toStartOf\w+|toUInt\d+|toInt\d+|uniqExact|countIf|sumIf|groupArray"
            r"|argMax|argMin|quantiles?|arrayJoin|LowCardinality|Nullable)\(|\w\s+FINAL\b(?=\s*(?:WHERE|GROUP|ORDER|LIMIT|;|$))"
            r"|\bSETTINGS\s+\w+\s*=\s*\d"
        ),
        frozenset(),
    ),
    (
        "mysql",
        re.compile(r"`[^`]+`|\bLIMIT\s+\S+\s*,\s*\S|\bREPLACE\s+INTO\b", _ANY),
        frozenset({"sqlite"}),
    ),
    (
        "mysql",
        re.compile(
            r"\bON\s+DUPLICATE\s+KEY\s+UPDATE\b|\bINSERT\s+IGNORE\b|\bAUTO_INCREMENT\b|\bENGINE\s*=\s*(?:InnoDB|MyISAM)\b"
            r"|\bSHOW\s+(?:FULL\s+)?(?:TABLES|DATABASES|CREATE\s+TABLE|COLUMNS|INDEX|PROCESSLIST)\b|\bSTRAIGHT_JOIN\b"
            r"|\bLOCK\s+IN\s+SHARE\s+MODE\b|^\s*XA\s+(?:BEGIN|END|PREPARE|ROLLBACK|COMMIT|RECOVER|START)\b|\bSEPARATOR\s+|\b(?:STR_TO_DATE|DATE_FORMAT|UNIX_TIMESTAMP|FROM_UNIXTIME|IFNULL"
            r"|DATE_SUB|DATE_ADD|LAST_INSERT_ID|FIND_IN_SET)\s*\(",
            _ANY,
        ),
        frozenset(),
    ),
    (
        "sqlserver",
        re.compile(r"\[\w[\w ]*\]\s*\.\s*\[|\b(?:FROM|JOIN|INTO|UPDATE)\s+\[\w[\w ]*\]", _ANY),
        frozenset({"sqlite"}),
    ),
    (
        "sqlserver",
        re.compile(
            r"\bSELECT\s+(?:DISTINCT\s+)?TOP\s*\(?\s*\d|\(\s*NOLOCK\s*\)|\bGETDATE\s*\(|\bSYSUTCDATETIME\s*\(|@@(?:ROWCOUNT|IDENTITY|TRANCOUNT"
            r"|VERSION|ERROR)\b|\bSCOPE_IDENTITY\s*\(|\bNVARCHAR\b|\bOUTPUT\s+INSERTED\b|\b(?:CROSS|OUTER)\s+APPLY\b|\bOBJECT_ID\s*\("
            r"|\bEXEC(?:UTE)?\s+sp_\w+",
            _ANY,
        ),
        frozenset(),
    ),
    (
        "oracle",
        re.compile(
            r"\bFROM\s+DUAL\b|\bCONNECT\s+BY\b|\bSYSDATE\b|\bNVL2?\s*\(|\bVARCHAR2\b|\w\.NEXTVAL\b",
            _ANY,
        ),
        frozenset(),
    ),
    (
        "sqlite",
        re.compile(
            r"\bsqlite_(?:master|schema|sequence|temp_master|stat\d)\b|^\s*PRAGMA\s+\w|\bpragma_\w+|\bAUTOINCREMENT\b|\bWITHOUT\s+ROWID\b|\bATTACH\s+DATABASE\b"
            r"|\b(?:INSERT|UPDATE)\s+OR\s+(?:REPLACE|IGNORE|ABORT|FAIL|ROLLBACK)\b|\bINDEXED\s+BY\b|\bjulianday\s*\(|\btypeof\s*\(|\bjson_extract\s*\(|\browid\b|\bGLOB\s",
            _ANY,
        ),
        frozenset(),
    ),
    (
        "postgresql",
        re.compile(
            r"\w::\w|\bILIKE\b|\bDISTINCT\s+ON\s*\(|\bANY\s*\(|\bLATERAL\b|\bARRAY\s*\[|\bFOR\s+UPDATE\b|\bpg_\w+|\bnow\s*\(\)|\bTRUNCATE\b"
            r"|\binformation_schema\b|\bINTERVAL\s+'|\bAT\s+TIME\s+ZONE\b|\bCREATE\s+EXTENSION\b|\bINDEX\s+CONCURRENTLY\b"
            r"|\b(?:ALTER|CREATE|DROP)\s+SEQUENCE\b|\bSET\s+(?:LOCAL|SESSION)\s|\b(?:VALIDATE|DROP)\s+CONSTRAINT\b"
            r"|\bALTER\s+TABLE\s+IF\s+EXISTS\b|\b(?:to_tsvector|to_tsquery|nextval|setval|split_part|GREATEST|LEAST)\s*\(|\bLANGUAGE\s+plpgsql\b|\bgenerate_series\s*\(",
            _ANY,
        ),
        frozenset(),
    ),
)
"""What only the first takes, or only it and those that come last."""


def find_engine(text: str, declared: str) -> str:
    """The database other than the declared one that a text can only be meant for; nothing where there is none."""
    quiet = _QUIET.sub("''", text)
    for engine, signs, others in _SIGNS:
        if declared not in (engine, *others) and signs.search(quiet):
            return engine
    return ""
