"""A backup is good when its files are what was written and a restore gives back what was backed up."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from govern.actions.backup import (
    Level,
    RestoredCopy,
    check_files,
    create_backup,
    find_backup,
    restored,
    verify_backup,
)
from govern.actions.backup.signing import sign
from govern.actions.backup.store import read_backup
from govern.config import Settings, load
from govern.core.backup import Backup, BackupFile, BackupManifest, Verification
from govern.core.finding import Finding
from govern.database.encryption import NO_KEYS
from govern.database.engines import dialect_of
from govern.database.postgresql.dump.archive import write_stream
from govern.database.postgresql.dump.clients import choose_for_dump, find_clients
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, NotPermitted
from tests.fixtures.databases import MakeRole

TABLES = """
CREATE TABLE users (
  id integer PRIMARY KEY, email varchar(320) NOT NULL,
  status varchar NOT NULL CHECK (status IN ('new', 'old'))
);
CREATE TABLE notes (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), body text);
CREATE TABLE "odd; ""name"" 100% ü.x" (id integer PRIMARY KEY);
CREATE INDEX ix_notes ON notes (user_id) WHERE body <> 'x';
CREATE VIEW new_users AS SELECT id, email FROM users WHERE status IN ('new', 'older');
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY);
INSERT INTO users VALUES (1, 'a@example.org', 'new'), (2, 'b@example.org', 'old');
INSERT INTO notes VALUES (1, 1, 'hello'), (2, 1, 'again'), (3, 2, 'world');
INSERT INTO alembic_version VALUES ('3f2a');
"""
POSTGRESQL_TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN code AS varchar CHECK (VALUE IN ('a', 'b'));
CREATE TABLE rich (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, old_id serial, mood mood DEFAULT 'sad', code code,
  tags varchar(10)[] DEFAULT ARRAY['x']::varchar(10)[], kind varchar GENERATED ALWAYS AS (
    CASE WHEN id IN (1, 2) THEN 'low'::varchar ELSE 'high' END) STORED,
  CONSTRAINT lower_known CHECK (code IN (lower('A'), 'b')),
  CONSTRAINT known CHECK (mood IN ('sad', 'happy') AND (code = ANY (ARRAY['a', 'b']::varchar[])))
);
CREATE INDEX ix_rich ON rich (lower(kind)) WHERE kind IN ('low', 'high');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch AFTER UPDATE ON rich
  FOR EACH ROW WHEN (NEW.kind IN ('low', 'x')) EXECUTE FUNCTION touch();
ALTER TABLE rich ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON rich USING (kind IN ('low', 'high'));
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM rich WHERE kind IN ('low', 'high');
CREATE TABLE parted (at date NOT NULL, n integer) PARTITION BY RANGE (at);
CREATE TABLE parted_2026 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
COMMENT ON TABLE rich IS 'a comment';
COMMENT ON COLUMN rich.mood IS 'how it went';
INSERT INTO rich (code) SELECT 'a' FROM generate_series(1, 50);
INSERT INTO parted VALUES ('2026-03-03', 1);
"""


@pytest.fixture
def database(any_database: DatabaseUrl) -> DatabaseUrl:
    run(any_database, TABLES)
    if any_database.dialect == "postgresql":
        run(any_database, POSTGRESQL_TABLES)
    return any_database


@pytest.fixture
def settings(tmp_path: Path, database: DatabaseUrl) -> Settings:
    project = tmp_path / "project"
    project.mkdir()
    return load(start=project, url=database.text, environ={})


@pytest.fixture
def backup(settings: Settings, database: DatabaseUrl) -> Backup:
    return create_backup(settings, dialect_of(database), database, reason="manual")


def test_a_good_backup_has_no_finding_and_its_manifest_says_so(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    verification, findings = verify(settings, database, backup)
    assert findings == ()
    assert verification is not None
    assert (verification.level, verification.left_out, verification.content) == ("restored", (), True)
    assert find_backup(settings, backup.id).manifest == backup.manifest.with_verification(verification)


def test_a_verified_backup_verifies_again(settings: Settings, database: DatabaseUrl, backup: Backup) -> None:
    for _ in range(2):
        verification, findings = verify(settings, database, backup)
        assert verification is not None
        assert findings == ()


def test_later_changes_of_the_database_do_not_make_a_backup_bad(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    run(database, "DROP TABLE notes; DELETE FROM users; CREATE TABLE more (id integer)")
    assert verify(settings, database, backup)[1] == ()


def test_the_files_alone_can_be_verified(settings: Settings, database: DatabaseUrl, backup: Backup) -> None:
    told: list[str] = []
    verification, findings = verify_backup(
        settings, dialect_of(database), backup, like=database, level="files", narrate=told.append
    )
    assert verification is not None
    assert (verification.level, findings) == ("files", ())
    assert len(told) == 1


def test_every_flipped_bit_and_every_truncation_is_found(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    """In every file, the manifest included, at 500 places and more; a whole file between them is never called bad."""
    files = [path for path in sorted(backup.path.rglob("*")) if path.is_file()]
    places = damages = found = false_alarms = 0
    for file in files:
        whole = file.read_bytes()
        for at in sorted({*range(0, len(whole), max(1, len(whole) * len(files) // 720)), len(whole) - 1}):
            places += 1
            flipped = bytes([whole[at] ^ 1 << at % 8])
            for damaged in (whole[:at] + flipped + whole[at + 1 :], whole[:at]):
                damages += 1
                file.write_bytes(damaged)
                found += find_damage(settings, backup) == {("backup.damaged-file", file.name)}
        for damaged in (whole + b"x", b""):
            damages += 1
            file.write_bytes(damaged)
            found += find_damage(settings, backup) == {("backup.damaged-file", file.name)}
        file.write_bytes(whole)
        false_alarms += find_damage(settings, backup) != set()
    assert places >= 500
    assert (found, false_alarms) == (damages, 0)


@pytest.mark.parametrize("level", ["files", "restore", "content"])
def test_a_damaged_file_is_named_at_every_level(
    settings: Settings, database: DatabaseUrl, backup: Backup, level: Level
) -> None:
    """Also where it is only read to be restored."""
    data = [file for file in backup.manifest.files if file.path.startswith("data/")]
    path = backup.path / max(data, key=lambda file: file.bytes).path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    verification, findings = verify_backup(settings, dialect_of(database), backup, like=database, level=level)
    assert verification is None
    assert [(finding.rule.id, Path(finding.subject.path or "").name) for finding in findings] == [
        ("backup.damaged-file", path.name)
    ]


def test_a_missing_file_is_named(settings: Settings, database: DatabaseUrl, backup: Backup) -> None:
    for file in backup.manifest.files:
        path = backup.path / file.path
        whole = path.read_bytes()
        path.unlink()
        assert names_of(settings, database, backup) == {("backup.missing-file", path.name)}
        path.write_bytes(whole)


def test_swapped_files_are_found(settings: Settings, database: DatabaseUrl, backup: Backup) -> None:
    other = create_backup(settings, dialect_of(database), database, reason="manual")
    run(database, "INSERT INTO users VALUES (3, 'c@example.org', 'new')")
    third = create_backup(settings, dialect_of(database), database, reason="manual")
    before = {file.path: file.sha256 for file in other.manifest.files}
    changed = next(file.path for file in third.manifest.files if file.sha256 != before[file.path])
    (other.path / changed).write_bytes((third.path / changed).read_bytes())
    assert {rule for rule, _ in names_of(settings, database, other)} == {"backup.damaged-file"}
    assert names_of(settings, database, backup) == set()


def test_a_file_behind_a_link_is_found(
    settings: Settings, database: DatabaseUrl, backup: Backup, tmp_path: Path
) -> None:
    data = backup.path / "data"
    data.rename(tmp_path / "data")
    data.symlink_to(tmp_path / "data")
    rules = {rule for rule, _ in names_of(settings, database, backup)}
    assert "backup.damaged-file" in rules


def test_an_unexpected_file_is_told_but_the_backup_stays_good(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    (backup.path / "data" / ".DS_Store").write_text("a file manager was here")
    verification, (finding,) = verify(settings, database, backup)
    assert verification is not None
    assert finding.rule.id == "backup.unexpected-file"
    assert finding.severity < finding.severity.ERROR
    assert finding.subject.path is not None
    assert finding.subject.path.endswith("data/.DS_Store")


def test_a_backup_that_is_no_longer_good_is_no_longer_called_verified(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    assert verify(settings, database, backup)[0] is not None
    assert find_backup(settings, backup.id).manifest.verified is not None
    (backup.path / "snapshot.lock").write_text("changed")
    assert verify(settings, database, backup)[0] is None
    assert find_backup(settings, backup.id).manifest.verified is None


def test_another_row_count_is_found(settings: Settings, database: DatabaseUrl, backup: Backup) -> None:
    key = next(name for name in backup.manifest.rows if name.endswith("notes"))
    rewrite(backup, replace(backup.manifest, rows={**backup.manifest.rows, key: 4}))
    verification, (finding,) = verify(settings, database, backup)
    assert verification is None
    assert finding.rule.id == "backup.content-differs"
    assert finding.subject.name == key
    assert finding.evidence == {"backed_up": 4, "restored": 3}


def test_the_rows_themselves_are_compared_and_not_only_counted(
    postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    """A backup gets the data of a database where a value was changed, with digests that are right."""
    url = postgresql_database
    settings = load(start=tmp_path, url=url.text, environ={})
    run(url, TABLES)
    backup = create_backup(settings, dialect_of(url), url, reason="manual")
    assert set(backup.manifest.checksums) == set(backup.manifest.rows)
    run(url, "UPDATE notes SET body = 'hullo' WHERE id = 1")
    changed = create_backup(settings, dialect_of(url), url, reason="changed")
    assert changed.manifest.checksums["public.users"] == backup.manifest.checksums["public.users"]
    rewrite(changed, replace(changed.manifest, checksums=backup.manifest.checksums))
    verification, (finding,) = verify(settings, url, changed)
    assert verification is None
    assert (finding.rule.id, finding.subject.name) == ("backup.content-differs", "public.notes")
    assert "not the same" in finding.message
    counted, findings = verify_backup(settings, dialect_of(url), changed, like=url, level="restore")
    assert findings == ()
    assert counted is not None
    assert (counted.level, counted.content) == ("restored", False)


def test_a_backup_without_checksums_or_with_unknown_ones_has_its_rows_counted(
    postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    """Of an earlier release, or of a later one."""
    url = postgresql_database
    settings = load(start=tmp_path, url=url.text, environ={})
    run(url, TABLES)
    backup = create_backup(settings, dialect_of(url), url, reason="manual")
    for manifest in (
        replace(backup.manifest, version=1, checksums={}, checksum_algorithm=None),
        replace(backup.manifest, checksum_algorithm="postgresql-columns-99"),
    ):
        rewrite(backup, manifest)
        verification, findings = verify(settings, url, backup)
        assert findings == ()
        assert verification is not None
        assert (verification.level, verification.content) == ("restored", False)
        assert find_backup(settings, backup.id).manifest.version == manifest.version


def test_a_backup_in_one_file_of_an_earlier_release_is_restored(
    postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    url = postgresql_database
    settings = load(start=tmp_path, url=url.text, environ={})
    run(url, TABLES)
    backup = create_backup(settings, dialect_of(url), url, reason="manual")
    shutil.rmtree(backup.path / "data" / "database")
    with dialect_of(url).connect(url) as connection:
        client = choose_for_dump(int(connection.value("SHOW server_version_num")) // 10000, find_clients())
    write_stream(client, [], url, backup.path / "data" / "database.pgdump", keys=NO_KEYS, progress=None)
    files = [file for file in backup.manifest.files if not file.path.startswith("data/database/")]
    written = backup.path / "data" / "database.pgdump"
    content = written.read_bytes()
    one = BackupFile(
        path="data/database.pgdump", bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    rewrite(backup, replace(backup.manifest, files=(*files, one)))
    verification, findings = verify(settings, url, backup)
    assert findings == ()
    assert verification is not None
    assert verification.content


def test_a_backup_under_load_is_of_one_moment(postgresql_database: DatabaseUrl, tmp_path: Path) -> None:
    """Two clients move money between accounts of two tables all the time; the sum stays what it is."""
    url = postgresql_database
    settings = load(start=tmp_path, url=url.text, environ={})
    run(
        url,
        "CREATE TABLE checking (id integer PRIMARY KEY, balance integer NOT NULL, pad text);"
        "CREATE TABLE saving (id integer PRIMARY KEY, balance integer NOT NULL);"
        "INSERT INTO checking SELECT n, 100, repeat(md5(n::text), 20) FROM generate_series(1, 5000) AS n;"
        "INSERT INTO saving SELECT n, 100 FROM generate_series(1, 5000) AS n",
    )
    is_over = threading.Event()
    moved: list[int] = []

    def move(seed: int) -> None:
        with psycopg.connect(url.conninfo) as connection:
            for number in itertools.count(seed, 2):
                if is_over.is_set():
                    moved.append(number)
                    return
                row = number * 7919 % 5000 + 1
                connection.execute("UPDATE checking SET balance = balance - 1 WHERE id = %s", (row,))
                connection.execute("UPDATE saving SET balance = balance + 1 WHERE id = %s", (row,))
                connection.commit()

    sums: list[tuple[int, int]] = []
    query = "SELECT (SELECT sum(balance) FROM checking) + (SELECT sum(balance) FROM saving)"
    moving = "SELECT sum(balance) FROM saving"

    def add_up(copy: RestoredCopy) -> None:
        with dialect_of(url).connect(copy.url) as connection:
            sums.append((connection.value(query), connection.value(moving)))

    with ThreadPoolExecutor(2) as writers:
        for seed in range(2):
            writers.submit(move, seed)
        try:
            for _ in range(4):
                backup = create_backup(settings, dialect_of(url), url, reason="load")
                verification, findings = verify_backup(
                    settings, dialect_of(url), backup, like=url, on_restored=add_up
                )
                assert findings == ()
                assert verification is not None
        finally:
            is_over.set()
    assert [total for total, _ in sums] == [1_000_000] * 4
    assert len({saved for _, saved in sums}) == 4, "nobody wrote"
    assert min(moved) > 10


def test_a_table_that_was_not_counted_is_found(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    rows = {name: count for name, count in backup.manifest.rows.items() if not name.endswith("notes")}
    rewrite(backup, replace(backup.manifest, rows=rows))
    assert [finding.rule.id for finding in verify(settings, database, backup)[1]] == [
        "backup.content-differs"
    ]


def test_another_revision_is_found(settings: Settings, database: DatabaseUrl, backup: Backup) -> None:
    rewrite(backup, replace(backup.manifest, revision=("ffff",)))
    (finding,) = verify(settings, database, backup)[1]
    assert finding.rule.id == "backup.content-differs"
    assert finding.evidence["restored"] == ("3f2a",)


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("DROP INDEX ix_notes", "", "ix_notes"),
        ("", "ALTER TABLE users ADD COLUMN age integer", "users.age"),
        ("", "DROP VIEW new_users", "new_users"),
        ("", "CREATE TABLE extra (id integer)", "extra"),
    ],
)
def test_another_schema_is_found(
    settings: Settings, database: DatabaseUrl, backup: Backup, before: str, after: str, name: str
) -> None:
    """The backup gets the data of a database that was changed, with digests that are right."""
    run(database, f"{before};{after}")
    changed = create_backup(settings, dialect_of(database), database, reason="changed")
    (changed.path / "snapshot.lock").write_bytes((backup.path / "snapshot.lock").read_bytes())
    old = next(file for file in backup.manifest.files if file.path == "snapshot.lock")
    files = tuple(old if file.path == old.path else file for file in changed.manifest.files)
    rewrite(changed, replace(changed.manifest, files=files, rows={}))
    differing = [
        finding for finding in verify(settings, database, changed)[1] if name in finding.subject.name
    ]
    assert {finding.rule.id for finding in differing} == {"backup.content-differs"}


def test_another_value_in_a_check_is_found_although_it_is_written_in_two_ways(
    postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    """PostgreSQL deparses the list before and after a dump differently; the values still count."""
    url, dialect = postgresql_database, dialect_of(postgresql_database)
    settings = load(start=tmp_path, url=url.text, environ={})
    run(url, "CREATE TABLE t (c varchar, CONSTRAINT known CHECK (c IN (lower('A'), 'b')))")
    before = create_backup(settings, dialect, url, reason="before")
    assert verify(settings, url, before)[1] == ()
    run(url, "ALTER TABLE t DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (c IN (lower('A'), 'c'))")
    after = create_backup(settings, dialect, url, reason="after")
    (after.path / "snapshot.lock").write_bytes((before.path / "snapshot.lock").read_bytes())
    files = {file.path: file for file in after.manifest.files}
    files |= {file.path: file for file in before.manifest.files if file.path == "snapshot.lock"}
    rewrite(after, replace(after.manifest, files=tuple(files.values())))
    assert [finding.subject.name for finding in verify(settings, url, after)[1]] == ["t.known"]


def test_a_dump_that_does_not_restore_is_a_finding(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    """Its digest is right: it was no dump from the beginning."""
    largest = max(
        (file for file in backup.manifest.files if file.path.startswith("data/")), key=lambda file: file.bytes
    )
    content = (backup.path / largest.path).read_bytes()[: largest.bytes // 2]
    (backup.path / largest.path).write_bytes(content)
    broken = replace(largest, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    files = tuple(broken if file.path == broken.path else file for file in backup.manifest.files)
    rewrite(backup, replace(backup.manifest, files=files))
    verification, (finding,) = verify(settings, database, backup)
    assert verification is None
    assert finding.rule.id == "backup.does-not-restore"


def test_a_damaged_manifest_is_a_finding(settings: Settings, database: DatabaseUrl, backup: Backup) -> None:
    (backup.path / "manifest.json").write_text("{")
    verification, (finding,) = verify(settings, database, backup)
    assert verification is None
    assert (finding.rule.id, finding.subject.name) == ("backup.damaged-file", backup.id)


def test_a_restored_copy_can_be_worked_with_and_is_dropped_afterwards(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    dialect = dialect_of(database)
    with restored(settings, dialect, backup, like=database) as copy:
        assert copy.url != database
        with dialect.connect(copy.url) as connection:
            assert connection.value("SELECT count(*) FROM notes") == 3
            connection.execute("DROP TABLE notes")
    assert not dialect.exists(copy.url)
    with dialect.connect(database) as connection:
        assert connection.value("SELECT count(*) FROM notes") == 3


def test_a_backup_of_another_engine_is_not_tried(
    settings: Settings, database: DatabaseUrl, backup: Backup, server_url: DatabaseUrl, tmp_path: Path
) -> None:
    other = (
        server_url if database.dialect == "sqlite" else DatabaseUrl.parse(f"sqlite:///{tmp_path / 'x.db'}")
    )
    with pytest.raises(ConfigurationError, match=f"is of a {database.dialect} database"):
        verify_backup(settings, dialect_of(other), backup, like=other)


def test_the_manifest_keeps_its_modes_and_leaves_no_litter(
    settings: Settings, database: DatabaseUrl, backup: Backup
) -> None:
    before = sorted(path.name for path in backup.path.rglob("*"))
    verify(settings, database, backup)
    assert sorted(path.name for path in backup.path.rglob("*")) == before
    assert [path.name for path in settings.backups.iterdir()] == [backup.id]
    assert (backup.path / "manifest.json").stat().st_mode & 0o777 == 0o600


def test_owners_that_the_user_may_not_make_are_left_out_of_the_comparison(
    postgresql_database: DatabaseUrl, make_role: MakeRole, tmp_path: Path
) -> None:
    """A limited role backs up tables of the superuser, and verifies on the same server."""
    run(postgresql_database, TABLES)
    login = make_role("limited", "s3cret", createdb=True)
    user = str(psycopg.conninfo.conninfo_to_dict(login.conninfo)["user"])
    run(postgresql_database, f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{user}"')
    url = login.with_database(postgresql_database.database)
    settings = load(start=tmp_path, url=url.text, environ={})
    backup = create_backup(settings, dialect_of(url), url, reason="manual")
    verification, findings = verify_backup(settings, dialect_of(url), backup, like=url)
    assert findings == ()
    assert isinstance(verification, Verification)
    assert "owner" in verification.left_out
    run(postgresql_database, f'DROP OWNED BY "{user}"')


def test_a_role_that_reads_not_everything_makes_no_backup(
    postgresql_database: DatabaseUrl, make_role: MakeRole, tmp_path: Path
) -> None:
    run(postgresql_database, TABLES)
    url = make_role("nosy", "s3cret").with_database(postgresql_database.database)
    settings = load(start=tmp_path, url=url.text, environ={})
    with pytest.raises(NotPermitted) as caught:
        create_backup(settings, dialect_of(url), url, reason="manual")
    assert "permission denied" in caught.value.why
    assert list(settings.backups.iterdir()) == []


def test_rows_that_a_policy_hides_make_no_silent_gap(
    postgresql_database: DatabaseUrl, make_role: MakeRole, tmp_path: Path
) -> None:
    run(postgresql_database, TABLES)
    login = make_role("limited", "s3cret")
    user = str(psycopg.conninfo.conninfo_to_dict(login.conninfo)["user"])
    run(
        postgresql_database,
        f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{user}";'
        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY",
    )
    url = login.with_database(postgresql_database.database)
    settings = load(start=tmp_path, url=url.text, environ={})
    with pytest.raises(NotPermitted) as caught:
        create_backup(settings, dialect_of(url), url, reason="manual")
    assert "row-level security" in caught.value.why
    run(postgresql_database, f'DROP OWNED BY "{user}"')


def verify(
    settings: Settings, url: DatabaseUrl, backup: Backup
) -> tuple[Verification | None, tuple[Finding, ...]]:
    return verify_backup(settings, dialect_of(url), backup, like=url)


def find_damage(settings: Settings, backup: Backup) -> set[tuple[str, str]]:
    """What ``names_of`` says, but nothing is written into the manifest."""
    read = read_backup(settings, backup.path)
    findings = [read] if isinstance(read, Finding) else check_files(settings, read)
    return {(finding.rule.id, Path(finding.subject.path or "").name) for finding in findings}


def names_of(settings: Settings, url: DatabaseUrl, backup: Backup) -> set[tuple[str, str]]:
    """Rule and file name of each finding about files; a restore is only tried where they are good."""
    findings = verify_backup(settings, dialect_of(url), backup, like=url, level="files")[1]
    return {(finding.rule.id, Path(finding.subject.path or "").name) for finding in findings}


def rewrite(backup: Backup, manifest: BackupManifest) -> None:
    """As govern would have done it: tests/integration/test_backup_signed.py has what others do."""
    (backup.path / "manifest.json").write_text(sign(manifest).to_text(), encoding="utf-8")


def run(url: DatabaseUrl, script: str) -> None:
    if url.dialect == "postgresql":
        with psycopg.connect(url.conninfo, autocommit=True) as postgresql:
            postgresql.execute(script)
    else:
        with closing(sqlite3.connect(url.path)) as sqlite:
            sqlite.executescript(script)


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_that_break_a_foreign_key_come_back_and_the_key_is_not_valid_then(
    postgresql_database: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr("govern.database.postgresql.dump.choose_jobs", lambda *_: jobs)
    with psycopg.connect(postgresql_database.conninfo) as connection:
        connection.execute(
            'CREATE TABLE "the; users" (id integer PRIMARY KEY, boss integer REFERENCES "the; users");'
            'CREATE TABLE notes (id integer, "by; whom" integer CONSTRAINT "of; a user" REFERENCES "the; users"'
            " ON DELETE CASCADE DEFERRABLE);"
            'INSERT INTO "the; users" VALUES (1, NULL), (2, 1);'
            "SET LOCAL session_replication_role = replica; INSERT INTO notes VALUES (1, 1), (2, 4711)"
        )
    settings = load(start=tmp_path, url=postgresql_database.text, environ={})
    dialect = dialect_of(postgresql_database)
    backup = create_backup(settings, dialect, postgresql_database, reason="manual")
    verification, findings = verify_backup(settings, dialect, backup, like=postgresql_database)
    assert verification is not None
    assert [finding.rule.id for finding in findings] == ["backup.broken-reference"]
    assert "notes" in findings[0].message
    assert "of; a user" in findings[0].message
    with (
        restored(settings, dialect, backup, like=postgresql_database) as copy,
        dialect.connect(copy.url) as connection,
    ):
        keys = connection.rows(
            "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY conname"
        )
        assert keys == [("of; a user", False), ("the; users_boss_fkey", True)]
        assert connection.rows("SELECT * FROM notes ORDER BY id") == [(1, 1), (2, 4711)]
