"""``govern init``: adopts an Alembic project, and changes no file there is.

What it proposes is found by reading, then proven by the project's own interpreter.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from govern.actions.init import proposals
from govern.actions.init.address import Address, find_address
from govern.actions.init.database import Standing, look_at_database
from govern.actions.init.layout import (
    find_env,
    folders_by_engine,
    locate,
    locations_by_engine,
    revision_files,
    version_folders,
)
from govern.actions.init.metadata import (
    Candidate,
    Table,
    count_references,
    env_declares_metadata,
    env_has_online_options,
    find_candidates,
)
from govern.actions.init.models import find_implied_relationships, read_tables
from govern.actions.init.modules import Modules, read_project_modules
from govern.actions.init.onward import begin_again, next_commands
from govern.actions.init.sql_folders import find_sql_folders
from govern.checks.doctor import UNCLEAR_METADATA, UNREADABLE_PROJECT
from govern.config import Settings, find_secret
from govern.config.alembic import list_histories
from govern.core.finding import Finding, Subject
from govern.core.report import Entry
from govern.core.wording import count_of
from govern.declared import describe_project
from govern.errors import GovernError, NotPermitted, Refused
from govern.revisions.explain import ForeignEngine
from govern.revisions.graph import read_chain, read_project_chain
from govern.revisions.protocol import Description, Destination
from govern.source.manifest.json_schema import FILE_NAME, render_file

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
    sql: str | None = None
    """The folder of SQL files that make the tables, where no models do."""
    undecided: tuple[str, ...] = ()


def init(settings: Settings, *, today: date, narrate: Callable[[str], None]) -> Adoption:
    """Writes govern.toml, and schema/governance.yaml with its JSON Schema where there is none.

    The files of one history among several in alembic.ini have its section in their names. Raises Refused if the
    project has a configuration already, ConfigurationError if it is no Alembic project, NotPermitted if nothing can
    be written.
    """
    settings = locate(settings)
    others = _other_sections(settings)
    places = proposals.places_of(settings.alembic.section) if _is_named(settings, others) else proposals.USUAL
    _refuse_to_overwrite(settings, places)
    env = find_env(settings)
    narrate("reading the project's Python files")
    modules = read_project_modules(settings)
    discovery = _discover(settings, env, modules)
    narrate("importing the models in the project's interpreter")
    seen = _describe(settings, discovery, places)
    destination = seen.destination
    if seen.problems and settings.url is None and destination is not None and destination.file is not None:
        seen = _describe(replace(settings, url=destination.place), discovery, places)
    described = seen.described
    tables = read_tables(described.models) if described and described.models else discovery.tables
    settings = _with_version_table(settings, described)
    address = find_address(settings, destination, modules)
    standing = _look_at_database(_at(settings, address), tables, narrate)
    critical = _propose_critical_tables(tables, standing)
    configuration = _propose_configuration(settings, discovery, address, places)
    manifest = proposals.manifest(
        critical,
        relationships=find_implied_relationships(described.models) if described else (),
        left_out=standing.left_out,
        today=today,
    )
    written = _write(settings.root, places, configuration, manifest)
    wrote_manifest = f"wrote {places.manifest}: {_name_tables(critical)}"
    has_manifest = places.manifest not in written
    return Adoption(
        entries=(
            Entry.of("alembic", (), _describe_alembic(settings)),
            Entry.of("metadata", seen.problems, _describe_metadata(discovery, tables)),
            Entry.of("database", (), address.summary),
            Entry.of("configuration", (), f"wrote {places.configuration}"),
            Entry.of("manifest", (), f"kept {places.manifest}" if has_manifest else wrote_manifest),
        ),
        models=discovery.models,
        written=written,
        next=begin_again(settings, places)
        if any(finding.rule is UNREADABLE_PROJECT for finding in seen.problems)
        else tuple(next_commands(settings, places, others, address.next, standing)),
    )


def _propose_configuration(
    settings: Settings, discovery: _Discovery, address: Address, places: proposals.Places
) -> str:
    return proposals.configuration(
        models=discovery.models,
        sql=discovery.sql,
        undecided=discovery.undecided,
        alembic_config=_alembic_config(settings),
        version_locations=locations_by_engine(settings),
        section=settings.alembic.section,
        version_table=settings.alembic.version_table,
        version_table_schema=settings.alembic.version_table_schema,
        since=_newest_revisions(settings),
        python=None if settings.python == Path(sys.executable) else settings.relative(settings.python),
        url=address.url,
        url_env=address.url_env,
        places=places,
    )


def _is_named(settings: Settings, others: Collection[str]) -> bool:
    return bool(others) and settings.alembic.section != proposals.USUAL_SECTION


def _other_sections(settings: Settings) -> tuple[str, ...]:
    """Those of alembic.ini that are a history of their own."""
    file = settings.alembic.file
    return tuple(name for name in list_histories(file) if name != settings.alembic.section) if file else ()


def _write(root: Path, places: proposals.Places, configuration: str, manifest: str) -> tuple[str, ...]:
    """The configuration comes last: once it is there, init refuses."""
    texts: dict[str, str] = {}
    if not (root / places.manifest).exists():
        texts[places.manifest] = manifest
        beside = Path(places.manifest).with_name(FILE_NAME)
        if not (root / beside).exists():
            texts[str(beside)] = render_file()
    if _keeps_out_backups(root):
        texts[proposals.IGNORED_BACKUPS] = proposals.IGNORE_ALL
    for path, text in {**texts, places.configuration: configuration}.items():
        _create(root / path, text)
    return (places.configuration, *texts)


def _refuse_to_overwrite(settings: Settings, places: proposals.Places) -> None:
    own = settings.root / places.configuration
    existing = (settings.file or own) if places == proposals.USUAL else own
    if existing.exists():
        raise Refused(
            "this project is governed already",
            why=f"{settings.relative(existing)} configures it",
            next=f"edit it, or remove it and run govern init again: {settings.relative(existing)}",
        )


def _discover(settings: Settings, env: Path, modules: Modules) -> _Discovery:
    candidates = find_candidates(modules)
    with_tables = tuple(candidate for candidate in candidates if candidate.model_modules) or candidates
    tables = tuple(table for candidate in with_tables for table in candidate.tables)
    if env_declares_metadata(env):
        return _Discovery(models=None, tables=tables, summary=f"given by {settings.relative(env)}")
    if not with_tables:
        return _discover_sql(settings)
    if len(with_tables) > 1 or with_tables[0].models is None:
        reasons = tuple(reason for candidate in with_tables for reason in _explain(candidate))
        return _Discovery(models=None, tables=tables, summary="to decide", undecided=reasons)
    models = with_tables[0].models
    return _Discovery(models=models, tables=tables, summary=models)


def _discover_sql(settings: Settings) -> _Discovery:
    """For a project without models."""
    found = find_sql_folders(settings)
    own = [folder for folder in found if settings.alembic.section in folder.relative_to(settings.root).parts]
    folders = [settings.relative(folder) for folder in own or found]
    if len(folders) == 1:
        return _Discovery(
            models=None, tables=(), sql=folders[0], summary=f"no models; the SQL files of {folders[0]}"
        )
    reason = "no declarative base and no MetaData was found in the project's Python files"
    several = (
        f'SQL files that create tables are in {", ".join(folders)}: sql = "…" names those of this database',
    )
    return _Discovery(
        models=None, tables=(), summary="not found", undecided=(reason, *(several if folders else ()))
    )


def _explain(candidate: Candidate) -> Iterator[str]:
    made = f"{candidate.metadata.module}.{candidate.metadata.name}".lstrip(".")
    modules = ", ".join(sorted(candidate.model_modules)) or "no module"
    if candidate.models:
        yield f"{candidate.models} has the models of {modules}"
    else:
        yield f"the models of {made} are in {modules}, and no module imports all of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The project as its interpreter sees it, and what speaks against the metadata that was found."""

    described: Description | None
    problems: tuple[Finding, ...] = ()
    destination: Destination | None = None
    """The database that env.py means by itself."""


def _describe(settings: Settings, discovery: _Discovery, places: proposals.Places) -> _Seen:
    """What speaks against it: it is not clear, cannot be imported, or misses tables."""
    about = Subject(kind="configuration", name="models", path=places.configuration)
    message = f"which metadata is meant is not clear: {'; '.join(discovery.undecided)}"
    unclear = (Finding.of(UNCLEAR_METADATA, about, message),) if discovery.undecided else ()
    try:
        chosen = replace(settings, models=discovery.models)
        described = describe_project(chosen)
        if described.problem is None and _says_more_online(settings, described):
            described = describe_project(chosen, is_online=True)
    except GovernError as error:
        said = Finding.of(UNREADABLE_PROJECT, about, error.what, why=error.why, remedy=error.next)
        destination = error.destination if isinstance(error, ForeignEngine) else None
        return _Seen(described=None, problems=(said, *unclear), destination=destination)
    return _Seen(
        described=described,
        problems=(*_find_problems(described, discovery, about, unclear),),
        destination=described.destination,
    )


def _find_problems(
    described: Description, discovery: _Discovery, about: Subject, unclear: tuple[Finding, ...]
) -> Iterator[Finding]:
    if described.problem:
        yield Finding.of(
            UNREADABLE_PROJECT, about, described.problem, why=described.why, remedy=described.next
        )
    if described.problem or unclear:
        yield from unclear
    elif discovery.models is not None:  # else env.py may have reasons to leave a table out
        missing = sorted({table.name for table in discovery.tables} - set(described.tables))
        if missing:
            message = f"{discovery.models} lacks tables that the project's files define: {', '.join(missing)}"
            yield Finding.of(UNCLEAR_METADATA, about, message, evidence={"missing": missing})


def _says_more_online(settings: Settings, described: Description) -> bool:
    """Whether env.py has a metadata or a version table that it does not give to Alembic where it runs offline."""
    env = settings.alembic.script_location / "env.py"
    has_usual_table = (described.version_table, described.version_table_schema) == ("alembic_version", None)
    is_silent = described.source is None and env_declares_metadata(env)
    return is_silent or (has_usual_table and env_has_online_options(env))


def _with_version_table(settings: Settings, described: Description | None) -> Settings:
    """With the version table that env.py gives to Alembic."""
    if described is None:
        return settings
    alembic = replace(
        settings.alembic,
        version_table=described.version_table,
        version_table_schema=described.version_table_schema,
    )
    return replace(settings, alembic=alembic)


def _at(settings: Settings, address: Address) -> Settings:
    """With the database that was found, as the configuration will have it."""
    url = find_secret(address.url_env) if address.url_env else address.url
    return replace(settings, url=settings.url or url)


def _look_at_database(
    settings: Settings, tables: tuple[Table, ...], narrate: Callable[[str], None]
) -> Standing:
    """A database that does not answer, or is not there yet, is none: init needs no database."""
    try:
        return look_at_database(settings, [table.name for table in tables])
    except GovernError as error:
        narrate(f"without a look at the database: {error.what}")
        return Standing()


def _newest_revisions(settings: Settings) -> tuple[str, ...]:
    """Those of each engine, where they are apart."""
    if folders := folders_by_engine(settings):
        chains = [read_chain((folder,)) for folder in folders]
    else:
        chains = [read_project_chain(settings)]
    return (
        ()
        if any(chain.broken for chain in chains)
        else tuple(head for chain in chains for head in chain.heads)
    )


def _alembic_config(settings: Settings) -> str | None:
    """What the configuration must say of alembic.ini; None where it is found without."""
    file = settings.alembic.file
    if file is None or file in (settings.root / "alembic.ini", settings.root / "pyproject.toml"):
        return None
    return settings.relative(file)


def _propose_critical_tables(
    tables: tuple[Table, ...], standing: Standing
) -> tuple[proposals.CriticalTable, ...]:
    """The tables that most others lean on; of those with as many, the one with more rows."""
    proposed = [
        proposals.CriticalTable(name=name, references=count, rows=standing.rows.get(name))
        for name, count in count_references(tables).items()
        if count >= _LEAST_REFERENCES
    ]
    proposed.sort(key=lambda table: (-table.references, -(table.rows or 0)))
    return tuple(proposed[:_MOST_CRITICAL_TABLES])


def _describe_metadata(discovery: _Discovery, tables: tuple[Table, ...]) -> str:
    """With the number of tables that the interpreter saw: a loop may make more than the files show."""
    return f"{discovery.summary}, {count_of(len(tables), 'table')}" if discovery.models else discovery.summary


def _describe_alembic(settings: Settings) -> str:
    alembic = settings.alembic
    files = sum(1 for _ in revision_files(settings))
    places = ", ".join(settings.relative(folder) for folder in version_folders(settings))
    file = settings.relative(alembic.file) if alembic.file else "no configuration file"
    return f"{file}, {count_of(files, 'revision')} in {places}"


def _name_tables(tables: tuple[proposals.CriticalTable, ...]) -> str:
    names = ", ".join(table.name for table in tables)
    return f"{names} as critical tables" if names else "no critical table proposed"


def _keeps_out_backups(root: Path) -> bool:
    """Whether nothing keeps their folder out of version control yet; a folder that is there is somebody's."""
    folder = (root / proposals.IGNORED_BACKUPS).parent
    return not folder.exists() and not _ignores_backups(root / ".gitignore")


def _ignores_backups(ignore: Path) -> bool:
    if not ignore.is_file():
        return False
    lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.strip().strip("/").startswith("backups") for line in lines)


def _create(path: Path, text: str) -> None:
    """Writes a file that must not exist yet."""
    try:
        is_private = path.parent.name == proposals.USUAL.backups
        path.parent.mkdir(mode=0o700 if is_private else 0o777, parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise NotPermitted(
            f"{path.name} could not be written",
            why=f"{error.strerror}: {error.filename}",
            next=f"make {path.parent} a writable folder, and run govern init again",
        ) from error
