"""Rows of one database merged into another: what is missing comes, nothing that is there changes, no half is done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from govern.actions.restore.merge import apply_merge
from govern.actions.restore.tables import propose_tables, read_places
from govern.database.live import LiveDatabase
from govern.errors import NotPermitted, Refused
from tests.acceptance.program import execute
from tests.fixtures.databases import MakeRole
from tests.fixtures.pair import Pair

EVERYTHING_POSTGRESQL = """
CREATE SCHEMA "Shop ""one"" now";
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE teams (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, captain int, name text NOT NULL UNIQUE);
CREATE TABLE players (id serial PRIMARY KEY, team int NOT NULL REFERENCES teams, mentor int REFERENCES players);
ALTER TABLE teams ADD CONSTRAINT teams_captain FOREIGN KEY (captain) REFERENCES players;
CREATE TABLE "Shop ""one"" now"."it's 100%" ("a b" text, "c%d" int, moods mood[], raw bytea, doc json,
  twice int GENERATED ALWAYS AS ("c%d" * 2) STORED, PRIMARY KEY ("a b", "c%d"));
CREATE TABLE lines ("a b" text, "c%d" int, number int, price numeric(10, 2) CHECK (price >= 0), at timestamptz,
  PRIMARY KEY (number, at), FOREIGN KEY ("a b", "c%d") REFERENCES "Shop ""one"" now"."it's 100%")
  PARTITION BY RANGE (at);
CREATE TABLE lines_old PARTITION OF lines FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE lines_new PARTITION OF lines FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE log (said text, number double precision);
"""
ROWS_POSTGRESQL = """
INSERT INTO teams (name) SELECT 'team ' || n FROM generate_series(1, 3) n;
INSERT INTO players (team, mentor) VALUES (1, 2), (1, 3), (2, NULL), (3, 1);
UPDATE teams SET captain = id;
INSERT INTO "Shop ""one"" now"."it's 100%" VALUES
  ('é "quoted"', 1, '{ok,sad,NULL}', '\\x00ff', '{"b": 1,  "a": [null]}'),
  (E'tab\\there\\\\', 2, '{}', '', NULL);
INSERT INTO lines SELECT 'é "quoted"', 1, n, n / 3.0, '2025-12-25'::timestamptz + n * '1 day'::interval
  FROM generate_series(1, 14) n;
INSERT INTO log VALUES ('twice', 0.1), ('twice', 0.1), ('once', 'NaN'), (NULL, NULL);
"""
EVERYTHING_SQLITE = """
CREATE TABLE teams (id INTEGER PRIMARY KEY AUTOINCREMENT, captain INT REFERENCES players, name TEXT NOT NULL UNIQUE);
CREATE TABLE players (id INTEGER PRIMARY KEY, team INT NOT NULL REFERENCES TEAMS (id), mentor INT REFERENCES players);
CREATE TABLE "it's 100%" ("a b" TEXT, "c%d" INT, raw BLOB, twice INT GENERATED ALWAYS AS ("c%d" * 2) STORED,
  PRIMARY KEY ("a b", "c%d")) WITHOUT ROWID;
CREATE TABLE lines ("a b" TEXT, "c%d" INT, number INTEGER PRIMARY KEY, price NUMERIC CHECK (price >= 0),
  FOREIGN KEY ("a b", "c%d") REFERENCES "it's 100%");
CREATE TABLE log (said TEXT COLLATE NOCASE, number REAL);
"""
ROWS_SQLITE = """
INSERT INTO teams (name) VALUES ('team 1'), ('team 2'), ('team 3');
INSERT INTO players (team, mentor) VALUES (1, 2), (1, 3), (2, NULL), (3, 1);
UPDATE teams SET captain = id;
INSERT INTO "it's 100%" VALUES ('é "quoted"', 1, x'00ff'), ('tab\there', 2, x'');
INSERT INTO lines SELECT 'é "quoted"', 1, id, id / 3.0 FROM players;
INSERT INTO log VALUES ('twice', 0.1), ('twice', 0.1), ('TWICE', 0.1), (NULL, NULL);
"""
EVERYTHING = {
    "postgresql": (EVERYTHING_POSTGRESQL, ROWS_POSTGRESQL),
    "sqlite": (EVERYTHING_SQLITE, ROWS_SQLITE),
}


on_postgresql = pytest.mark.parametrize("pair", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("pair", ["sqlite"], indirect=True)


def read_all(database: LiveDatabase) -> Mapping[Any, Any]:
    with database.connect() as connection:
        tables = database.dialect.read_tables(connection, database.table)
        return dict(database.dialect.digest_tables(connection, tables))


def test_an_emptied_database_gets_every_row_back_and_a_second_merge_finds_nothing(pair: Pair) -> None:
    """Identity, serial, generated and composite columns, partitions, enums, arrays, a circle, odd names."""
    schema, rows = EVERYTHING[pair.live.dialect.name]
    pair.run(schema, source=(rows,))
    before = read_all(pair.source)
    planned = pair.plan()
    assert read_all(pair.live) != before
    done = pair.merge()
    assert read_all(pair.live) == before
    assert {name: table["added"] for name, table in planned.items()} == {
        name: table["added"] for name, table in done.items()
    }
    assert done["log"]["by"] == "whole rows"
    again = pair.merge()
    assert {table["added"] for table in again.values()} == {0}
    assert again["log"]["same"] == 4
    assert read_all(pair.live) == before
    pair.run("INSERT INTO teams (name) VALUES ('new')", "INSERT INTO players (team) VALUES (4)")
    assert pair.rows("SELECT max(id) FROM teams") == [(4,)]
    assert pair.rows("SELECT max(id) FROM players") == [(5,)]


def test_tables_that_were_dropped_are_made_again_with_their_rows(pair: Pair) -> None:
    """Among them a partitioned one, one of an odd name, and one of a circle, whose foreign keys went with it."""
    schema, rows = EVERYTHING[pair.live.dialect.name]
    pair.run(schema, source=(rows,))
    apply_merge(pair.live, pair.source)
    cascade = " CASCADE" if pair.is_postgresql else ""
    names = ('"Shop ""one"" now"."it\'s 100%"' if pair.is_postgresql else '"it\'s 100%"', "lines", "players")
    execute(pair.live.url, *(f"DROP TABLE {name}{cascade}" for name in names))
    dropped = read_places(pair.source) - read_places(pair.live)
    making = propose_tables(pair.live, pair.source, dropped)
    apply_merge(pair.live, pair.source, making=making)
    assert read_all(pair.live) == read_all(pair.source)
    assert pair.live.read_snapshot().objects == pair.source.read_snapshot().objects
    pair.run("INSERT INTO players (team) VALUES (1)")
    assert pair.rows("SELECT max(id) FROM players") == [(5,)]


@on_sqlite
def test_foreign_keys_that_sqlite_takes_and_cannot_look_at_are_in_nobodys_way(pair: Pair) -> None:
    columns = "n INT REFERENCES a (n), m INT REFERENCES a, o INT REFERENCES nowhere"
    pair.run(f"CREATE TABLE a (n INT); CREATE TABLE b (id INTEGER PRIMARY KEY, {columns})")
    pair.run(source=("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1, 1, 1)",))
    assert pair.merge()["b"]["added"] == 1


def test_what_is_there_stays_and_is_counted(pair: Pair) -> None:
    pair.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT UNIQUE, likes INTEGER DEFAULT 7)")
    pair.run(
        source=("INSERT INTO notes VALUES (1, 'same', 1), (2, 'then', 2), (3, 'gone', 3), (4, 'taken', 4)",)
    )
    execute(
        pair.live.url,
        "INSERT INTO notes VALUES (1, 'same', 1), (2, 'now', NULL), (5, 'taken', 5), (6, 'new', 6)",
    )
    expected = {
        "in_source": 4,
        "added": 1,
        "same": 1,
        "other_content": 1,
        "left_out": 1,
        "orphans": 0,
        "by": "id",
    }
    for table in (pair.plan()["notes"], pair.merge()["notes"]):
        assert {name: table[name] for name in expected} == expected
        assert table["remark"] == "1 row left out: another row has their body; other content is kept"
    assert pair.rows("SELECT * FROM notes ORDER BY id") == [
        (1, "same", 1), (2, "now", None), (3, "gone", 3), (5, "taken", 5), (6, "new", 6),
    ]  # fmt: skip


def test_of_the_parents_come_those_rows_that_are_referred_to_and_missing(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE countries (id INTEGER PRIMARY KEY);"
        "CREATE TABLE users (id INTEGER PRIMARY KEY, country INTEGER REFERENCES countries,"
        " boss INTEGER REFERENCES users);"
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES users)"
    )
    pair.run(
        source=(
            "INSERT INTO countries VALUES (1), (2), (3);"
            "INSERT INTO users VALUES (1, 1, NULL), (2, 2, 1), (3, 3, 2), (4, 3, NULL);"
            "INSERT INTO notes VALUES (1, 4), (2, 3), (3, 2)",
        )
    )
    execute(pair.live.url, "INSERT INTO countries VALUES (3)", "INSERT INTO users VALUES (4, 3, NULL)")
    execute(pair.live.url, "INSERT INTO notes VALUES (1, 4)")
    planned = pair.plan("notes")
    assert {name: table["added"] for name, table in planned.items()} == {
        "notes": 2,
        "users": 3,
        "countries": 2,
    }
    assert planned["users"]["remark"] == "only rows that others refer to"
    pair.merge("notes")
    assert pair.rows("SELECT id FROM users ORDER BY id") == [(1,), (2,), (3,), (4,)]
    assert pair.rows("SELECT id FROM countries ORDER BY id") == [(1,), (2,), (3,)]
    assert pair.rows("SELECT count(*) FROM notes") == [(3,)]
    execute(pair.source.url, "INSERT INTO countries VALUES (9)")
    assert "countries" not in pair.plan("notes")


def test_the_time_that_a_merge_takes_grows_with_the_rows_and_not_with_their_square(pair: Pair) -> None:
    """Each with each would be a minute and more."""
    pair.run(
        "CREATE TABLE users (id VARCHAR(20) PRIMARY KEY, boss VARCHAR(20) REFERENCES users);"
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, author VARCHAR(20) NOT NULL REFERENCES users);"
        "CREATE TABLE log (a INTEGER, b INTEGER)"
    )
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) "
    pair.run(
        source=(
            f"INSERT INTO users {numbers} SELECT 'u' || i, 'u' || (i % 1000 + 1) FROM n;"
            f"INSERT INTO notes {numbers} SELECT i, 'u' || i FROM n; INSERT INTO log {numbers} SELECT i % 10, i FROM n",
        )
    )
    began = time.monotonic()
    assert pair.plan("notes")["users"]["added"] == 40_000
    assert {name: table["added"] for name, table in pair.merge().items()} == dict.fromkeys(
        ("users", "notes", "log"), 40_000
    )
    execute(pair.live.url, "UPDATE log SET b = b + 1")
    assert pair.overwrite("users", "notes", "log", allow=("overwrites-rows:log",))["log"]["removed"] > 0
    assert time.monotonic() - began < 30


def test_rows_whose_parents_are_nowhere_are_named_and_none_comes(pair: Pair) -> None:
    pair.run("CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE free (id INTEGER PRIMARY KEY)")
    reference = "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER{})"
    execute(pair.live.url, reference.format(" REFERENCES users"))
    execute(pair.source.url, reference.format(""), "INSERT INTO notes VALUES (1, 7), (2, 8), (3, NULL)",
            "INSERT INTO free VALUES (1)")  # fmt: skip
    assert pair.plan()["notes"]["orphans"] == 2
    with pytest.raises(Refused) as refused:
        pair.merge()
    assert refused.value.why == "2 rows of notes refer to rows of users that are nowhere: author = 7, 8"
    assert pair.rows("SELECT count(*) FROM free") == [(0,)]
    execute(pair.live.url, "INSERT INTO users VALUES (7), (8)")
    assert pair.merge()["notes"]["added"] == 3


def test_columns_that_have_no_counterpart_are_named_before_anything_is_written(pair: Pair) -> None:
    """A column that was dropped since, and one that was added since."""
    execute(pair.source.url, "CREATE TABLE notes (id INTEGER PRIMARY KEY, nick TEXT)")
    execute(
        pair.live.url,
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER NOT NULL, at INT DEFAULT 5)",
    )
    assert pair.merge() == {}  # no row, no harm
    execute(pair.source.url, "INSERT INTO notes VALUES (1, 'a')")
    assert pair.plan()["notes"]["remark"] == "no column for nick; author would have no value"
    with pytest.raises(Refused, match="wants values that the rows have not") as refused:
        pair.merge()
    assert "notes.author" in refused.value.why
    execute(
        pair.live.url, "DROP TABLE notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY, at INT DEFAULT 5)"
    )
    with pytest.raises(Refused, match="no column for") as refused:
        pair.merge()
    assert "--allow drops-column:notes.nick" in refused.value.next
    apply_merge(pair.live, pair.source, allow=("drops-column:notes.nick",))
    assert pair.rows("SELECT * FROM notes") == [(1, 5)]


def test_a_row_that_breaks_a_rule_of_the_live_database_takes_all_back(pair: Pair) -> None:
    pair.run("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    execute(pair.live.url, "CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0), m INT)")
    execute(pair.source.url, "CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER, m INT)",
            "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1, -1, 1)")  # fmt: skip
    with pytest.raises(Refused, match="does not take the rows") as refused:
        pair.merge()
    assert "-1" not in refused.value.why.replace("b_n_check", "")
    assert pair.rows("SELECT count(*) FROM a") == [(0,)]


@on_postgresql
def test_a_circle_is_broken_where_that_can_be_and_named_where_it_cannot(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL);"
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE; ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a) "
        "REFERENCES a"
    )
    pair.run(source=("BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO a VALUES (1, 1); "
                     "INSERT INTO b VALUES (1, 1); COMMIT",))  # fmt: skip
    pair.run("ALTER TABLE a ALTER CONSTRAINT a_b_fkey NOT DEFERRABLE")
    with pytest.raises(Refused, match="no row can be the first: a, b refer to each other"):
        pair.plan()
    pair.run("ALTER TABLE a ALTER CONSTRAINT a_b_fkey DEFERRABLE")
    pair.merge()
    assert pair.rows("SELECT * FROM a, b") == [(1, 1, 1, 1)]


@on_postgresql
def test_a_unique_constraint_that_is_checked_late_is_in_nobodys_way(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE notes (id int PRIMARY KEY DEFERRABLE, place int UNIQUE DEFERRABLE INITIALLY DEFERRED)"
    )
    pair.run(source=("INSERT INTO notes VALUES (1, 1), (2, 2), (3, 3)",))
    execute(pair.live.url, "INSERT INTO notes VALUES (1, 2)")
    assert pair.plan()["notes"]["added"] == pair.merge()["notes"]["added"] == 1
    assert pair.rows("SELECT * FROM notes ORDER BY id") == [(1, 2), (3, 3)]
    pair.overwrite("notes", allow=("overwrites-rows:notes",))
    assert pair.rows("SELECT * FROM notes ORDER BY id") == [(1, 1), (2, 2), (3, 3)]


@on_sqlite
def test_a_row_without_a_key_comes_once(pair: Pair) -> None:
    pair.run("CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT)")
    pair.run(source=("INSERT INTO notes VALUES (NULL, 'a'), ('b', 'b')",))
    assert pair.merge()["notes"]["added"] == 2
    assert pair.merge()["notes"]["added"] == 0


@on_postgresql
def test_triggers_fire_and_are_told_and_sequences_never_go_back(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE notes (id serial PRIMARY KEY, body text); CREATE TABLE seen (id int);"
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (new.id); "
        "RETURN new; END'; CREATE TRIGGER see AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION see()"
    )
    pair.run(source=("INSERT INTO notes (body) VALUES ('a'), ('b')",))
    execute(pair.live.url, "SELECT setval('notes_id_seq', 50)")
    assert "fires see" in pair.plan("notes")["notes"]["remark"]
    pair.merge("notes")
    assert pair.rows("SELECT count(*) FROM seen") == [(2,)]
    assert pair.rows("SELECT last_value FROM notes_id_seq") == [(50,)]


@on_postgresql
def test_a_role_that_may_not_write_is_told_so(pair: Pair, make_role: MakeRole) -> None:
    pair.run("CREATE TABLE notes (id int PRIMARY KEY); GRANT SELECT ON notes TO PUBLIC")
    pair.run(source=("INSERT INTO notes VALUES (1)",))
    reader = make_role("reader", "password").with_database(pair.live.url.database)
    with pytest.raises(NotPermitted, match="could not be taken over"):
        apply_merge(LiveDatabase(pair.live.settings, reader), pair.source)


@on_postgresql
def test_rows_that_others_insert_meanwhile_win(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from govern.database.postgresql import transfer

    pair.run("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    pair.run(source=("INSERT INTO notes VALUES (1, 'then'), (2, 'then')",))
    insert = transfer._Transfer.insert

    def insert_after_another(self: Any, *arguments: Any, **options: Any) -> int:
        with psycopg.connect(pair.live.url.conninfo) as other:
            other.execute("INSERT INTO notes VALUES (1, 'now')")
        return insert(self, *arguments, **options)

    monkeypatch.setattr(transfer._Transfer, "insert", insert_after_another)
    assert pair.plan()["notes"]["added"] == 2
    assert pair.merge()["notes"]["added"] == 1
    assert pair.rows("SELECT * FROM notes ORDER BY id") == [(1, "now"), (2, "then")]


@on_postgresql
def test_a_table_that_somebody_holds_is_not_waited_for_without_end(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    from govern.database.postgresql import transfer

    pair.run("CREATE TABLE notes (id int PRIMARY KEY)")
    pair.run(source=("INSERT INTO notes VALUES (1)",))
    monkeypatch.setitem(transfer._SETTINGS, "lock_timeout", "100ms")
    with psycopg.connect(pair.live.url.conninfo) as other:
        other.execute("LOCK TABLE notes IN SHARE MODE")
        assert pair.plan()["notes"]["added"] == 1
        with pytest.raises(Refused, match="held by somebody else"):
            pair.merge()
    assert pair.merge()["notes"]["added"] == 1


@on_sqlite
def test_orphans_that_were_there_before_are_in_nobodys_way(pair: Pair) -> None:
    pair.run("CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE notes (id INTEGER PRIMARY KEY, author INT"
             " REFERENCES users)")  # fmt: skip
    execute(pair.live.url, "INSERT INTO notes VALUES (1, 77)")
    pair.run(source=("INSERT INTO users VALUES (1); INSERT INTO notes VALUES (2, 1)",))
    assert pair.merge()["notes"]["added"] == 1


def shop(pair: Pair) -> None:
    """Users and their notes; live, one user went and another came under his address, and the notes moved."""
    pair.run(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(20) UNIQUE);"
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, body"
        " VARCHAR(20)); CREATE TABLE stars (note INTEGER NOT NULL REFERENCES notes)"
    )
    pair.run(
        source=(
            "INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO notes VALUES (1, 1, 'x'), (2, 2, 'y')",
        )
    )
    execute(
        pair.live.url,
        "INSERT INTO users VALUES (2, 'b'), (3, 'a')",
        "INSERT INTO notes VALUES (1, 3, 'x'), (2, 2, 'other'), (7, 3, 'new')",
    )


def test_a_table_becomes_what_it_was_only_if_its_rows_are_allowed_by_name(pair: Pair) -> None:
    shop(pair)
    execute(pair.live.url, "INSERT INTO users VALUES (1, 'c')")
    planned = pair.plan_overwrite("notes")["notes"]
    assert (planned["added"], planned["removed"], planned["other_content"]) == (0, 1, 2)
    with pytest.raises(Refused) as refused:
        pair.overwrite("notes")
    assert refused.value.why == "notes has 3 rows that the backup has not"
    assert "--allow overwrites-rows:notes" in refused.value.next
    assert pair.rows("SELECT count(*) FROM notes") == [(3,)]
    done = pair.overwrite("notes", allow=("overwrites-rows:notes",))
    assert "other content is overwritten" in done["notes"]["remark"]
    assert pair.rows("SELECT * FROM notes ORDER BY id") == [(1, 1, "x"), (2, 2, "y")]
    assert pair.rows("SELECT * FROM users ORDER BY id") == [(1, "c"), (2, "b"), (3, "a")]
    again = pair.overwrite("notes")
    assert (again["notes"]["added"], again["notes"]["removed"], again["notes"]["same"]) == (0, 0, 2)


def test_rows_that_others_refer_to_do_not_go_unless_these_are_named_as_well(pair: Pair) -> None:
    """A cascade would take rows along that nobody spoke of."""
    shop(pair)
    execute(pair.live.url, "INSERT INTO stars VALUES (7), (2)")
    allow = ("overwrites-rows:users", "overwrites-rows:notes", "overwrites-rows:stars")
    with pytest.raises(Refused) as refused:
        pair.overwrite("users", allow=allow)
    assert refused.value.why == "2 rows of notes"
    assert "--table notes" in refused.value.next
    with pytest.raises(Refused, match="refer to them") as refused:
        pair.overwrite("users", "notes", allow=allow)
    assert refused.value.why == "1 row of stars"
    assert pair.rows("SELECT count(*) FROM notes") == [(3,)]
    pair.overwrite("users", "notes", "stars", allow=allow)
    assert pair.rows("SELECT * FROM users ORDER BY id") == [(1, "a"), (2, "b")]
    assert pair.rows("SELECT * FROM notes ORDER BY id") == [(1, 1, "x"), (2, 2, "y")]
    assert pair.rows("SELECT * FROM stars") == []


def test_a_table_without_a_key_becomes_what_it_was_row_by_row(pair: Pair) -> None:
    pair.run("CREATE TABLE log (said VARCHAR(20), number INTEGER)")
    pair.run(source=("INSERT INTO log VALUES ('a', 1), ('a', 1), ('b', NULL)",))
    execute(pair.live.url, "INSERT INTO log VALUES ('a', 1), ('b', NULL), ('b', NULL), ('c', 3)")
    planned = pair.plan_overwrite("log")["log"]
    assert (planned["added"], planned["removed"], planned["same"]) == (1, 2, 2)
    pair.overwrite("log", allow=("overwrites-rows:log",))
    assert pair.rows("SELECT * FROM log ORDER BY 1") == [("a", 1), ("a", 1), ("b", None)]
