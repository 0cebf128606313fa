"""Reads the manifest. Everything wrong with it is said at once, each with file, line and column."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from govern.errors import ConfigurationError
from govern.source.manifest.document import (
    Document,
    Mark,
    Path_,
    Problem,
    Unreadable,
    Value,
    parse_document,
    read_document,
)
from govern.source.manifest.model import (
    Allowed,
    AllowedFix,
    Backups,
    CriticalTable,
    Drift,
    Fixes,
    IgnoredDrift,
    Invariant,
    Keep,
    Lint,
    Manifest,
    Monitor,
    Notify,
    Relationship,
    Schedule,
    WeighedDrift,
)
from govern.source.manifest.probe_texts import check_probe_texts
from govern.source.manifest.probes import (
    Capture,
    Expectation,
    LogIn,
    PasswordGrant,
    Probes,
    Python,
    Refresh,
    Reject,
    Request,
    Revocation,
    Secret,
    Sequence,
    Sessions,
    Step,
    Token,
)
from govern.source.manifest.repairs import Repair

_ENTRIES: dict[
    str, type[CriticalTable] | type[Relationship] | type[Invariant] | type[Repair] | type[Allowed]
] = {
    "critical_tables": CriticalTable,
    "relationships": Relationship,
    "invariants": Invariant,
    "repairs": Repair,
    "allow": Allowed,
}
_SECTIONS = ("drift", "lint", "backups", "monitor", "probes")
_STEPS = ("probes", "sequences", "steps")
_MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Manifest,
    **{(key,): model for key, model in _ENTRIES.items()},
    ("drift",): Drift,
    ("drift", "ignore"): IgnoredDrift,
    ("drift", "severity"): WeighedDrift,
    ("lint",): Lint,
    ("backups",): Backups,
    ("backups", "keep"): Keep,
    ("backups", "schedule"): Schedule,
    ("monitor",): Monitor,
    ("monitor", "fixes"): Fixes,
    ("monitor", "fixes", "allow"): AllowedFix,
    ("monitor", "notify"): Notify,
    ("probes",): Probes,
    ("probes", "secrets", "*"): Secret,
    ("probes", "sequences"): Sequence,
    _STEPS: Step,
    (*_STEPS, "request"): Request,
    (*_STEPS, "request", "expect"): Expectation,
    (*_STEPS, "request", "capture", "*"): Capture,
    (*_STEPS, "log_in"): LogIn,
    (*_STEPS, "log_in", "oauth2"): PasswordGrant,
    (*_STEPS, "log_in", "capture", "*"): Capture,
    (*_STEPS, "token"): Token,
    (*_STEPS, "refresh"): Refresh,
    (*_STEPS, "reject"): Reject,
    (*_STEPS, "sessions"): Sessions,
    (*_STEPS, "sessions", "revoke"): Revocation,
    (*_STEPS, "python"): Python,
}
"""What may stand where: by the keys on the way to it; ``*`` is any."""
_SHOWN = 50
"""Problems shown; whoever has more begins with these."""


def load_manifest(path: Path) -> Manifest:
    """Reads the manifest at ``path``.

    Raises ConfigurationError that lists every problem as ``file:line:column: message``.
    """
    try:
        document = read_document(path)
    except OSError as error:
        raise ConfigurationError(
            f"the manifest {path} cannot be read", why=error.strerror or str(error), next="check the path"
        ) from error
    except Unreadable as error:
        raise _refusal(path, error.problems) from error
    return _to_manifest(document, path)


def parse_manifest(text: str, path: Path) -> Manifest:
    """The same for a text that was read from ``path``."""
    try:
        return _to_manifest(parse_document(text), path)
    except Unreadable as error:
        raise _refusal(path, error.problems) from error


def _to_manifest(document: Document, path: Path) -> Manifest:
    problems = [*_named_twice(document), *_unknown_repairs(document), *check_probe_texts(document)]
    # a key with nothing under it says nothing
    values = {
        key: value
        for key, value in document.values.items()
        if value is not None or (key not in _ENTRIES and key not in _SECTIONS)
    }
    try:
        manifest = Manifest.model_validate(values)
    except ValidationError as error:
        problems += [_problem(document, details) for details in error.errors()]
        raise _refusal(path, problems) from error
    if problems:
        raise _refusal(path, problems)
    return _with_places(manifest, document, path)


def _with_places(manifest: Manifest, document: Document, path: Path) -> Manifest:
    manifest._path = path
    manifest._lines = {place: mark.line for place, mark in document.marks.items()}
    for key in _ENTRIES:
        for index, entry in enumerate(getattr(manifest, key)):
            entry._line = manifest.line_of(key, index)
    for index, ignored in enumerate(manifest.drift.ignore):
        ignored._line = manifest.line_of("drift", "ignore", index)
    for index, sequence in enumerate(manifest.probes.sequences):
        sequence._line = manifest.line_of("probes", "sequences", index)
        for number, step in enumerate(sequence.steps):
            step._line = manifest.line_of("probes", "sequences", index, "steps", number)
    return manifest


def _named_twice(document: Document) -> Iterator[Problem]:
    """Two entries of one name: which of them would count?"""
    probes = document.values.get("probes")
    sequences = probes.get("sequences") if isinstance(probes, dict) else None
    for path, entries in (
        *(((key,), document.values.get(key)) for key in ("critical_tables", "invariants", "repairs")),
        (("probes", "sequences"), sequences),
    ):
        lines: dict[str, int] = {}
        for index, entry in enumerate(entries if isinstance(entries, tuple) else ()):
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str):
                continue
            mark = document.locate((*path, index, "name"))
            if name in lines:
                yield Problem(mark, f"{name!r} is already in {'.'.join(path)} on line {lines[name]}")
            lines.setdefault(name, mark.line)


def _unknown_repairs(document: Document) -> Iterator[Problem]:
    """A fix by a repair that is not declared would never be made, and nobody would know why."""
    entries = document.values.get("repairs")
    declared = _names(entries if isinstance(entries, tuple) else ())
    place = ("monitor", "fixes", "allow")
    for index, allowed in enumerate(_value_at(document, place)):
        name = allowed.get("repair") if isinstance(allowed, dict) else None
        if isinstance(name, str) and name not in declared:
            close = difflib.get_close_matches(name, declared, n=1)
            known = f"declared are: {', '.join(declared)}" if declared else "none is declared"
            hint = f"did you mean {close[0]!r}?" if close else known
            mark = document.locate((*place, index, "repair"))
            yield Problem(mark, f"there is no repair {_shorten(name)} for the monitor to make; {hint}")


def _value_at(document: Document, place: tuple[str, ...]) -> tuple[Value, ...]:
    """The list there; an empty one where there is none."""
    value: Value = document.values
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, tuple) else ()


def _names(entries: tuple[Value, ...]) -> tuple[str, ...]:
    found = (entry.get("name") for entry in entries if isinstance(entry, dict))
    return tuple(name for name in found if isinstance(name, str))


def _problem(document: Document, details: Any) -> Problem:
    path = tuple(part for part in details["loc"] if part != "[key]")
    key = str(path[-1]) if path else ""
    match details["type"]:
        case "extra_forbidden":
            return Problem(document.locate_key(path), _unknown_key(path, key))
        case "missing":
            return Problem(document.locate(path[:-1]), f"the key {key!r} is missing")
        case "model_type":
            return Problem(document.locate(path), f"{_name(path)} must be a mapping of keys")
        case "value_error":
            return Problem(document.locate(path), f"{_name(path)} {details['ctx']['error']}")
        case "string_type" if details["input"] is not None and not isinstance(details["input"], tuple | dict):
            message = f"{_name(path)} must be a text, write it in quotes: '{details['input']}'"
            return Problem(document.locate(path), message)
    message = (
        details["msg"]
        .replace("Input should", "should")
        .replace("tuple", "list")
        .replace("dictionary", "mapping")
    )
    return Problem(document.locate(path), f"{_name(path)} {message[0].lower()}{message[1:]}")


def _unknown_key(path: Path_, key: str) -> str:
    model = _find_model(tuple(part for part in path[:-1] if isinstance(part, str)))
    known = [field.alias or name for name, field in model.model_fields.items()]
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    return f"unknown key {_shorten(key)}; {hint}"


def _find_model(keys: tuple[str, ...]) -> type[BaseModel]:
    return next(
        model
        for place, model in _MODELS.items()
        if len(place) == len(keys) and all(one in ("*", key) for one, key in zip(place, keys, strict=True))
    )


def _name(path: Path_) -> str:
    """``critical_tables[0].min_rows``: where people look."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".") or "the manifest"


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")


def _refusal(path: Path, problems: Iterable[Problem]) -> ConfigurationError:
    found = sorted(dict.fromkeys(problems))
    lines = [f"{_show(path, mark)}: {message}" for mark, message in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"and {len(found) - _SHOWN} more")
    if len(lines) == 1:
        return ConfigurationError(lines[0], next="correct the manifest")
    return ConfigurationError(
        f"the manifest {path.name} has {len(found)} problems",
        why="\n".join(lines),
        next="correct the manifest",
    )


def _show(path: Path, mark: Mark) -> str:
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{mark.line}:{mark.column}"
