"""``govern init``: adopts an Alembic project, and changes no file there is.

What it proposes is found by reading, then proven by the project's own interpreter.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from govern.actions.init import proposals
from govern.actions.init.metadata import (
    Candidate,
    Table,
    count_references,
    env_declares_metadata,
    find_candidates,
)
from govern.actions.init.modules import parse, read_project_modules
from govern.checks.doctor import UNCLEAR_METADATA, UNREADABLE_PROJECT
from govern.config import Settings
from govern.core.finding import Finding, Subject
from govern.core.report import Entry
from govern.core.wording import count_of
from govern.declared import describe_project
from govern.errors import ConfigurationError, GovernError, NotPermitted, Refused
from govern.source.manifest.json_schema import FILE_NAME, render_file

CONFIGURATION = Path("govern.toml")
MANIFEST = Path("schema/governance.yaml")
MANIFEST_SCHEMA = MANIFEST.with_name(FILE_NAME)
"""What editors complete and check the manifest by; ``govern lock`` keeps it up to date."""
_MOST_CRITICAL_TABLES = 6
_LEAST_REFERENCES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What was learned of a project and written for it."""

    entries: tuple[Entry, ...]
    models: str | None
    """``package.module:Base.metadata``; None where env.py has it, or where it is undecided."""
    written: tuple[str, ...]
    """Files, relative to the root."""
    next: tuple[str, ...]
    """Commands, in order."""

    @property
    def data(self) -> Mapping[str, Any]:
        """As the report lists it."""
        return {"models": self.models, "written": list(self.written), "next": list(self.next)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Discovery:
    """Where the metadata is: through env.py, by an import, or undecided for reasons."""

    models: str | None
    tables: tuple[Table, ...]
    summary: str
    undecided: tuple[str, ...] = ()


def init(settings: Settings, *, narrate: Callable[[str], None]) -> Adoption:
    """Writes govern.toml, and schema/governance.yaml with its JSON Schema where there is none.

    Raises Refused if the project has a configuration already, ConfigurationError if it is no Alembic project,
    NotPermitted if nothing can be written.
    """
    _refuse_to_overwrite(settings)
    env = _find_env(settings)
    narrate("reading the project's Python files")
    discovery = _discover(settings, env)
    narrate("importing the models in the project's interpreter")
    metadata = Entry.of("metadata", _find_problems(settings, discovery), discovery.summary)
    text = proposals.configuration(
        models=discovery.models,
        undecided=discovery.undecided,
        alembic_config=_alembic_config(settings),
        version_locations=_locations_by_engine(settings),
        python=None if settings.python == Path(sys.executable) else settings.relative(settings.python),
    )
    tables = _propose_critical_tables(discovery.tables)
    writes_manifest = not (settings.root / MANIFEST).exists()
    writes_schema = writes_manifest and not (settings.root / MANIFEST_SCHEMA).exists()
    if writes_manifest:
        _create(settings.root / MANIFEST, proposals.manifest(tables))
    if writes_schema:
        _create(settings.root / MANIFEST_SCHEMA, render_file())
    _create(settings.root / CONFIGURATION, text)  # last: once it is there, init refuses
    return Adoption(
        entries=(
            Entry.of("alembic", (), _describe_alembic(settings)),
            metadata,
            Entry.of("configuration", (), f"wrote {CONFIGURATION}"),
            Entry.of("manifest", (), _describe_manifest(tables) if writes_manifest else f"kept {MANIFEST}"),
        ),
        models=discovery.models,
        written=(
            str(CONFIGURATION),
            *([str(MANIFEST)] if writes_manifest else []),
            *([str(MANIFEST_SCHEMA)] if writes_schema else []),
        ),
        next=tuple(_next_commands(settings)),
    )


def _refuse_to_overwrite(settings: Settings) -> None:
    existing = settings.file or settings.root / CONFIGURATION
    if existing.exists():
        raise Refused(
            "this project is governed already",
            why=f"{settings.relative(existing)} configures it",
            next=f"edit it, or remove it and run govern init again: {settings.relative(existing)}",
        )


def _find_env(settings: Settings) -> Path:
    env = settings.alembic.script_location / "env.py"
    if not env.is_file():
        known = settings.alembic.file
        raise ConfigurationError(
            "there is no Alembic project here",
            why=f"{settings.relative(known)} leads to {settings.relative(env)}, which is missing"
            if known
            else f"{settings.root} has neither alembic.ini nor [tool.alembic] in pyproject.toml",
            next=_suggest_folder(settings.root) or "alembic init migrations, then govern init",
        )
    if parse(env) is None:
        raise ConfigurationError(
            f"{settings.relative(env)} is not valid Python",
            why="it cannot be parsed",
            next=f"python -m py_compile {settings.relative(env)}",
        )
    return env


def _suggest_folder(root: Path) -> str | None:
    """Where to run ``govern init`` instead, if a folder below has an alembic.ini."""
    found = sorted(
        path.parent for pattern in ("*/alembic.ini", "*/*/alembic.ini") for path in root.glob(pattern)
    )
    folders = [folder for folder in found if not any(part.startswith(".") for part in folder.parts)]
    return f"cd {folders[0].relative_to(root)} && govern init" if folders else None


def _discover(settings: Settings, env: Path) -> _Discovery:
    candidates = find_candidates(read_project_modules(settings))
    with_tables = tuple(candidate for candidate in candidates if candidate.model_modules) or candidates
    tables = tuple(table for candidate in with_tables for table in candidate.tables)
    if env_declares_metadata(env):
        return _Discovery(models=None, tables=tables, summary=f"given by {settings.relative(env)}")
    if not with_tables:
        reason = "no declarative base and no MetaData was found in the project's Python files"
        return _Discovery(models=None, tables=(), summary="not found", undecided=(reason,))
    if len(with_tables) > 1 or with_tables[0].models is None:
        reasons = tuple(reason for candidate in with_tables for reason in _explain(candidate))
        return _Discovery(models=None, tables=tables, summary="to decide", undecided=reasons)
    models = with_tables[0].models
    return _Discovery(models=models, tables=tables, summary=f"{models}, {count_of(len(tables), 'table')}")


def _explain(candidate: Candidate) -> Iterator[str]:
    made = f"{candidate.metadata.module}.{candidate.metadata.name}".lstrip(".")
    modules = ", ".join(sorted(candidate.model_modules)) or "no module"
    if candidate.models:
        yield f"{candidate.models} has the models of {modules}"
    else:
        yield f"the models of {made} are in {modules}, and no module imports all of them"


def _find_problems(settings: Settings, discovery: _Discovery) -> tuple[Finding, ...]:
    """What speaks against the metadata that was found: not clear, cannot be imported, or misses tables."""
    about = Subject(kind="configuration", name="models", path=str(CONFIGURATION))
    if discovery.undecided:
        message = f"which metadata is meant is not clear: {'; '.join(discovery.undecided)}"
        return (Finding.of(UNCLEAR_METADATA, about, message),)
    try:
        described = describe_project(replace(settings, models=discovery.models))
    except GovernError as error:
        return (Finding.of(UNREADABLE_PROJECT, about, error.what, why=error.why, remedy=error.next),)
    if described.problem:
        return (Finding.of(UNREADABLE_PROJECT, about, described.problem),)
    if discovery.models is None:
        return ()  # env.py may have reasons to leave a table out
    missing = sorted({table.name for table in discovery.tables} - set(described.tables))
    if missing:
        message = f"{discovery.models} lacks tables that the project's files define: {', '.join(missing)}"
        return (Finding.of(UNCLEAR_METADATA, about, message, evidence={"missing": missing}),)
    return ()


def _alembic_config(settings: Settings) -> str | None:
    """What the configuration must say of alembic.ini; None where it is found without."""
    file = settings.alembic.file
    if file is None or file in (settings.root / "alembic.ini", settings.root / "pyproject.toml"):
        return None
    return settings.relative(file)


def _locations_by_engine(settings: Settings) -> str | None:
    """Where the revisions are in a folder for each engine, as govern's configuration has it; else None."""
    alembic = settings.alembic
    versions = alembic.script_location / "versions"
    engines = [name for name in ("postgresql", "sqlite") if any((versions / name).glob("*.py"))]
    if alembic.recursive_version_locations or len(engines) < 2 or any(versions.glob("*.py")):
        return None
    return f"{settings.relative(versions)}/{{dialect}}"


def _propose_critical_tables(tables: tuple[Table, ...]) -> tuple[tuple[str, int], ...]:
    """The tables that most others lean on."""
    counts = ((name, count) for name, count in count_references(tables).items() if count >= _LEAST_REFERENCES)
    return tuple(counts)[:_MOST_CRITICAL_TABLES]


def _describe_alembic(settings: Settings) -> str:
    alembic = settings.alembic
    files = sum(1 for _ in _revision_files(settings))
    places = ", ".join(settings.relative(folder) for folder in alembic.version_locations)
    file = settings.relative(alembic.file) if alembic.file else "no configuration file"
    return f"{file}, {count_of(files, 'revision')} in {places}"


def _describe_manifest(tables: tuple[tuple[str, int], ...]) -> str:
    names = ", ".join(name for name, _ in tables)
    return f"wrote {MANIFEST}: " + (f"{names} as critical tables" if names else "no critical table proposed")


def _next_commands(settings: Settings) -> Iterator[str]:
    if (settings.root / ".git").exists() and not _ignores_backups(settings.root / ".gitignore"):
        yield "echo 'backups/' >> .gitignore"
    yield "govern doctor"
    if not any(_revision_files(settings)):
        yield "govern revision -m 'first tables'"
    yield "govern lock"
    yield "govern check"
    yield "govern migrate"


def _revision_files(settings: Settings) -> Iterator[Path]:
    for folder in settings.alembic.version_locations:
        yield from (file for file in folder.glob("*.py") if not file.name.startswith("__"))


def _ignores_backups(ignore: Path) -> bool:
    if not ignore.is_file():
        return False
    lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.strip().strip("/").startswith("backups") for line in lines)


def _create(path: Path, text: str) -> None:
    """Writes a file that must not exist yet."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise NotPermitted(
            f"{path.name} could not be written",
            why=f"{error.strerror}: {error.filename}",
            next=f"make {path.parent} a writable folder, and run govern init again",
        ) from error
