"""Files that no person wrote, or not for this scan: each is named, takes no more than its time, and stops nothing."""

from __future__ import annotations

from pathlib import Path

from govern.code.kept.json_form import parse
from govern.code.workers import read_files
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject


def test_a_file_that_takes_too_long_is_named_and_those_after_it_are_read(tmp_path: Path) -> None:
    endless = "export const one = () => pool.query('SELECT id FROM users');\n" * 20_000
    (tmp_path / "generated.ts").write_text(endless)
    (tmp_path / "written.sql").write_text("SELECT id FROM users;\n")
    files = [(tmp_path / name, name) for name in ("generated.ts", "written.sql", "gone.sql")]
    generated, written, gone = (parse(said.text) for said in read_files(files, seconds_a_file=0.1))
    assert generated.problem == "to read it takes longer than 0.1 s"
    assert [sql.text for sql in written.sql] == ["SELECT id FROM users;\n"]
    assert "No such file" in gone.problem


def test_characters_that_no_database_takes_hide_nothing(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", postgresql_database)
    folder = project.root / "service"
    folder.mkdir()
    (folder / "null.py").write_bytes(b'connection.execute("SELECT \x00 FROM nowhere")\n')
    (folder / "half.ts").write_bytes(rb'pool.query("SELECT \ud800 FROM nowhere");' + b"\n")
    (folder / "wide.py").write_bytes('connection.execute("SELECT id FROM nowhere")\n'.encode("utf-16"))
    (folder / "deep.py").write_text("value = " + "(" * 3000 + "1" + ")" * 3000 + "\n")
    found = {finding["subject"]["path"] for finding in project.ask("scan", "service").findings}
    assert found == {f"service/{name}" for name in ("null.py", "half.ts", "wide.py")}


def test_a_project_of_another_language_is_not_said_to_be_fine(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database, {"service/main.go": "package main\n"})
    done = project.ask("scan", "service")
    assert done.exit_code == 3
    assert "no Python, JavaScript, TypeScript or SQL file" in done.entry("scan")["reason"]
