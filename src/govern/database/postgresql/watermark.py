"""How far a database's catalogs were written: nothing that a schema is made of was touched as long as it stands.

At 2,000 tables it takes a twentieth of a fingerprint's time. It says nothing about what a schema is, and moves more
often than that: by TRUNCATE, REINDEX, temporary tables. Then the fingerprint decides. docs/decisions/0004 has the
reasons.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

CATALOGS = (
    *("pg_aggregate", "pg_am", "pg_amop", "pg_amproc", "pg_attrdef", "pg_attribute", "pg_cast", "pg_class"),
    *(
        "pg_collation",
        "pg_constraint",
        "pg_conversion",
        "pg_default_acl",
        "pg_depend",
        "pg_description",
        "pg_enum",
    ),
    *("pg_event_trigger", "pg_extension", "pg_foreign_data_wrapper", "pg_foreign_server", "pg_foreign_table"),
    *("pg_index", "pg_inherits", "pg_init_privs", "pg_language", "pg_namespace", "pg_opclass", "pg_operator"),
    *("pg_opfamily", "pg_partitioned_table", "pg_policy", "pg_proc", "pg_publication", "pg_publication_rel"),
    *(
        "pg_range",
        "pg_rewrite",
        "pg_sequence",
        "pg_statistic_ext",
        "pg_transform",
        "pg_trigger",
        "pg_ts_config",
    ),
    *("pg_ts_config_map", "pg_ts_dict", "pg_ts_parser", "pg_ts_template", "pg_type"),
)
"""The database's own catalogs that definitions are read from. A row that is written gets a transaction's number that
no other has; what VACUUM and ANALYZE write in place has none, and defines nothing."""
_ONLY = {"pg_class": " WHERE relpersistence <> 't'"}
# all catalogs are counted at once, by their numbers: the server plans one aggregation instead of forty
_WRITTEN = """
SELECT (ARRAY[{names}])[catalog], string_agg(xid || ' ' || number, ',' ORDER BY xid::bigint)
FROM (
  SELECT catalog, xmin::text AS xid, count(*) AS number FROM ({rows}) r (catalog, xmin) GROUP BY catalog, r.xmin
) g
GROUP BY catalog
"""
_ROWS = "SELECT {number}, xmin FROM pg_catalog.{table}{only}"
# names from outside of the database: those of roles and tablespaces that something in it has; user mappings through
# the view that everybody may read
_AROUND = """
SELECT 'pg_roles', string_agg(r.oid || ' ' || r.rolname, ',' ORDER BY r.oid)
FROM pg_catalog.pg_roles r
WHERE r.oid < 16384 OR r.oid IN (
  SELECT s.refobjid FROM pg_catalog.pg_shdepend s
  WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass
    AND s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
)
UNION ALL
SELECT 'pg_tablespace', string_agg(t.oid || ' ' || t.spcname, ',' ORDER BY t.oid)
FROM pg_catalog.pg_tablespace t WHERE t.oid IN (SELECT c.reltablespace FROM pg_catalog.pg_class c)
UNION ALL
SELECT 'pg_user_mappings', string_agg(m::text, ',' ORDER BY m.umid) FROM pg_catalog.pg_user_mappings m
UNION ALL
SELECT 'pg_database', d.datdba::text FROM pg_catalog.pg_database d WHERE d.datname = current_database()
UNION ALL
SELECT 'version', version()
"""
_WATERMARK = """
SELECT pg_snapshot_xmax(pg_current_snapshot())::text, encode(sha256(convert_to(
  string_agg(source || ' ' || rows, chr(10) ORDER BY source COLLATE "C"), getdatabaseencoding()
)), 'hex')
FROM ({written} UNION ALL {around}) s (source, rows)
"""
_FORMAT = 1
_TRUSTED_TRANSACTIONS = 2**31
"""Numbers of transactions come again after twice as many."""


def read_watermark(connection: Connection, table: VersionTable) -> str:
    """One line of text; to be read before the fingerprint that shall be known to be still the same."""
    transaction, digest = _read(connection)
    return f"{_prefix(table)} {transaction} {digest}"


def is_untouched(connection: Connection, table: VersionTable, watermark: str) -> bool:
    """Whether no definition was written since ``watermark`` was read in this database; False where it is not sure."""
    return stands(watermark, table, *_read(connection))


def stands(watermark: str, table: VersionTable, transaction: str, digest: str) -> bool:
    """The same, for what ``standing_sql`` says now."""
    before, _, rest = watermark.removeprefix(f"{_prefix(table)} ").partition(" ")
    if not watermark.startswith(f"{_prefix(table)} ") or not before.isdecimal():
        return False
    return rest == digest and 0 <= int(transaction) - int(before) < _TRUSTED_TRANSACTIONS


def _read(connection: Connection) -> tuple[str, str]:
    ((transaction, digest),) = connection.rows(standing_sql())
    return str(transaction), str(digest)


@functools.cache
def standing_sql() -> str:
    """One SELECT of one row: the number that the next transaction gets, never the same again, and the digest."""
    names = ", ".join(f"'{table}'" for table in CATALOGS)
    rows = " UNION ALL ".join(
        _ROWS.format(number=number, table=table, only=_ONLY.get(table, ""))
        for number, table in enumerate(CATALOGS, start=1)
    )
    return _WATERMARK.format(written=_WRITTEN.format(names=names, rows=rows), around=_AROUND)


def _prefix(table: VersionTable) -> str:
    """What else it depends on: which table is Alembic's and so not looked at."""
    home = f"{table.home}:" if table.home else ""
    return f"{_FORMAT} {home}{table.namespace or ''}.{table.name}"
