"""Where a project keeps its Alembic and its interpreter, read from its folders: nothing is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from govern.actions.init.modules import is_skipped, parse
from govern.actions.init.proposals import USUAL_SECTION
from govern.config import Settings, find_active_environment
from govern.config.alembic import installed_packages, list_histories, read_alembic
from govern.config.declared import Declared
from govern.errors import ConfigurationError

_ENVIRONMENTS = (".venv", "venv")
_DEEPEST_INI = 7


def locate(settings: Settings) -> Settings:
    """The settings with the interpreter of the project's environment, and with the alembic.ini of its package.

    Both are looked for only where nothing names them. An ini in a package (or beside env.py, as Flask-Migrate has it)
    is taken from here if there is no other one: it says itself where its revisions are.
    """
    root = settings.root
    python = settings.python
    if python == Path(sys.executable):
        python = _find_interpreter(root) or python
    file = settings.alembic.file
    if file is None and not has_env(settings):
        inside = [ini for ini in _find_inis(root) if _is_of_package(ini)]
        file = inside[0] if len(inside) == 1 == len(list(_find_inis(root))) else None
    declared = Declared(
        alembic_config=str(file) if file else None,
        alembic_section=settings.alembic.section,
        python=str(python),
        version_table=settings.alembic.version_table,
        version_table_schema=settings.alembic.version_table_schema,
    )
    located = replace(settings, python=python, alembic=read_alembic(root, declared, settings.url))
    return replace(located, url=settings.url or located.alembic.url)


def has_env(settings: Settings) -> bool:
    """Whether the folder that Alembic is told of has an env.py."""
    return (settings.alembic.script_location / "env.py").is_file()


def find_env(settings: Settings) -> Path:
    """env.py, which can be parsed. Raises ConfigurationError, which says what to run instead."""
    env = settings.alembic.script_location / "env.py"
    if not env.is_file():
        known = settings.alembic.file
        raise ConfigurationError(
            "there is no Alembic project here",
            why=f"{settings.relative(known)} leads to {settings.relative(env)}, which is missing"
            if known
            else f"{settings.root} has neither alembic.ini nor [tool.alembic] in pyproject.toml",
            next=_suggest(settings.root, known) or "alembic init migrations, then govern init",
        )
    if parse(env) is None:
        raise ConfigurationError(
            f"{settings.relative(env)} is not valid Python",
            why="it cannot be parsed",
            next=f"python -m py_compile {settings.relative(env)}",
        )
    return env


def locations_by_engine(settings: Settings) -> str | None:
    """Where the revisions are in a folder for each engine, as govern's configuration has it; else None."""
    folders = folders_by_engine(settings)
    return f"{settings.relative(folders[0].parent)}/{{dialect}}" if folders else None


def version_folders(settings: Settings) -> tuple[Path, ...]:
    """The folders that have revisions: those of each engine where env.py chooses one."""
    return folders_by_engine(settings) or settings.alembic.version_locations


def revision_files(settings: Settings) -> Iterator[Path]:
    """All of them, read or not."""
    for folder in version_folders(settings):
        yield from (file for file in folder.glob("*.py") if not file.name.startswith("__"))


def folders_by_engine(settings: Settings) -> tuple[Path, ...]:
    """One for each engine, where env.py chooses among them; else none."""
    alembic = settings.alembic
    versions = alembic.script_location / "versions"
    folders = tuple(
        versions / name for name in ("postgresql", "sqlite") if any((versions / name).glob("*.py"))
    )
    if alembic.recursive_version_locations or len(folders) < 2 or any(versions.glob("*.py")):
        return ()
    return folders


def _find_interpreter(root: Path) -> Path | None:
    """That of the active environment, or of the one in the project's folders; None where govern is in it itself."""
    active = find_active_environment()
    if active is not None and active.resolve() == Path(sys.prefix).resolve():
        return None
    candidates = [active] if active is not None else []
    candidates += [folder / name for folder in _up_to_repository(root) for name in _ENVIRONMENTS]
    for environment in candidates:
        python = environment / "bin" / "python"
        if environment.resolve() == Path(sys.prefix).resolve():
            return None
        if python.exists() and any((place / "alembic").is_dir() for place in installed_packages(python)):
            return _as_seen_from(root, python)
    return None


def _up_to_repository(root: Path) -> tuple[Path, ...]:
    """The folder and those above it, up to the one with .git; without one, the folder alone."""
    above = (root, *root.parents)
    ends = [position for position, folder in enumerate(above) if (folder / ".git").exists()]
    return above[: ends[0] + 1] if ends else (root,)


def _as_seen_from(root: Path, python: Path) -> Path:
    """With the path that a file in ``root`` has for it, if both are in one repository: others have it there, too."""
    repository = _up_to_repository(root)[-1]
    return root / os.path.relpath(python, root) if python.is_relative_to(repository) else python


def _suggest(root: Path, known: Path | None) -> str | None:
    """What to run instead, if there is an ini of another name, or one in folders below."""
    named = sorted(file.name for file in root.glob("*.ini") if _is_named_otherwise(file, known))
    suggestions = [f"govern init --alembic-config {name}" for name in named]
    for ini in _find_inis(root):
        path = ini.relative_to(root)
        if ini == known:
            continue
        suggestions.append(
            f"govern init --alembic-config {path}"
            if _is_of_package(ini)
            else f"cd {path.parent} && govern init"
        )
    if known is not None and not suggestions and (folder := _find_package_root(known)) is not None:
        suggestions.append(f"cd {folder} && govern init --alembic-config {known.relative_to(folder)}")
    return "; or ".join(suggestions) or None


def _is_named_otherwise(file: Path, known: Path | None) -> bool:
    return file != known and USUAL_SECTION in list_histories(file)


def _find_inis(root: Path) -> Iterator[Path]:
    """Every alembic.ini below the folder: those nearest to it first."""
    found = []
    for folder, subfolders, files in os.walk(root):
        here = Path(folder)
        depth = len(here.relative_to(root).parts)
        subfolders[:] = sorted(
            name for name in subfolders if depth < _DEEPEST_INI and not is_skipped(here / name, frozenset())
        )
        if "alembic.ini" in files and here != root:
            found.append(here / "alembic.ini")
    return iter(sorted(found, key=lambda ini: (len(ini.parts), ini)))


def _is_of_package(ini: Path) -> bool:
    """Whether it belongs to what is imported or run from further up, and is no place to work in."""
    return (ini.parent / "__init__.py").exists() or (ini.parent / "env.py").exists()


def _find_package_root(ini: Path) -> Path | None:
    """The folder from which the package around an ini is imported; None where there is none around it."""
    folder = ini.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder if folder != ini.parent else None
