"""The commands of the monitor: one that is it, and those that ask it or tell it what to do."""

from __future__ import annotations

import click

from govern.cli.root import monitor
from govern.cli.session import Session
from govern.core.report import Report


@monitor.changing("run", what="elsewhere")
@click.option("--once", is_flag=True, help="One look, and a report of what was found.")
@click.option(
    "--interval",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="From one look to the next; without it as the manifest says, or 300.",
)
def monitor_run(session: Session, *, once: bool, interval: float | None) -> Report:
    """Look at health, the chain, drift and rows at intervals, until SIGTERM or Ctrl-C.

    Of several monitors of one database one is active; when it is gone, another one takes its place. What is found is
    kept in the database. Nothing is fixed unless the manifest allows it.

    \b
    Examples:
      govern monitor run            as a service
      govern monitor run --once     from cron: ends with 1 where something is wrong
    """
    from govern.monitor.commands import monitor_run as run

    return run(session.settings, once=once, every_seconds=interval, narrate=session.narrate)


@monitor.inspecting("status")
def monitor_status(session: Session) -> Report:
    """Whether a monitor is active, when it looked, and what it found.

    \b
    Example:
      govern monitor status --format json     for scripts
    """
    from govern.monitor.commands import monitor_status as status

    return status(session.settings)


@monitor.changing("start", what="elsewhere")
def monitor_start(session: Session) -> Report:
    """Let the monitor work again after a stop, or after two fixes have failed; starts no process.

    \b
    Example:
      govern monitor start
    """
    from govern.monitor.commands import monitor_start as start

    return start(session.settings)


@monitor.changing("stop", what="elsewhere")
def monitor_stop(session: Session) -> Report:
    """Let the monitor wait until it is started again; ends no process.

    \b
    Example:
      govern monitor stop     before a repair by hand
    """
    from govern.monitor.commands import monitor_stop as stop

    return stop(session.settings)
