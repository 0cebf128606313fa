"""The ledger of pg_catalog is complete: no column of a real server is missing in it, and none is made up."""

from __future__ import annotations

import re

import psycopg
import pytest

from govern.checks.drift import KINDS
from govern.database.postgresql.catalog import queries
from govern.database.postgresql.catalog.coverage import CatalogColumn, read_coverage, read_ledger
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable

_COLUMNS = """
SELECT c.relname, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'
"""
NOT_COVERED = {"security-label", "subscription"}


def test_every_column_of_the_servers_catalog_is_classified_and_no_other(server_url: DatabaseUrl) -> None:
    with psycopg.connect(server_url.conninfo) as connection:
        found = {(str(table), str(name)) for table, name in connection.execute(_COLUMNS)}
        major = connection.info.server_version // 10000
    known = {(column.table, column.name) for column in read_ledger() if column.is_in(major)}
    assert found - known == set(), "classify them in ledger.txt"
    assert known - found == set(), "this server has them no more: say so in ledger.txt"


def test_no_column_is_classified_twice() -> None:
    names = [(column.table, column.name, column.first_major) for column in read_ledger()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", queries.kinds())
def test_every_definition_is_read_by_its_kinds_query(kind: str) -> None:
    words = set(re.findall(r"\w+", queries.kind_sql(kind, VersionTable())))
    columns = [column for column in read_ledger() if kind in column.kinds]
    assert columns
    assert [unread for unread in columns if not words & names_of(unread)] == []


@pytest.mark.parametrize("kind", queries.kinds())
def test_every_driver_reads_a_query_in_the_same_way(kind: str) -> None:
    text = re.sub(r"::\w+|/\*.*?\*/", "", queries.kind_sql(kind, VersionTable()))
    assert re.findall(r"[%?\\]|:[a-z]", text) == []


def names_of(column: CatalogColumn) -> set[str]:
    return set(column.through or (column.name,))


def test_a_definition_is_of_a_kind_that_is_covered_or_said_not_to_be() -> None:
    kinds = {kind for column in read_ledger() for kind in column.kinds}
    assert kinds == {*queries.kinds(), *NOT_COVERED}


def test_every_kind_of_a_snapshot_has_rules() -> None:
    assert set(queries.kinds()) <= KINDS.keys()


def test_coverage_says_what_is_read_and_what_is_not() -> None:
    covered = {kind.kind for kind in read_coverage() if kind.is_covered}
    assert covered == set(queries.kinds())
    rest = {kind.kind: kind.why for kind in read_coverage() if not kind.is_covered}
    assert rest.keys() >= NOT_COVERED
    assert rest["roles"] == "the server's, not the database's"


def test_what_no_query_describes_is_exactly_what_the_ledger_says_is_not_covered() -> None:
    named = set(re.findall(r"SELECT '([a-z ]+)'", queries.unmodelled_sql(VersionTable())))
    assert {name.replace(" ", "-") for name in named} == NOT_COVERED
