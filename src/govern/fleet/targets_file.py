"""targets.yaml: what it may say. Everything wrong with it is said at once, each with file, line and column."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from govern.errors import ConfigurationError
from govern.source.manifest.document import Document, Path_, Problem, Unreadable, read_document

_PLACES = ("url", "url_env", "url_file", "url_command")
_SHOWN = 50
_NEXT = "correct the file; docs/fleets.md shows each kind of entry"


def _to_labels(value: object) -> object:
    """``tier: 1`` is what people write."""
    if not isinstance(value, dict):
        return value
    return {
        key: str(one).lower() if isinstance(one, bool) else str(one) if isinstance(one, int | float) else one
        for key, one in value.items()
    }


def _to_glob(value: object) -> object:
    """``- tenants/*.sqlite`` is short for ``- {files: tenants/*.sqlite}``."""
    return {"files": value} if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Labels = Annotated[Mapping[Text, Text], BeforeValidator(_to_labels)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Place(_Entry):
    """Where a URL is; exactly one of the four."""

    url: Text | None = None
    """Without a password."""
    url_env: Text | None = None
    url_file: Text | None = None
    url_command: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Place:
        given = [name for name in _PLACES if getattr(self, name) is not None]
        if len(given) != 1:
            message = f"must have exactly one of {', '.join(_PLACES)}" + (
                f"; it has {' and '.join(given)}" if given else ""
            )
            raise ValueError(message)
        return self


class Listed(Place):
    """One database."""

    name: Text
    labels: Labels = Field(default_factory=dict)
    server: Text | None = None
    """What targets share that must not all be asked at once, where the URL is not to be had here."""
    schema_: Annotated[Text | None, Field(alias="schema")] = None
    """The one schema of a PostgreSQL database that is the target, as a tenant's is."""


class Glob(_Entry):
    """SQLite files, by a pattern relative to the targets file."""

    files: Text
    labels: Labels = Field(default_factory=dict)


class Program(_Entry):
    """A program that prints entries as under ``targets``, as JSON."""

    command: Annotated[tuple[Text, ...], Field(min_length=1)]
    labels: Labels = Field(default_factory=dict)


class Query(_Entry):
    """A catalogue of tenants, a row each: ``name``, and ``url``, or ``database`` and maybe ``host`` and ``port``.

    A tenant that is a schema has ``schema``; without a URL and a database it is one of the server's own.
    """

    catalogue: Place
    sql: Text
    server: Place | None = None
    """Whose credentials and address rows without a URL have."""
    labels: Labels = Field(default_factory=dict)


class TargetsFile(_Entry):
    """The whole file."""

    targets: tuple[Listed, ...] = ()
    globs: tuple[Annotated[Glob, BeforeValidator(_to_glob)], ...] = ()
    commands: tuple[Program, ...] = ()
    queries: tuple[Query, ...] = ()


_MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): TargetsFile,
    ("targets",): Listed,
    ("globs",): Glob,
    ("commands",): Program,
    ("queries",): Query,
    ("queries", "catalogue"): Place,
    ("queries", "server"): Place,
}


def read_targets_file(path: Path) -> TargetsFile:
    """Raises ConfigurationError that lists every problem as ``file:line:column: message``."""
    try:
        document = read_document(path)
    except OSError as error:
        raise ConfigurationError(
            f"the targets file {path} cannot be read",
            why=error.strerror or str(error),
            next="check --targets",
        ) from error
    except Unreadable as error:
        raise _refusal(path, list(error.problems)) from error
    values = {key: value for key, value in document.values.items() if value is not None}
    try:
        return TargetsFile.model_validate(values)
    except ValidationError as error:
        raise _refusal(path, [_problem(document, details) for details in error.errors()]) from error


def _problem(document: Document, details: Any) -> Problem:
    path: Path_ = tuple(part for part in details["loc"] if part != "[key]")
    kind = details["type"]
    if kind == "extra_forbidden":
        return Problem(document.locate_key(path), say_error(details))
    return Problem(document.locate(path[:-1] if kind == "missing" else path), say_error(details))


def say_error(details: Any, *, within: Path_ = ()) -> str:
    """What pydantic found wrong, in the words of the file; ``within``: where in it the value would stand."""
    path: Path_ = (*within, *(part for part in details["loc"] if part != "[key]"))
    match details["type"]:
        case "extra_forbidden":
            return _unknown_key(path)
        case "missing":
            return f"the key {str(path[-1])!r} is missing"
        case "value_error":
            return f"{_name(path)} {details['ctx']['error']}"
    said = details["msg"].replace("Input should", "should").replace("tuple", "list")
    return f"{_name(path)} {said[0].lower()}{said[1:]}"


def _unknown_key(path: Path_) -> str:
    model = _MODELS.get(tuple(part for part in path[:-1] if isinstance(part, str)), Listed)
    known, key = [field.alias or name for name, field in model.model_fields.items()], str(path[-1])
    close = difflib.get_close_matches(key, known, n=1)
    return f"unknown key {key!r}; " + (
        f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    )


def _name(path: Path_) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".") or "the file"


def _refusal(path: Path, problems: list[Problem]) -> ConfigurationError:
    found = sorted(dict.fromkeys(problems))
    lines = [f"{path}:{mark.line}:{mark.column}: {message}" for mark, message in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"and {len(found) - _SHOWN} more")
    if len(lines) == 1:
        return ConfigurationError(lines[0], next=_NEXT)
    return ConfigurationError(
        f"{path.name} has {len(found)} problems",
        why="\n".join(lines),
        next=_NEXT,
    )
