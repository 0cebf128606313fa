"""Dumps and restores a PostgreSQL database with its own pg_dump and pg_restore.

A dump is a folder: the archive, and what it needs of its surroundings to be restored as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from govern.database.connection import Connection
from govern.database.encryption import NO_KEYS, Damaged, Keys, encrypted_name
from govern.database.keeping import Progress, Witness
from govern.database.postgresql import server
from govern.database.postgresql.contents import require_readable
from govern.database.postgresql.dump.archive import Archive, write_folder, write_stream
from govern.database.postgresql.dump.clients import (
    Client,
    choose_for_dump,
    choose_for_restore,
    find_clients,
    parse_archive_version,
)
from govern.database.postgresql.dump.extensions import Extension, creating_extensions, read_extensions
from govern.database.postgresql.dump.moment import sharing
from govern.database.postgresql.dump.programs import ProgramFailed, quote_pattern
from govern.database.postgresql.dump.restoring import Restoring
from govern.database.postgresql.parallelism import choose_jobs, measure_database
from govern.database.scratch import scratch_folder
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, FailedMidway, NotPermitted, Unreachable

__all__ = ["ARCHIVE", "NEEDS", "STREAM", "Client", "dump", "find_clients", "restore"]

ARCHIVE = "database"
"""A folder in pg_dump's directory format."""
STREAM = "database.pgdump"
"""pg_dump's custom format, in one file: what schemas alone are written in, and older dumps were."""
NEEDS = "needs.json"
"""The roles the archive names, its extensions' versions, and what it leaves out of the namespace ``public``, which
every new database has."""

# a database for one schema has it already
_SCHEMAS = re.compile(rb"\d+; 2615 \d+ SCHEMA ")
_OWNERSHIP_KINDS = ("default-privileges", "grant", "owner")
_UNPACKED = 3  # how much larger rows are than what an archive packs them into, roughly

# Dependencies on roles are recorded for every object (manual, pg_shdepend) but not on the bootstrap
# superuser, whose oid is always 10; objects made by users have oids from 16384 on.
_ROLES = """
SELECT role.rolname, bool_or(depends.deptype = 'o')
FROM pg_catalog.pg_shdepend AS depends
JOIN pg_catalog.pg_roles AS role ON role.oid = depends.refobjid
WHERE depends.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
  AND depends.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
GROUP BY role.rolname
UNION ALL
SELECT rolname, true
FROM pg_catalog.pg_roles
WHERE oid = 10 AND EXISTS (
  SELECT FROM (
    SELECT tableoid AS catalog, oid FROM pg_catalog.pg_class WHERE relowner = 10
    UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_proc WHERE proowner = 10
    UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_type WHERE typowner = 10
    -- the server itself makes a namespace where somebody has made a temporary table, and it stays
    UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_namespace
    WHERE nspowner = 10 AND nspname !~ '^pg_(toast_)?temp_'
  ) AS owned
  WHERE owned.oid >= 16384 AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend AS member
    WHERE member.classid = owned.catalog AND member.objid = owned.oid AND member.deptype = 'e'
  )
)
ORDER BY 1
"""

_HAS_PUBLIC = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public')"

# from its version 15 on, pg_dump takes for granted that nobody can, which is so in no new database of an older server
_CAN_EVERYBODY_CREATE = """
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_namespace n
  CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) acl
  WHERE n.nspname = 'public' AND acl.grantee = 0 AND acl.privilege_type = 'CREATE'
)
"""

_UNKNOWN_ROLES = """
SELECT name FROM pg_catalog.unnest(%s::text[]) AS name
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name)
"""

_OWNERS_OUT_OF_REACH = """
SELECT rolname FROM pg_catalog.pg_roles
WHERE rolname = ANY (%s::text[]) AND NOT pg_catalog.pg_has_role(
  rolname,
  -- a member need not have the right to SET ROLE since PostgreSQL 16
  CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END
)
"""


def dump(
    url: DatabaseUrl,
    folder: Path,
    *,
    schema_only: bool = False,
    jobs: int = 1,
    keys: Keys = NO_KEYS,
    progress: Progress | None = None,
    witness: Witness | None = None,
    lock_timeout_seconds: float = 10.0,
) -> str:
    """Writes the database into ``folder``, which exists and is empty, and returns ``pg_dump 18.4``.

    Where ``url`` means one schema of it, that one alone.

    ``jobs`` tables are written at a time, or as many as the server has connections for. ``witness`` is called
    meanwhile with the moment that is dumped: pg_dump takes over the snapshot of its transaction (manual, Snapshot
    Synchronization Functions). Nobody waits longer than ``lock_timeout_seconds`` for a lock: no backup queues behind
    a migration for ever. The schema alone is written into one file, and so is what is encrypted: no row of that
    reaches the disk otherwise.

    Raises ToolMissing, Unreachable, NotPermitted or CouldNotCheck, and OSError if the folder cannot be
    written. What it wrote until then is no dump and is the caller's to remove.
    """
    with _translated_errors(url, "dumped"), server.connect(url, read_only=True) as connection:
        client = choose_for_dump(_read_major(connection), find_clients())
        lock_timeout = round(lock_timeout_seconds * 1000)
        with sharing(connection, url, lock_timeout) as shared:
            _write_needs(connection, folder / NEEDS, schema=url.schema)
            arguments = [f"--snapshot={shared.snapshot}", f"--lock-wait-timeout={lock_timeout}"]
            if url.schema is not None:
                arguments.append(f"--schema={quote_pattern(url.schema)}")
            if schema_only or keys.wants_encryption:
                if witness:
                    witness(shared.moment)
                options = [*arguments, "--schema-only"] if schema_only else arguments
                write_stream(client, options, url, folder / STREAM, keys=keys, progress=progress)
            else:
                require_readable(connection)
                size_bytes = measure_database(connection)
                write_folder(
                    client,
                    arguments,
                    url,
                    folder / ARCHIVE,
                    size_bytes=size_bytes,
                    jobs=choose_jobs(connection, jobs, size_bytes),
                    progress=progress,
                    meanwhile=lambda: witness(shared.moment) if witness else None,
                    interrupt=shared.interrupt,
                )
    return f"pg_dump {client.version}"


def restore(
    folder: Path, url: DatabaseUrl, *, schema_only: bool = False, jobs: int = 1, keys: Keys = NO_KEYS
) -> tuple[str, ...]:
    """Restores a ``dump`` into an existing, empty database, which the caller drops if that fails.

    ``jobs`` at a time, as far as the dump is worth it. Foreign keys that rows of the dump break are restored NOT VALID.

    Owners and privileges are restored where the server has all roles that the archive names and the user may
    give objects to their owners. Otherwise the user owns everything, nothing is granted, and the kinds of
    snapshot objects that are missing therefore are returned.

    Extensions get the versions that they had, where the server offers these.

    Raises FailedMidway with pg_restore's words, ToolMissing, or Unreachable.
    """
    archive = _find_archive(folder, keys)
    needs = _read_needs(folder / NEEDS, url)
    if needs["schema"] != url.schema:
        kinds = [
            f"the schema {name} alone" if name else "a whole database"
            for name in (needs["schema"], url.schema)
        ]
        raise _not_restored(url, f"it is of {kinds[0]}, and {kinds[1]} was to be restored")
    with _translated_errors(url, "restored"), server.connect(url, read_only=True) as connection:
        major = _read_major(connection)
        archive_version = parse_archive_version(archive.read_head())
        if archive_version is None:
            raise _not_restored(url, f"{archive.path.name} is not an archive of pg_dump")
        client = choose_for_restore(major, archive_version, find_clients())
        with_owners = _has_roles(connection, needs)
        jobs = 1 if schema_only else choose_jobs(connection, jobs, archive.size * _UNPACKED)
        jobs = 1 if archive.is_encrypted else jobs  # it is read as a stream
    options = [
        *(["--schema-only"] if schema_only else []),
        *([] if with_owners else ["--no-owner", "--no-privileges"]),
    ]
    _restore_archive(client, archive, options, url, needs["extensions"], jobs=jobs, with_owners=with_owners)
    _finish_public(url, needs, is_revocable=with_owners and major < 15)
    return () if with_owners else _OWNERSHIP_KINDS


def _find_archive(folder: Path, keys: Keys) -> Archive:
    encrypted = encrypted_name(folder / STREAM)
    if encrypted.exists():
        return Archive(encrypted, keys)
    return Archive(folder / ARCHIVE if (folder / ARCHIVE).is_dir() else folder / STREAM)


def _finish_public(url: DatabaseUrl, needs: dict[str, Any], *, is_revocable: bool) -> None:
    """What the archive does not say of the namespace that the database had from its creation on.

    ``is_revocable``: whether the server lets everybody create there, and privileges are restored.
    """
    if not needs["public"]:
        statement = "DROP SCHEMA IF EXISTS public"
    elif is_revocable and not needs["everybody_creates_in_public"]:
        statement = "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    else:
        return
    with _translated_errors(url, "restored"), server.connect(url) as connection:
        connection.execute(statement)


def _restore_archive(
    client: Client,
    archive: Archive,
    options: list[str],
    url: DatabaseUrl,
    extensions: list[Extension],
    *,
    jobs: int,
    with_owners: bool,
) -> None:
    """Raises FailedMidway."""
    import psycopg

    with (
        _translated_errors(url, "restored"),
        server.connect(url) as connection,
        creating_extensions(connection, extensions, with_owners=with_owners) as made_already,
        scratch_folder("restore") as folder,
    ):
        restoring = Restoring(
            client=client,
            archive=archive,
            url=url,
            options=options,
            jobs=jobs,
            left_out=_SCHEMAS if url.schema is not None else made_already,
            folder=folder,
        )
        try:
            restoring.restore(connection)
        except ProgramFailed as error:
            connection.value("SELECT 1")  # raises where the server is gone: that says nothing of the archive
            raise _not_restored(url, error.words) from error
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise _not_restored(url, _first_line(error)) from error


def _read_major(connection: Connection) -> int:
    number = connection.value("SELECT pg_catalog.current_setting('server_version_num')")
    return int(number) // 10000


def _write_needs(connection: Connection, file: Path, *, schema: str | None) -> None:
    roles = connection.rows(_ROLES)
    needs = {
        "schema": schema,
        "owners": [name for name, is_owner in roles if is_owner],
        "roles": [name for name, _ in roles],
        "public": connection.value(_HAS_PUBLIC),
        "everybody_creates_in_public": connection.value(_CAN_EVERYBODY_CREATE),
        "extensions": read_extensions(connection),
    }
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(json.dumps(needs, indent=2) + "\n", encoding="utf-8")


def _read_needs(file: Path, url: DatabaseUrl) -> dict[str, Any]:
    try:
        needs: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {
            "schema": needs.get("schema"),  # a dump of an earlier release has none
            "owners": list(needs["owners"]),
            "roles": list(needs["roles"]),
            "public": bool(needs["public"]),
            # older dumps do not say
            "everybody_creates_in_public": bool(needs.get("everybody_creates_in_public", True)),
            "extensions": list(needs.get("extensions", [])),  # a dump of an earlier release has none
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _not_restored(url, f"{NEEDS} cannot be read") from error


def _has_roles(connection: Connection, needs: dict[str, Any]) -> bool:
    """Whether the server knows every role and the user may make them owners."""
    unknown = connection.rows(_UNKNOWN_ROLES, (needs["roles"],))
    return not unknown and not connection.rows(_OWNERS_OUT_OF_REACH, (needs["owners"],))


@contextmanager
def _translated_errors(url: DatabaseUrl, done: str) -> Iterator[None]:
    """Errors of the driver and of pg_dump as errors of govern; ``done`` is what could not be done."""
    import psycopg

    what = f"the database {url.database} could not be {done}"
    try:
        yield
    except Damaged as error:
        raise _not_restored(url, f"it is not what was encrypted: {error}") from error
    except ProgramFailed as error:
        raise CouldNotCheck(what, why=error.words, next="correct that and run again") from error
    except psycopg.errors.LockNotAvailable as error:
        raise CouldNotCheck(
            what,
            why=f"a table is locked by somebody else: {_first_line(error)}",
            next="wait for the migration or the session that holds it, and run again",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            what,
            why=_first_line(error),
            next="back up as the owner of the tables or, from PostgreSQL 14 on, as a member of pg_read_all_data",
        ) from error
    except psycopg.OperationalError as error:
        raise Unreachable(
            what, why=_first_line(error), next="see that the server answers: govern doctor"
        ) from error
    except psycopg.Error as error:
        raise CouldNotCheck(what, why=_first_line(error), next="correct that and run again") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _not_restored(url: DatabaseUrl, why: str) -> FailedMidway:
    return FailedMidway(
        f"the dump could not be restored into the database {url.database}",
        why=why,
        next="verify the backup: govern backup verify",
        state="the database is empty, or to be dropped: it was made for this restore",
    )
