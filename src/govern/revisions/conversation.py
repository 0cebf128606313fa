"""What is said between us and a child: its events are heard, what it waits for is sent, its end is awaited."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from govern.database.engines import dialect_of
from govern.revisions.explain import explain_silence
from govern.revisions.observed import of_last_tries
from govern.revisions.process import Child, start_child
from govern.revisions.protocol import (
    ChildError,
    Ending,
    Event,
    Hello,
    Locked,
    Note,
    Orders,
    Paused,
    RevisionDone,
    RevisionStarted,
    Silent,
    Statement,
    WayBackFailed,
    parse_event,
)
from govern.revisions.redaction import make_redactor

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.database.url import DatabaseUrl


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that a child said that is kept."""

    ending: Ending
    revisions: tuple[RevisionDone, ...]
    notes: tuple[str, ...]
    observed: tuple[Statement, ...]
    ways_back: tuple[WayBackFailed, ...]
    output: str


def converse(
    settings: Settings,
    request: Mapping[str, Any],
    url: DatabaseUrl | None,
    on_locked: Callable[[], Orders | None],
    on_event: Callable[[Event], None],
    *,
    inherit: tuple[int, ...] = (),
) -> Run:
    """Starts a child with ``request`` and hears it out; ``url`` is its database, ``inherit`` as in ``start_child``.

    An answer of the database's that is known not to come ends as every connection that broke: the child is told to cut
    its own. Raises what the two callbacks raise, and ToolMissing for a child that says nothing at all.
    """
    redact = make_redactor(url)
    events: list[Event] = []
    loss: str | None = None
    with start_child(settings.python, settings.root, request, inherit=inherit) as child:
        for event in _events(child, redact):
            on_event(event)
            match event:
                case Locked():
                    child.send(f"proceed {json.dumps(on_locked() or {})}")
                case Paused():
                    child.send("proceed {}")
                case Silent() if loss is not None:
                    break  # it was told to cut them, and waits still
                case Silent() if url is not None:
                    loss = dialect_of(url).find_loss(url, event.sessions, event.seconds)
                    if loss is not None:
                        child.send("cut")
            if _is_kept(event):
                events.append(event)
            if isinstance(event, Ending):
                break
        how = child.end()
        output = redact(child.output)
    if not events:
        raise explain_silence(how, output, settings)
    return _sum_up(events, how, output, loss)


def _events(child: Child, redact: Callable[[str], str]) -> Iterator[Event]:
    for line in child.lines():
        event = parse_event(line, redact)
        if event is not None:
            yield event


def _is_kept(event: Event) -> bool:
    if isinstance(event, Statement):
        return event.observed is not None
    return isinstance(event, Hello | RevisionStarted | RevisionDone | WayBackFailed | Note | Ending)


def _sum_up(events: list[Event], how: str, output: str, loss: str | None) -> Run:
    """``how`` it exited; ``loss``: why its connections were cut, if they were."""
    last = events[-1]
    ending = last if isinstance(last, Ending) else _died(events, how)
    if loss is not None and isinstance(ending, ChildError):
        ending = replace(ending, message=loss, is_cut=True)
    return Run(
        ending=ending,
        revisions=tuple(
            {event.revision: event for event in events if isinstance(event, RevisionDone)}.values()
        ),
        notes=tuple(event.text for event in events if isinstance(event, Note)),
        observed=of_last_tries(events),
        ways_back=tuple(event for event in events if isinstance(event, WayBackFailed)),
        output=output,
    )


def _died(events: list[Event], how: str) -> ChildError:
    """The error of a child that is gone without a last word: os._exit, a kill, the out-of-memory killer."""
    started = [event.revision for event in events if isinstance(event, RevisionStarted)]
    return ChildError(
        type="ChildDied",
        message=f"the process that runs Alembic ended with {how} and did not say how it went",
        phase="revision" if started else "environment",
        revision=started[-1] if started and not isinstance(events[-1], RevisionDone) else None,
    )
