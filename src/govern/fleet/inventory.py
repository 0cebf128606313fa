"""Which databases a fleet has: the listed ones, files, what programs print and what catalogues say."""

from __future__ import annotations

import fnmatch
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from govern.database.target import make_absolute
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, GovernError
from govern.fleet.program import run_program
from govern.fleet.references import (
    FromCommand,
    InCatalogue,
    InFile,
    InVariable,
    OnServer,
    Reference,
    Written,
    describe,
    find_server,
    read_catalogue,
    resolve,
)
from govern.fleet.targets_file import Glob, Listed, Place, Program, Query, read_targets_file, say_error

_COMMAND_SECONDS = 300.0
_OF_A_ROW = frozenset({"name", "url", "database", "host", "port", "schema"})
_SHOWN = 10
_BESIDE_A_DATABASE = ("-wal", "-shm", "-journal", ".govern-lock")
"""What SQLite and migrations put beside a file, and a wide pattern would find."""
UNKNOWN_SERVER = "unknown"
"""The server of all whose address is not to be had where the fleet is read: they count as sharing one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One database of a fleet, without its secrets."""

    name: str
    reference: Reference
    labels: tuple[tuple[str, str], ...] = ()
    server: str = ""
    """What it shares with others that must not all be asked at once; empty for nothing."""
    schema: str | None = None
    """The one schema of the database that it is; None: all of it."""

    def label(self, name: str) -> str | None:
        """``name`` is a label as any other."""
        return self.name if name == "name" else dict(self.labels).get(name)


def read_targets(path: Path) -> tuple[Target, ...]:
    """All of them, in the order of the file. Raises ConfigurationError, and what a catalogue's database raises."""
    declared, folder = read_targets_file(path), path.absolute().parent
    found = (
        *(_listed(entry, folder, path) for entry in declared.targets),
        *(target for glob in declared.globs for target in _globbed(glob, folder)),
        *(target for program in declared.commands for target in _printed(program, folder)),
        *(target for query in declared.queries for target in _catalogued(query, folder, path)),
    )
    _refuse_same_names(found, path)
    _refuse_same_places(found, path)
    if not found:
        raise ConfigurationError(
            f"{path.name} names no database",
            why="targets, globs, commands and queries are empty, or yield nothing",
            next="list the databases: docs/fleets.md shows each kind of entry",
        )
    return found


def select(targets: Iterable[Target], conditions: Iterable[str]) -> tuple[Target, ...]:
    """Those that fulfil all of ``label=value``; of one label's several values any. ``*`` stands for anything.

    Raises ConfigurationError where that leaves none.
    """
    targets, wanted = tuple(targets), defaultdict[str, list[str]](list)
    for condition in conditions:
        label, equals, value = condition.partition("=")
        if not equals or not label:
            raise ConfigurationError(
                f"{condition!r} is no condition", next="write label=value, for example --select region=eu"
            )
        wanted[label].append(value)
    chosen = tuple(target for target in targets if all(_has(target, *one) for one in wanted.items()))
    if wanted and not chosen:
        said = ", ".join(f"{label}={'|'.join(values)}" for label, values in wanted.items())
        there = sorted({"=".join(one) for target in targets for one in target.labels})
        more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
        raise ConfigurationError(
            f"no target has {said}",
            why=f"their labels are {', '.join(there[:_SHOWN]) or 'none'}{more}",
            next="correct the condition; name=… asks for the name",
        )
    return chosen


def _has(target: Target, label: str, values: Iterable[str]) -> bool:
    found = target.label(label)
    return found is not None and any(fnmatch.fnmatchcase(found, value) for value in values)


def _listed(entry: Listed, folder: Path, path: Path, labels: Mapping[str, str] | None = None) -> Target:
    try:
        reference = _refer(entry, folder, path)
    except ConfigurationError as error:
        what = f"the target {entry.name}: {error.what}"
        raise ConfigurationError(what, why=error.why, next=error.next) from error
    return Target(
        name=entry.name,
        reference=reference,
        labels=tuple({**(labels or {}), **entry.labels}.items()),
        server=entry.server if entry.server is not None else _ask_server(reference),
        schema=entry.schema_,
    )


def _refer(place: Place, folder: Path, path: Path) -> Reference:
    if place.url_env is not None:
        return InVariable(place.url_env)
    if place.url_file is not None:
        return InFile(str(folder / place.url_file))
    if place.url_command is not None:
        return FromCommand(place.url_command, str(folder))
    text = place.url or ""
    url = DatabaseUrl.parse(text)
    if url.redacted.count("***") > text.count("***"):
        raise ConfigurationError(
            f"{path.name} holds a password: {url.redacted}",
            why="what is in it goes into jobs and reports of runs",
            next="say where the URL is: url_env, url_file or url_command",
        )
    return Written(make_absolute(url, folder).text)


def _ask_server(reference: Reference) -> str:
    """A program is not run only to learn this: a vault counts who asks it."""
    if isinstance(reference, FromCommand):
        return UNKNOWN_SERVER
    try:
        return find_server(resolve(reference))
    except GovernError:
        return UNKNOWN_SERVER  # who does the work will say what is wrong, or has what is missing here


def _globbed(glob: Glob, folder: Path) -> Iterator[Target]:
    beginning = Path(Path(glob.files).anchor)  # an absolute pattern begins elsewhere
    start = folder / beginning
    found = start.glob(str(Path(glob.files).relative_to(beginning)))
    files = sorted(file for file in found if file.is_file() and not file.name.endswith(_BESIDE_A_DATABASE))
    if not files:
        raise ConfigurationError(
            f"no file is called like {glob.files}",
            why=f"looked for below {start}",
            next="correct the pattern under globs, or take it out",
        )
    for file in files:
        name = str(file.relative_to(folder).with_suffix("")) if file.is_relative_to(folder) else file.stem
        url = f"sqlite:///{quote(str(file), safe='/ :')}"
        yield Target(name=name, reference=Written(url), labels=tuple(glob.labels.items()))


def _printed(program: Program, folder: Path) -> Iterator[Target]:
    said = " ".join(program.command)
    printed = run_program(
        program.command, folder, seconds=_COMMAND_SECONDS, name=said, failed=f"{said} failed"
    )
    entries = tuple(_parse_printed(printed, said))
    if not entries:
        raise _found_nothing(f"{said} printed no target")
    for entry in entries:
        yield _listed(entry, folder, Path(program.command[0]), program.labels)


def _found_nothing(what: str) -> ConfigurationError:
    """A run over nothing would be a success that has done nothing."""
    return ConfigurationError(
        what,
        why="a fleet of which a part is silently missing is not done when the rest of it is",
        next="correct the entry in the targets file, or take it out",
    )


def _parse_printed(text: str, said: str) -> Iterator[Listed]:
    """A JSON list, or a JSON object a line."""
    try:
        values = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    except ValueError as error:
        raise _printed_otherwise(said, str(error)) from None
    for number, value in enumerate(values):
        try:
            yield Listed.model_validate_json(json.dumps(value))
        except ValidationError as error:
            what = say_error(error.errors()[0], within=("targets", number))
            raise _printed_otherwise(said, f"entry {number + 1}: {what}") from None


def _printed_otherwise(said: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{said} printed what is no target",
        why=why,
        next='print entries as under targets, as JSON: {"name": "acme", "url_env": "ACME_URL"}',
    )


def _catalogued(query: Query, folder: Path, path: Path) -> Iterator[Target]:
    catalogue = _refer(query.catalogue, folder, path)
    server = _refer(query.server, folder, path) if query.server else catalogue
    rows = read_catalogue(resolve(catalogue), query.sql)
    if not rows:
        raise _found_nothing(f"a query on {describe(catalogue)} yields no row")
    for row in rows:
        if not row.get("name"):
            raise ConfigurationError(
                "the catalogue's query yields a row without a name",
                why=f"its columns are {', '.join(row)}",
                next="name what tells tenants apart: SELECT slug AS name, …",
            )
        labels = {
            name: str(value) for name, value in row.items() if name not in _OF_A_ROW and value is not None
        }
        yield Target(
            name=str(row["name"]),
            reference=_refer_row(row, catalogue, server, query.sql),
            labels=tuple({**query.labels, **labels}.items()),
            server=_server_of(row, server),
            schema=str(row["schema"]) if row.get("schema") else None,
        )


def _refer_row(row: Mapping[str, Any], catalogue: Reference, server: Reference, sql: str) -> Reference:
    if row.get("url"):
        return InCatalogue(catalogue, sql, str(row["name"]))
    if not row.get("database") and row.get("schema"):
        return server
    if not row.get("database"):
        raise ConfigurationError(
            f"the catalogue does not say where {row['name']} is",
            why="its row has neither url nor database, nor a schema",
            next="let the query yield a column url, or database, or schema",
        )
    return OnServer(server, str(row["database"]), *_read_address(row))


def _read_address(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Host and port."""
    host, port = row.get("host"), row.get("port")
    return None if host is None else str(host), None if port is None else str(port)


def _server_of(row: Mapping[str, Any], server: Reference) -> str:
    """A URL of the row is looked at here, and not kept."""
    try:
        if row.get("url"):
            return find_server(DatabaseUrl.parse(str(row["url"])))
        return find_server(resolve(OnServer(server, "postgres", *_read_address(row))))
    except GovernError:
        return UNKNOWN_SERVER


def _refuse_same_names(targets: Iterable[Target], path: Path) -> None:
    twice = [name for name, count in Counter(target.name for target in targets).items() if count > 1]
    if twice:
        raise ConfigurationError(
            f"{path.name} names {', '.join(twice[:5])} more than once",
            why="a target is known by its name: in reports, in the state of a run, among backups",
            next="give each its own name, and let patterns under globs not overlap",
        )


def _refuse_same_places(targets: Iterable[Target], path: Path) -> None:
    """What leads to one database by other words, as two variables with the same content do, is not noticed."""
    by_place: dict[tuple[Reference, str | None], list[str]] = defaultdict(list)
    for target in targets:
        by_place[target.reference, target.schema].append(target.name)
    for (reference, schema), names in by_place.items():
        if len(names) > 1:
            what = f"schema {schema}" if schema else "database"
            raise ConfigurationError(
                f"{path.name} has one {what} under {len(names)} names: {', '.join(names[:5])}",
                why=f"all of them are {describe(reference)}: it would be counted and visited more than once",
                next="take out all but one of them; labels tell what else it is",
            )
