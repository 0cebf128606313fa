"""What ``[tool.govern]`` says, key by key, with its defaults."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from govern.config.toml import parse_toml, subtable
from govern.core.closeness import find_close
from govern.errors import ConfigurationError

_TARGET_KEYS = frozenset({"url", "url_env", "scratch_url", "schema"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The keys of ``[tool.govern]``; a target's table may repeat the first three, and have a ``schema``."""

    url: str | None = None
    url_env: str | None = None
    scratch_url: str | None = None
    models: str | None = None
    sql: str = "schema/sql"
    manifest: str = "schema/governance.yaml"
    lock: str = "schema/schema.lock"
    backups: str = "backups"
    offsite: str | None = None
    backup_recipients: Sequence[str] | None = None
    backup_identity: str | None = None
    backup_jobs: int = 0
    alembic_config: str | None = None
    alembic_section: str = "alembic"
    script_location: str | None = None
    version_locations: Sequence[str] | None = None
    since: Sequence[str] | None = None
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


def find_file(given: Path | None, start: Path) -> Path | None:
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
            if file.is_file() and (name == "govern.toml" or _govern_table(parse_toml(file), file)):
                return file
        if (folder / ".git").exists() or (folder / "alembic.ini").exists():
            return None
    return None


def read_file(file: Path) -> Declared:
    """The keys of a govern.toml or pyproject.toml. Raises ConfigurationError for unknown ones and other types."""
    table = _govern_table(parse_toml(file), file)
    problems = [*_find_problems(table, file)]
    if len(problems) > 1:
        raise ConfigurationError(
            f"{file.name} has {len(problems)} mistakes",
            why="\n".join(f"{one.what}; {one.why or one.next}" for one in problems),
            next=f"correct {file}",
        )
    if problems:
        raise problems[0]
    return Declared(**table)


def _find_problems(table: Mapping[str, Any], file: Path) -> Iterator[ConfigurationError]:
    known = tuple(field.name for field in fields(Declared))
    for key, value in table.items():
        yield from _check_key(key, value, key in known, known, file)
    targets = table.get("targets", {})
    for name, target in targets.items() if isinstance(targets, dict) else ():
        yield from _check_type(f"targets.{name}", target, file)
        for key, value in target.items() if isinstance(target, dict) else ():
            yield from _check_key(
                f"targets.{name}.{key}", value, key in _TARGET_KEYS, tuple(_TARGET_KEYS), file
            )


def _check_key(
    key: str, value: object, is_known: bool, known: tuple[str, ...], file: Path
) -> Iterator[ConfigurationError]:
    if is_known:
        yield from _check_type(key, value, file)
        return
    close = find_close(key.rpartition(".")[2], known)
    yield ConfigurationError(
        f"{file.name} has an unknown key {key!r} for govern",
        next=f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(sorted(known))}",
    )


def _check_type(key: str, value: object, file: Path) -> Iterator[ConfigurationError]:
    expected: tuple[type, ...] = (str,)
    wanted = "a text"
    if key == "targets" or (key.startswith("targets.") and key.count(".") == 1):
        expected, wanted = (dict,), "a table"
    elif key.endswith("_seconds"):
        expected, wanted = (int, float), "a number"
    elif key.endswith("_jobs"):
        expected, wanted = (int,), "a whole number from 0 on"
    elif key in ("version_locations", "backup_recipients", "since"):
        expected, wanted = (list,), "a list of texts"
    is_of_texts = not isinstance(value, list) or all(isinstance(one, str) for one in value)
    is_negative = key.endswith("_jobs") and isinstance(value, int) and value < 0
    if not isinstance(value, expected) or isinstance(value, bool) or not is_of_texts or is_negative:
        yield ConfigurationError(
            f"{file.name}: {key} must be {wanted}",
            why=f"it is {value}" if is_negative else f"it is {type(value).__name__}",
            next=f"correct {file}",
        )


def _govern_table(content: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    return subtable(content, "tool", "govern") if file.name == "pyproject.toml" else content


def target_table(declared: Declared, target: str | None) -> Mapping[str, Any]:
    """What the file says of a target; empty for none, or for one that it does not know."""
    return (declared.targets or {}).get(target or "", {})


def find_interpreter(root: Path, declared: Declared) -> Path:
    """The project's; without a word of it the one that runs govern."""
    return root / declared.python if declared.python else Path(sys.executable)
