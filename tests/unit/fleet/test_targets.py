"""targets.yaml: which databases a fleet has, and what is wrong with a file, with its lines."""

from __future__ import annotations

import pickle
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from govern.errors import ConfigurationError, CouldNotCheck
from govern.fleet.inventory import UNKNOWN_SERVER, Target, read_targets, select
from govern.fleet.references import OnServer, Written, find_server, resolve
from tests.unit.fleet.conftest import make_job

SECRET = "Kanarienvogel"


def read(folder: Path, text: str) -> tuple[Target, ...]:
    file = folder / "targets.yaml"
    file.write_text(text, encoding="utf-8")
    return read_targets(file)


def test_databases_are_listed_with_where_their_urls_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"postgresql://app:{SECRET}@db-2:6432/b\n")
    monkeypatch.setenv("A_URL", f"postgresql://app:{SECRET}@db-1/a")
    targets = read(
        tmp_path,
        f"""
targets:
  - {{name: a, url_env: A_URL, labels: {{region: eu, tier: 1}}}}
  - {{name: b, url_file: secret}}
  - {{name: c, url_command: [echo, "postgresql://app:{SECRET}@db-3/c"], server: db-3}}
  - {{name: d, url: postgresql://db-4/d}}
  - {{name: e, url_env: NOT_HERE}}
""",
    )
    assert [target.server for target in targets] == [
        "db-1:5432",
        "db-2:6432",
        "db-3",
        "db-4:5432",
        UNKNOWN_SERVER,
    ]
    assert dict(targets[0].labels) == {"region": "eu", "tier": "1"}
    assert [resolve(target.reference).database for target in targets[:4]] == ["a", "b", "c", "d"]
    # b's secret is in a file, a's in the environment: neither is in what travels
    travels = [pickle.dumps(make_job(target)) for target in (targets[0], targets[1])]
    assert not any(SECRET.encode() in job for job in travels)


def test_files_are_found_by_a_pattern_each_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.sqlite").touch()
    targets = read(tmp_path, "globs:\n  - '*.sqlite'\n")
    assert [(target.name, target.server) for target in targets] == [("a", ""), ("b", "")]
    assert resolve(targets[0].reference).path == tmp_path / "a.sqlite"


def test_a_program_prints_entries(tmp_path: Path) -> None:
    script = tmp_path / "list"
    script.write_text("""#!/bin/sh
echo '{"name": "a", "url_env": "A", "labels": {"region": "eu"}}'
echo '{"name": "b", "url_file": "b"}'
""")
    script.chmod(0o755)
    targets = read(tmp_path, "commands:\n  - {command: [./list], labels: {source: x}}\n")
    assert [target.name for target in targets] == ["a", "b"]
    assert dict(targets[0].labels) == {"source": "x", "region": "eu"}


def test_a_catalogue_of_tenants_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = tmp_path / "catalogue.sqlite"
    with closing(sqlite3.connect(catalogue)) as connection:
        connection.executescript(f"""
CREATE TABLE tenants (slug, db, host, url, region);
INSERT INTO tenants VALUES ('a', 'tenant_a', 'db-1', NULL, 'eu'), ('b', 'tenant_b', NULL, NULL, NULL),
  ('c', NULL, NULL, 'postgresql://app:{SECRET}@db-9/c', 'us');
""")
    monkeypatch.setenv("SERVER_URL", f"postgresql://app:{SECRET}@db-0:6432/postgres?sslmode=require")
    targets = read(
        tmp_path,
        f"""
queries:
  - catalogue: {{url: "sqlite:///{catalogue}"}}
    sql: SELECT slug AS name, db AS database, host, url, region FROM tenants WHERE slug LIKE '%'
    server: {{url_env: SERVER_URL}}
""",
    )
    assert [target.server for target in targets] == ["db-1:6432", "db-0:6432", "db-9:5432"]
    assert [resolve(target.reference).text for target in targets] == [
        f"postgresql://app:{SECRET}@db-1:6432/tenant_a?sslmode=require",
        f"postgresql://app:{SECRET}@db-0:6432/tenant_b?sslmode=require",
        f"postgresql://app:{SECRET}@db-9/c",
    ]
    assert dict(targets[0].labels) == {"region": "eu"}
    assert SECRET.encode() not in pickle.dumps([make_job(target) for target in targets])


def test_everything_that_is_wrong_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(
            tmp_path,
            """\
targets:
  - {name: a}
  - {url_env: B}
  - {name: c, url_env: C, url_file: c}
  - {name: d, url_envv: D}
  - {name: e, url_env: E, schemas: tenant_e}
globs: 5
""",
        )
    said = str(raised.value)
    assert "targets.yaml:2:5: targets[0] must have exactly one of" in said
    assert "targets.yaml:3:5: the key 'name' is missing" in said
    assert "it has url_env and url_file" in said
    assert "unknown key 'url_envv'; did you mean 'url_env'?" in said
    assert "unknown key 'schemas'; did you mean 'schema'?" in said
    assert "targets.yaml:7:8: globs" in said


def test_schemas_of_one_database_are_targets_and_each_of_them_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_URL", "postgresql://db-1/app")
    entries = """
targets:
  - {name: a, url_env: APP_URL, schema: tenant_a}
  - {name: b, url_env: APP_URL, schema: %s}
"""
    targets = read(tmp_path, entries % "tenant_b")
    assert [(target.schema, target.server) for target in targets] == [
        ("tenant_a", "db-1:5432"),
        ("tenant_b", "db-1:5432"),
    ]
    with pytest.raises(ConfigurationError, match="one schema tenant_a under 2 names: a, b"):
        read(tmp_path, entries % "tenant_a")


def test_a_catalogue_may_name_schemas_of_its_own_database(tmp_path: Path) -> None:
    write_catalogue(tmp_path, ("a", "tenant_a"), ("b", "tenant_b"))
    targets = read(tmp_path, TENANTS)
    assert [(target.name, target.schema, target.labels) for target in targets] == [
        ("a", "tenant_a", ()),
        ("b", "tenant_b", ()),
    ]
    assert resolve(targets[0].reference).path == tmp_path / "catalogue.sqlite"


def test_a_query_without_a_row_and_a_program_without_a_word_are_errors(tmp_path: Path) -> None:
    """The others would be done, and a success would be told that has left out all tenants."""
    write_catalogue(tmp_path)
    others = "targets:\n  - {name: other, url: postgresql://db/other}\n"
    with pytest.raises(ConfigurationError, match=r"a query on .* yields no row"):
        read(tmp_path, others + TENANTS)
    with pytest.raises(ConfigurationError, match="true printed no target"):
        read(tmp_path, others + "commands:\n  - {command: ['true']}\n")


TENANTS = """
queries:
  - catalogue: {url: "sqlite:///catalogue.sqlite"}
    sql: SELECT name, home AS schema FROM tenants ORDER BY name
"""


def write_catalogue(folder: Path, *tenants: tuple[str, str]) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as connection:
        connection.execute("CREATE TABLE tenants (name text, home text)")
        connection.executemany("INSERT INTO tenants VALUES (?, ?)", tenants)
        connection.commit()


def test_a_password_in_the_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, f"targets:\n  - {{name: a, url: 'postgresql://app:{SECRET}@db/a'}}\n")
    assert SECRET not in str(raised.value)
    assert "url_env" in raised.value.next


def test_two_targets_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="names a more than once"):
        read(tmp_path, "targets:\n  - {name: a, url_env: A}\n  - {name: a, url_env: B}\n")


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ([], "abcd"),
        (["region=eu"], "ab"),
        (["region=eu", "region=us"], "abc"),
        (["region=eu", "tier=1"], "a"),
        (["name=[a-c]"], "abc"),
        (["region=*"], "abc"),
    ],
)
def test_targets_are_chosen_by_their_labels(tmp_path: Path, conditions: list[str], names: str) -> None:
    targets = read(
        tmp_path,
        """
targets:
  - {name: a, url_env: A, labels: {region: eu, tier: 1}}
  - {name: b, url_env: B, labels: {region: eu}}
  - {name: c, url_env: C, labels: {region: us}}
  - {name: d, url_env: D}
""",
    )
    assert "".join(target.name for target in select(targets, conditions)) == names


def test_a_choice_of_nothing_is_said_so(tmp_path: Path) -> None:
    targets = read(tmp_path, "targets:\n  - {name: a, url_env: A}\n")
    with pytest.raises(ConfigurationError, match="no target has region=eu"):
        select(targets, ["region=eu"])
    with pytest.raises(ConfigurationError, match="is no condition"):
        select(targets, ["eu"])


def test_what_a_secret_is_not_is_said_without_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text(SECRET)
    monkeypatch.setenv("PLAIN", SECRET)
    targets = read(
        tmp_path,
        """
targets:
  - {name: a, url_env: PLAIN}
  - {name: b, url_file: file}
  - {name: c, url_file: not-there}
  - {name: d, url_command: [sh, -c, 'echo Kanarienvogel >&2; exit 3']}
  - {name: e, url_command: [echo, Kanarienvogel]}
""",
    )
    for target in targets:
        with pytest.raises((ConfigurationError, CouldNotCheck)) as raised:
            resolve(target.reference)
        assert SECRET not in str(raised.value)


def test_one_database_under_two_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").touch()
    listed = "targets:\n  - {name: b, url: 'sqlite:///a.sqlite'}\n"  # paths are relative to the targets file
    assert resolve(read(tmp_path, listed)[0].reference).path == tmp_path / "a.sqlite"
    with pytest.raises(ConfigurationError, match="has one database under 2 names: b, a"):
        read(tmp_path, f"{listed}globs:\n  - '*.sqlite'\n")


def test_a_pattern_of_no_file_is_refused_and_an_absolute_one_is_none(tmp_path: Path) -> None:
    for name in ("a.sqlite", "a.sqlite-wal", "a.sqlite.govern-lock"):
        (tmp_path / name).touch()
    with pytest.raises(ConfigurationError, match=r"no file is called like \*\.sqlit\n"):
        read(tmp_path, "globs:\n  - '*.sqlite'\n  - '*.sqlit'\n")
    (found,) = read(tmp_path, f"globs:\n  - '{tmp_path}/a*'\n")
    assert found.name == "a"


def test_a_file_may_be_called_as_nothing_in_a_url(tmp_path: Path) -> None:
    file = tmp_path / "100%25 ä?b#c.sqlite"
    file.touch()
    (found,) = read(tmp_path, "globs:\n  - '*.sqlite'\n")
    assert found.name == "100%25 ä?b#c"
    assert resolve(found.reference).path == file


def test_a_row_says_where_it_is_whatever_the_server_s_options_say() -> None:
    server = Written("postgresql://app@/postgres?host=/run/postgresql&sslmode=disable")
    moved = resolve(OnServer(server, "tenant", "db-7", "6432"))
    assert find_server(moved) == "db-7:6432"
    assert moved.text == "postgresql://app@db-7:6432/tenant?host=db-7&sslmode=disable"
    assert find_server(resolve(OnServer(server, "tenant"))) == "/run/postgresql:5432"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets:\n  - {name: a, url: 'mysql://db/a'}\n", "the target a: the database URL is not one"),
        (
            'commands:\n  - {command: [echo, \'{"name": "a", "ulr": "x"}\']}\n',
            "entry 1: unknown key 'ulr'; did you mean",
        ),
    ],
)
def test_whose_entry_is_wrong_is_said(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(tmp_path, text)
