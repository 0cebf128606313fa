"""What govern needs to know of the project's Alembic, read without importing anything of the project."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from govern.config.declared import Declared, find_interpreter
from govern.config.toml import parse_toml, subtable
from govern.errors import ConfigurationError

_PLACEHOLDER_URL = re.compile(r"(driver|scheme|dialect)(\+\w+)?://")
"""What `alembic init` writes, and others in its place: it names no engine, and env.py replaces it."""
_DEFAULT_MIGRATIONS = "migrations"
_ENGINES = ("postgresql", "sqlite")
_ENGINE = "{dialect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlembicSettings:
    """What govern needs to know of the project's Alembic, read without importing anything of the project."""

    file: Path | None
    """alembic.ini (or pyproject.toml with ``[tool.alembic]``); None where there is neither."""
    section: str
    script_location: Path
    version_locations: tuple[Path, ...]
    other_engines_locations: tuple[Path, ...] = ()
    """Folders with the revisions of the engines that the URL is not of, where ``{dialect}`` tells them apart."""
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


def read_alembic(root: Path, declared: Declared, url: str | None) -> AlembicSettings:
    """Reads ini and pyproject.toml the way Alembic does (the ini wins), as far as paths and the URL go."""
    file = root / declared.alembic_config if declared.alembic_config else _usual_file(root)
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
    engine = _engine_of(url or own_url)
    options |= _own_locations(declared, engine)
    search_path = tuple(
        _resolve(path, here, (root,)) for path in _split_paths(options, "prepend_sys_path", r",\s*|\s+|:")
    )
    places = (root, *search_path, root / "src", *installed_packages(find_interpreter(root, declared)))
    given = options.get("script_location")
    script_location = _resolve(str(given), here, places) if given else _usual_location(here, root)
    versions = _split_paths(options, "version_locations", r",\s*|\s+")
    of_others = _other_engines_locations(declared, engine)
    return AlembicSettings(
        file=file if file.is_file() else None,
        section=declared.alembic_section,
        script_location=script_location,
        version_locations=tuple(_resolve(path, here, places) for path in versions)
        or (script_location / "versions",),
        other_engines_locations=tuple(_resolve(path, here, places) for path in of_others),
        has_own_locations=bool(declared.script_location or declared.version_locations),
        recursive_version_locations=str(options.get("recursive_version_locations", "")).lower() == "true",
        prepend_sys_path=search_path,
        version_table=declared.version_table,
        version_table_schema=declared.version_table_schema,
        url=own_url,
    )


def _engine_of(url: str | None) -> str:
    engine = url.partition(":")[0].partition("+")[0] if url else "postgresql"
    return "postgresql" if engine == "postgres" else engine


def _own_locations(declared: Declared, engine: str) -> _Options:
    """What our own configuration says of the folders; it wins. ``{dialect}`` is the engine of the URL."""
    own: dict[str, str | tuple[str, ...]] = {}
    if declared.script_location:
        own["script_location"] = declared.script_location
    if declared.version_locations:
        own["version_locations"] = tuple(
            location.replace(_ENGINE, engine) for location in declared.version_locations
        )
    return own


def _other_engines_locations(declared: Declared, engine: str) -> tuple[str, ...]:
    others = [other for other in _ENGINES if other != engine]
    locations = [location for location in declared.version_locations or () if _ENGINE in location]
    return tuple(location.replace(_ENGINE, other) for location in locations for other in others)


def _usual_file(root: Path) -> Path:
    """``alembic.ini``; where there is none, the one that Flask-Migrate puts beside env.py."""
    usual, beside_env = root / "alembic.ini", root / _DEFAULT_MIGRATIONS / "alembic.ini"
    is_flasks = not usual.is_file() and beside_env.is_file() and (beside_env.parent / "env.py").is_file()
    return beside_env if is_flasks else usual


def _usual_location(here: Path, root: Path) -> Path:
    """Where no configuration says it: beside the ini, as Flask-Migrate has it, else ``migrations``."""
    return here if (here / "env.py").is_file() else root / _DEFAULT_MIGRATIONS


def installed_packages(python: Path) -> Iterator[Path]:
    """Where an interpreter finds what is installed, in place or by a .pth file: found without starting it."""
    for folder in sorted((python.parent.parent / "lib").glob("python3*/site-packages")):
        yield folder
        for file in sorted(folder.glob("*.pth")):
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            yield from (folder / line for line in lines if line and (folder / line).is_dir())


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
            next=_name_histories(file),
        )
    values = ((name, _read_option(parser, section, name, file)) for name in _OPTIONS)
    return {name: value for name, value in values if value is not None}


def _name_histories(file: Path) -> str:
    """The configurations that each history has of its own; before there are any, how to get them."""
    if configured := sorted(one.name for one in file.parent.glob("govern.*.toml")):
        return "; or ".join(f"govern --config {name} …" for name in configured)
    named = "; or ".join(f"govern init --name {section}" for section in list_histories(file))
    return f"name it: {named or 'govern init --name SECTION'}; or alembic_section in [tool.govern]"


def list_histories(file: Path) -> tuple[str, ...]:
    """The sections of an ini that say where a migrations folder is; none of pyproject.toml, nor of a broken file."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.read_text(encoding="utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError, OSError):
        return ()
    return tuple(name for name in parser.sections() if parser.has_option(name, "script_location"))


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
    table = subtable(parse_toml(file), "tool", "alembic")
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
