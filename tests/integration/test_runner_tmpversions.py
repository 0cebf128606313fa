from dataclasses import replace
from pathlib import Path
import pytest, time
from tests.fixtures.projects import CopyProject, list_tables, read_rows, read_version
from govern.revisions.runner import Runner
from govern.database.postgresql import locks

ENVS = ["/tmp/old14/bin/python", "/tmp/old20/bin/python"]
@pytest.mark.parametrize("python", ENVS)
@pytest.mark.parametrize("name,driver", [("plain", ""), ("plain", "psycopg2"), ("plain", "pg8000"), ("asynchronous", "asyncpg"), ("own_engine", ""), ("concurrent_index","")])
def test_versions(python, name, driver, any_database, copy_project, monkeypatch):
    if "old14" in python and name == "asynchronous": pytest.skip()
    if "old20" in python and driver == "pg8000": pytest.skip()
    s = copy_project(name)
    ini = s.root/"alembic.ini"
    if driver: ini.write_text(ini.read_text().replace("driver://", f"postgresql+{driver}://"))
    monkeypatch.setenv("OWN_URL", "postgresql://db.invalid/x" if any_database.dialect == "postgresql" else "sqlite:///prod.db")
    r = Runner(replace(s, python=Path(python)))
    lock = locks.migration_lock(any_database) if any_database.dialect == "postgresql" else None
    d = r.describe(any_database); print(d)
    seen = []
    o = r.upgrade(any_database, lock=lock, on_locked=lambda: seen.append(list_tables(any_database)))
    print(o.output)
    assert o.error is None, o.error
    assert read_version(any_database) == {"r3" if name == "concurrent_index" else "r2"}
    assert r.downgrade(any_database, "base").error is None
    assert list_tables(any_database) == {"alembic_version"}
    assert r.create_all(any_database) == ("notes", "users")
    assert r.stamp(any_database, "heads").error is None
    p = r.revision(any_database, "x"); print(p.read_text())
    assert seen in ([set()], [])

@pytest.mark.parametrize("python", ENVS)
def test_fail(python, any_database, copy_project):
    rev = 'from alembic import op\nrevision, down_revision = "r3", "r2"\ndef upgrade():\n    op.execute("CREATE TABLE x (id INTEGER)")\n    raise ValueError("no")\n'
    s = copy_project("plain", {"migrations/versions/r3.py": rev})
    o = Runner(replace(s, python=Path(python))).upgrade(any_database)
    assert o.error.message == "no" and o.error.line == 5
    assert list_tables(any_database) == set()

@pytest.mark.parametrize("python", ENVS)
def test_interrupt(python, postgresql_database, copy_project):
    rev = 'from alembic import op\nrevision, down_revision = "r3", "r2"\ndef upgrade():\n    op.execute("SELECT pg_sleep(60)")\n'
    s = copy_project("plain", {"migrations/versions/r3.py": rev})
    from govern.revisions.protocol import RevisionStarted
    def stop(e):
        if isinstance(e, RevisionStarted) and e.revision == "r3":
            time.sleep(1); raise KeyboardInterrupt
    t=time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Runner(replace(s, python=Path(python))).upgrade(postgresql_database, on_event=stop)
    took = time.monotonic()-t
    print("took", took)
    assert took < 8
    assert read_rows(postgresql_database, "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()") == []
    assert list_tables(postgresql_database) == set()
