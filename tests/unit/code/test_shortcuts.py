"""What is told of code before it is read, so that less of it is: each such shortcut finds what the long way does."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.checks.scan.placeholders import split_statements
from govern.code.files import Reader
from govern.code.kept.json_form import parse, render
from govern.code.texts.building import PYTHON
from govern.code.texts.engines import Reading, find_readings
from govern.code.tree import Tree

ast_grep_py = pytest.importorskip("ast_grep_py")

ASSIGNED = (
    'NOTES = "notes"',
    'NOTES="notes"',
    'NOTES: Final[str] = "notes"',
    'NOTES \\\n    = "notes"',
    'OTHERS = NOTES = "notes"',
    'if (NOTES # the table\n    := "notes"):\n    pass',
    'NOTES = "no"\nNOTES += "tes"',
    'try:\n    NOTES\t= "notes"\nexcept ValueError:\n    pass',
)
NOT_ASSIGNED = ('NOTES == "notes"', 'print(NOTES, "notes")', 'class NOTES("notes"): pass', '"NOTES"')


@pytest.mark.parametrize("line", ASSIGNED)
def test_an_imported_constant_is_known_however_its_assignment_is_written(tmp_path: Path, line: str) -> None:
    assert read_importing(tmp_path, line) == "SELECT id FROM notes"


@pytest.mark.parametrize("line", NOT_ASSIGNED)
def test_an_imported_name_that_is_given_no_value_is_a_hole(tmp_path: Path, line: str) -> None:
    assert read_importing(tmp_path, line) == "SELECT id FROM \ufffc"


def test_what_a_file_says_is_the_same_after_it_was_written_down(tmp_path: Path) -> None:
    content = (
        "class User(Base):\n    __tablename__ = 'users'\n    orders = relationship('Order', back_populates='user')\n"
        "User.nick = column_property(1)\n"
        "session.execute(text('SELECT a, ' 'b FROM t'))  # govern: ignore[scan.undefined-table] it comes later\n"
        "session.query(User).filter_by(name='x')\nset_path = 'SET search_path TO app'\n"
    )
    file = Reader().read_content(content.encode(), "app.py", tmp_path / "app.py")
    assert all((file.sql, file.names, file.models, file.members, file.gives, file.ignores, file.search_path))
    assert len(file.sql[0].marks) == 2
    assert parse(render(file)) == file


@pytest.mark.parametrize("condition", ["dialect.name == 'SQLite'", "isinstance(engine, PostgresEngine)"])
def test_a_program_for_two_databases_is_seen_in_whatever_case_it_names_one(condition: str) -> None:
    assert len(readings_of(f"if {condition}:\n    a = 1\nelse:\n    a = 2\n")) == 2


def test_a_program_that_names_no_database_is_read_once() -> None:
    assert len(readings_of("if dialect.name == 'other':\n    a = 1\n")) == 1


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("a WHERE b IN %s", ["a WHERE b IN ($1)"]),
        ("INSERT INTO t (a, b) VALUES\n %s", ["INSERT INTO t (a, b) VALUES\n ($1, NULL)"]),
        ("b = :b AND e = 'x;' || E'\\';'; SELECT 1", ["b = $1 AND e = 'x;' || E'\\';'", "SELECT 1"]),
        (
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
            ["CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; SELECT 2; END", "SELECT 3"],
        ),
        ("SELECT sqlc.arg('a'), @b, $3, ?4, $<c>, ${d}, $e", ["SELECT $1, $2, $3, $4, $5, $6, $7"]),
        (
            "SELECT 1 -- ?\n, '%s', \"?\", $x$ ; $x$, a::int",
            ["SELECT 1 -- ?\n, '%s', \"?\", $x$ ; $x$, a::int"],
        ),
        ("SELECT 1 /* :a ; */, 5 %% 2", ["SELECT 1 /* :a ; */, 5 % 2"]),
    ],
)
def test_placeholders_are_found_wherever_they_begin(text: str, statements: list[str]) -> None:
    assert [one.sql.strip() for one in split_statements(text)] == statements


def read_importing(folder: Path, line: str) -> str:
    """What a file runs that imports NOTES from one with this line."""
    (folder / "tables.py").write_text(f"{line}\n", encoding="utf-8")
    content = b'from tables import NOTES\nconnection.execute(f"SELECT id FROM {NOTES}")\n'
    [sql] = Reader().read_content(content, "app.py", folder / "app.py").sql
    return sql.text


def readings_of(content: str) -> tuple[Reading, ...]:
    return find_readings(Tree(ast_grep_py.SgRoot(content, "python").root(), PYTHON.kinds), PYTHON)
