"""What a repair of rows says before, refuses, and gives back; on each engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from govern.actions.repairs.back import list_undoable
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, Refused
from tests.fixtures.databases import MakeRole, with_credentials
from tests.fixtures.repaired import Repaired

SCHEMA = """
CREATE TABLE users (id integer PRIMARY KEY, name varchar(20) UNIQUE);
CREATE TABLE notes (
    id integer PRIMARY KEY, user_id integer REFERENCES users (id) ON DELETE CASCADE,
    seen_by integer REFERENCES users (id) ON DELETE SET NULL
);
CREATE TABLE invoices (id integer PRIMARY KEY, user_id integer REFERENCES users (id));
CREATE TABLE visits (user_id integer REFERENCES users (id));
CREATE TABLE seats (user_id integer PRIMARY KEY, place text DEFAULT 'a');
INSERT INTO users VALUES (1, 'Ann'), (2, 'Bob'), (3, NULL);
INSERT INTO notes VALUES (1, 1, 2), (2, 2, 1), (3, 2, 2), (4, 3, 3);
"""
MANIFEST = """
repairs:
  - {name: bobs, kind: delete_where, table: users, where: name = 'Bob', reason: x, owner: y}
  - {name: all, kind: delete_where, table: notes, where: id > 0, reason: x, owner: y}
  - {name: unseen, kind: set_null, column: notes.seen_by, where: id < 3, reason: x, owner: y}
  - {name: lost-visits, kind: set_null, of: visits.user_id -> users.id, reason: x, owner: y}
  - {name: orphans, kind: delete_orphans, of: notes.user_id -> users.id, reason: x, owner: y}
  - name: seats
    kind: insert_missing
    table: seats
    select: SELECT id AS user_id FROM users WHERE id NOT IN (SELECT user_id FROM seats)
    reason: x
    owner: y
"""
Make = Callable[..., Repaired]


@pytest.fixture
def make(any_database: DatabaseUrl, tmp_path: Path) -> Make:
    def make(manifest: str = MANIFEST, more: str = "") -> Repaired:
        repaired = Repaired(tmp_path / "project", any_database, manifest)
        repaired.create(SCHEMA + more)
        return repaired

    return make


def declare(kind: str, **keys: str) -> str:
    said = "".join(f'    {key}: "{value}"\n' for key, value in keys.items())
    return f"repairs:\n  - name: one\n    kind: {kind}\n    reason: x\n    owner: y\n{said}"


def why(refusal: pytest.ExceptionInfo[Refused]) -> str:
    return f"{refusal.value.what}: {refusal.value.why}"


def test_what_goes_with_a_row_is_a_part_of_the_plan_and_of_the_way_back(make: Make) -> None:
    repaired = make()
    before = repaired.digest()
    plan = repaired.plan("bobs")
    assert [(one.place[1], one.action, one.rows, one.examples) for one in plan.touched if one.rows] == [
        ("users", "delete", 1, ("2",)),
        ("notes", "delete", 2, ("2", "3")),
        ("notes", "update", 1, ("1",)),
    ]
    assert [one.because is None for one in plan.touched if one.rows] == [True, False, False]
    run = repaired.apply("bobs")
    assert repaired.read("SELECT * FROM notes ORDER BY id") == [(1, 1, None), (4, 3, 3)]
    assert dict(run.rows) == {"delete users": 1, "delete notes": 2, "update notes": 1}
    repaired.roll_back(run)
    assert repaired.digest() == before


def test_a_row_that_others_need_is_not_deleted(make: Make) -> None:
    repaired = make(more="INSERT INTO invoices VALUES (1, 2), (2, 2), (3, 1);")
    with pytest.raises(Refused) as refusal:
        repaired.apply("bobs")
    assert "2 rows of invoices would lose what they refer to" in why(refusal)
    assert len(repaired.read("SELECT 1 FROM users")) == 3


def test_an_implied_reference_is_upheld_as_well(make: Make) -> None:
    relationships = "relationships:\n  - from: seats.user_id\n    to: users.id\n"
    repaired = make(relationships + MANIFEST, "INSERT INTO seats VALUES (2, 'b');")
    with pytest.raises(Refused) as refusal:
        repaired.apply("bobs")
    assert "by the manifest" in why(refusal)


def test_missing_rows_are_inserted_with_their_defaults_and_taken_out_again(make: Make) -> None:
    repaired = make(more="INSERT INTO seats VALUES (2, 'b');")
    before = repaired.digest()
    run = repaired.apply("seats")
    assert repaired.read("SELECT * FROM seats ORDER BY 1") == [(1, "a"), (2, "b"), (3, "a")]
    assert repaired.plan("seats").is_empty
    repaired.roll_back(run)
    assert repaired.digest() == before


def test_a_row_that_changed_since_stays_and_nothing_is_rolled_back(make: Make) -> None:
    repaired = make()
    inserted, emptied = repaired.apply("seats"), repaired.apply("unseen")
    repaired.execute(
        "UPDATE seats SET place = 'window' WHERE user_id = 2", "UPDATE notes SET seen_by = 3 WHERE id = 1"
    )
    now = repaired.digest()
    with pytest.raises(Refused) as refusal:
        repaired.roll_back(inserted)
    assert "1 row of seats: 2 was changed or deleted since" in why(refusal)
    with pytest.raises(Refused) as refusal:
        repaired.roll_back(emptied)
    assert "1 row of notes: 1 was changed or deleted since" in why(refusal)
    assert repaired.digest() == now


def test_a_key_that_was_taken_since_is_in_the_way_and_an_equal_row_is_not(make: Make) -> None:
    repaired = make()
    before = repaired.digest()
    run = repaired.apply("bobs")
    repaired.execute("INSERT INTO users VALUES (5, 'Bob')", "INSERT INTO notes VALUES (2, 2, NULL)")
    with pytest.raises(Refused) as refusal:
        repaired.roll_back(run)
    assert "users: 2 has another row with its name now" in why(refusal)
    assert "notes: 2 has another row with its id now" in why(refusal)
    repaired.execute("DELETE FROM users WHERE id = 5", "UPDATE notes SET seen_by = 1 WHERE id = 2")
    repaired.roll_back(run)
    assert repaired.digest() == before
    assert list_undoable(repaired.live)[0].undone_by


def test_a_parent_that_went_since_is_in_the_way(make: Make) -> None:
    repaired = make()
    run = repaired.apply("all")
    repaired.execute("DELETE FROM users WHERE id = 3")
    with pytest.raises(Refused) as refusal:
        repaired.roll_back(run)
    assert 'is not present in table "users"' in why(refusal) or "rows of users that are gone" in why(refusal)
    assert repaired.read("SELECT * FROM notes") == []
    repaired.execute("INSERT INTO users VALUES (3, NULL)")
    repaired.roll_back(run)
    assert len(repaired.read("SELECT * FROM notes")) == 4


def test_rows_that_had_no_parent_before_come_back_without_one(make: Make) -> None:
    repaired = make()
    repaired.execute("INSERT INTO notes VALUES (8, 88, NULL), (9, 99, 1)")
    before = repaired.digest()
    run = repaired.apply("orphans")
    assert repaired.read("SELECT count(*) FROM notes") == [(4,)]
    repaired.roll_back(run)
    assert repaired.digest() == before


def test_a_column_of_another_type_is_in_the_way(make: Make) -> None:
    repaired = make()
    run = repaired.apply("unseen")
    if repaired.live.dialect.name == "postgresql":
        repaired.execute("ALTER TABLE notes ALTER seen_by TYPE bigint")
    else:
        repaired.execute("ALTER TABLE notes RENAME seen_by TO seen")
    with pytest.raises(Refused) as refusal:
        repaired.roll_back(run)
    assert "notes" in why(refusal)
    assert "seen_by" in why(refusal)


def test_copies_are_in_nobodys_way_and_nobodys_schema(make: Make) -> None:
    repaired = make()
    live = repaired.live
    before = live.read_fingerprint(), live.read_snapshot().objects
    repaired.apply("bobs")
    assert (live.read_fingerprint(), live.read_snapshot().objects) == before
    with live.connect() as connection:
        places = live.dialect.read_tables(connection, live.table)
        references = live.dialect.read_references(connection)
    assert not [place for place in places if "govern" in "".join(place)]
    assert not [one for one in references if "govern" in "".join(one.child)]


def test_other_rows_than_planned_are_refused_with_both_numbers(make: Make) -> None:
    repaired = make()
    plan = repaired.plan("all")
    repaired.execute("INSERT INTO notes VALUES (5, 1, NULL)")
    with pytest.raises(Refused) as refusal:
        repaired.apply("all", plan=plan)
    assert "planned: 4 of notes; there are: 5 of notes" in why(refusal)
    assert repaired.read("SELECT count(*) FROM notes") == [(5,)]
    assert list_undoable(repaired.live) == ()
    repaired.apply("all", plan=plan, batch=3)  # no more than planned
    assert repaired.read("SELECT count(*) FROM notes") == [(1,)]


def test_batches_are_bounded_and_written_down(make: Make) -> None:
    repaired = make()
    run = repaired.apply("all", batch=3)
    (undoable,) = list_undoable(repaired.live)
    assert (undoable.batches, undoable.rows, undoable.planned, undoable.is_finished) == (2, 4, 4, True)
    with repaired.live.connect() as connection:
        recorded = repaired.live.dialect.read_runs(connection, 5)
    assert [dict(one.rows) for one in recorded] == [{"delete notes": 4}] == [dict(run.rows)]


def test_a_trigger_is_named_before_it_fires(make: Make) -> None:
    repaired = make()
    if repaired.live.dialect.name == "postgresql":
        body = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
        repaired.execute(
            body, 'CREATE TRIGGER "del%" BEFORE DELETE ON notes FOR EACH ROW EXECUTE FUNCTION f()'
        )
    else:
        repaired.execute('CREATE TRIGGER "del%" BEFORE DELETE ON notes BEGIN SELECT 1; END')
    assert repaired.plan("unseen").triggers == ()  # it does not fire on UPDATE
    with pytest.raises(Refused) as refusal:
        repaired.apply("bobs")
    assert "notes" in why(refusal)
    allowed = tuple(map(str, repaired.plan("bobs").hazards))
    assert repaired.apply("bobs", allow=allowed).rows["delete notes"] == 2


def test_a_trigger_that_was_reviewed_with_the_repair_needs_no_flag_and_another_does(make: Make) -> None:
    allow = "where: name = 'Bob', allow: [fires-trigger:notes.audit]"
    repaired = make(MANIFEST.replace("where: name = 'Bob'", allow))
    if repaired.live.dialect.name == "postgresql":
        repaired.execute(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(NEW, OLD); END'",
            "CREATE TRIGGER audit BEFORE DELETE OR INSERT ON notes FOR EACH ROW EXECUTE FUNCTION f()",
        )
    else:
        repaired.execute("CREATE TRIGGER audit BEFORE DELETE ON notes BEGIN SELECT 1; END")
    plan = repaired.plan("bobs")
    assert plan.to_json()["allowed"] == ["fires-trigger:notes.audit"]
    before = repaired.digest()
    repaired.roll_back(repaired.apply("bobs"))
    assert repaired.digest() == before
    assert repaired.plan("all").to_json()["allowed"] == []
    with pytest.raises(Refused, match="more than its plan says"):
        repaired.apply("all")


def test_a_trigger_that_keeps_a_row_is_noticed(make: Make) -> None:
    repaired = make()
    if repaired.live.dialect.name == "postgresql":
        body = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        repaired.execute(body, "CREATE TRIGGER k BEFORE DELETE ON notes FOR EACH ROW EXECUTE FUNCTION f()")
    else:
        keep = "CREATE TRIGGER k BEFORE DELETE ON notes BEGIN SELECT RAISE(IGNORE); END"
        repaired.execute(keep)
    before = repaired.digest()
    with pytest.raises(Refused) as refusal:
        repaired.apply("all", allow=("fires-trigger:notes.k",))
    assert "rows of notes were not deleted" in why(refusal)
    assert repaired.digest() == before


@pytest.mark.parametrize(
    "where",
    ["true); DELETE FROM notes; --", "id = (", "no_such_column = 1", "id = 1; SELECT 1"],
)
def test_what_is_no_condition_is_refused(make: Make, where: str) -> None:
    repaired = make(declare("delete_where", table="notes", where=where))
    with pytest.raises(Refused):
        repaired.plan("one")
    assert repaired.read("SELECT count(*) FROM notes") == [(4,)]


def test_a_row_without_a_key_cannot_be_found_again_and_one_that_takes_no_null_stays(make: Make) -> None:
    repaired = make(MANIFEST, "ALTER TABLE seats ADD COLUMN boss integer NOT NULL DEFAULT 9;")
    repaired.execute("INSERT INTO visits VALUES (88)", "INSERT INTO seats VALUES (1, 'a', 77)")
    (obstacle,) = repaired.plan("lost-visits").obstacles
    assert obstacle == "visits has no key by which to find a row again"
    other = Repaired(
        repaired.root / "other", repaired.live.url, declare("set_null", of="seats.boss -> users.id")
    )
    assert other.plan("one").obstacles == ("seats.boss takes no NULL",)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"of": "no_such_key"}, "no foreign key is called 'no_such_key'"),
        ({"of": "notes.nobody -> users.id"}, "is not in the database"),
    ],
)
def test_a_reference_that_is_not_there_is_said_with_its_line(
    make: Make, keys: dict[str, str], said: str
) -> None:
    repaired = make(declare("delete_orphans", **keys))
    with pytest.raises(ConfigurationError) as error:
        repaired.plan("one")
    assert "governance.yaml:2: " in error.value.what
    assert said in error.value.what


def test_a_table_that_is_not_there_is_an_obstacle(make: Make) -> None:
    repaired = make(declare("delete_where", table="nowhere", where="true"))
    assert len(repaired.plan("one").obstacles) == 1


def test_a_condition_that_writes_is_refused(postgresql_database: DatabaseUrl, tmp_path: Path) -> None:
    repaired = Repaired(
        tmp_path, postgresql_database, declare("delete_where", table="notes", where="f() > id")
    )
    body = "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'INSERT INTO visits VALUES (1); SELECT 1';"
    repaired.create(SCHEMA + body)
    with pytest.raises(Refused) as refusal:
        repaired.plan("one")
    assert "writes" in why(refusal)
    assert repaired.read("SELECT * FROM visits") == []


def test_a_sequence_goes_on_behind_its_largest_value_and_back(
    postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    repaired = Repaired(tmp_path, postgresql_database, declare("move_sequence", column="tickets.id"))
    repaired.create("CREATE TABLE tickets (id serial PRIMARY KEY); INSERT INTO tickets VALUES (1), (7);")
    fingerprint = repaired.live.read_fingerprint()
    first = repaired.apply("one")
    assert repaired.plan("one").is_empty
    repaired.roll_back(first)
    assert not repaired.plan("one").is_empty
    second = repaired.apply("one")
    repaired.execute("INSERT INTO tickets DEFAULT VALUES")
    assert repaired.read("SELECT max(id) FROM tickets") == [(8,)]
    with pytest.raises(Refused) as refusal:
        repaired.roll_back(second)
    assert "has given values since" in why(refusal)
    assert repaired.live.read_fingerprint() == fingerprint


def test_copies_hold_no_type_back(postgresql_database: DatabaseUrl, tmp_path: Path) -> None:
    repaired = Repaired(tmp_path, postgresql_database, declare("delete_where", table="moods", where="true"))
    repaired.create(
        "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE moods (m mood); INSERT INTO moods VALUES ('ok');"
    )
    repaired.apply("one")
    repaired.execute("DROP TABLE moods", "DROP TYPE mood")


def test_the_parts_of_a_table_are_repaired_as_one(postgresql_database: DatabaseUrl, tmp_path: Path) -> None:
    repaired = Repaired(
        tmp_path, postgresql_database, declare("delete_where", table="events", where="id <> 3")
    )
    repaired.create(
        "CREATE TABLE events (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
        "CREATE TABLE early PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');"
        "CREATE TABLE late PARTITION OF events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');"
        "INSERT INTO events VALUES (1, '2020-02-02'), (2, '2021-02-02'), (3, '2021-02-02');"
    )
    before = repaired.digest()
    assert repaired.plan("one").rows == 2
    run = repaired.apply("one")
    assert repaired.read("SELECT id FROM events") == [(3,)]
    repaired.roll_back(run)
    assert repaired.digest() == before


def test_the_owner_of_the_tables_repairs_and_must_allow_triggers_on_the_way_back(
    make_role: MakeRole, postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    role = make_role("owner", "s3cret")
    user = urlsplit(role.text).username
    Repaired(tmp_path / "superuser", postgresql_database).execute(
        f'GRANT CREATE ON DATABASE "{postgresql_database.database}" TO "{user}"',
        f'GRANT CREATE ON SCHEMA public TO "{user}"',
    )
    url = with_credentials(postgresql_database, str(user), "s3cret")
    owner = Repaired(tmp_path / "project", url, MANIFEST)
    body = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    fires = "CREATE TRIGGER t BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION f();"
    owner.create(SCHEMA + body + fires)
    before = owner.digest()
    run = owner.apply("bobs")
    with pytest.raises(Refused) as refusal:
        owner.roll_back(run)
    assert "session_replication_role" in refusal.value.next
    owner.roll_back(run, allow=("fires-trigger:notes.t",))
    assert owner.digest() == before
    reviewed = MANIFEST.replace("name = 'Bob'", "name = 'Bob', allow: [fires-trigger:notes.t]")
    owner = Repaired(tmp_path / "reviewed", url, reviewed)
    owner.roll_back(owner.apply("bobs"))
    assert owner.digest() == before


def test_what_goes_with_what_goes_with_a_row_is_followed_to_the_end_also_in_a_circle(make: Make) -> None:
    repaired = make(
        more="CREATE TABLE replies (id integer PRIMARY KEY, note_id integer REFERENCES notes (id) ON DELETE CASCADE,"
        " parent_id integer REFERENCES replies (id) ON DELETE CASCADE);"
        "INSERT INTO replies VALUES (1, 1, NULL), (2, 2, NULL), (3, NULL, 2), (4, NULL, 3), (5, 1, 4), (6, 1, 1);"
    )
    repaired.execute("UPDATE replies SET parent_id = 5 WHERE id = 2")  # the second is in a circle of four
    before = repaired.digest()
    assert repaired.plan("bobs").rows == 1 + 2 + 1 + 4
    run = repaired.apply("bobs")
    assert repaired.read("SELECT id FROM replies ORDER BY id") == [(1,), (6,)]
    assert repaired.plan("bobs").is_empty
    repaired.roll_back(run)
    assert repaired.digest() == before
