"""Code that asks for what no schema defines is found before it runs, in three languages."""

from __future__ import annotations

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import assert_told

CODE = {
    "service/auth.py": """
from sqlalchemy import text


def provider(connection, name):
    return connection.execute(
        text("SELECT secret FROM auth_configs WHERE name = :name"), {"name": name}
    )
""",
    "service/auth.ts": """
export async function provider(name: string) {
  return await sql`
    SELECT secret
    FROM auth_configs
    WHERE name = ${name}`;
}
""",
    "service/report.sql": """
\\set day '2026-01-01'
SELECT email FROM users;
SELECT count(*) FROM auth_configs WHERE name = :'day';
""",
}
MODEL = """

class AuthConfig(Base):
    __tablename__ = "auth_configs"
    name = Column(String(80), primary_key=True)
    secret = Column(Text, nullable=False)
"""


def test_a_table_that_nobody_defined_is_found_with_its_lines_until_it_is_declared(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database, CODE)
    done = project.ask("scan", "service")
    assert done.exit_code == 1
    found = [(finding["rule"], finding["subject"]) for finding in done.findings]
    assert {rule for rule, _ in found} == {"scan.undefined-table"}
    assert [(subject["name"], subject["path"], subject["line"]) for _, subject in found] == [
        ("auth_configs", "service/auth.py", 7),
        ("auth_configs", "service/auth.ts", 5),
        ("auth_configs", "service/report.sql", 4),
    ]
    models = (project.root / "app/models.py").read_text()
    project.write({"app/models.py": models + MODEL})
    assert project.succeed("scan", "service").findings == []


def test_an_old_code_base_starts_with_what_is_known_and_new_mistakes_are_found(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database, CODE)
    project.succeed("scan", "service", "--write-baseline", "scan.baseline")
    assert project.ask("scan", "service", "--baseline", "scan.baseline").entry("scan")["reason"] == (
        "4 statements in 3 files; 3 problems known"
    )
    project.write({"service/more.py": 'connection.execute("SELECT nick FROM users")\n'})
    done = project.ask("scan", "service", "--baseline", "scan.baseline")
    assert done.exit_code == 1
    assert [finding["subject"]["name"] for finding in done.findings] == ["nick"]
    project.write({"service/auth.py": None})
    assert (
        "1 fewer"
        in project.ask("scan", "service/auth.ts", "service/report.sql", "--baseline", "scan.baseline").out
    )
    project.write({"scan.baseline": "scan.undefined-table users\n"})
    assert_told(
        project, "scan", "service", "--baseline", "scan.baseline", exit_code=2, said="scan.baseline:1"
    )


def test_what_cannot_be_read_is_named_and_the_rest_is_read(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database, CODE)
    (project.root / "service/latin.py").write_bytes(b'# \xe4\nQUERY = "SELECT id FROM nowhere"\n')
    (project.root / "service/bundle.js").write_text("x" * 30_000)
    (project.root / "service/broken.py").write_text(
        'def f(:\n    connection.execute("SELECT id FROM gone")\n'
    )
    (project.root / "service/loop").symlink_to(project.root / "service", target_is_directory=True)
    done = project.ask("scan", "service")
    assert done.exit_code == 1
    assert {finding["subject"]["path"] for finding in done.findings if finding["rule"] == "scan.unread"} == {
        "service/latin.py",
        "service/bundle.js",
    }
    assert "gone" in {finding["subject"]["name"] for finding in done.findings}
    assert_told(project, "scan", "nowhere", exit_code=2, said="nowhere")


def test_what_makes_the_schema_is_left_out_and_a_part_of_the_code_leaves_the_rest_of_the_baseline(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    revision = 'QUERY = "SELECT id FROM long_gone"\n'
    files = {
        "migrations/versions/notes_of_old.py": revision,
        "service/notes.py": "from app.models import Note\n",
    }
    project = make_project("plain", sqlite_database, CODE | files)
    done = project.ask("scan", ".")
    assert {finding["subject"]["name"] for finding in done.findings} == {"auth_configs"}
    project.succeed("scan", ".", "--write-baseline", "known")
    part = project.succeed("scan", "service/auth.py", "--baseline", "known")
    assert "fewer" not in part.out
    project.succeed("scan", "service/auth.py", "--write-baseline", "known")
    assert project.succeed("scan", ".", "--baseline", "known").findings == []


def test_a_table_that_nothing_mentions_is_told_of_where_the_whole_project_is_scanned(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database, {})
    models = (project.root / "app/models.py").read_text()
    project.write(
        {
            "app/models.py": models
            + MODEL
            + MODEL.replace("AuthConfig", "Kept").replace("auth_configs", "kept"),
            "service.py": "from app.models import Kept, User, Note\n",
        }
    )
    told = project.succeed("scan", ".").findings
    assert [(one["rule"], one["severity"], one["subject"]["name"]) for one in told] == [
        ("scan.unused-table", "info", "auth_configs")
    ]
    assert project.succeed("scan", "app").findings == []
    project.write({"service.py": "from app.models import AuthConfig, Kept, User, Note\n"})
    assert project.succeed("scan", ".").findings == []
