"""Frozen settings from flags, the environment, ``[tool.govern]`` and alembic.ini.

The only reader of os.environ.
"""

from __future__ import annotations

import configparser
import difflib
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from govern.errors import ConfigurationError

_PLACEHOLDER_URL = "driver://user:pass@localhost/dbname"  # what `alembic init` writes
_DEFAULT_MIGRATIONS = "migrations"
STATE_FOLDER = ".govern"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlembicSettings:
    """What govern needs to know of the project's Alembic, read without importing anything of the project."""

    file: Path | None
    """alembic.ini (or pyproject.toml with ``[tool.alembic]``); None for a project configured by its hook."""
    section: str
    script_location: Path
    version_locations: tuple[Path, ...]
    version_table: str
    version_table_schema: str | None
    url: str | None
    """``sqlalchemy.url``, unless it is the placeholder Alembic's template writes."""


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
    sql: Path
    """Folder of .sql files with what models cannot say; may be missing."""
    manifest: Path | None
    lock: Path
    backups: Path
    python: Path
    """Interpreter of the project under governance."""
    hook: str | None
    scratch_url: str | None
    """A server on which scratch databases are made; None: the target's own, else embedded."""
    lock_wait_seconds: float
    actor: str

    @property
    def state_folder(self) -> Path:
        return self.root / STATE_FOLDER

    @property
    def checksums(self) -> Path:
        return self.alembic.script_location / "govern.sum"

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
    version_table: str = "alembic_version"
    version_table_schema: str | None = None
    python: str | None = None
    hook: str | None = None
    lock_wait_seconds: float = 600.0
    targets: Mapping[str, Mapping[str, Any]] | None = None


_TARGET_KEYS = frozenset({"url", "url_env", "scratch_url"})


def load(
    *,
    config: Path | None = None,
    url: str | None = None,
    target: str | None = None,
    start: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Reads the configuration that governs ``start`` (default: the working directory).

    A URL is taken from ``url``, else from the target, else ``DATABASE_URL``, else the file, else alembic.ini,
    else none: the embedded PostgreSQL. Raises ConfigurationError, which names file and key.
    """
    file = _find_file(config, (start or Path.cwd()).resolve())
    root = file.parent if file else (start or Path.cwd()).resolve()
    declared = _read_file(file) if file else _FileSettings()
    alembic = _read_alembic(root, declared)
    chosen = _choose_url(declared, target=target, url=url, environ=environ, file=file)
    manifest = root / declared.manifest
    return Settings(
        root=root,
        file=file,
        target=target or "default",
        url=chosen or alembic.url,
        alembic=alembic,
        models=declared.models,
        sql=root / declared.sql,
        manifest=manifest if manifest.exists() else None,
        lock=root / declared.lock,
        backups=root / declared.backups,
        python=root / declared.python if declared.python else Path(sys.executable),
        hook=declared.hook,
        scratch_url=declared.scratch_url,
        lock_wait_seconds=float(declared.lock_wait_seconds),
        actor=environ.get("GOVERN_ACTOR") or environ.get("USER") or environ.get("LOGNAME") or "unknown",
    )


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
    if file.name == "pyproject.toml":
        table: Mapping[str, Any] = content.get("tool", {}).get("govern", {})
        return table
    return content


def _read_file(file: Path) -> _FileSettings:
    table = _govern_table(_parse_toml(file), file)
    known = {field.name: field for field in fields(_FileSettings)}
    for key, value in table.items():
        if key not in known:
            raise _unknown_key(key, tuple(known), file)
        _check_type(key, value, file)
    for name, target in table.get("targets", {}).items():
        for key in target:
            if key not in _TARGET_KEYS:
                raise _unknown_key(f"targets.{name}.{key}", tuple(_TARGET_KEYS), file)
    return _FileSettings(**table)


def _unknown_key(key: str, known: tuple[str, ...], file: Path) -> ConfigurationError:
    close = difflib.get_close_matches(key.rpartition(".")[2], known, n=1)
    return ConfigurationError(
        f"{file.name} has an unknown key {key!r} for govern",
        next=f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(sorted(known))}",
    )


def _check_type(key: str, value: object, file: Path) -> None:
    expected: type | tuple[type, ...] = str
    if key == "targets":
        expected = dict
    elif key == "lock_wait_seconds":
        expected = (int, float)
    if not isinstance(value, expected) or isinstance(value, bool):
        raise ConfigurationError(
            f"{file.name}: govern's key {key!r} has the wrong type", why=f"it is {type(value).__name__}"
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
        if target not in targets:
            raise ConfigurationError(
                f"there is no target {target!r}",
                why=f"known targets: {', '.join(sorted(targets)) or 'none'}",
                next=f"add [tool.govern.targets.{target}] to {file.name if file else 'pyproject.toml'}",
            )
        table = targets[target]
        return _from_variable(table["url_env"], environ) if "url_env" in table else table.get("url")
    if environ.get("DATABASE_URL"):
        return environ["DATABASE_URL"]
    return _from_variable(declared.url_env, environ) if declared.url_env else declared.url


def _from_variable(name: str, environ: Mapping[str, str]) -> str:
    try:
        return environ[name]
    except KeyError:
        raise ConfigurationError(
            f"the environment variable {name} is not set", why="url_env names it", next=f"export {name}=…"
        ) from None


def _read_alembic(root: Path, declared: _FileSettings) -> AlembicSettings:
    """Reads the ini the way Alembic does, as far as paths and the URL go."""
    file = root / (declared.alembic_config or "alembic.ini")
    options: Mapping[str, str] = {}
    if file.is_file():
        options = _read_ini(file, declared.alembic_section)
    elif declared.alembic_config:
        raise ConfigurationError(
            f"there is no {file}", why="alembic_config names it", next="correct alembic_config"
        )
    elif pyproject_table := _alembic_pyproject(root):
        file, options = root / "pyproject.toml", pyproject_table
    location = options.get("script_location", _DEFAULT_MIGRATIONS)
    script_location = _resolve(location, file.parent, root)
    url = options.get("sqlalchemy.url")
    return AlembicSettings(
        file=file if file.is_file() else None,
        section=declared.alembic_section,
        script_location=script_location,
        version_locations=_version_locations(options, script_location, file.parent, root),
        version_table=declared.version_table,
        version_table_schema=declared.version_table_schema,
        url=None if url in (None, "", _PLACEHOLDER_URL) else url,
    )


def _read_ini(file: Path, section: str) -> Mapping[str, str]:
    parser = configparser.ConfigParser({"here": str(file.parent)})
    try:
        parser.read_string(file.read_text(encoding="utf-8"), source=str(file))
        if not parser.has_section(section):
            raise ConfigurationError(
                f"{file.name} has no section [{section}]",
                why=f"it has {', '.join(parser.sections()) or 'none'}",
                next="name it with alembic_section in [tool.govern]",
            )
        return dict(parser.items(section))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file.name} cannot be read", why=str(error).replace("\n", " "), next=f"correct {file}"
        ) from error


def _alembic_pyproject(root: Path) -> Mapping[str, str]:
    """``[tool.alembic]``, which Alembic reads since 1.16."""
    file = root / "pyproject.toml"
    if not file.is_file():
        return {}
    table = _parse_toml(file).get("tool", {}).get("alembic", {})
    return {
        key: ";".join(value) if isinstance(value, list) else str(value).replace("%(here)s", str(root))
        for key, value in table.items()
    }


def _version_locations(
    options: Mapping[str, str], script_location: Path, here: Path, root: Path
) -> tuple[Path, ...]:
    given = options.get("version_locations", "").strip()
    if not given:
        return (script_location / "versions",)
    separators = {"os": os.pathsep, "space": " ", "newline": "\n", ":": ":", ";": ";"}
    separator = separators.get(
        options.get("path_separator") or options.get("version_path_separator") or "", ""
    )
    parts = given.split(separator) if separator else given.replace(",", " ").replace(";", " ").split()
    return tuple(_resolve(part.strip(), here, root) for part in parts if part.strip())


def _resolve(location: str, here: Path, root: Path) -> Path:
    """A path relative to the working directory (as Alembic has it: the root), or ``package:folder``."""
    location = location.replace("%(here)s", str(here))
    package, colon, folder = location.partition(":")
    if colon and "/" not in package and not (root / location).exists():
        return root.joinpath(*package.split("."), folder)
    return root / location
