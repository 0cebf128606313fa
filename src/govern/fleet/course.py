"""The story of a fleet's run: which targets, in which order, visited, written down, and told as one report."""

from __future__ import annotations

import hashlib
import json
import secrets
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from govern.api.command import Narrate, command, silent
from govern.checks.registry import all_rules
from govern.config import Settings, load
from govern.core.finding import Severity
from govern.core.report import (
    EXIT_CLEAN,
    EXIT_FAILED,
    EXIT_FOUND,
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    EXIT_UNDECIDED,
    Draft,
    Entry,
    EntryStatus,
    Report,
)
from govern.core.wording import count_of
from govern.errors import ConfigurationError, CouldNotCheck, FailedMidway, GovernError, Refused
from govern.fleet.executors import open_executor
from govern.fleet.grouping import group_findings, group_problems, group_revisions, group_schemas
from govern.fleet.inventory import Target, read_targets, select
from govern.fleet.job import WORST_FIRST, Job, Outcome
from govern.fleet.limits import Limits
from govern.fleet.run import PAUSED, Visit
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
from govern.fleet.waves import Amount, StopRule, Wave, arrange
from govern.fleet.work import CHANGING, DEFAULTS, FleetCommand
from govern.reports.fleet import name_some
from govern.reports.json import to_timestamp

_NO_DATABASE = "postgresql:///"
"""The settings of a fleet are those of its project, and of none of its databases."""
_WORDS = {
    EXIT_FAILED: "failed midway",
    EXIT_UNDECIDED: "could not be done",
    EXIT_REFUSED: "refused",
    EXIT_FOUND: "with findings",
    EXIT_CLEAN: "clean",
}


class Paused(GovernError):
    """Somebody asked a run to end before its time; what was under way has come to its end."""

    exit_code = EXIT_INTERRUPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked of a fleet."""

    command: FleetCommand
    targets: Path
    folder: Path
    """Where the configuration is looked for."""
    config: Path | None = None
    conditions: tuple[str, ...] = ()
    canary: str | None = None
    wave_by: str | None = None
    wave_size: str | None = None
    stop_after: str | None = None
    workers: int = 8
    per_server: int = 4
    deadline: timedelta | None = None
    resume: str | None = None
    is_new: bool = False
    scheduler: str | None = None
    fail_on: Severity = Severity.ERROR
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """A digest of all that decides what is done; how fast it is done is not of it."""
        what = (
            self.command, str(self.targets.resolve()), self.conditions, self.canary, self.wave_by, self.wave_size,
            sorted(self.options.items()),
        )  # fmt: skip
        return hashlib.sha256(json.dumps(what, default=str).encode()).hexdigest()[:16]

    @property
    def command_line(self) -> str:
        """What to type to ask for the same again."""
        words = ["govern", "fleet", self.command, "--targets", str(self.targets)]
        for condition in self.conditions:
            words += ["--select", condition]
        for name in ("canary", "wave_by", "wave_size", "stop_after"):
            if (value := getattr(self, name)) is not None:
                words += [f"--{name.replace('_', '-')}", value]
        for name, value in self.options.items():
            if value == DEFAULTS.get(name):
                continue
            if isinstance(value, bool):
                words.append(f"--{name.replace('_', '-')}")
                continue
            for one in value if isinstance(value, tuple) else (value,):
                words += [f"--{name.removesuffix('_seconds').replace('_', '-')}", str(one)]
        return shlex.join(words)

    @property
    def stop(self) -> StopRule:
        """Who changes databases stops at the first failure, unless told otherwise."""
        after = self.stop_after or ("1" if self.command in CHANGING else None)
        return StopRule(after=Amount.parse(after) if after else None)


def visit_fleet(order: Order, *, narrate: Narrate = silent) -> Report:
    """The report of the whole fleet. Raises GovernError, with the report, where the worst of it is no finding."""
    return command(f"fleet {order.command}")(_visit)(order, narrate)


def _visit(draft: Draft, order: Order, narrate: Narrate) -> None:
    settings = load(config=order.config, start=order.folder, url=_NO_DATABASE)
    targets = select(read_targets(order.targets), order.conditions)
    waves = arrange(targets, canary=order.canary, by_label=order.wave_by, size=order.wave_size)
    record = _find_earlier(order, settings)
    run = record.run if record else f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    with _open_state(order, settings, run, record) as state:
        earlier = _choose_done(order, record)
        teller = Teller(state, narrate, total=len(targets), done=len(earlier))
        if record is not None:
            teller.say(f"going on with run {run}: {len(earlier)} of {len(targets)} are done")
        with open_executor(run, workers=order.workers, scheduler=order.scheduler) as executor:
            visit = Visit(
                executor=executor,
                limits=Limits(order.workers, order.per_server),
                stop=order.stop,
                make_job=lambda target: _job_of(order, run, target),
                listener=teller,
                seconds=order.deadline.total_seconds() if order.deadline else None,
                outcomes=dict(earlier),
            )
            visit.run(waves)
        state.note_finish(visit.why_ended)
    _tell(draft, order, waves, visit.outcomes, run, visit.why_ended)


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


def _find_earlier(order: Order, settings: Settings) -> Record | None:
    """What changes databases goes on where it was, unless told otherwise; a look begins anew, unless told to go on."""
    folder = settings.state_folder / FOLDER
    if order.resume not in (None, "last"):
        return _require_same(find_run(folder, str(order.resume)), order)
    if order.resume is None and (order.command not in CHANGING or order.is_new):
        return None
    record = find_unfinished(folder, order.asked, datetime.now(UTC))
    if record is None and order.resume is not None:
        raise ConfigurationError(
            "there is no run to go on with",
            why="none of the same command, options and targets was left unfinished within a day",
            next="see what runs there are: govern fleet runs; or begin anew, without --resume",
        )
    return record


def _require_same(record: Record, order: Order) -> Record:
    if record.asked != order.asked:
        raise ConfigurationError(
            f"the run {record.run} was asked for something else",
            why=f"it was a govern fleet {record.command} with other options or targets",
            next="give the options that it was begun with; or begin anew, without --resume",
        )
    return record


def _choose_done(order: Order, record: Record | None) -> Mapping[str, Outcome]:
    """What is not visited again: the clean ones, and where nothing is changed, those with findings."""
    ends = (EXIT_CLEAN,) if order.command in CHANGING else (EXIT_CLEAN, EXIT_FOUND)
    outcomes = record.outcomes if record else {}
    return {name: outcome for name, outcome in outcomes.items() if outcome.exit_code in ends}


@contextmanager
def _open_state(order: Order, settings: Settings, run: str, record: Record | None) -> Iterator[RunFile]:
    if record is not None:
        with continue_run(record) as state:
            yield state
        return
    folder = settings.state_folder / FOLDER
    with begin_run(folder, run, command=order.command, asked=order.asked, actor=settings.actor) as state:
        yield state


def _tell(
    draft: Draft,
    order: Order,
    waves: Sequence[Wave],
    outcomes: Mapping[str, Outcome],
    run: str,
    why_ended: str,
) -> None:
    """The entries: each wave, and then what was found in all of them; and the listings."""
    for wave in waves:
        draft.add(_entry_of(wave, outcomes, why_ended))
    # whoever comes to an end first: two runs that found the same say the same
    ordered = [outcomes[target.name] for wave in waves for target in wave.targets if target.name in outcomes]
    groups = group_findings(ordered, all_rules())
    draft.add(
        Entry.of(
            order.command,
            tuple(group.told for group in groups),
            f"{count_of(len(groups), 'difference' if order.command == 'drift' else 'finding')} on "
            f"{count_of(len(outcomes), 'target')}",
        )
    )
    draft.data["fleet"] = {"run": run, "ended": why_ended or None}
    draft.data["groups"] = [group.to_json() for group in groups]
    draft.data["problems"] = group_problems(ordered)
    draft.data["revisions"] = group_revisions(ordered)
    draft.data["schemas"] = group_schemas(ordered)
    draft.data["targets"] = [
        _target_row(target, wave, outcomes.get(target.name)) for wave in waves for target in wave.targets
    ]
    _raise_worst(order, waves, outcomes, why_ended)


def _entry_of(wave: Wave, outcomes: Mapping[str, Outcome], why_ended: str) -> Entry:
    ended = Counter(outcomes[target.name].exit_code for target in wave.targets if target.name in outcomes)
    counted = [
        f"{ended[code]} {_WORDS.get(code, 'otherwise')}" for code in reversed(WORST_FIRST) if ended[code]
    ]
    missing = len(wave.targets) - ended.total()
    if missing:
        counted.append(f"{missing} not visited" + (f": {why_ended}" if why_ended else ""))
    worst = find_worst(ended)
    status: EntryStatus = "passed" if worst == EXIT_CLEAN else "found"
    if missing == len(wave.targets):
        status = "skipped"
    return Entry(
        name=wave.name, status=status, reason=f"{count_of(len(wave.targets), 'target')}: {', '.join(counted)}"
    )


def find_worst(exit_codes: Mapping[int, int] | Counter[int]) -> int:
    """5, 3, 4, 1, 0; a fleet that was not visited is clean."""
    return next(
        (code for code in WORST_FIRST if exit_codes.get(code)), EXIT_UNDECIDED if exit_codes else EXIT_CLEAN
    )


def _target_row(target: Target, wave: Wave, outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {
            "name": target.name,
            "labels": dict(target.labels),
            "wave": wave.name,
            "exit_code": None,
            "status": "undecided",
            "findings": [],
            "problem": None,
        }
    document = outcome.document
    return {
        "name": target.name,
        "labels": dict(target.labels),
        "wave": wave.name,
        "exit_code": outcome.exit_code,
        "status": outcome.status,
        "duration_ms": document["duration_ms"],
        "target": document.get("target"),
        "findings": outcome.findings,
        "problem": outcome.problem,
    }


def _raise_worst(
    order: Order, waves: Sequence[Wave], outcomes: Mapping[str, Outcome], why_ended: str
) -> None:
    """Where all were visited and nothing worse than findings came of it, the report says so by itself."""
    total = sum(len(wave.targets) for wave in waves)
    by_code: dict[int, list[str]] = {}
    for target in (target for wave in waves for target in wave.targets):
        if target.name in outcomes:
            by_code.setdefault(outcomes[target.name].exit_code, []).append(target.name)
    worst = find_worst({code: len(names) for code, names in by_code.items()})
    missing = total - len(outcomes)
    if worst in (EXIT_CLEAN, EXIT_FOUND) and not missing:
        return
    state = ", ".join(
        f"{len(by_code[code])} {_WORDS[code]}" for code in reversed(WORST_FIRST) if code in by_code
    )
    state += f"{', ' if state else ''}{missing} not visited" if missing else ""
    again = order.command_line
    if why_ended.startswith(PAUSED):
        raise Paused(f"the run was {why_ended}", next=f"go on: {again}", state=state)
    if worst in (EXIT_CLEAN, EXIT_FOUND):
        raise CouldNotCheck(
            f"{missing} of {count_of(total, 'target')} were not visited",
            why=why_ended,
            next=again,
            state=state,
        )
    kinds: dict[int, type[GovernError]] = {EXIT_FAILED: FailedMidway, EXIT_REFUSED: Refused}
    names = by_code[worst]
    raise kinds.get(worst, CouldNotCheck)(
        f"{len(names)} of {count_of(total, 'target')} {_WORDS[worst]}: {name_some(names)}",
        why="; ".join(filter(None, (str(_first_problem(outcomes, names)), why_ended))),
        next=f"see to them, then: {again}",
        state=state,
    )


def _first_problem(outcomes: Mapping[str, Outcome], names: Sequence[str]) -> str:
    problem = outcomes[names[0]].problem
    return f"{names[0]}: {problem['what']}" if problem else f"{names[0]}: not everything could be looked at"


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
