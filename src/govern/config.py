"""Frozen settings from flags, the environment, ``[tool.govern]`` and alembic.ini.

The only reader of os.environ.
"""

from __future__ import annotations

import configparser
import difflib
import os
import pwd
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from govern.errors import ConfigurationError

_PLACEHOLDER_URL = re.compile(r"(driver|scheme|dialect)(\+\w+)?://")
"""What `alembic init` writes, and others in its place: it names no engine, and env.py replaces it."""
_DEFAULT_MIGRATIONS = "migrations"
STATE_FOLDER = ".govern"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlembicSettings:
    """What govern needs to know of the project's Alembic, read without importing anything of the project."""

    file: Path | None
    """alembic.ini (or pyproject.toml with ``[tool.alembic]``); None where there is neither."""
    section: str
    script_location: Path
    version_locations: tuple[Path, ...]
    has_own_locations: bool = False
    """Whether ``[tool.govern]`` says where the folders are, and Alembic is to be told."""
    recursive_version_locations: bool = False
    """Whether revision files also lie in folders below the version locations."""
    prepend_sys_path: tuple[Path, ...] = ()
    """Folders that Alembic puts before the project's import path."""
    version_table: str
    version_table_schema: str | None
    url: str | None
    """``sqlalchemy.url``; None for the placeholder of Alembic's template, and if only env.py completes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where everything is. All paths are absolute."""

    root: Path
    """The folder of the configuration file: what paths in it are relative to."""
    file: Path | None
    """pyproject.toml or govern.toml; None without either."""
    target: str
    url: str | None
    """The database, password included; None means the embedded PostgreSQL. Never print it."""
    alembic: AlembicSettings
    models: str | None
    """``package.module:metadata``; None: the metadata that env.py gives to Alembic."""
    hook: str | None
    """``package.module:function`` of the project's that prepares Alembic: see ``revisions/child/hook.py``."""
    sql: Path
    """Folder of .sql files with what models cannot say; may be missing."""
    manifest: Path | None
    lock: Path
    backups: Path
    python: Path
    """Interpreter of the project under governance."""
    scratch_url: str | None
    """A server on which scratch databases are made; None: the target's own, else embedded."""
    lock_wait_seconds: float
    lock_timeout_seconds: float
    """How long a revision's statement may stand in the queue for a table; 0: as the server has it."""
    lock_retry_seconds: float
    """How long a revision that met a lock is tried again, from the first time on."""
    statement_timeout_seconds: float
    """How long a revision's statement may run; 0: as the server has it."""
    long_transaction_seconds: float
    """From when on another session's transaction is long."""
    replica_lag_seconds: float
    """From when on a replica is behind."""
    calm_wait_seconds: float
    """How long a migration waits for such transactions and replicas before it refuses; 0: it only warns."""
    read_back_seconds: float
    """How long a server that went away while it migrated is waited for, to read back what it has done."""
    actor: str

    @property
    def state_folder(self) -> Path:
        return self.root / STATE_FOLDER

    @property
    def checksums(self) -> Path:
        """Beside env.py; beside the lock where env.py is installed elsewhere, and not ours to add files to."""
        folder = self.alembic.script_location
        return (folder if folder.is_relative_to(self.root) else self.lock.parent) / "govern.sum"

    def relative(self, path: Path) -> str:
        """The path as reports show it: relative to the root where it lies inside."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileSettings:
    """The keys of ``[tool.govern]``; a target's table may repeat the first three."""

    url: str | None = None
    url_env: str | None = None
    scratch_url: str | None = None
    models: str | None = None
    sql: str = "schema/sql"
    manifest: str = "schema/governance.yaml"
    lock: str = "schema/schema.lock"
    backups: str = "backups"
    alembic_config: str | None = None
    alembic_section: str = "alembic"
    script_location: str | None = None
    version_locations: Sequence[str] | None = None
    hook: str | None = None
    version_table: str = "alembic_version"
    version_table_schema: str | None = None
    python: str | None = None
    lock_wait_seconds: float = 600.0
    lock_timeout_seconds: float = 0.1
    lock_retry_seconds: float = 60.0
    statement_timeout_seconds: float = 0.0
    long_transaction_seconds: float = 60.0
    replica_lag_seconds: float = 30.0
    calm_wait_seconds: float = 0.0
    read_back_seconds: float = 60.0
    targets: Mapping[str, Mapping[str, Any]] | None = None


_TARGET_KEYS = frozenset({"url", "url_env", "scratch_url"})


def load(
    *,
    config: Path | None = None,
    url: str | None = None,
    target: str | None = None,
    alembic_config: Path | None = None,
    python: Path | None = None,
    start: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Reads the configuration that governs ``start`` (default: the working directory).

    A URL is taken from ``url``, else from the target, else ``DATABASE_URL``, else the file, else alembic.ini,
    else none: the embedded PostgreSQL. ``alembic_config`` and ``python`` count more than the keys of that name:
    they are given before there is a file. Raises ConfigurationError, which names file and key.
    """
    file = _find_file(config, (start or Path.cwd()).resolve())
    root = file.parent if file else (start or Path.cwd()).resolve()
    declared = _read_file(file) if file else _FileSettings()
    declared = replace(
        declared,
        alembic_config=str(alembic_config.absolute()) if alembic_config else declared.alembic_config,
        python=str(python.absolute()) if python else declared.python,
    )
    chosen = _choose_url(declared, target=target, url=url, environ=environ, file=file)
    alembic = _read_alembic(root, declared, chosen)
    manifest = root / declared.manifest
    return Settings(
        root=root,
        file=file,
        target=target or "default",
        url=chosen or alembic.url,
        alembic=alembic,
        models=declared.models,
        hook=declared.hook,
        sql=root / declared.sql,
        manifest=manifest if manifest.exists() else None,
        lock=root / declared.lock,
        backups=root / declared.backups,
        python=_interpreter(root, declared),
        scratch_url=_target_table(declared, target).get("scratch_url", declared.scratch_url),
        lock_wait_seconds=float(declared.lock_wait_seconds),
        lock_timeout_seconds=float(declared.lock_timeout_seconds),
        lock_retry_seconds=float(declared.lock_retry_seconds),
        statement_timeout_seconds=float(declared.statement_timeout_seconds),
        long_transaction_seconds=float(declared.long_transaction_seconds),
        replica_lag_seconds=float(declared.replica_lag_seconds),
        calm_wait_seconds=float(declared.calm_wait_seconds),
        read_back_seconds=float(declared.read_back_seconds),
        actor=environ.get("GOVERN_ACTOR") or environ.get("USER") or environ.get("LOGNAME") or _account(),
    )


def _interpreter(root: Path, declared: _FileSettings) -> Path:
    return root / declared.python if declared.python else Path(sys.executable)


def _account() -> str:
    """The operating system's name for this user: containers and cron set no variable."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def wants_color(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a terminal is to be coloured: not with NO_COLOR (https://no-color.org), not on a dumb one."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _find_file(given: Path | None, start: Path) -> Path | None:
    """The given file, else the nearest govern.toml or pyproject.toml with our section, upwards to a .git."""
    if given is not None:
        if not given.is_file():
            raise ConfigurationError(
                f"there is no configuration file {given}", next="check --config, or write one: govern init"
            )
        return given.resolve()
    for folder in (start, *start.parents):
        for name in ("govern.toml", "pyproject.toml"):
            file = folder / name
            if file.is_file() and (name == "govern.toml" or _govern_table(_parse_toml(file), file)):
                return file
        if (folder / ".git").exists() or (folder / "alembic.ini").exists():
            return None
    return None


def _parse_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file.name} is not valid TOML", why=str(error), next=f"correct {file}"
        ) from error


def _govern_table(content: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    return _subtable(content, "tool", "govern") if file.name == "pyproject.toml" else content


def _subtable(content: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The table of that name; empty where there is none, or something else."""
    for name in names:
        value = content.get(name)
        content = value if isinstance(value, dict) else {}
    return content


def _read_file(file: Path) -> _FileSettings:
    table = _govern_table(_parse_toml(file), file)
    known = {field.name: field for field in fields(_FileSettings)}
    for key, value in table.items():
        if key not in known:
            raise _unknown_key(key, tuple(known), file)
        _check_type(key, value, file)
    for name, target in table.get("targets", {}).items():
        _check_type(f"targets.{name}", target, file)
        for key, value in target.items():
            if key not in _TARGET_KEYS:
                raise _unknown_key(f"targets.{name}.{key}", tuple(_TARGET_KEYS), file)
            _check_type(f"targets.{name}.{key}", value, file)
    return _FileSettings(**table)


def _unknown_key(key: str, known: tuple[str, ...], file: Path) -> ConfigurationError:
    close = difflib.get_close_matches(key.rpartition(".")[2], known, n=1)
    return ConfigurationError(
        f"{file.name} has an unknown key {key!r} for govern",
        next=f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(sorted(known))}",
    )


def _check_type(key: str, value: object, file: Path) -> None:
    expected: tuple[type, ...] = (str,)
    wanted = "a text"
    if key == "targets" or (key.startswith("targets.") and key.count(".") == 1):
        expected, wanted = (dict,), "a table"
    elif key.endswith("_seconds"):
        expected, wanted = (int, float), "a number"
    elif key == "version_locations":
        expected, wanted = (list,), "a list of texts"
    is_of_texts = not isinstance(value, list) or all(isinstance(one, str) for one in value)
    if not isinstance(value, expected) or isinstance(value, bool) or not is_of_texts:
        raise ConfigurationError(
            f"{file.name}: {key} must be {wanted}",
            why=f"it is {type(value).__name__}",
            next=f"correct {file}",
        )


def _choose_url(
    declared: _FileSettings,
    *,
    target: str | None,
    url: str | None,
    environ: Mapping[str, str],
    file: Path | None,
) -> str | None:
    if url:
        return url
    if target is not None:
        targets = declared.targets or {}
        table = _target_table(declared, target)
        if target not in targets:
            raise ConfigurationError(
                f"there is no target {target!r}",
                why=f"known targets: {', '.join(sorted(targets)) or 'none'}",
                next=_where_to_add(target, file),
            )
        return _from_variable(table["url_env"], environ) if "url_env" in table else table.get("url")
    if environ.get("DATABASE_URL"):
        return environ["DATABASE_URL"]
    return _from_variable(declared.url_env, environ) if declared.url_env else declared.url


def _target_table(declared: _FileSettings, target: str | None) -> Mapping[str, Any]:
    return (declared.targets or {}).get(target or "", {})


def _where_to_add(target: str, file: Path | None) -> str:
    if file is None or file.name == "pyproject.toml":
        return f"add [tool.govern.targets.{target}] to pyproject.toml"
    return f"add [targets.{target}] to {file.name}"


def _from_variable(name: str, environ: Mapping[str, str]) -> str:
    try:
        return environ[name]
    except KeyError:
        raise ConfigurationError(
            f"the environment variable {name} is not set", why="url_env names it", next=f"export {name}=…"
        ) from None


_Options = Mapping[str, str | tuple[str, ...]]
"""Alembic's own options; pyproject.toml has lists where the ini has separators."""
_OPTIONS = (
    "script_location",
    "recursive_version_locations",
    "version_locations",
    "prepend_sys_path",
    "path_separator",
    "version_path_separator",
    "sqlalchemy.url",
)
_SEPARATORS = {"os": os.pathsep, "space": " ", "newline": "\n", ":": ":", ";": ";"}


def _read_alembic(root: Path, declared: _FileSettings, url: str | None) -> AlembicSettings:
    """Reads ini and pyproject.toml the way Alembic does (the ini wins), as far as paths and the URL go."""
    file = root / (declared.alembic_config or "alembic.ini")
    pyproject = root / "pyproject.toml"
    options: dict[str, str | tuple[str, ...]] = dict(_alembic_pyproject(pyproject))
    if file.is_file():
        options |= _read_ini(file, declared.alembic_section)
    elif declared.alembic_config:
        raise ConfigurationError(
            f"there is no {file}", why="alembic_config names it", next="correct alembic_config"
        )
    elif options:
        file = pyproject
    here = file.parent
    own_url = str(options.get("sqlalchemy.url") or "") or None
    if own_url and _PLACEHOLDER_URL.match(own_url):
        own_url = None
    options |= _own_locations(declared, url or own_url)
    search_path = tuple(
        _resolve(path, here, (root,)) for path in _split_paths(options, "prepend_sys_path", r",\s*|\s+|:")
    )
    places = (root, *search_path, *_installed_packages(_interpreter(root, declared)))
    given = options.get("script_location")
    script_location = _resolve(str(given), here, places) if given else _usual_location(here, root)
    versions = _split_paths(options, "version_locations", r",\s*|\s+")
    return AlembicSettings(
        file=file if file.is_file() else None,
        section=declared.alembic_section,
        script_location=script_location,
        version_locations=tuple(_resolve(path, here, places) for path in versions)
        or (script_location / "versions",),
        has_own_locations=bool(declared.script_location or declared.version_locations),
        recursive_version_locations=str(options.get("recursive_version_locations", "")).lower() == "true",
        prepend_sys_path=search_path,
        version_table=declared.version_table,
        version_table_schema=declared.version_table_schema,
        url=own_url,
    )


def _own_locations(declared: _FileSettings, url: str | None) -> _Options:
    """What our own configuration says of the folders; it wins. ``{dialect}`` is the engine of the URL."""
    engine = url.partition(":")[0].partition("+")[0] if url else "postgresql"
    engine = "postgresql" if engine == "postgres" else engine
    own: dict[str, str | tuple[str, ...]] = {}
    if declared.script_location:
        own["script_location"] = declared.script_location
    if declared.version_locations:
        own["version_locations"] = tuple(
            location.replace("{dialect}", engine) for location in declared.version_locations
        )
    return own


def _usual_location(here: Path, root: Path) -> Path:
    """Where no configuration says it: beside the ini, as Flask-Migrate has it, else ``migrations``."""
    return here if (here / "env.py").is_file() else root / _DEFAULT_MIGRATIONS


def _installed_packages(python: Path) -> Iterator[Path]:
    """Where an interpreter keeps what is installed: found without starting it."""
    yield from sorted((python.parent.parent / "lib").glob("python3*/site-packages"))


def _read_ini(file: Path, section: str) -> _Options:
    parser = configparser.ConfigParser({"here": str(file.parent).replace("%", "%%")})
    try:
        parser.read_string(file.read_text(encoding="utf-8-sig"), source=str(file))
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(
            f"{file.name} cannot be read", why=_explain_ini_error(error), next=f"correct {file}"
        ) from None
    if not parser.has_section(section):
        raise ConfigurationError(
            f"{file.name} has no section [{section}]",
            why=f"it has {', '.join(parser.sections()) or 'none'}",
            next="name it with alembic_section in [tool.govern]",
        )
    values = ((name, _read_option(parser, section, name, file)) for name in _OPTIONS)
    return {name: value for name, value in values if value is not None}


def _read_option(parser: configparser.ConfigParser, section: str, name: str, file: Path) -> str | None:
    try:
        return parser.get(section, name, fallback=None)
    except configparser.InterpolationMissingOptionError:
        return None  # %(DB_USER)s: env.py fills it in, nobody else can
    except configparser.InterpolationError:
        # the error's own text quotes the value, and with it the password of a URL
        raise ConfigurationError(
            f"{name} in {file.name} has a percent sign that stands alone",
            why=f"in [{section}] a percent sign begins a reference",
            next="write %% for each % in it",
        ) from None


def _explain_ini_error(error: Exception) -> str:
    """Where it is wrong, without the line's text: it may be the one with the URL."""
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {error.lineno} comes before any [section]"
    if isinstance(error, configparser.ParsingError):
        return "not understood: " + ", ".join(f"line {number}" for number, _ in error.errors)
    if isinstance(error, configparser.Error):
        return error.message.replace("\n", " ")
    return f"{type(error).__name__}: {error}"


def _alembic_pyproject(file: Path) -> _Options:
    """``[tool.alembic]``, which Alembic reads since 1.16."""
    if not file.is_file():
        return {}
    table = _subtable(_parse_toml(file), "tool", "alembic")
    return {
        name: tuple(map(str, table[name])) if isinstance(table[name], list) else str(table[name])
        for name in _OPTIONS
        if name in table
    }


def _split_paths(options: _Options, name: str, legacy_separators: str) -> tuple[str, ...]:
    """Alembic's list of folders: split by ``path_separator``; without it, as its older versions do."""
    given = options.get(name, "")
    if isinstance(given, tuple):
        return given
    rule = options.get("path_separator") or options.get("version_path_separator") or ""
    separator = _SEPARATORS.get(str(rule))
    parts = given.split(separator) if separator else re.split(legacy_separators, given)
    return tuple(part.strip() for part in parts if part.strip())


def _resolve(location: str, here: Path, places: Sequence[Path]) -> Path:
    """A path relative to the working directory (as Alembic has it: the first place), or ``package:folder:…``.

    The package is looked for in all places.
    """
    location = location.replace("%(here)s", str(here))
    package, *folders = location.split(":")
    root = places[0]
    if not folders or "/" in package or (root / location).exists():
        return root / location
    inside = Path(*package.split("."), *folders)
    return next((place / inside for place in places if (place / inside).exists()), root / inside)
