"""What is not going to serve is not validated: the commands that make a database right must run on a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.frameworks.servers import DJANGO, environment
from tests.acceptance.frameworks.zygote import Zygote
from tests.acceptance.program import Done, Project, execute

MANAGE = str(DJANGO / "manage.py")
FLASK_COMMAND = """
import click
from examples.flask.app import create_app as create

def create_app():
    app = create()

    @app.cli.command()
    def upgrade():
        click.echo("upgraded")

    return app
"""
APPLICATION = "from examples.flask.app import create_app\ncreate_app()\n"
UNGUARDED = "from shop.settings import *\nMIDDLEWARE = []\n"
ORACLE = 'from shop.settings import *\nGOVERN = {"DATABASE": "replica", "WAIT": 3}\n'


class Shell:
    """Runs commands of one project."""

    def __init__(self, project: Project, zygote: Zygote, folder: Path) -> None:
        self.project = project
        self._zygote = zygote
        self._folder = folder
        self._commands = 0

    def __call__(self, *words: str, **variables: str) -> Done:
        self._commands += 1
        out = self._folder / f"out-{self._commands}.txt"
        env = {**environment(self.project), **variables}
        return self._zygote.run(words, folder=self.project.root, environment=env, out=out)


@pytest.fixture
def shell(governed: Project, zygote: Zygote, tmp_path: Path) -> Shell:
    return Shell(governed, zygote, tmp_path)


def test_commands_of_flask_other_than_run_do_not_ask(shell: Shell) -> None:
    shell.project.write({"shop_cli.py": FLASK_COMMAND})
    execute(shell.project.database, "DROP TABLE notes")
    flask = ("-m", "flask", "--app", "shop_cli")
    assert shell(*flask, "upgrade").err == "upgraded\n"
    assert "Show the routes" in shell(*flask, "--help").err
    assert "/health/ping" in shell(*flask, "routes").err
    refused = shell(*flask, "run", "--port", "1")
    assert refused.exit_code == 4, refused
    assert refused.err.startswith("error: the application refuses to start: ")
    assert "Traceback" not in refused.err
    script = "from examples.flask.app import create_app\ncreate_app()\n"
    shell.project.write({"served_by_hand.py": script})
    assert shell("served_by_hand.py").exit_code == 4


def test_migrations_run_whose_env_makes_the_application(
    make_project: MakeProject, sqlite_database: DatabaseUrl, zygote: Zygote, tmp_path: Path
) -> None:
    project = make_project("plain", sqlite_database)
    env = (project.root / "migrations/env.py").read_text(encoding="utf-8")
    project.write({"migrations/env.py": APPLICATION + env})
    ini = (project.root / "alembic.ini").read_text(encoding="utf-8")
    project.edit("alembic.ini", "driver://user:pass@localhost/dbname", sqlite_database.text)
    upgraded = Shell(project, zygote, tmp_path)("-m", "alembic", "upgrade", "r1")
    assert upgraded.exit_code == 0, upgraded
    assert "refuses to start" not in upgraded.err
    project.write({"alembic.ini": ini})
    made = f"{APPLICATION}from app.models import Base\nmetadata = Base.metadata\n"
    project.write({"govern.toml": 'models = "made:metadata"\n', "made.py": made})
    governing = project.with_environment(PYTHONPATH=environment(project)["PYTHONPATH"])
    governing.succeed("lock")
    governing.succeed("migrate")


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_commands_of_django_run_where_there_is_no_database(shell: Shell) -> None:
    file = shell.project.database.path
    file.unlink()
    for words in (("check",), ("diffsettings",), ("govern", "--help")):
        done = shell(MANAGE, *words)
        assert done.exit_code == 0, done
    for words in (("check", "--database", "default"), ("runserver", "--noreload", "1"), ("govern", "health")):
        done = shell(MANAGE, *words)
        assert done.exit_code not in (0, -14), done
        assert "there is no SQLite database" in done.err, done
    assert not file.exists()
    assert shell(MANAGE, "migrate").exit_code == 0


def test_the_system_check_shows_each_finding_with_what_to_do(shell: Shell) -> None:
    check = (MANAGE, "check", "--database", "default")
    assert shell(*check).exit_code == 0
    execute(
        shell.project.database,
        "ALTER TABLE notes DROP COLUMN body",
        "ALTER TABLE users ADD COLUMN stray text",
    )
    found = shell(*check)
    assert found.exit_code == 1, found
    assert found.err.count("(govern.E001)") == 2, found
    assert found.err.count("HINT: ") == 2
    assert "notes.body" in found.err
    assert "users.stray" in found.err
    assert shell(MANAGE, "check").exit_code == 0
    health = shell(MANAGE, "govern", "health", "--format", "json")
    assert health.exit_code == 1
    assert '"drift.column-removed"' in health.err


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_django_says_what_is_wrong_with_its_settings(shell: Shell) -> None:
    shell.project.write({"unguarded.py": UNGUARDED, "mistaken.py": ORACLE})
    unguarded = shell(MANAGE, "check", DJANGO_SETTINGS_MODULE="unguarded")
    assert "(govern.W002)" in unguarded.err
    assert "SchemaGuard' first in MIDDLEWARE" in unguarded.err
    mistaken = shell(MANAGE, "check", "--database", "default", DJANGO_SETTINGS_MODULE="mistaken")
    assert mistaken.exit_code == 1
    assert "(govern.E002) the setting GOVERN has no key 'WAIT'" in mistaken.err


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_a_password_from_djangos_settings_is_never_shown(shell: Shell, tmp_path: Path) -> None:
    secret = "s3cret:@/?#[%é"
    shell.project.write(
        {
            "secretive.py": f"from shop.settings import *\nDATABASES['default']['PASSWORD'] = {secret!r}\n"
            "DATABASES['default']['OPTIONS'] = {'connect_timeout': 5, 'server_side_binding': True}\n"
        }
    )
    execute(shell.project.database, "DROP TABLE notes")
    for words in (
        ("check", "--database", "default"),
        ("govern", "health"),
        ("govern", "health", "--format", "json"),
        ("runserver", "--noreload", "1"),
    ):
        done = shell(MANAGE, *words, DJANGO_SETTINGS_MODULE="secretive")
        assert done.exit_code in (1, 4), done
        assert "notes" in done.err, done
        for part in ("s3cret", "%C3%A9", "é"):
            assert part not in done.err, done
