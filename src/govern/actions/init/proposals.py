"""The texts ``govern init`` writes: they are the first page of documentation a newcomer reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from govern.core.wording import count_of
from govern.source.manifest.json_schema import FILE_NAME

_MODELS_UNSET = """\
# Not set: env.py gives Alembic its metadata, and govern takes the same.
# models = "package.module:Base.metadata"
"""
_MODELS_LACK = """\
# Not set: there are none. The SQL files below make the tables, too.
# models = "package.module:Base.metadata"
"""
_MODELS_UNDECIDED = """\
# TO DECIDE: one import that brings in all models. govern init could not tell which:
{reasons}
# models = "package.module:Base.metadata"
"""
_CONFIGURATION = """\
# How govern sees this project. Every key is optional; what is commented out holds anyway.
# Paths are relative to this file.

# What the database should be: the metadata of your SQLAlchemy models.
{models}
# What models cannot say (functions, triggers, views, policies): a folder of .sql files.
{sql}

# The tables that matter most, and what must be true of them.
{manifest}

# The declared schema as reviewed text. Written by: govern lock
{lock}

# Where backups land. They hold your data: a .gitignore in this folder keeps them out of version control.
{backups}

# The Alembic project.
{alembic}
# The newest revisions that are older than govern: they and what came before them are neither linted nor taken back.
{since}
# The interpreter of this project, if govern is installed elsewhere.
{python}
# The database: --url, else DATABASE_URL, else one of these, else alembic.ini, else an embedded PostgreSQL.
# Passwords belong into the environment, not into this file.
{database}
# More databases, for --target NAME.
# [targets.staging]
# url_env = "STAGING_DATABASE_URL"
"""
_OWN_URL = """\
# The one that the project means by itself, here: with another database say --url or DATABASE_URL.
url = "{url}"
"""
_MANIFEST = """\
# yaml-language-server: $schema={schema}
#
# The tables this application cannot live without. govern holds the database against this list.
#
# For each table you can say more:
#
#   - name: users
#     required_columns: [id, email]   # must exist
#     min_rows: 1                     # fewer is a finding
#     never_empty: [email]            # neither NULL nor ''
#     owner: team-accounts            # whom to ask
#     severity: critical              # info, warning, error or critical
{tables}
{relationships}"""
_RELATIONSHIPS = """\
# Relationships that no foreign key declares:
#
# relationships:
#   - from: "audit_logs.user_id"
#     to: "users.id"
"""
_PROPOSED_RELATIONSHIPS = """\
# These columns look like references, and no foreign key declares them. Take out the # of what is one:
#
# relationships:
"""
_LEFT_OUT = """
# env.py keeps these tables from autogenerate. govern check and govern drift ask env.py themselves; an application that
# starts cannot, and goes by this list.
drift:
  ignore:
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where files are, relative to the root: each history has its own."""

    configuration: str
    manifest: str
    lock: str
    backups: str


USUAL = Places(
    configuration="govern.toml",
    manifest="schema/governance.yaml",
    lock="schema/schema.lock",
    backups="backups",
)

USUAL_SECTION = "alembic"
IGNORED_BACKUPS = "backups/.gitignore"
IGNORE_ALL = "# Backups hold your data: git leaves this folder out.\n*\n"


def places_of(section: str) -> Places:
    """Those of one history among several: the section of alembic.ini that it is in."""
    return Places(
        configuration=f"govern.{section}.toml",
        manifest=f"schema/{section}.yaml",
        lock=f"schema/{section}.lock",
        backups=f"backups/{section}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalTable:
    """A table that is proposed."""

    name: str
    references: int
    """Tables that refer to it."""
    rows: int | None = None
    """About so many; None: nobody knows."""


def configuration(
    *,
    models: str | None,
    sql: str | None = None,
    undecided: Iterable[str] = (),
    alembic_config: str | None = None,
    version_locations: str | None = None,
    section: str = USUAL_SECTION,
    version_table: str = "alembic_version",
    version_table_schema: str | None = None,
    since: Iterable[str] = (),
    python: str | None = None,
    url: str | None = None,
    url_env: str | None = None,
    places: Places,
) -> str:
    """govern.toml. ``undecided`` are the reasons why no ``models`` could be proposed, one line each."""
    reasons = "\n".join(f"#   {reason}" for reason in undecided)
    if sql is not None:
        chosen = _MODELS_LACK
    elif models is not None:
        chosen = f'models = "{models}"\n'
    else:
        chosen = _MODELS_UNDECIDED.format(reasons=reasons) if reasons else _MODELS_UNSET
    alembic = (
        f'alembic_config = "{alembic_config}"\n' if alembic_config else '# alembic_config = "alembic.ini"\n'
    )
    if version_locations is not None:
        alembic += f'version_locations = ["{version_locations}"]\n'
    if section != USUAL_SECTION:
        alembic += f'alembic_section = "{section}"\n'
    if version_table != "alembic_version":
        alembic += f'version_table = "{version_table}"\n'
    if version_table_schema:
        alembic += f'version_table_schema = "{version_table_schema}"\n'
    newest = ", ".join(f'"{revision}"' for revision in since)
    interpreter = f'python = "{python}"\n' if python else '# python = ".venv/bin/python"\n'
    mark = "# " if places == USUAL else ""
    return _CONFIGURATION.format(
        models=chosen,
        sql='# sql = "schema/sql"' if sql is None else f'sql = "{sql}"',
        alembic=alembic,
        since=f"since = [{newest}]\n" if newest else "# since = []\n",
        python=interpreter,
        database=_database(url, url_env),
        manifest=f'{mark}manifest = "{places.manifest}"',
        lock=f'{mark}lock = "{places.lock}"',
        backups=f'{mark}backups = "{places.backups}"',
    )


def _database(url: str | None, url_env: str | None) -> str:
    if url_env is not None:
        return f'url_env = "{url_env}"\n'
    return _OWN_URL.format(url=url) if url is not None else '# url_env = "APP_DATABASE_URL"\n'


def manifest(
    tables: Iterable[CriticalTable],
    *,
    relationships: Iterable[tuple[str, str]] = (),
    left_out: Iterable[str] = (),
    today: date,
) -> str:
    """schema/governance.yaml with what was found in the models and in the database."""
    lines = [f'  - name: "{table.name}"   # {_describe(table)}' for table in tables]
    proposed = "\n".join(["critical_tables:", *lines]) if lines else "critical_tables: []"
    pairs = [f'#   - from: "{source}"\n#     to: "{target}"\n' for source, target in relationships]
    until = today.replace(day=1, year=today.year + 1)
    ignored = [
        f'    - {{kind: table, name: "{name}", reason: env.py leaves it out, owner: env.py, until: {until}}}\n'
        for name in left_out
    ]
    return _MANIFEST.format(
        schema=FILE_NAME,
        tables=f"\n{proposed}\n",
        relationships="".join([_PROPOSED_RELATIONSHIPS, *pairs]) if pairs else _RELATIONSHIPS,
    ) + ("".join([_LEFT_OUT, *ignored]) if ignored else "")


def _describe(table: CriticalTable) -> str:
    rows = f", about {table.rows:,} rows" if table.rows is not None else ""
    return f"referenced by {count_of(table.references, 'table')}{rows}"
