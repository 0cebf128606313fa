"""Orphans are counted over every reference there can be, with keys and no rows; what cannot be looked at says why."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psycopg
import pytest

from govern.core.reference import NotCounted, OrphanCount, Reference
from govern.core.snapshot import default_namespace
from govern.database import row_queries
from govern.database.connection import Connection
from govern.database.engines import dialect_of
from govern.database.postgresql import chunks, orphans
from govern.database.url import DatabaseUrl
from tests.acceptance.program import execute
from tests.fixtures.databases import MakeRole, with_credentials

PARENT = "CREATE TABLE parent (id integer PRIMARY KEY, code text UNIQUE)"
ROWS = "INSERT INTO parent VALUES (1, 'a'), (2, 'b')"


def look(
    url: DatabaseUrl, *implied: Reference, seconds: float = 60
) -> Mapping[str, OrphanCount | NotCounted]:
    """By what the reference is called."""
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        resolved = dialect.resolve_implied(connection, implied)
        references = [
            *dialect.read_references(connection),
            *(one for one in resolved if isinstance(one, Reference)),
        ]
        found = tuple(dialect.find_orphans(connection, references, examples=3, seconds=seconds))
    refused = tuple(one for one in resolved if isinstance(one, NotCounted))
    return {str(one.reference): one for one in (*found, *refused)}


def count(found: OrphanCount | NotCounted) -> tuple[int, tuple[str, ...]]:
    assert isinstance(found, OrphanCount), found
    return found.rows, found.examples


def major_of(url: DatabaseUrl) -> int:
    with psycopg.connect(url.conninfo) as connection:
        return connection.info.server_version // 10_000


def implied(url: DatabaseUrl, child: str, parent: str, **options: object) -> Reference:
    namespace = default_namespace(url.dialect)
    (table, column), (other, other_column) = child.split("."), parent.split(".")
    return Reference(
        child=(namespace, table),
        columns=(column,),
        parent=(namespace, other),
        parent_columns=(other_column,),
        **options,  # type: ignore[arg-type]
    )


def test_a_key_that_was_off_let_orphans_in_and_a_whole_one_did_not(any_database: DatabaseUrl) -> None:
    off = (
        "PRAGMA foreign_keys = off"
        if any_database.dialect == "sqlite"
        else "SET session_replication_role = replica"
    )
    execute(
        any_database,
        PARENT,
        ROWS,
        'CREATE TABLE "odd ""child" (id integer PRIMARY KEY, "parent %s" integer REFERENCES parent)',
        "CREATE TABLE whole (id integer PRIMARY KEY, parent_id integer REFERENCES parent)",
        "INSERT INTO whole VALUES (1, 1), (2, NULL)",
        off,
        """INSERT INTO "odd ""child" VALUES (1, 1), (2, 7), (3, 7), (4, 8), (5, NULL)""",
    )
    found = look(any_database)
    assert count(found['"odd ""child"."parent %s" → parent.id']) == (3, ("7", "8"))
    assert count(found["whole.parent_id → parent.id"]) == (0, ())
    shown = found['"odd ""child"."parent %s" → parent.id']
    assert isinstance(shown, OrphanCount)
    dialect = dialect_of(any_database)
    with dialect.connect(any_database, read_only=True) as connection:
        assert [row[0] for row in connection.rows(shown.query.removesuffix(";"))] == [2, 3, 4]


def test_a_key_of_two_columns_is_no_reference_with_null_in_one(any_database: DatabaseUrl) -> None:
    execute(
        any_database,
        "CREATE TABLE pair (a integer, b integer, PRIMARY KEY (a, b))",
        "INSERT INTO pair VALUES (1, 1)",
        "CREATE TABLE child (x integer, y integer)",
        "INSERT INTO child VALUES (1, 1), (1, NULL), (NULL, NULL)",
    )
    simple = Reference(
        child=(default_namespace(any_database.dialect), "child"),
        columns=("x", "y"),
        parent=(default_namespace(any_database.dialect), "pair"),
        parent_columns=("a", "b"),
    )
    assert count(look(any_database, simple)["child (x, y) → pair (a, b)"]) == (0, ())
    execute(any_database, "INSERT INTO child VALUES (1, 2), (3, 1)")
    assert count(look(any_database, simple)["child (x, y) → pair (a, b)"]) == (2, ("1, 2", "3, 1"))


def test_an_implied_reference_may_cross_types_and_mean_some_rows_alone(any_database: DatabaseUrl) -> None:
    execute(
        any_database,
        PARENT,
        ROWS,
        "CREATE TABLE note (owner_type text, owner_id text)",
        "INSERT INTO note VALUES ('parent', '1'), ('parent', '9'), ('o''ther', '5'), ('parent', NULL)",
    )
    all_of_them = implied(any_database, "note.owner_id", "parent.id")
    parents = implied(any_database, "note.owner_id", "parent.id", when=(("owner_type", "parent"),))
    others = implied(any_database, "note.owner_id", "parent.id", when=(("owner_type", "o'ther"),))
    found = look(any_database, all_of_them, parents, others)
    assert count(found["note.owner_id → parent.id"]) == (2, ("5", "9"))
    assert count(found["note.owner_id where owner_type is parent → parent.id"]) == (1, ("9",))
    assert count(found["note.owner_id where owner_type is o'ther → parent.id"]) == (1, ("5",))


def test_what_is_not_there_cannot_be_looked_at(any_database: DatabaseUrl) -> None:
    execute(any_database, PARENT, "CREATE TABLE child (parent_id integer)")
    found = look(
        any_database,
        implied(any_database, "child.parent_id", "parent.nothing"),
        implied(any_database, "child.gone", "parent.id"),
        implied(any_database, "child.parent_id", "nowhere.id"),
    )
    assert all(isinstance(one, NotCounted) for one in found.values())
    assert len(found) == 3


def test_an_index_changes_the_way_and_not_the_number(any_database: DatabaseUrl) -> None:
    off = (
        "PRAGMA foreign_keys = off"
        if any_database.dialect == "sqlite"
        else "SET session_replication_role = replica"
    )
    execute(
        any_database,
        PARENT,
        ROWS,
        "CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent)",
        "CREATE INDEX child_parent ON child (parent_id, id)",
        off,
        "INSERT INTO child WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000) "
        "SELECT i, i % 5 FROM n",
    )
    if any_database.dialect == "postgresql":
        execute(any_database, "ANALYZE child")
    assert count(look(any_database)["child.parent_id → parent.id"]) == (15_000, ("0", "3", "4"))


def test_sqlite_names_a_parent_that_is_not_there(sqlite_database: DatabaseUrl) -> None:
    execute(sqlite_database, "CREATE TABLE child (id integer, parent_id integer REFERENCES gone (id))")
    (found,) = look(sqlite_database).values()
    assert isinstance(found, NotCounted)
    assert found.why == "there is no table gone"


@pytest.mark.parametrize(
    ("key", "doubt"),
    [
        ("REFERENCES parent NOT VALID", "it is NOT VALID"),
        ("REFERENCES parent", "its triggers are disabled"),
        ("REFERENCES parent NOT ENFORCED", "it is NOT ENFORCED"),
    ],
    ids=["not valid", "triggers disabled", "not enforced"],
)
def test_what_does_not_keep_orphans_out_is_told(
    key: str, doubt: str, postgresql_database: DatabaseUrl
) -> None:
    execute(postgresql_database, PARENT, "CREATE TABLE child (parent_id integer)")
    insert = "INSERT INTO child VALUES (4)"
    add = f"ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY (parent_id) {key}"
    if "ENFORCED" in doubt and major_of(postgresql_database) < 18:
        pytest.skip("NOT ENFORCED foreign keys came with PostgreSQL 18")
    if "triggers" in doubt:
        execute(postgresql_database, add, "ALTER TABLE child DISABLE TRIGGER ALL", insert)
    else:
        execute(postgresql_database, insert, add)
    (found,) = look(postgresql_database).values()
    assert isinstance(found, OrphanCount)
    assert (found.rows, found.reference.doubt) == (1, doubt)


def test_partitions_and_inheritors_count_as_postgresql_means_them(postgresql_database: DatabaseUrl) -> None:
    execute(
        postgresql_database,
        PARENT,
        ROWS,
        "CREATE TABLE parted (id integer, parent_id integer REFERENCES parent) PARTITION BY RANGE (id)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE base (id integer, parent_id integer REFERENCES parent)",
        "CREATE TABLE heir () INHERITS (base)",
        "INSERT INTO heir VALUES (1, 77)",  # no foreign key of an heir's rows
        "SET session_replication_role = replica",
        "INSERT INTO parted VALUES (1, 5)",
    )
    found = look(postgresql_database)
    assert sorted(found) == ["base.parent_id → parent.id", "parted.parent_id → parent.id"]
    assert count(found["parted.parent_id → parent.id"]) == (1, ("5",))
    assert count(found["base.parent_id → parent.id"]) == (0, ())


def test_match_full_means_all_or_none(postgresql_database: DatabaseUrl) -> None:
    execute(
        postgresql_database,
        "CREATE TABLE pair (a integer, b integer, PRIMARY KEY (a, b))",
        "CREATE TABLE child (x integer, y integer, FOREIGN KEY (x, y) REFERENCES pair MATCH FULL)",
        "SET session_replication_role = replica",
        "INSERT INTO child VALUES (1, NULL), (NULL, NULL)",
    )
    assert count(look(postgresql_database)["child (x, y) → pair (a, b)"]) == (1, ("1, NULL",))


def test_a_period_has_to_be_covered_by_the_parents_together(postgresql_database: DatabaseUrl) -> None:
    if major_of(postgresql_database) < 18:
        pytest.skip("temporal keys came with PostgreSQL 18")
    execute(
        postgresql_database,
        # ranges need no extension to be in such a key
        "CREATE TABLE price (id int4range, valid int4range, PRIMARY KEY (id, valid WITHOUT OVERLAPS))",
        "CREATE TABLE sale (id int4range, valid int4range, FOREIGN KEY (id, PERIOD valid) REFERENCES price)",
        "INSERT INTO price VALUES ('[1,2)', '[1,5)'), ('[1,2)', '[5,9)')",
        "INSERT INTO sale VALUES ('[1,2)', '[3,7)')",
        "SET session_replication_role = replica",
        "INSERT INTO sale VALUES ('[1,2)', '[3,12)'), ('[2,3)', '[1,2)')",
    )
    found = look(postgresql_database)["sale (id, valid) → price (id, valid)"]
    assert count(found) == (2, ("[1,2), [3,12)", "[2,3), [1,2)"))


def test_a_role_that_may_not_read_a_table_is_told_which(
    postgresql_database: DatabaseUrl, make_role: MakeRole
) -> None:
    execute(
        postgresql_database,
        PARENT,
        "CREATE TABLE secret (parent_id integer REFERENCES parent)",
        "CREATE TABLE open (parent_id integer REFERENCES parent)",
    )
    role = make_role("reader", "reader-password")
    reader = with_credentials(
        postgresql_database, role.text.partition("//")[2].partition(":")[0], "reader-password"
    )
    execute(postgresql_database, "GRANT SELECT ON parent, open TO PUBLIC")
    found = look(reader)
    refused = found["secret.parent_id → parent.id"]
    assert isinstance(refused, NotCounted)
    assert "permission denied for table secret" in refused.why
    assert count(found["open.parent_id → parent.id"]) == (0, ())


def test_without_time_for_all_of_a_large_table_a_sample_says_that_it_is_one(
    postgresql_database: DatabaseUrl,
) -> None:
    execute(
        postgresql_database,
        PARENT,
        "CREATE TABLE child (parent_id integer)",
        "INSERT INTO child SELECT 5 FROM generate_series(1, 300000)",
        "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
        "ANALYZE child",
    )
    (found,) = look(postgresql_database, seconds=0).values()
    assert isinstance(found, OrphanCount)
    assert found.sampled_percent is not None
    assert 60 < found.sampled_percent < 70
    assert 100_000 < found.rows < 300_000


def test_sqlite_stops_when_the_time_is_over(sqlite_database: DatabaseUrl) -> None:
    execute(
        sqlite_database,
        "CREATE TABLE parent (code text)",
        "CREATE TABLE child (code text REFERENCES parent (code))",
        "INSERT INTO child WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "SELECT i FROM n",
        "INSERT INTO parent SELECT 'x' || code FROM child",
    )
    (found,) = look(sqlite_database, seconds=0).values()
    assert isinstance(found, NotCounted)
    assert found.why == "there was no time left"


def test_a_connection_is_left_without_a_time_limit(postgresql_database: DatabaseUrl) -> None:
    execute(postgresql_database, PARENT, "CREATE TABLE child (parent_id integer REFERENCES parent)")
    dialect = dialect_of(postgresql_database)
    connection: Connection
    with dialect.connect(postgresql_database, read_only=True) as connection:
        references = dialect.read_references(connection)
        assert len(tuple(dialect.find_orphans(connection, references, examples=1, seconds=5))) == 1
        assert connection.value("SHOW statement_timeout") == "0"


CHILDREN = (
    PARENT,
    ROWS,
    "CREATE TABLE child (id integer PRIMARY KEY, parent_id integer)",
    "INSERT INTO child SELECT i, 1 + i % 2 FROM generate_series(1, 130000) i",
    "INSERT INTO child SELECT i, 1000 + i FROM generate_series(-3, 0) i",
    "INSERT INTO child SELECT i, 2000 + i FROM generate_series(130001, 130003) i",
    "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
)


@pytest.mark.parametrize(
    "index", ["", "CREATE INDEX ON child (parent_id)"], ids=["by the key", "by an index"]
)
def test_what_is_too_long_for_a_statement_is_counted_in_chunks_and_all_of_it(
    index: str, postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(postgresql_database, *CHILDREN, *filter(None, [index]), "ANALYZE")
    monkeypatch.setattr(orphans, "_STATEMENT_SECONDS", 0.0)
    (found,) = look(postgresql_database).values()
    assert isinstance(found, OrphanCount)
    assert (found.rows, found.sampled_percent) == (7, None)
    assert set(found.examples) < {*map(str, range(997, 1001)), "132001", "132002", "132003"}
    assert len(found.examples) == 3


# as a replica says it, which has to go on with what its primary did
CONFLICT = """
CREATE FUNCTION conflict() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'canceling statement due to conflict with recovery' USING ERRCODE = 'serialization_failure';
END $$
"""


@pytest.mark.parametrize(
    "trouble", ["SELECT pg_sleep(9)::text", "SELECT conflict()"], ids=["slow", "replica"]
)
def test_chunks_that_are_cancelled_become_smaller_and_begin_where_the_last_one_ended(
    trouble: str, postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(postgresql_database, *CHILDREN, CONFLICT, "ANALYZE")
    seen = trouble_chunks(monkeypatch, trouble, above=20_000)
    (found,) = look(postgresql_database).values()
    assert isinstance(found, OrphanCount)
    assert (found.rows, found.sampled_percent) == (7, None)
    assert (seen[0], set(seen[1:])) == (50_000, {12_500})


def test_a_replica_that_cancels_every_chunk_is_told(
    postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(postgresql_database, *CHILDREN, CONFLICT, "ANALYZE")
    seen = trouble_chunks(monkeypatch, "SELECT conflict()", above=0)
    (found,) = look(postgresql_database).values()
    assert isinstance(found, NotCounted)
    assert found.why.startswith("this replica had to go on with what its primary did")
    assert seen == [50_000, 12_500, 3_125, 1_000]


def test_chunks_that_the_time_ends_say_how_far_they_came(
    postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(postgresql_database, *CHILDREN, "ANALYZE")
    monkeypatch.setattr(orphans, "_SAMPLED_ROWS", 1_000)
    trouble_chunks(monkeypatch, "SELECT pg_sleep(9)::text", above=50_000)
    monkeypatch.setattr(chunks, "_BRISK_SECONDS", 9.0)
    monkeypatch.setattr(chunks, "_FEWEST_ROWS", 50_000)
    monkeypatch.setattr(chunks, "_LONGEST_SECONDS", 60.0)
    (found,) = look(postgresql_database, seconds=2).values()
    assert isinstance(found, OrphanCount)
    assert found.sampled_percent is not None
    assert (found.rows, round(found.sampled_percent)) == (4, 38)


def trouble_chunks(monkeypatch: pytest.MonkeyPatch, trouble: str, *, above: int) -> list[int]:
    """Chunks of more rows meet ``trouble``, SQL. Returns the sizes that were tried."""
    tried: list[int] = []
    find_end = row_queries.find_end

    def find_no_end(reference: Reference, stretch: row_queries.Stretch, rows: int) -> str:
        tried.append(rows)
        return trouble if rows > above else find_end(reference, stretch, rows)

    monkeypatch.setattr(row_queries, "find_end", find_no_end)
    monkeypatch.setattr(chunks, "_LONGEST_SECONDS", 0.5)
    monkeypatch.setattr(chunks, "_BRISK_SECONDS", 0.0)
    monkeypatch.setattr(orphans, "_STATEMENT_SECONDS", 0.0)
    return tried


def test_an_index_is_asked_in_parts_that_leave_nothing_out(
    postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        postgresql_database,
        "CREATE TABLE parent (id bigint PRIMARY KEY)",
        "INSERT INTO parent SELECT i FROM generate_series(1, 20000) i WHERE i % 1000 <> 0",
        "CREATE TABLE child (parent_id bigint)",
        "INSERT INTO child SELECT i % 20000 FROM generate_series(1, 60000) i",
        "CREATE INDEX ON child (parent_id)",
        "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
        "VACUUM ANALYZE",
    )
    monkeypatch.setattr(orphans, "_PARTED_ROWS", 1_000)
    (found,) = look(postgresql_database).values()
    assert isinstance(found, OrphanCount)
    assert found.reference.has_same_order
    assert found.rows == 3 * 20


def test_a_table_that_somebody_has_locked_is_named_with_the_session_and_waited_for_once(
    postgresql_database: DatabaseUrl,
) -> None:
    execute(
        postgresql_database,
        PARENT,
        "CREATE TABLE one (parent_id integer REFERENCES parent)",
        "CREATE TABLE two (parent_id integer REFERENCES parent)",
        "CREATE TABLE free (id integer PRIMARY KEY, before integer REFERENCES free)",
    )
    with psycopg.connect(postgresql_database.conninfo, application_name="a migration") as holder:
        holder.execute("LOCK TABLE parent")
        pid = holder.info.backend_pid
        started = time.monotonic()
        found = look(postgresql_database)
        assert time.monotonic() - started < 3 * 2
    assert count(found["free.before → free.id"]) == (0, ())
    for name in ("one", "two"):
        refused = found[f"{name}.parent_id → parent.id"]
        assert isinstance(refused, NotCounted)
        assert refused.why == f"parent is locked by pid {pid} (a migration)"


def test_a_partitioned_table_is_as_large_as_its_partitions(postgresql_database: DatabaseUrl) -> None:
    execute(
        postgresql_database,
        PARENT,
        ROWS,
        "CREATE TABLE parted (id integer, parent_id integer REFERENCES parent) PARTITION BY RANGE (id)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000)",
        "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10000) TO (90000)",
        "INSERT INTO parted SELECT i, 1 FROM generate_series(0, 24999) i",
        "ANALYZE parted_1",
        "ANALYZE parted_2",
    )
    (found,) = look(postgresql_database).values()
    assert found.reference.child_rows == 25_000
    assert count(found) == (0, ())
