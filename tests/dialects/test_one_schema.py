"""One schema of a database by itself: told as the default one, whatever else is there."""

from __future__ import annotations

import pytest

from govern.core.snapshot import Snapshot
from govern.database.postgresql import server
from govern.database.postgresql.engine import PostgreSQL
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import NoSuchSchema

DIALECT = PostgreSQL()
OBJECTS = (
    "CREATE TYPE mood AS ENUM ('good', 'bad')",
    "CREATE DOMAIN amount AS numeric CHECK (VALUE >= 0)",
    "CREATE TABLE parents (id serial PRIMARY KEY, mood mood DEFAULT 'good')",
    "CREATE TABLE children (id integer PRIMARY KEY, parent_id integer REFERENCES parents, total amount, note text)",
    "CREATE TABLE parts (id integer, day date, UNIQUE (id, day)) PARTITION BY RANGE (day)",
    "CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
    'CREATE UNIQUE INDEX "odd ON tenant_a.children" ON children (parent_id) WHERE total > 0',
    "CREATE FUNCTION worst(mood) RETURNS mood LANGUAGE sql AS 'SELECT $1'",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER touched BEFORE UPDATE OF note ON children FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON children FROM parents FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE RULE quiet AS ON DELETE TO children DO INSTEAD NOTHING",
    "CREATE STATISTICS facts ON parent_id, total FROM children",
    "CREATE VIEW happy AS SELECT c.*, worst(p.mood) FROM children c JOIN parents p ON p.id = c.parent_id",
    "CREATE MATERIALIZED VIEW totals AS SELECT parent_id, sum(total) FROM children GROUP BY 1",
    "CREATE AGGREGATE lowest (mood) (SFUNC = enum_smaller, STYPE = mood)",
    "CREATE POLICY own ON children USING (parent_id IN (SELECT id FROM parents))",
    "COMMENT ON COLUMN children.note IS 'what to say'",
    "CREATE TABLE alembic_version (version_num text)",
)


@pytest.fixture
def tenants(postgresql_database: DatabaseUrl) -> tuple[DatabaseUrl, DatabaseUrl]:
    """Two that are alike."""
    with server.connect(postgresql_database) as connection:
        connection.execute("CREATE TABLE public.shared (id integer PRIMARY KEY)")
        connection.execute('CREATE SCHEMA tenant_a; CREATE SCHEMA "Tenant B"')
    urls = (postgresql_database.with_schema("tenant_a"), postgresql_database.with_schema("Tenant B"))
    for url in urls:
        run(url, *OBJECTS, "ALTER TABLE children ADD FOREIGN KEY (id) REFERENCES public.shared")
    return urls


def run(url: DatabaseUrl, *statements: str) -> None:
    with server.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def table_of(url: DatabaseUrl) -> VersionTable:
    return VersionTable(namespace=url.schema, home=url.schema)


def read(url: DatabaseUrl) -> Snapshot:
    with server.connect(url, read_only=True) as connection:
        return DIALECT.read_snapshot(connection, table_of(url))


def fingerprint(url: DatabaseUrl) -> str:
    with server.connect(url, read_only=True) as connection:
        return DIALECT.read_fingerprint(connection, table_of(url))


def test_two_schemas_that_are_alike_are_told_in_the_same_words(
    tenants: tuple[DatabaseUrl, DatabaseUrl],
) -> None:
    first, second = map(read, tenants)
    assert first.objects == second.objects
    assert {key.namespace for key in first.objects} == {"public"}
    assert {"table", "view", "index", "trigger", "rule", "function", "policy"} <= {
        key.kind for key in first.objects
    }
    names = {key.name for key in first.objects if key.kind == "table"}
    assert names == {"parents", "children", "parts", "part"}
    texts = [str(fact) for facts in first.objects.values() for fact in facts.values()]
    [odd] = [text for text in texts if "tenant_a" in text]
    assert odd.startswith(
        'CREATE UNIQUE INDEX "odd ON tenant_a.children" ON children USING btree (parent_id)'
    )
    assert any("REFERENCES public.shared(id)" in text for text in texts)


@pytest.mark.parametrize(
    "change", ["DROP VIEW happy", "CREATE TEXT SEARCH CONFIGURATION words (COPY = english)"]
)
def test_its_fingerprint_changes_with_it_and_with_no_other(
    tenants: tuple[DatabaseUrl, DatabaseUrl], change: str
) -> None:
    first, second = tenants
    before = fingerprint(first)
    run(second, change, "CREATE TABLE public.more (id integer)")
    assert fingerprint(first) == before
    run(first, change)
    assert fingerprint(first) != before


def test_a_schema_that_is_not_there_is_no_reason_to_look_elsewhere(postgresql_database: DatabaseUrl) -> None:
    with pytest.raises(NoSuchSchema, match="has no schema nowhere"):
        server.connect(postgresql_database.with_schema("nowhere"))
