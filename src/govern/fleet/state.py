"""How far a run came, as a file that outlives it: a line for each thing that happened, written before anything follows.

``kill -9`` costs the half of a line at most. While a run is at work it holds a lock on its file.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from govern.errors import ConfigurationError, NotPermitted, Refused
from govern.fleet.job import Outcome

FOLDER = "fleet"
CONTINUED_WITHIN = timedelta(days=1)
"""An older run is not gone on with by itself: the fleet is another one by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a file says of a run."""

    path: Path
    run: str
    command: str
    asked: str
    """A digest of what was asked for: command, options, targets."""
    started_at: datetime
    outcomes: Mapping[str, Outcome]
    under_way: frozenset[str]
    """Targets that were begun, and of which no end is written."""
    is_finished: bool
    end: str
    """Why it ended before all were visited; empty where it did not, or nobody could write it."""


class RunFile:
    """The file of one run that is at work. Every line is on the disk when its method returns."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def note_begin(self, target: str) -> None:
        self._append({"event": "begun", "target": target})

    def note_end(self, outcome: Outcome) -> None:
        self._append(
            {
                "event": "ended",
                "target": outcome.target,
                "exit_code": outcome.exit_code,
                "report": outcome.document,
            }
        )

    def note_finish(self, why: str) -> None:
        """``why`` not all targets were visited; empty where they were."""
        self._append({"event": "stopped", "why": why} if why else {"event": "finished"})

    def _append(self, event: Mapping[str, Any]) -> None:
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **event}) + "\n"
        data = line.encode()
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)


@contextmanager
def begin_run(folder: Path, run: str, *, command: str, asked: str, actor: str) -> Iterator[RunFile]:
    """A new file for a run that begins. Raises NotPermitted."""
    path = folder / f"{run}.jsonl"
    with _hold(path, os.O_CREAT | os.O_EXCL) as file:
        file._append({"event": "run", "run": run, "command": command, "asked": asked, "actor": actor})
        yield file


@contextmanager
def continue_run(record: Record) -> Iterator[RunFile]:
    """The file of a run that is gone on with. Raises Refused where somebody is at work with it."""
    with _hold(record.path, 0) as file:
        yield file


@contextmanager
def _hold(path: Path, flags: int) -> Iterator[RunFile]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError), (path.parent.parent / ".gitignore").open("x") as ignored:
            ignored.write("*\n")
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | flags, 0o600)
    except OSError as error:
        raise NotPermitted(
            f"the state of the run cannot be written to {path}",
            why=error.strerror or str(error),
            next=f"give this user the right to write in {path.parent}",
        ) from error
    try:
        _lock(descriptor, path)
        _cut_torn_line(descriptor)
        yield RunFile(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(
            f"the run {path.stem} is under way",
            why="another process is at work with it",
            next="wait for it; or begin another one beside it: --new",
        ) from None


def _cut_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    content = os.pread(descriptor, size, 0)
    os.ftruncate(descriptor, content.rfind(b"\n") + 1)


def read_run(path: Path) -> Record:
    """Raises ConfigurationError for what is no file of a run."""
    try:
        lines = path.read_bytes().split(b"\n")
        first, *events = [json.loads(line) for line in lines[:-1]]  # the last is empty, or was torn
        return _to_record(path, first, events)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"{path} is no state of a run", why=str(error), next="see what runs there are: govern fleet runs"
        ) from error


def _to_record(path: Path, first: Mapping[str, Any], events: list[Mapping[str, Any]]) -> Record:
    outcomes: dict[str, Outcome] = {}
    under_way: set[str] = set()
    end, is_finished = "", False
    for event in events:
        match event["event"]:
            case "begun":
                under_way.add(event["target"])
            case "ended":
                target = event["target"]
                under_way.discard(target)
                outcomes[target] = Outcome(
                    target=target, exit_code=event["exit_code"], document=event["report"]
                )
            case "stopped":
                end = event["why"]
            case "finished":
                end, is_finished = "", True
    return Record(
        path=path,
        run=first["run"],
        command=first["command"],
        asked=first["asked"],
        started_at=datetime.fromisoformat(first["at"]),
        outcomes=outcomes,
        under_way=frozenset(under_way),
        is_finished=is_finished,
        end=end,
    )


def list_runs(folder: Path) -> tuple[Record, ...]:
    """The newest first; files that cannot be read are left out."""
    records = []
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        with suppress(ConfigurationError):
            records.append(read_run(path))
    return tuple(records)


def find_unfinished(folder: Path, asked: str, now: datetime) -> Record | None:
    """The newest run that was asked for the same and did not come to its end, within a day."""
    newest = next(_read_asked(folder, asked), None)
    if newest is None or newest.is_finished or now - newest.started_at > CONTINUED_WITHIN:
        return None
    return newest


def _read_asked(folder: Path, asked: str) -> Iterator[Record]:
    """The newest first. Of the others the first line alone is read: each may have the reports of thousands."""
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        with suppress(OSError, ValueError, KeyError, ConfigurationError):
            with path.open(encoding="utf-8") as file:
                is_same = json.loads(file.readline())["asked"] == asked
            if is_same:
                yield read_run(path)


def find_run(folder: Path, run: str) -> Record:
    """By its id, or the beginning of it. Raises ConfigurationError."""
    found = [record for record in list_runs(folder) if record.run.startswith(run)]
    if len(found) != 1:
        raise ConfigurationError(
            f"{len(found) or 'no'} run{'s' if len(found) > 1 else ''} of that name: {run}",
            why=f"there are {', '.join(record.run for record in list_runs(folder)[:5]) or 'none'}",
            next="give the whole name: govern fleet runs",
        )
    return found[0]
