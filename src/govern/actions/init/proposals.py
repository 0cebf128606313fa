"""The texts ``govern init`` writes: they are the first page of documentation a newcomer reads."""

from __future__ import annotations

from collections.abc import Iterable

from govern.source.manifest.json_schema import FILE_NAME

_MODELS_UNSET = """\
# Not set: env.py gives Alembic its metadata, and govern takes the same.
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
# sql = "schema/sql"

# The tables that matter most, and what must be true of them.
# manifest = "schema/governance.yaml"

# The declared schema as reviewed text. Written by: govern lock
# lock = "schema/schema.lock"

# Where backups land. They hold your data: keep this folder out of version control.
# backups = "backups"

# The Alembic project.
{alembic}
# The interpreter of this project, if govern is installed elsewhere.
{python}
# The database: --url, else DATABASE_URL, else one of these, else alembic.ini, else an embedded PostgreSQL.
# Passwords belong into the environment, not into this file.
# url_env = "APP_DATABASE_URL"

# More databases, for --target NAME.
# [targets.staging]
# url_env = "STAGING_DATABASE_URL"
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
# Relationships that no foreign key declares:
#
# relationships:
#   - from: "audit_logs.user_id"
#     to: "users.id"
"""


def configuration(
    *,
    models: str | None,
    undecided: Iterable[str] = (),
    alembic_config: str | None = None,
    version_locations: str | None = None,
    python: str | None = None,
) -> str:
    """govern.toml. ``undecided`` are the reasons why no ``models`` could be proposed, one line each."""
    reasons = "\n".join(f"#   {reason}" for reason in undecided)
    if models is not None:
        chosen = f'models = "{models}"\n'
    else:
        chosen = _MODELS_UNDECIDED.format(reasons=reasons) if reasons else _MODELS_UNSET
    alembic = (
        f'alembic_config = "{alembic_config}"\n' if alembic_config else '# alembic_config = "alembic.ini"\n'
    )
    if version_locations is not None:
        alembic += f'version_locations = ["{version_locations}"]\n'
    interpreter = f'python = "{python}"\n' if python else '# python = ".venv/bin/python"\n'
    return _CONFIGURATION.format(models=chosen, alembic=alembic, python=interpreter)


def manifest(tables: Iterable[tuple[str, int]]) -> str:
    """schema/governance.yaml with ``tables``: names, and by how many other tables each is referenced."""
    lines = [f'  - name: "{name}"   # referenced by {count} tables' for name, count in tables]
    proposed = "\n".join(["critical_tables:", *lines]) if lines else "critical_tables: []"
    return _MANIFEST.format(schema=FILE_NAME, tables=f"\n{proposed}\n")
