"""Frozen settings from flags, the environment, ``[tool.govern]`` and alembic.ini.

The only reader of os.environ.
"""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from govern.config.alembic import AlembicSettings, read_alembic
from govern.config.declared import Declared, find_file, find_interpreter, read_file, target_table
from govern.errors import ConfigurationError, NoSuchName

__all__ = [
    "COMPLETION_VARIABLE",
    "STATE_FOLDER",
    "AlembicSettings",
    "Settings",
    "environment_of_others",
    "find_active_environment",
    "find_cache_folder",
    "find_completion",
    "find_secret",
    "find_user_folder",
    "list_targets",
    "load",
    "wants_animation",
    "wants_color",
]

STATE_FOLDER = ".govern"
COMPLETION_VARIABLE = "_GOVERN_COMPLETE"
_OWN_SECRETS = frozenset({"GOVERN_BACKUP_KEY", "GOVERN_MONITOR_TOKEN"})
_MOST_JOBS = 4  # unless more are asked for


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
    schema: str | None = None
    """The one schema of the target that is governed, as a tenant's is; None: the whole database."""
    alembic: AlembicSettings
    models: str | None
    """``package.module:metadata``; None: the metadata that env.py gives to Alembic."""
    since: tuple[str, ...]
    """Revisions that were there before govern: neither they nor what came before them is linted or taken back."""
    hook: str | None
    """``package.module:function`` of the project's that prepares Alembic: see ``revisions/child/hook.py``."""
    sql: Path
    """Folder of .sql files with what models cannot say; may be missing."""
    manifest: Path | None
    lock: Path
    backups: Path
    offsite: str | None
    """URL of a folder in an object store that gets a copy of every backup; None: there is none."""
    backup_recipients: tuple[str, ...]
    """Public keys of age that backups are encrypted for; empty: they are not."""
    backup_identity: Path | None
    """A file with private keys of age, which encrypted backups are read with; None: there is none here."""
    backup_jobs: int
    """How many tables are backed up and restored at once, at most."""
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
    def cache_folder(self) -> Path | None:
        """What is believed unseen is no part of the project, which others may commit to; None: nowhere."""
        return find_cache_folder(self.root)

    @property
    def checksums(self) -> Path:
        """Beside env.py; beside the lock where env.py is installed elsewhere, and not ours to add files to."""
        folder = self.alembic.script_location
        return (folder if folder.is_relative_to(self.root) else self.lock.parent) / "govern.sum"

    def relative(self, path: Path) -> str:
        """The path as reports show it: relative to the root where it lies inside."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def load(
    *,
    config: Path | None = None,
    url: str | None = None,
    target: str | None = None,
    alembic_config: Path | None = None,
    python: Path | None = None,
    section: str | None = None,
    start: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Reads the configuration that governs ``start`` (default: the working directory).

    A URL is taken from ``url``, else from the target, else ``DATABASE_URL``, else the file, else alembic.ini,
    else none: the embedded PostgreSQL. ``alembic_config`` and ``python`` count more than the keys of that name:
    they are given before there is a file. With a ``section`` of alembic.ini the file is not read: it may be another
    history's. Raises ConfigurationError, which names file and key.
    """
    file = find_file(config, (start or Path.cwd()).resolve()) if section is None else None
    root = file.parent if file else (start or Path.cwd()).resolve()
    declared = read_file(file) if file else Declared()
    declared = replace(
        declared,
        alembic_config=str(alembic_config.absolute()) if alembic_config else declared.alembic_config,
        python=str(python.absolute()) if python else declared.python,
        alembic_section=section or declared.alembic_section,
    )
    chosen = _choose_url(declared, target=target, url=url, environ=environ, file=file)
    alembic = read_alembic(root, declared, chosen)
    manifest = root / declared.manifest
    return Settings(
        root=root,
        file=file,
        target=target or "default",
        url=chosen or alembic.url,
        schema=target_table(declared, target).get("schema"),
        alembic=alembic,
        models=declared.models,
        since=tuple(declared.since or ()),
        hook=declared.hook,
        sql=root / declared.sql,
        manifest=manifest if manifest.exists() else None,
        lock=root / declared.lock,
        backups=root / declared.backups,
        offsite=declared.offsite,
        backup_recipients=tuple(declared.backup_recipients or ()),
        backup_identity=_find_identity(root, declared, environ),
        backup_jobs=declared.backup_jobs or min(_MOST_JOBS, os.cpu_count() or 1),
        python=find_interpreter(root, declared),
        scratch_url=target_table(declared, target).get("scratch_url", declared.scratch_url),
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


def list_targets(config: Path | None = None, *, start: Path | None = None) -> tuple[str, ...]:
    """The names of the databases that the configuration of ``start`` has. Raises as ``load``."""
    file = find_file(config, (start or Path.cwd()).resolve())
    return tuple(sorted(read_file(file).targets or ())) if file else ()


def _find_identity(root: Path, declared: Declared, environ: Mapping[str, str]) -> Path | None:
    file = environ.get("GOVERN_BACKUP_IDENTITY") or declared.backup_identity
    return root / Path(file).expanduser() if file else None


def _account() -> str:
    """The operating system's name for this user: containers and cron set no variable."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def find_completion(environ: Mapping[str, str] = os.environ) -> str | None:
    """What a shell asks of the program that completes for it: ``bash_complete``."""
    return environ.get(COMPLETION_VARIABLE)


def wants_color(environ: Mapping[str, str] = os.environ, *, is_terminal: bool = True) -> bool:
    """Whether text is to be coloured: never with NO_COLOR (https://no-color.org), always with FORCE_COLOR.

    (https://force-color.org); else on a terminal that is not a dumb one.
    """
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (is_terminal and environ.get("TERM") != "dumb")


def wants_animation(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a terminal is one where a line may be drawn over again: somebody looks at it, and it can.

    ``CI`` is what machines set that build and test; some of them run commands in a terminal.
    """
    return environ.get("TERM") != "dumb" and environ.get("CI", "").lower() in ("", "0", "false")


def find_secret(variable: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """What the environment keeps under this name, or the file that ``…_FILE`` names. Never print it.

    None for nothing, or for an empty text. Raises ConfigurationError for a file that cannot be read.
    """
    if text := environ.get(variable):
        return text
    file = environ.get(f"{variable}_FILE")
    if not file:
        return None
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the file that {variable}_FILE names cannot be read: {file}",
            why=getattr(error, "strerror", None) or "it is no text in UTF-8",
            next=f"correct {variable}_FILE, or the file's mode",
        ) from error


def find_active_environment(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The Python environment that the shell is in (``VIRTUAL_ENV``, ``CONDA_PREFIX``); None: in none."""
    given = environ.get("VIRTUAL_ENV") or environ.get("CONDA_PREFIX")
    return Path(given) if given else None


def environment_of_others(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """For programs that have no use for govern's own secrets, such as the project's Alembic: all but these."""
    return {name: value for name, value in environ.items() if name.removesuffix("_FILE") not in _OWN_SECRETS}


def find_user_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where govern keeps what belongs to a user and no project (XDG Base Directory Specification); None: nowhere."""
    return _find_home("XDG_CONFIG_HOME", ".config", environ)


def find_cache_folder(root: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the user's govern remembers what it read of the project at ``root``, as ``find_user_folder``."""
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    home = _find_home("XDG_CACHE_HOME", ".cache", environ)
    return home / name if home else None


def _find_home(variable: str, usual: str, environ: Mapping[str, str]) -> Path | None:
    given = environ.get(variable, "")
    if given.startswith("/"):
        return Path(given) / "govern"
    try:
        return Path.home() / usual / "govern"
    except RuntimeError:
        return None


def _choose_url(
    declared: Declared,
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
        table = target_table(declared, target)
        if target not in targets:
            raise NoSuchName(
                f"there is no target {target!r}",
                wanted=target,
                known=sorted(targets),
                why=f"known targets: {', '.join(sorted(targets)) or 'none'}",
                next=_where_to_add(target, file),
            )
        return _from_variable(table["url_env"], environ) if "url_env" in table else table.get("url")
    if environ.get("DATABASE_URL"):
        return environ["DATABASE_URL"]
    return _from_variable(declared.url_env, environ) if declared.url_env else declared.url


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
