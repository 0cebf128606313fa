"""What runs for long: the monitor, with those that ask it or tell it what to do, and what answers over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from govern.cli.options import no_backups, number
from govern.cli.root import monitor, root
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


@root.inspecting("serve")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen: who can reach it can ask.",
)
@click.option("--port", default=8080, show_default=True, type=number(0, 65_535), help="0: one that is free.")
@click.option(
    "--unix",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Listen on a Unix socket there instead.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="A name by which others call this server, for the monitor's API and page. May be given several times.",
)
@click.option(
    "--read-only", is_flag=True, help="Nobody can have anything changed, whatever secret they know."
)
@no_backups
def serve(
    session: Session,
    *,
    host: str,
    port: int,
    unix: Path | None,
    names: tuple[str, ...],
    read_only: bool,
    no_backups: bool,
) -> Report:
    """Answer /health, /health/ping, /health/database and /metrics over HTTP, until SIGTERM or Ctrl-C.

    And the monitor's page at /admin/database-health, with its API below /api/database-health: both are read-only
    unless GOVERN_MONITOR_TOKEN has a secret, and tell more to who knows it.

    \b
    Examples:
      govern serve --port 8080           for probes and Prometheus on this machine
      govern serve --host 0.0.0.0        in a container, for other machines
      govern serve --unix /run/health    behind a proxy
    """
    from govern.web.serving import serve

    served = serve(
        session.settings,
        host=host,
        port=port,
        unix=unix,
        judges_backups=not no_backups,
        names=names,
        read_only=read_only,
        narrate=session.narrate,
    )
    return session.report(entries=(served,))
