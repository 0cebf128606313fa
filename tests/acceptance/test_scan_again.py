"""A scan that follows another one reads and asks only what is new, and says what a first one would."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from govern.code.kept import earlier
from govern.code.kept.store import FILE, Kept, edition
from govern.code.workers import Named
from govern.config import find_cache_folder
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project

CODE = {
    "service/tables.py": 'NOTES = "notes"\n',
    "service/mine.py": """
from service.tables import NOTES


def mine(connection):
    connection.execute(f"SELECT body FROM {NOTES}")
    return connection.execute("SELECT nick FROM users")
""",
    "service/other.ts": "export const all = (pool) => pool.query('SELECT id FROM gone');\n",
}


def found(project: Project) -> set[str]:
    done = project.ask("scan", "service")
    return {f"{finding['rule']} {finding['subject']['name']}" for finding in done.findings}


def test_a_second_scan_says_what_a_first_one_would_whatever_was_changed(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database, CODE)
    first = {"scan.undefined-column nick", "scan.undefined-table gone"}
    assert found(project) == found(project) == first
    project.write({"service/tables.py": 'NOTES = "note_s"\n'})
    assert found(project) == first | {"scan.undefined-table note_s"}, "what a file imports counts"
    project.write(
        {"service/tables.py": CODE["service/tables.py"], "service/service/tables.py": 'NOTES = "x"\n'}
    )
    assert found(project) == first | {"scan.undefined-table x"}, "and where it is imported from"
    project.write({"service/service/tables.py": None})
    models = (project.root / "app/models.py").read_text()
    project.write({"app/models.py": models.replace("email =", "nick = Column(Text)\n    email =")})
    assert found(project) == {"scan.undefined-table gone"}, "the schema counts"
    project.write({"service/makes.py": 'connection.execute("CREATE TEMP TABLE gone (id int)")\n'})
    assert found(project) == set(), "and what other files make"
    project.write({"service/makes.py": None})
    kept = (find_cache_folder(project.root) or Path()) / FILE
    kept.write_bytes(b"not ours" * 1000)
    assert found(project) == found(project) == {"scan.undefined-table gone"}
    assert b"not ours" not in kept.read_bytes(), "a broken file is made anew"


def test_only_what_was_changed_is_read_and_of_another_govern_nothing_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in CODE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    files = [(tmp_path / name, name) for name in CODE]
    read: list[list[str]] = []

    def watched(left: list[Named], **options: Any) -> object:
        read.append([name for _, name in left])
        return reading(left, **options)

    reading = earlier.read_files
    monkeypatch.setattr(earlier, "read_files", watched)

    def read_with(kept: Kept) -> object:
        with kept:
            return earlier.read_changed(files, kept)

    first = read_with(Kept(tmp_path / "kept"))
    assert read_with(Kept(tmp_path / "kept")) == first
    (tmp_path / "service/other.ts").write_text("export {};\n")
    read_with(Kept(tmp_path / "kept"))
    assert read == [list(CODE), [], ["service/other.ts"]]
    monkeypatch.setattr(earlier, "edition", lambda: f"{edition()} and one")
    read_with(Kept(tmp_path / "kept"))
    read_with(Kept(None))
    assert read[3:] == [list(CODE), list(CODE)]


def test_two_scans_at_once_and_one_that_may_not_write_take_nothing_from_each_other(tmp_path: Path) -> None:
    def keep(name: str) -> None:
        with Kept(tmp_path) as kept:
            for number in range(20):
                kept.keep({f"{name} {number}": name})

    threads = [threading.Thread(target=keep, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Kept(tmp_path) as kept:
        there = kept.find(f"{name} {number}" for name in ("one", "two") for number in range(20))
    assert len(there) == 40
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    with Kept(nowhere) as kept:
        kept.keep({"a": "b"})
        assert kept.find(["a"]) == {}


def test_what_nobody_asks_for_is_forgotten(tmp_path: Path) -> None:
    with Kept(tmp_path, today=100) as kept:
        kept.keep({"used": "1", "unused": "2"})
    with Kept(tmp_path, today=110) as kept:
        kept.keep({}, used=["used"])
    with Kept(tmp_path, today=116) as kept:
        kept.keep({})
        assert kept.find(["used", "unused"]) == {"used": "1"}
