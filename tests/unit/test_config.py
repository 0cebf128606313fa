"""Where settings come from, and what is said of wrong ones."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from govern.config import Settings, find_cache_folder, load, wants_animation, wants_color
from govern.errors import ConfigurationError

INI = "[alembic]\nscript_location = %(here)s/migrations\n"
SECRET = "s3cr3t"


def write(root: Path, **files: str) -> None:
    names = {"ini": "alembic.ini", "toml": "govern.toml", "pyproject": "pyproject.toml"}
    for name, text in files.items():
        (root / names[name]).write_text(text)


def read(root: Path, environ: Mapping[str, str] | None = None, **options: str) -> Settings:
    return load(start=root, environ=environ or {}, **options)  # type: ignore[arg-type]


def fail(root: Path, environ: Mapping[str, str] | None = None, **options: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        read(root, environ, **options)
    assert SECRET not in str(caught.value)
    return caught.value


# --- the configuration file -------------------------------------------------------------------------------


def test_without_any_file_the_defaults_hold(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert (settings.root, settings.file, settings.url, settings.models) == (tmp_path, None, None, None)
    assert settings.alembic.file is None
    assert settings.alembic.version_locations == (tmp_path / "migrations/versions",)
    assert settings.backups == tmp_path / "backups"
    assert settings.python == Path(sys.executable)


def test_govern_toml_and_pyproject_say_the_same_in_their_own_way(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write(tmp_path / "a", toml='models = "m:Base.metadata"\nlock_wait_seconds = 5\n')
    write(tmp_path / "b", pyproject='[tool.govern]\nmodels = "m:Base.metadata"\nlock_wait_seconds = 5\n')
    for folder in ("a", "b"):
        settings = read(tmp_path / folder)
        assert (settings.models, settings.lock_wait_seconds) == ("m:Base.metadata", 5.0)


def test_the_configuration_is_found_from_a_folder_below(tmp_path: Path) -> None:
    write(tmp_path, toml="", ini=INI)
    (tmp_path / "src/app").mkdir(parents=True)
    assert read(tmp_path / "src/app").root == tmp_path


def test_a_project_of_its_own_does_not_inherit_from_the_repository_around_it(tmp_path: Path) -> None:
    write(tmp_path, toml='models = "outer:metadata"\n')
    (tmp_path / "service").mkdir()
    write(tmp_path / "service", ini=INI)
    settings = read(tmp_path / "service")
    assert (settings.root, settings.models) == (tmp_path / "service", None)


def test_what_is_remembered_is_in_the_users_cache_and_each_projects_is_its_own(tmp_path: Path) -> None:
    one = find_cache_folder(tmp_path, {"XDG_CACHE_HOME": "/var/cache/me"})
    assert one is not None
    assert one.parent == Path("/var/cache/me/govern")
    assert one != find_cache_folder(tmp_path / "other", {"XDG_CACHE_HOME": "/var/cache/me"})
    usual = find_cache_folder(tmp_path, {"XDG_CACHE_HOME": "no/absolute/path"})
    assert usual == Path.home() / ".cache" / "govern" / one.name


def test_a_given_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no configuration file"):
        load(config=tmp_path / "nowhere.toml", start=tmp_path, environ={})


def test_an_unknown_key_suggests_the_one_that_was_meant(tmp_path: Path) -> None:
    write(tmp_path, toml='model = "m:Base.metadata"\n')
    error = fail(tmp_path)
    assert (error.what, error.next) == (
        "govern.toml has an unknown key 'model' for govern",
        "did you mean 'models'?",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models = 3\n", "models must be a text"),
        ("lock_wait_seconds = true\n", "lock_wait_seconds must be a number"),
        ("backup_jobs = 2.5\n", "backup_jobs must be a whole number"),
        ("backup_jobs = -1\n", "backup_jobs must be a whole number"),
        ("targets = 3\n", "targets must be a table"),
        ("version_locations = 'a'\n", "version_locations must be a list of texts"),
        ("version_locations = [1]\n", "version_locations must be a list of texts"),
        ('[targets]\nprod = "postgresql://app:s3cr3t@db/app"\n', "targets.prod must be a table"),
        ("[targets.prod]\nurl = 3\n", "targets.prod.url must be a text"),
        ("[targets.prod]\nuri = 'x'\n", "unknown key 'targets.prod.uri'"),
        ("models = \n", "is not valid TOML"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, toml=text)
    assert message in fail(tmp_path).what


@pytest.mark.parametrize("text", ["tool = 3\n", "[tool]\ngovern = 3\n", "[tool]\nalembic = []\n"])
def test_a_pyproject_of_another_shape_is_not_ours(tmp_path: Path, text: str) -> None:
    write(tmp_path, pyproject=text)
    assert read(tmp_path).file is None


# --- the database -----------------------------------------------------------------------------------------


def test_the_url_comes_from_the_nearest_place(tmp_path: Path) -> None:
    write(
        tmp_path,
        ini=INI + "sqlalchemy.url = sqlite:///ini.db\n",
        toml='url = "sqlite:///file.db"\n[targets.other]\nurl = "sqlite:///target.db"\n',
    )
    environ = {"DATABASE_URL": "sqlite:///environment.db"}
    assert read(tmp_path, environ, url="sqlite:///flag.db", target="other").url == "sqlite:///flag.db"
    assert read(tmp_path, environ, target="other").url == "sqlite:///target.db"
    assert read(tmp_path, environ).url == "sqlite:///environment.db"
    assert read(tmp_path).url == "sqlite:///file.db"
    write(tmp_path, toml="")
    assert read(tmp_path).url == "sqlite:///ini.db"


def test_url_env_names_a_variable(tmp_path: Path) -> None:
    write(tmp_path, toml='url_env = "APP_DB"\n')
    assert read(tmp_path, {"APP_DB": "sqlite:///x.db"}).url == "sqlite:///x.db"
    assert fail(tmp_path).what == "the environment variable APP_DB is not set"


def test_an_unknown_target_lists_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, toml='[targets.staging]\nurl = "sqlite:///s.db"\n')
    error = fail(tmp_path, target="production")
    assert error.why == "known targets: staging"
    assert error.next == "add [targets.production] to govern.toml"
    assert fail(tmp_path, target="stagin").next == "did you mean staging?"


def test_all_that_is_wrong_with_the_file_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, toml='modles = "x"\nlock_wait_seconds = "soon"\n[targets.a]\nulr = "x"\nurl = 5\n')
    error = fail(tmp_path)
    assert error.what == "govern.toml has 4 mistakes"
    assert error.why.splitlines() == [
        "govern.toml has an unknown key 'modles' for govern; did you mean 'models'?",
        "govern.toml: lock_wait_seconds must be a number; it is str",
        "govern.toml has an unknown key 'targets.a.ulr' for govern; did you mean 'url'?",
        "govern.toml: targets.a.url must be a text; it is int",
    ]


def test_the_templates_placeholder_is_no_url(tmp_path: Path) -> None:
    write(tmp_path, ini=INI + "sqlalchemy.url = driver://user:pass@localhost/dbname\n")
    assert read(tmp_path).url is None


def test_a_percent_sign_is_written_twice_in_an_ini(tmp_path: Path) -> None:
    write(tmp_path, ini=INI + "sqlalchemy.url = postgresql://app:a%%40b@db/app\n")
    assert read(tmp_path).url == "postgresql://app:a%40b@db/app"


def test_a_lonely_percent_sign_is_explained_without_the_password(tmp_path: Path) -> None:
    write(tmp_path, ini=INI + f"sqlalchemy.url = postgresql://app:{SECRET}%40@db/app\n")
    error = fail(tmp_path)
    assert error.what == "sqlalchemy.url in alembic.ini has a percent sign that stands alone"


def test_a_url_that_env_py_completes_is_not_known(tmp_path: Path) -> None:
    write(tmp_path, ini=INI + "sqlalchemy.url = postgresql://%(DB_USER)s:%(DB_PASSWORD)s@db/app\n")
    assert read(tmp_path).url is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"[alembic]\npassword {SECRET}\n", "not understood: line 2"),
        (f"postgresql://app:{SECRET}@db/app\n", "line 1 comes before any [section]"),
        ("[alembic]\na = 1\na = 2\n", "already exists"),
    ],
)
def test_a_broken_ini_is_explained_without_its_text(tmp_path: Path, text: str, why: str) -> None:
    write(tmp_path, ini=text)
    assert why in fail(tmp_path).why


def test_the_actor_is_known_without_any_variable(tmp_path: Path) -> None:
    assert read(tmp_path).actor
    assert read(tmp_path, {"USER": "ada"}).actor == "ada"
    assert read(tmp_path, {"USER": "ada", "GOVERN_ACTOR": "ci"}).actor == "ci"


# --- Alembic ----------------------------------------------------------------------------------------------


def test_another_section_of_the_ini_can_be_named(tmp_path: Path) -> None:
    write(tmp_path, ini="[audit]\nscript_location = audit\n")
    assert "govern init --name audit; or alembic_section in [tool.govern]" in fail(tmp_path).next
    (tmp_path / "govern.audit.toml").touch()
    assert fail(tmp_path).next == "govern --config govern.audit.toml …"
    (tmp_path / "govern.audit.toml").unlink()
    write(tmp_path, toml='alembic_section = "audit"\n')
    assert read(tmp_path).alembic.script_location == tmp_path / "audit"


def test_an_ini_in_another_folder_speaks_of_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    write(tmp_path / "db", ini=INI)
    write(tmp_path, toml='alembic_config = "db/alembic.ini"\n')
    assert read(tmp_path).alembic.script_location == tmp_path / "db/migrations"


def test_a_named_ini_that_is_missing_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, toml='alembic_config = "db/alembic.ini"\n')
    assert "alembic_config names it" in fail(tmp_path).why


def test_the_ini_wins_over_pyproject_and_is_completed_by_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        ini="[alembic]\nsqlalchemy.url = sqlite:///ini.db\n",
        pyproject='[tool.alembic]\nscript_location = "%(here)s/db"\nprepend_sys_path = ["src"]\n'
        'version_locations = ["%(here)s/one two", "three"]\n',
    )
    alembic = read(tmp_path).alembic
    assert alembic.url == "sqlite:///ini.db"
    assert alembic.script_location == tmp_path / "db"
    assert alembic.prepend_sys_path == (tmp_path / "src",)
    assert alembic.version_locations == (tmp_path / "one two", tmp_path / "three")


def test_pyproject_alone_will_do(tmp_path: Path) -> None:
    write(tmp_path, pyproject='[tool.alembic]\nscript_location = "db"\n')
    alembic = read(tmp_path).alembic
    assert (alembic.file, alembic.script_location) == (tmp_path / "pyproject.toml", tmp_path / "db")


@pytest.mark.parametrize(
    ("options", "folders"),
    [
        ("version_locations = a b,c", ["a", "b", "c"]),
        ("version_locations = a b;c\npath_separator = ;", ["a b", "c"]),
        ("version_locations = a b:c\npath_separator = os", ["a b", "c"]),
        ("version_locations =\n  a b\n  c\npath_separator = newline", ["a b", "c"]),
        ("version_locations = a b\nversion_path_separator = space", ["a", "b"]),
    ],
)
def test_version_locations_are_split_as_alembic_does(
    tmp_path: Path, options: str, folders: list[str]
) -> None:
    write(tmp_path, ini=INI + options + "\n")
    assert read(tmp_path).alembic.version_locations == tuple(tmp_path / folder for folder in folders)


def test_a_location_inside_a_package_is_found(tmp_path: Path) -> None:
    write(tmp_path, ini="[alembic]\nscript_location = app.db:migrations\n")
    assert read(tmp_path).alembic.script_location == tmp_path / "app/db/migrations"


def test_a_location_inside_an_installed_package_is_found_without_starting_the_interpreter(
    tmp_path: Path,
) -> None:
    installed = tmp_path / ".venv/lib/python3.12/site-packages/app/db/migrations"
    installed.mkdir(parents=True)
    write(
        tmp_path, ini="[alembic]\nscript_location = app:db:migrations\n", toml='python = ".venv/bin/python"\n'
    )
    assert read(tmp_path).alembic.script_location == installed


def test_an_ini_beside_env_py_needs_no_script_location(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/alembic.ini").write_text("[alembic]\n")
    (tmp_path / "migrations/env.py").touch()
    write(tmp_path, toml='alembic_config = "migrations/alembic.ini"\n')
    assert read(tmp_path).alembic.script_location == tmp_path / "migrations"


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("sqlite:///app.db", "sqlite"),
        ("postgresql+asyncpg://db/app", "postgresql"),
        ("postgres://db/app", "postgresql"),
    ],
)
def test_own_locations_win_and_follow_the_engine(tmp_path: Path, url: str, folder: str) -> None:
    write(tmp_path, ini=INI + "version_locations = elsewhere\n", toml='version_locations = ["v/{dialect}"]\n')
    alembic = read(tmp_path, url=url).alembic
    assert (alembic.version_locations, alembic.has_own_locations) == ((tmp_path / "v" / folder,), True)


def test_a_percent_sign_in_the_folders_own_name_is_harmless(tmp_path: Path) -> None:
    root = tmp_path / "100%here"
    root.mkdir()
    write(root, ini=INI)
    assert read(root).alembic.script_location == root / "migrations"


# --- the terminal -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "in_a_terminal", "in_a_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_whether_colour_is_wanted(environ: dict[str, str], in_a_terminal: bool, in_a_pipe: bool) -> None:
    assert wants_color(environ, is_terminal=True) is in_a_terminal
    assert wants_color(environ, is_terminal=False) is in_a_pipe


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [({}, True), ({"CI": "true"}, False), ({"CI": "false"}, True), ({"TERM": "dumb"}, False)],
)
def test_whether_a_line_may_be_drawn_over_again(environ: dict[str, str], wanted: bool) -> None:
    assert wants_animation(environ) is wanted


def test_the_ini_that_flask_migrate_puts_beside_env_is_found(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    beside_env = tmp_path / "migrations/alembic.ini"
    beside_env.write_text("[alembic]\n")
    assert read(tmp_path).alembic.file is None, "no env.py beside it"
    (tmp_path / "migrations/env.py").touch()
    found = read(tmp_path).alembic
    assert (found.file, found.script_location) == (beside_env, beside_env.parent)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = elsewhere\n")
    assert read(tmp_path).alembic.script_location == tmp_path / "elsewhere"
