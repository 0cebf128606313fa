"""``govern monitor``: the commands as functions of settings that return reports."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

from govern.actions.notebook import Notebook, name_actor
from govern.api.command import Narrate, command, silent
from govern.config import Settings
from govern.core.monitoring import WantedState
from govern.core.report import Draft, Entry
from govern.core.wording import count_of, name_age, name_seconds
from govern.database.live import LiveDatabase
from govern.database.monitoring import is_turn_taken
from govern.database.target import resolve_target
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, Unreachable
from govern.monitor.loop import Monitor
from govern.monitor.notify import require_receivers
from govern.monitor.policy import Orders, read_orders
from govern.monitor.standing import (
    MonitorStanding,
    describe_event,
    describe_issue,
    describe_request,
    describe_standing,
    read_standing,
)
from govern.monitor.worker import Worker

_SHOWN_EVENTS = 10


@command("monitor run")
def monitor_run(
    draft: Draft,
    settings: Settings,
    *,
    once: bool = False,
    every_seconds: float | None = None,
    narrate: Narrate = silent,
) -> None:
    """Looks until it is interrupted; with ``once`` one time, and the report has what was found.

    Raises ConfigurationError for a manifest that cannot be read, or notifications that nobody would get.
    """
    url = resolve_target(settings)
    orders = read_orders(settings, url.dialect)
    _require_readable(settings)
    require_receivers(orders.notify)
    monitor = Monitor(settings, url, work=Worker(settings), every_seconds=every_seconds)
    if once:
        _run_once(draft, monitor, settings, url, narrate)
        return
    every = every_seconds or orders.every.total_seconds()
    narrate(f"looking every {name_seconds(every)}; {_describe_policy(orders)}; SIGTERM or Ctrl-C ends it")
    with suppress(CouldNotCheck):
        if read_standing(monitor.notebook, url).notes.wanted.state == "stopped":
            narrate("it was stopped, and waits for: govern monitor start")
    started = time.monotonic()
    with suppress(KeyboardInterrupt):
        monitor.run()
    looks, lasted = count_of(monitor.course.passes, "look"), name_seconds(time.monotonic() - started)
    draft.passed("monitor", f"for {lasted}: {looks}, {monitor.course.fixes} fixed")


@command("monitor status")
def monitor_status(draft: Draft, settings: Settings) -> None:
    """How the monitor stands; while the database is away, what it last wrote beside the project."""
    url = resolve_target(settings)
    notebook = Notebook(settings, url)
    try:
        standing = read_standing(notebook, url)
    except CouldNotCheck as error:
        _tell_file(draft, notebook, error)
        return
    described = describe_standing(standing)
    draft.data["checks"] = described.pop("checks")
    draft.data["application"] = described.pop("application", None)
    draft.data["monitor"] = described
    draft.data["issues"] = [describe_issue(issue, with_evidence=True) for issue in standing.notes.open_issues]
    draft.data["requests"] = [describe_request(request) for request in standing.notes.requests]
    draft.data["events"] = [describe_event(event) for event in notebook.read_events(_SHOWN_EVENTS)]
    draft.passed("monitor", _describe_standing(standing))


@command("monitor start")
def monitor_start(draft: Draft, settings: Settings) -> None:
    """Lets the active monitor work again, and forgives the fixes that failed. Starts no process."""
    _want(draft, settings, "running")


@command("monitor stop")
def monitor_stop(draft: Draft, settings: Settings) -> None:
    """Lets whatever monitor is active wait until it is started again. Ends no process."""
    _want(draft, settings, "stopped")


def _run_once(draft: Draft, monitor: Monitor, settings: Settings, url: DatabaseUrl, narrate: Narrate) -> None:
    narrate("looking at health, the chain, drift and rows")
    made, is_recorded = monitor.look_once()
    with suppress(CouldNotCheck):
        _describe_target(draft, settings, url)
    draft.entries += [one.entry for one in made.seen]
    if is_recorded:
        fixed = f"; {monitor.course.fixes} fixed" if monitor.course.fixes else ""
        draft.passed("monitor", f"{made.status.health}{fixed}")
    else:
        reason = "another monitor is active: nothing was written down or fixed"
        draft.add(Entry(name="monitor", status="skipped", reason=reason, is_optional=True))
    if not all(one.is_reachable for one in made.seen):
        raise Unreachable("the database cannot be looked at", why=made.status.trouble, next="govern health")


def _describe_target(draft: Draft, settings: Settings, url: DatabaseUrl) -> None:
    live = LiveDatabase(settings, url)
    with live.connect() as connection:
        draft.target = live.describe(connection, ())


def _require_readable(settings: Settings) -> None:
    if settings.manifest is not None:
        from govern.source.manifest import load_manifest

        load_manifest(settings.manifest)


def _want(draft: Draft, settings: Settings, state: WantedState) -> None:
    url = resolve_target(settings)
    Notebook(settings, url).want(state, name_actor(settings))
    said = "it may work" if state == "running" else "it waits until it is started again"
    if not is_turn_taken(url):
        said += "; no monitor is there at the moment: govern monitor run"
    draft.passed("monitor", said)


def _describe_standing(standing: MonitorStanding) -> str:
    status, wanted = standing.notes.status, standing.notes.wanted
    said = {
        "running": f"running as {status.instance if status else 'an instance that has not looked yet'}",
        "stopped": f"stopped by {wanted.by}",
        "absent": "no monitor is there: govern monitor run",
    }[standing.status]
    if status is None or status.last_check is None:
        return f"{said}; nothing was looked at yet"
    age = name_age((datetime.now(UTC) - status.last_check).total_seconds())
    trouble = f"; {status.trouble}" if status.trouble else ""
    return f"{said}; {status.health} as of {age}{trouble}"


def _tell_file(draft: Draft, notebook: Notebook, error: CouldNotCheck) -> None:
    """Raises the error where there is no file either."""
    document = notebook.read_file()
    if document is None:
        raise error
    draft.data["monitor"] = document["status"]
    draft.data["issues"] = document["issues"]
    reason = (
        f"{error.what}; this is what the monitor of this machine wrote at {document['written_at'][:19]} UTC"
    )
    draft.add(Entry(name="monitor", status="skipped", reason=reason))


def _describe_policy(orders: Orders) -> str:
    policy = orders.policy
    if policy.mode == "off" or not policy.allowed:
        return "fixes nothing"
    kinds = ", ".join(one.repair or str(one.kind) for one in policy.allowed)
    return f"fixes {kinds}" if policy.mode == "apply" else f"would fix {kinds} (dry-run)"
