"""The commands for many databases at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from govern.cli.changing import (
    allow_option,
    backup_option,
    dry_run_option,
    on_failure_option,
    rehearse_option,
    to_option,
)
from govern.cli.options import SPAN, number
from govern.cli.root import fleet
from govern.cli.session import Session
from govern.core.report import Report

if TYPE_CHECKING:
    from govern.fleet.work import FleetCommand

F = TypeVar("F", bound=Callable[..., Any])
_OF_THE_ORDER = (
    click.option(
        "--targets",
        required=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The databases: targets.yaml.",
    ),
    click.option(
        "--select",
        "conditions",
        multiple=True,
        metavar="LABEL=VALUE",
        help="Only those with this label; * stands for anything. Several labels: all of them; one twice: either.",
    ),
    click.option(
        "--canary",
        metavar="N|LABEL=VALUE",
        help="Visit these first, the first N of the file or those with a label; a failure ends the run with them.",
    ),
    click.option("--wave-by", metavar="LABEL", help="Then one wave for each value of the label."),
    click.option("--wave-size", metavar="N|N%", help="Or waves of so many."),
    click.option(
        "--stop-after",
        metavar="N|N%",
        help="Begin no further target after so many failures, or more than such a share of a wave. "
        "Default: 1 for what changes databases, never for what looks.",
    ),
    click.option(
        "--workers",
        type=number(1),
        default=8,
        show_default=True,
        help="How many at once, in all.",
    ),
    click.option(
        "--per-server",
        type=number(1),
        default=4,
        show_default=True,
        help="How many at once on one server: targets with the same host and port.",
    ),
    click.option("--deadline", type=SPAN, metavar="SPAN", help="Begin none after this time: 90 min, 2 h."),
    click.option(
        "--resume",
        metavar="RUN",
        help="Go on with this run, or with the last that did not come to its end: --resume last.",
    ),
    click.option(
        "--new", "is_new", is_flag=True, help="Begin anew where an unfinished run would be gone on with."
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Hand the work to the workers of this Dask scheduler: tcp://host:8786.",
    ),
)


def _order(function: F) -> F:
    """The options that every command of a fleet has."""
    for option in reversed(_OF_THE_ORDER):
        function = option(function)
    return function


def _visit(session: Session, command: FleetCommand, order: dict[str, Any], **options: Any) -> Report:
    from govern.fleet.course import visit_fleet
    from govern.fleet.order import Order

    if order["wave_by"] and order["wave_size"]:
        raise click.UsageError("--wave-by and --wave-size exclude each other")
    if order["resume"] and order["is_new"]:
        raise click.UsageError("--resume and --new exclude each other")
    return visit_fleet(
        Order(
            command=command,
            folder=Path.cwd(),
            config=session.config,
            fail_on=session.fail_on,
            options=options,
            **order,
        ),
        narrate=session.narrate,
    )


@fleet.inspecting("drift")
@_order
@click.option(
    "--against",
    default="revision",
    show_default=True,
    metavar="WHAT",
    help="revision (the one that each is stamped with), head, or models.",
)
def fleet_drift(session: Session, *, against: str, **order: Any) -> Report:
    """Differences between each database and the schema it should have; equal ones are told once.

    \b
    Examples:
      govern fleet drift --targets targets.yaml
      govern fleet drift --targets targets.yaml --select region=eu --format junit --output fleet.xml
    """
    return _visit(session, "drift", order, against=against)


@fleet.inspecting("status")
@_order
def fleet_status(session: Session, **order: Any) -> Report:
    """Where each database stands: its revision, what is pending, whether it answers.

    \b
    Example:
      govern fleet status --targets targets.yaml
    """
    return _visit(session, "status", order)


@fleet.inspecting("check")
@_order
def fleet_check(session: Session, **order: Any) -> Report:
    """Whether the application may start on each database: its revision, its history, its schema; a glance at each.

    \b
    Example:
      govern fleet check --targets targets.yaml     after a deployment
    """
    return _visit(session, "check", order)


@fleet.inspecting("integrity")
@_order
@click.option(
    "--budget",
    "budget_seconds",
    default=300.0,
    show_default=True,
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="For the references of one database; the rest is looked at in a sample, and says so.",
)
def fleet_integrity(session: Session, *, budget_seconds: float, **order: Any) -> Report:
    """Rows that lost what they refer to, or break what the manifest promises, in each database.

    \b
    Example:
      govern fleet integrity --targets targets.yaml --per-server 1 --deadline "2 h"
    """
    return _visit(session, "integrity", order, budget_seconds=budget_seconds)


@fleet.changing("backup", what="backups")
@_order
def fleet_backup(session: Session, **order: Any) -> Report:
    """Back up each database, and prove each backup by restoring it.

    \b
    Example:
      govern fleet backup --targets targets.yaml --per-server 2
    """
    return _visit(session, "backup", order)


@fleet.changing("migrate")
@_order
@to_option
@backup_option
@rehearse_option
@allow_option
@on_failure_option
@dry_run_option
def fleet_migrate(
    session: Session,
    *,
    to: str,
    backup: str,
    rehearse: str | None,
    allow: tuple[str, ...],
    on_failure: str,
    dry_run: bool,
    **order: Any,
) -> Report:
    """The guarded migration of each database, each with its own lock, backup, rehearsal and ledger.

    A database that stands at the newest revision, as its last migration left it, costs a glance. SIGTERM or Ctrl-C
    pauses: what is under way comes to its end. The same command goes on with a run that was paused, stopped or killed;
    what is done is not visited again.

    \b
    Examples:
      govern fleet migrate --targets targets.yaml --canary 3 --wave-by region --stop-after 2%
      govern fleet migrate --targets targets.yaml --dry-run
    """
    session.changes = "nothing" if dry_run else session.changes
    return _visit(
        session,
        "migrate",
        order,
        to=to,
        backup=backup,
        rehearse=rehearse,
        allow=allow,
        on_failure=on_failure,
        dry_run=dry_run,
    )


@fleet.inspecting("runs")
def fleet_runs(session: Session) -> Report:
    """The runs that this project's folder knows of: how each ended, and which can be gone on with.

    \b
    Example:
      govern fleet runs
    """
    from govern.fleet.course import tell_runs

    return tell_runs(Path.cwd(), session.config)
