"""The story of a fleet's run: which targets, in which order, visited, written down, and told as one report."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from govern.actions.prune import tell_prunable
from govern.api.command import Narrate, command, silent
from govern.api.project import read_project
from govern.config import Settings, load
from govern.core.report import EXIT_CLEAN, EXIT_FOUND, Draft, Report
from govern.core.wording import count_of
from govern.errors import ConfigurationError
from govern.fleet.executors import open_executor
from govern.fleet.inventory import Target, read_targets, select
from govern.fleet.job import Job, Outcome
from govern.fleet.limits import Limits
from govern.fleet.order import Order
from govern.fleet.run import Visit
from govern.fleet.state import (
    FOLDER,
    Record,
    RunFile,
    begin_run,
    continue_run,
    find_run,
    find_unfinished,
    list_runs,
)
from govern.fleet.telling import Teller
from govern.fleet.verdict import tell_verdict
from govern.fleet.waves import arrange
from govern.fleet.work import CHANGING
from govern.reports.json import to_timestamp
from govern.revisions.graph import read_project_chain

_NO_DATABASE = "postgresql:///"
"""The settings of a fleet are those of its project, and of none of its databases."""


def visit_fleet(order: Order, *, narrate: Narrate = silent) -> Report:
    """The report of the whole fleet. Raises GovernError, with the report, where the worst of it is no finding."""
    return command(f"fleet {order.command}")(_visit)(order, narrate)


def _visit(draft: Draft, order: Order, narrate: Narrate) -> None:
    settings = load(config=order.config, start=order.folder, url=_NO_DATABASE)
    targets = select(read_targets(order.targets), order.conditions)
    waves = arrange(targets, canary=order.canary, by_label=order.wave_by, size=order.wave_size)
    stop, asked = order.stop, order.digest(read_project_chain(settings).revisions)
    record = _find_earlier(order, asked, settings)
    done = _choose_done(order, targets, record)
    run = record.run if record else f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    # a run whose workers are not to be had has not begun
    with (
        open_executor(run, workers=order.workers, scheduler=order.scheduler) as executor,
        _open_state(order, asked, settings, run, record) as state,
    ):
        teller = Teller(state, narrate, total=len(targets), done=len(done))
        if record is not None:
            teller.say(f"going on with run {run}: {len(done)} of {len(targets)} are done")
        visit = Visit(
            executor=executor,
            limits=Limits(order.workers, order.per_server),
            stop=stop,
            make_job=lambda target: _job_of(order, run, target),
            listener=teller,
            seconds=order.deadline.total_seconds() if order.deadline else None,
            outcomes=done,
        )
        visit.run(waves)
        state.note_finish(visit.why_ended)
    tell_verdict(draft, order, waves, visit.outcomes, run=run, why_ended=visit.why_ended)
    if order.command == "migrate":  # once: each of hundreds would look at the backups of all
        tell_prunable(settings, draft, read_project(settings).backup_policy)


def _job_of(order: Order, run: str, target: Target) -> Job:
    return Job(
        run=run,
        command=order.command,
        folder=str(order.folder.absolute()),
        config=str(order.config.absolute()) if order.config else None,
        target=target,
        fail_on=order.fail_on,
        options=tuple(order.options.items()),
    )


def _find_earlier(order: Order, asked: str, settings: Settings) -> Record | None:
    """What changes databases goes on where it was, unless told otherwise; a look begins anew, unless told to go on."""
    folder = settings.state_folder / FOLDER
    if order.resume not in (None, "last"):
        return _require_same(find_run(folder, str(order.resume)), order, asked)
    if order.resume is None and (order.command not in CHANGING or order.is_new):
        return None
    record = find_unfinished(folder, asked, datetime.now(UTC))
    if record is None and order.resume is not None:
        raise ConfigurationError(
            "there is no run to go on with",
            why="none of the same command, options, targets and revisions was left unfinished within a day",
            next="see what runs there are: govern fleet runs; or begin anew, without --resume",
        )
    return record


def _require_same(record: Record, order: Order, asked: str) -> Record:
    if record.asked == asked:
        return record
    why = f"it was a govern fleet {record.command}"
    if record.command == order.command:
        why += " with other options or targets, or the project had other revisions"
    raise ConfigurationError(
        f"the run {record.run} was asked for something else",
        why=why,
        next="give the options that it was begun with; or begin anew, without --resume",
    )


def _choose_done(order: Order, targets: Sequence[Target], record: Record | None) -> dict[str, Outcome]:
    """What is not visited again: the clean ones, and where nothing is changed, those with findings."""
    ends = (EXIT_CLEAN,) if order.command in CHANGING else (EXIT_CLEAN, EXIT_FOUND)
    outcomes: Mapping[str, Outcome] = record.outcomes if record else {}
    names = {target.name for target in targets}  # the file may have changed since
    return {name: one for name, one in outcomes.items() if name in names and one.exit_code in ends}


@contextmanager
def _open_state(
    order: Order, asked: str, settings: Settings, run: str, record: Record | None
) -> Iterator[RunFile]:
    if record is not None:
        with continue_run(record) as state:
            yield state
        return
    folder = settings.state_folder / FOLDER
    with begin_run(folder, run, command=order.command, asked=asked, actor=settings.actor) as state:
        yield state


def tell_runs(folder: Path, config: Path | None) -> Report:
    """The runs whose state lies beside the project, the newest first."""
    return command("fleet runs")(_list_runs)(folder, config)


def _list_runs(draft: Draft, folder: Path, config: Path | None) -> None:
    settings = load(config=config, start=folder, url=_NO_DATABASE)
    records = list_runs(settings.state_folder / FOLDER)
    draft.data["fleet_runs"] = [
        {
            "run": record.run,
            "command": record.command,
            "started_at": to_timestamp(record.started_at),
            "clean": sum(outcome.exit_code == EXIT_CLEAN for outcome in record.outcomes.values()),
            "others": sum(outcome.exit_code != EXIT_CLEAN for outcome in record.outcomes.values()),
            "begun": len(record.under_way),
            "end": "finished" if record.is_finished else record.end or "under way, or killed",
        }
        for record in records
    ]
    draft.passed("runs", count_of(len(records), "run"))
