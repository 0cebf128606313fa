"""Repairs of PostgreSQL beyond the case corpus: rows that stay, what is asked instead of guessed, who proposes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest

from govern.core.changes import accept, diff
from govern.core.repair import Proposal
from govern.core.snapshot import ObjectKey, Snapshot
from govern.database import migra_diff
from govern.database.postgresql import server
from govern.database.postgresql.engine import PostgreSQL
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import CouldNotCheck
from tests.fixtures.databases import MakeDatabase
from tests.fixtures.server import skip_before

TABLE = VersionTable()


@dataclass(frozen=True)
class Repaired:
    proposal: Proposal
    live: DatabaseUrl
    expected: Snapshot

    def apply(self) -> bool:
        """Runs the statements on the live database; whether it is as expected then."""
        with server.connect(self.live) as connection, connection.transaction():
            for step in self.proposal.steps:
                connection.execute(step.sql)
        return read_snapshot(self.live).objects == self.expected.objects

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with server.connect(self.live) as connection:
            return connection.rows(query)

    @property
    def script(self) -> str:
        return ";\n".join(step.sql for step in self.proposal.steps)


def read_snapshot(url: DatabaseUrl) -> Snapshot:
    with server.connect(url) as connection:
        return PostgreSQL().read_snapshot(connection, TABLE)


Repair = Callable[..., Repaired]


@pytest.fixture
def repair(make_postgresql_database: MakeDatabase) -> Repair:
    """Proposes how ``live`` becomes ``declared``, but for the ``ignored`` changes; ``rows`` fill the live database."""

    def propose(declared: str, live: str, rows: str = "", ignored: tuple[ObjectKey, ...] = ()) -> Repaired:
        urls = []
        for script in (declared, live + rows, live):
            url = make_postgresql_database("template0")
            with server.connect(url) as connection:
                connection.execute(script)
            urls.append(url)
        wanted, existing, copy = urls
        schema, found = read_snapshot(wanted), read_snapshot(existing)
        expected = accept(schema, found, [c for c in diff(schema, found) if c.key in ignored])
        proposal = PostgreSQL().propose_repair(existing, copy, wanted, expected, TABLE)
        return Repaired(proposal, existing, expected)

    return propose


def hazards(repaired: Repaired) -> list[str]:
    return [str(hazard) for hazard in repaired.proposal.hazards]


def test_a_renamed_column_keeps_its_values(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE users (id integer, email text)",
        "CREATE TABLE users (id integer, mail text);",
        "INSERT INTO users VALUES (1, 'a@b.c')",
    )
    assert hazards(repaired) == []
    assert repaired.apply()
    assert repaired.rows("SELECT id, email FROM users") == [(1, "a@b.c")]


def test_what_may_have_been_renamed_is_asked_and_not_guessed(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE users (id integer, email text)",
        "CREATE TABLE users (mail text, id integer);",
        "INSERT INTO users VALUES ('a@b.c', 1)",
    )
    assert hazards(repaired) == ["drops-column:users.mail"]
    (doubt,) = repaired.proposal.doubts
    assert "users.mail" in doubt
    assert "users.email" in doubt


def test_of_two_that_look_alike_neither_is_renamed(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE words (id integer)",
        "CREATE TABLE one (id integer); CREATE TABLE two (id integer);",
    )
    assert "RENAME" not in repaired.script
    assert hazards(repaired) == ["drops-table:one", "drops-table:two"]
    assert len(repaired.proposal.doubts) == 1


def test_a_renamed_table_keeps_its_rows_and_its_parts_get_their_names(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE)",
        "CREATE TABLE people (id serial PRIMARY KEY, email text UNIQUE);",
        "INSERT INTO people (email) VALUES ('a@b.c')",
    )
    assert hazards(repaired) == []
    assert repaired.apply()
    assert repaired.rows("SELECT email FROM users") == [("a@b.c",)]


def test_a_label_that_is_added_can_be_used_by_the_same_script(repair: Repair) -> None:
    table = "CREATE TABLE t (m mood DEFAULT '{}');"
    repaired = repair(
        "CREATE TYPE mood AS ENUM ('glad', 'sad', 'calm');" + table.format("calm"),
        "CREATE TYPE mood AS ENUM ('glad', 'sad');" + table.format("sad"),
        "INSERT INTO t VALUES ('sad')",
    )
    assert repaired.apply()
    assert repaired.rows("SELECT m::text FROM t") == [("sad",)]


def test_an_identity_continues_after_the_keys_that_are_there(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY, v text)",
        "CREATE TABLE t (id integer NOT NULL, v text);",
        "INSERT INTO t VALUES (41, 'old')",
    )
    assert repaired.apply()
    assert repaired.rows("INSERT INTO t (v) VALUES ('new') RETURNING id") == [(42,)]


def test_a_serial_continues_after_the_keys_that_are_there(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE t (id serial, v text)",
        "CREATE TABLE t (id integer NOT NULL, v text);",
        "INSERT INTO t VALUES (41, 'old')",
    )
    assert repaired.apply()
    assert repaired.rows("INSERT INTO t (v) VALUES ('new') RETURNING id") == [(42,)]


@pytest.mark.parametrize(("rows", "is_enough"), [("", True), ("INSERT INTO t VALUES (1)", False)])
def test_a_column_that_rows_have_no_value_for_is_repaired_only_where_there_are_none(
    repair: Repair, rows: str, is_enough: bool
) -> None:
    repaired = repair("CREATE TABLE t (id integer, v text NOT NULL)", "CREATE TABLE t (id integer);", rows)
    assert repaired.apply() == is_enough


def test_what_cannot_be_repaired_does_not_keep_the_rest_from_it(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE p (d date) PARTITION BY RANGE (d); CREATE TABLE t (id integer NOT NULL)",
        "CREATE TABLE p (d date); CREATE TABLE t (id integer);",
    )
    assert "SET NOT NULL" in repaired.script
    assert "partition" not in repaired.script.lower()
    assert hazards(repaired) == []


def test_a_table_that_is_partitioned_otherwise_is_left_with_its_rows(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE p (d date, k text) PARTITION BY LIST (k)",
        "CREATE TABLE p (d date, k text) PARTITION BY RANGE (d);",
    )
    assert repaired.proposal.steps == ()
    assert repaired.proposal.hazards == ()


def test_statements_name_the_changes_they_are_there_for(repair: Repair) -> None:
    repaired = repair(
        "CREATE TABLE t (a integer, b integer); CREATE VIEW v AS SELECT a FROM t",
        "CREATE TABLE t (a bigint, b integer DEFAULT 3); CREATE VIEW v AS SELECT a FROM t;",
    )
    a, b = (ObjectKey("column", "public", f"t.{name}") for name in "ab")
    about = {key: [step.sql for step in repaired.proposal.steps if key in step.undoes] for key in (a, b)}
    assert [sql.split()[0] for sql in about[a]] == ["DROP", "ALTER", "CREATE"]
    assert about[b] == ['ALTER TABLE "public"."t" ALTER COLUMN "b" DROP DEFAULT']


def test_a_crash_of_migra_is_no_obstacle(repair: Repair, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**_: object) -> tuple[str, ...]:
        raise CouldNotCheck("migra could not compare the two schemas")

    monkeypatch.setattr(migra_diff, "propose_statements", crash)
    assert repair("CREATE TABLE t (a integer)", "CREATE TABLE t (a bigint);").apply()


def test_a_script_of_migra_that_does_not_run_is_not_taken(
    repair: Repair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migra_diff, "propose_statements", lambda **_: ("DROP TABLE no_such_table",))
    repaired = repair("CREATE TABLE t (a integer)", "CREATE TABLE t (a bigint);")
    assert "no_such_table" not in repaired.script
    assert repaired.apply()


def test_a_script_of_migra_that_loses_more_is_not_taken(
    repair: Repair, monkeypatch: pytest.MonkeyPatch
) -> None:
    wasteful = ("DROP TABLE t", "CREATE TABLE t (a integer NOT NULL)")
    monkeypatch.setattr(migra_diff, "propose_statements", lambda **_: wasteful)
    repaired = repair(
        "CREATE TABLE t (a integer NOT NULL)", "CREATE TABLE t (a integer);", "INSERT INTO t VALUES (7)"
    )
    assert hazards(repaired) == []
    assert repaired.apply()
    assert repaired.rows("SELECT a FROM t") == [(7,)]


def test_a_script_of_migra_that_loses_less_is_taken(repair: Repair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours cannot know that a column was renamed which now stands elsewhere; somebody else may."""
    rename = 'ALTER TABLE "users" RENAME COLUMN "mail" TO "email"'
    monkeypatch.setattr(migra_diff, "propose_statements", lambda **_: (rename,))
    repaired = repair(
        "CREATE TABLE users (id integer, email text)", "CREATE TABLE users (mail text, id integer);"
    )
    assert repaired.script == rename
    assert {key.name for step in repaired.proposal.steps for key in step.undoes} == {
        "users.mail",
        "users.email",
    }
    assert repaired.apply()


def test_the_copy_is_left_with_the_schema_it_had(make_postgresql_database: MakeDatabase) -> None:
    declared, copy = make_postgresql_database("template0"), make_postgresql_database("template0")
    with psycopg.connect(declared.conninfo) as connection:
        connection.execute("CREATE TABLE t (a integer)")
    dialect = PostgreSQL()
    with server.connect(copy) as connection:
        before = dialect.read_snapshot(connection, TABLE)
    assert dialect.propose_repair(copy, copy, declared, read_snapshot(declared), TABLE).steps
    with server.connect(copy) as connection:
        assert dialect.read_snapshot(connection, TABLE) == before


def test_objects_that_need_each_other_are_made_anew_together(repair: Repair) -> None:
    schema = """
        CREATE DOMAIN age AS {};
        CREATE FUNCTION is_grown(a age) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        ALTER DOMAIN age ADD CONSTRAINT grown CHECK (is_grown(VALUE));
        CREATE TABLE people (a age);
    """
    repaired = repair(schema.format("bigint"), schema.format("integer"))
    assert len(repaired.proposal.steps) < 20  # whether it can be done or not, it comes to an end


IGNORED = (ObjectKey("index", "public", "users.by_hand"), ObjectKey("table", "public", "notes"))
BY_HAND = "CREATE INDEX by_hand ON users (mail); CREATE TABLE notes (word text);"


def test_what_is_ignored_stays_while_the_rest_is_repaired(repair: Repair) -> None:
    """migra alone would drop both."""
    repaired = repair(
        "CREATE TABLE users (id bigint, mail text NOT NULL)",
        "CREATE TABLE users (id integer, mail text);" + BY_HAND,
        "INSERT INTO notes VALUES ('kept')",
        IGNORED,
    )
    assert "by_hand" not in repaired.script
    assert "notes" not in repaired.script
    assert hazards(repaired) == []
    assert repaired.apply()
    assert repaired.rows("SELECT word FROM notes") == [("kept",)]


def test_what_is_not_ignored_goes(repair: Repair) -> None:
    repaired = repair("CREATE TABLE users (mail text)", "CREATE TABLE users (mail text);" + BY_HAND)
    assert hazards(repaired) == ["drops-table:notes"]
    assert repaired.apply()
    assert repaired.rows("SELECT to_regclass('by_hand'), to_regclass('notes')") == [(None, None)]


@pytest.mark.parametrize(
    "by_hand", ["DROP INDEX by_hand", "DROP TABLE notes", "ALTER INDEX by_hand SET (fillfactor = 70)"]
)
def test_a_script_of_migra_that_touches_what_is_ignored_is_not_taken_though_it_loses_less(
    repair: Repair, monkeypatch: pytest.MonkeyPatch, by_hand: str
) -> None:
    rename = 'ALTER TABLE "users" RENAME COLUMN "post" TO "email"'
    monkeypatch.setattr(migra_diff, "propose_statements", lambda **_: (rename, by_hand))
    repaired = repair(
        "CREATE TABLE users (id integer, mail text, email text)",
        "CREATE TABLE users (post text, id integer, mail text);" + BY_HAND,
        ignored=IGNORED,
    )
    assert rename not in repaired.script
    assert "by_hand" not in repaired.script
    assert hazards(repaired) == ["drops-column:users.post"]
    assert repaired.apply()


BASE_TYPE = """
    CREATE TYPE num;
    CREATE FUNCTION num_in(cstring) RETURNS num LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
    CREATE FUNCTION num_out(num) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
    COMMENT ON FUNCTION num_in(cstring) IS 'reads it';
    CREATE TYPE num (INPUT = num_in, OUTPUT = num_out, INTERNALLENGTH = 4, PASSEDBYVALUE, CATEGORY = '{}');
"""


@pytest.mark.parametrize(
    "values",
    [
        "CREATE TABLE t (a num);",
        "CREATE TABLE t (a num[]);",
        "CREATE DOMAIN d AS num; CREATE TABLE t (a d);",
        "CREATE TYPE pair AS (a num); CREATE TABLE t (a pair);",
    ],
)
def test_a_base_type_that_columns_are_made_of_is_never_dropped(repair: Repair, values: str) -> None:
    repaired = repair(BASE_TYPE.format("N") + values, BASE_TYPE.format("U") + values)
    assert "CASCADE" not in repaired.script
    assert hazards(repaired) == []
    assert not repaired.apply()
    assert repaired.rows("SELECT count(a) FROM t") == [(0,)]


def test_a_base_type_is_made_anew_with_its_functions_and_whatever_else_needs_it(repair: Repair) -> None:
    rest = "CREATE DOMAIN d AS num; CREATE FUNCTION f(num) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
    repaired = repair(BASE_TYPE.format("N") + rest, BASE_TYPE.format("U") + rest)
    assert repaired.apply()


SERVER = (
    "CREATE FOREIGN DATA WRAPPER files; CREATE SERVER disk {} FOREIGN DATA WRAPPER files OPTIONS (host 'a');"
)


def test_a_server_whose_mapping_has_a_secret_is_not_made_anew(repair: Repair) -> None:
    mapping = "CREATE USER MAPPING FOR PUBLIC SERVER disk OPTIONS (\"user\" 'bob', password 'hush');"
    repaired = repair(SERVER.format("TYPE 'fast'") + mapping, SERVER.format("") + mapping)
    assert "hush" not in repaired.script
    assert not repaired.apply()
    assert repaired.rows("SELECT array_to_string(umoptions, ' ') FROM pg_user_mappings") == [
        ("user=bob password=hush",)
    ]


def test_a_secret_stays_while_what_is_beside_it_is_repaired(repair: Repair) -> None:
    mapping = "CREATE USER MAPPING FOR PUBLIC SERVER disk OPTIONS (\"user\" '{}', password 'hush');"
    repaired = repair(SERVER.format("") + mapping.format("bob"), SERVER.format("") + mapping.format("eve"))
    assert repaired.apply()
    assert repaired.rows("SELECT array_to_string(umoptions, ' ') FROM pg_user_mappings") == [
        ("user=bob password=hush",)
    ]


def test_a_foreign_table_moves_with_its_server_and_everything_on_it(repair: Repair) -> None:
    table = """
        CREATE FOREIGN TABLE lines (id integer OPTIONS (field '1') NOT NULL, line text DEFAULT 'x') SERVER disk;
        COMMENT ON FOREIGN TABLE lines IS 'from the disk';
        GRANT SELECT ON lines TO pg_monitor;
        CREATE VIEW longest AS SELECT max(length(line)) FROM lines;
    """
    repaired = repair(SERVER.format("TYPE 'fast'") + table, SERVER.format("") + table)
    assert hazards(repaired) == []
    assert repaired.apply()


def test_a_half_detached_partition_is_attached_again(repair: Repair, pytestconfig: pytest.Config) -> None:
    skip_before(14, pytestconfig)
    schema = """
        CREATE TABLE p (a integer) PARTITION BY LIST (a);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
    """
    pending = "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'p1'::regclass;"
    repaired = repair(schema, schema + pending, "INSERT INTO p1 VALUES (1)")
    assert repaired.apply()
    assert repaired.rows("SELECT a FROM p") == [(1,)]


@pytest.mark.parametrize("is_declared", [True, False])
def test_what_an_owner_may_do_with_a_column_goes_with_the_table(repair: Repair, is_declared: bool) -> None:
    tables = "CREATE TABLE users (email text); CREATE TABLE a (); CREATE TABLE b ();"
    handed_over = "ALTER TABLE users OWNER TO pg_monitor; GRANT SELECT (email) ON users TO pg_monitor;"
    schemas = (tables + handed_over, tables)
    assert repair(*(schemas if is_declared else reversed(schemas))).apply()


def test_a_publication_is_altered_in_place(repair: Repair) -> None:
    tables = "CREATE TABLE a (id integer, word text); CREATE TABLE b ();"
    repaired = repair(
        tables + "CREATE PUBLICATION feed FOR TABLE a, b WITH (publish = 'insert')",
        tables + "CREATE PUBLICATION feed FOR TABLE b;",
    )
    assert "DROP" not in repaired.script
    assert repaired.apply()


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE ALL ON SCHEMA public FROM PUBLIC"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE USAGE ON SCHEMA public FROM PUBLIC"),
        ("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "REVOKE ALL ON SCHEMA public FROM PUBLIC"),
    ],
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_what_everybody_may_do_in_public_is_repaired_whatever_the_release_grants(
    repair: Repair, declared: str, live: str, is_turned: bool
) -> None:
    repaired = repair(*((live, declared) if is_turned else (declared, live)))
    assert repaired.proposal.steps
    assert repaired.apply()


def test_a_childs_column_is_stored_as_its_parents_again(repair: Repair) -> None:
    family = """
        CREATE TABLE parent (a text); CREATE TABLE child () INHERITS (parent);
        ALTER TABLE parent ALTER a SET STORAGE external;
    """
    repaired = repair(family, family + "ALTER TABLE child ALTER a SET STORAGE main;")
    assert repaired.script == 'ALTER TABLE "public"."child" ALTER COLUMN "a" SET STORAGE external'
    assert repaired.apply()


@pytest.mark.parametrize("storage", ["", "ALTER TABLE t ALTER a SET STORAGE external"])
def test_a_retyped_column_is_stored_as_declared(repair: Repair, storage: str) -> None:
    live = "CREATE TABLE t (a numeric); ALTER TABLE t ALTER a SET STORAGE external;"
    repaired = repair(f"CREATE TABLE t (a text); {storage}", live, "INSERT INTO t VALUES (1)")
    assert repaired.script.count("SET STORAGE") == (1 if storage else 0)
    assert repaired.apply()


def test_what_else_differs_of_a_table_of_another_access_method_is_repaired(repair: Repair) -> None:
    method = "CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;"
    repaired = repair(
        f"{method} CREATE TABLE t (a integer) WITH (fillfactor = 70)",
        f"{method} CREATE TABLE t (a integer) USING pile;",
    )
    assert "fillfactor" in repaired.script
    repaired.apply()
    options = repaired.rows("SELECT reloptions FROM pg_class WHERE relname = 't'")
    assert options == [(["fillfactor=70"],)]


def test_a_publication_that_has_no_table_any_more_stays(repair: Repair, pytestconfig: pytest.Config) -> None:
    skip_before(15, pytestconfig)
    tables = "CREATE TABLE a (id integer, word text);"
    repaired = repair(
        tables + "CREATE PUBLICATION feed",
        tables + "CREATE PUBLICATION feed FOR TABLE a (id) WHERE (id > 1);",
    )
    assert repaired.script == 'ALTER PUBLICATION "feed" DROP TABLE public.a'
    assert repaired.apply()


def test_a_named_not_null_is_renamed_and_rows_are_not_looked_at(
    repair: Repair, pytestconfig: pytest.Config
) -> None:
    skip_before(18, pytestconfig)
    repaired = repair(
        "CREATE TABLE t (a integer CONSTRAINT given NOT NULL)", "CREATE TABLE t (a integer NOT NULL);"
    )
    assert repaired.script == 'ALTER TABLE "public"."t" RENAME CONSTRAINT "t_a_not_null" TO "given"'
    assert repaired.apply()


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        (
            "new (a integer GENERATED ALWAYS AS IDENTITY, b text)",
            "t (a integer GENERATED ALWAYS AS IDENTITY, b text)",
        ),
        (
            't ("new" integer GENERATED ALWAYS AS IDENTITY, b text)',
            "t (a integer GENERATED ALWAYS AS IDENTITY, b text)",
        ),
    ],
)
def test_the_sequence_of_an_identity_is_renamed_with_its_table_or_column(
    repair: Repair, declared: str, live: str
) -> None:
    repaired = repair(f"CREATE TABLE {declared}", f"CREATE TABLE {live}")
    assert hazards(repaired) == []
    assert repaired.apply()
    (name,) = repaired.rows("SELECT relname FROM pg_class WHERE relkind = 'S'")
    assert "new" in str(name)


def test_a_sequence_with_a_name_of_its_own_keeps_it_when_the_table_is_renamed(repair: Repair) -> None:
    table = "CREATE TABLE {} (a integer GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME counter), b text)"
    repaired = repair(table.format("new"), table.format("t"))
    assert repaired.apply()
    assert repaired.rows("SELECT relname FROM pg_class WHERE relkind = 'S'") == [("counter",)]


def test_an_identity_keeps_its_position_when_its_sequence_is_renamed(repair: Repair) -> None:
    table = "CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY{});"
    repaired = repair(
        table.format(" (SEQUENCE NAME counter)"),
        table.format(""),
        "INSERT INTO t SELECT FROM generate_series(1, 9)",
    )
    assert repaired.apply()
    assert repaired.rows("INSERT INTO t DEFAULT VALUES RETURNING a") == [(10,)]


def test_a_foreign_key_is_added_although_its_parent_took_no_made_up_row(repair: Repair) -> None:
    users = "CREATE TABLE users (id integer PRIMARY KEY, email text CHECK (position('@' in email) > 1));"
    repaired = repair(
        f"{users} CREATE TABLE devices (id integer, user_id integer NOT NULL REFERENCES users)",
        f"{users} CREATE TABLE devices (id integer, user_id integer NOT NULL, nick text);",
        "INSERT INTO users VALUES (1, 'a@example.org'); INSERT INTO devices VALUES (1, 1, 'x')",
    )
    assert 'ADD CONSTRAINT "devices_user_id_fkey"' in repaired.script
    assert hazards(repaired) == ["drops-column:devices.nick"]  # what is lost was measured with the row
    assert repaired.apply()
