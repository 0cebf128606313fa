"""The tree of commands. Its leaves are in the modules beside it: look for danger in ``changing`` and ``monitoring``."""

from __future__ import annotations

import click

from govern.cli.options import Group
from govern.version import __version__

_EPILOG = """\b
Examples:
  govern init                      adopt an Alembic project
  govern check                     everything that needs no live database
  govern migrate                   the guarded migration of DATABASE_URL
  govern drift --url postgresql://app@db/app
"""


@click.group(cls=Group, epilog=_EPILOG, context_settings={"max_content_width": 100})
@click.version_option(__version__, message="govern %(version)s")
def root() -> None:
    """Guarded migrations, drift detection and startup validation for SQLAlchemy and Alembic.

    \b
    Exit codes: 0 clean or done, 1 findings, 2 usage or configuration,
    3 could not check or do it, 4 refused by a guard, nothing changed,
    5 failed midway, 130 interrupted.
    """


@click.group("backup", cls=Group)
def backup() -> None:
    """Take, list, verify and prune backups.

    \b
    Examples:
      govern backup create            before something by hand
      govern backup list              what there is to restore from
      govern backup verify latest     prove it again
    """


@click.group("repair", cls=Group)
def repair() -> None:
    """Bring a drifted schema back to what is declared, and clean up rows; with a way back.

    \b
    Examples:
      govern repair plan              what would take the drift away
      govern repair apply             do it, after a backup
      govern repair rollback latest   and back
    """


@click.group("embedded", cls=Group)
def embedded() -> None:
    """The PostgreSQL that govern runs where no database is configured.

    \b
    Example:
      govern embedded status          whether it runs, and its URL
    """


@click.group("monitor", cls=Group)
def monitor() -> None:
    """Look at a database at intervals, list what is wrong, and fix what policy allows.

    \b
    Examples:
      govern monitor run              as a service
      govern monitor status           what it found
    """


@click.group("report", cls=Group)
def report() -> None:
    """Pages for people: how a database is, what a migration or a pull request does, an incident.

    \b
    Examples:
      govern report health --format html --output health.html
      govern report migration --format markdown
    """


@click.group("fleet", cls=Group)
def fleet() -> None:
    """One command on hundreds of databases: waves, canaries, stop on failure, one report.

    \b
    Examples:
      govern fleet status --targets targets.yaml     where each stands
      govern fleet drift --targets targets.yaml      equal findings told once
      govern fleet migrate --targets targets.yaml --canary 3
    """


for group in (backup, repair, embedded, monitor, report, fleet):
    root.add_command(group)
