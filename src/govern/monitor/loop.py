"""The monitor's clock: takes its turn, looks at intervals and when it is asked to; and never ends by itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from govern.actions.notebook import Notebook, Notes, name_instance
from govern.config import Settings
from govern.core.wording import first_line
from govern.database.monitor_record import Turn
from govern.database.monitoring import take_turn
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck
from govern.log import Log
from govern.monitor.clock import Clock, SystemClock
from govern.monitor.course import Course, Pass
from govern.monitor.policy import Orders, read_orders
from govern.monitor.worker import Work

log = Log(__name__)

Standing = Literal["active", "standby", "away"]
"""``away``: the database is; who has the turn cannot be known."""
TakeTurn = Callable[[DatabaseUrl, str], Turn | None]
ReadOrders = Callable[[Settings, str], Orders]

_POLL_SECONDS = 10.0
"""How often a monitor asks for its turn, and for what people want of it."""
_POLLS = 4
"""At least so many in an interval."""
_JITTER = 0.05
_FAREWELL_SECONDS = 5.0
"""Beyond the time that probes have: a child is ended, and told."""


class Monitor:
    """One instance, for one database. ``every_seconds`` counts more than the manifest's interval."""

    def __init__(
        self,
        settings: Settings,
        url: DatabaseUrl,
        *,
        work: Work,
        every_seconds: float | None = None,
        clock: Clock | None = None,
        take: TakeTurn = take_turn,
        read: ReadOrders = read_orders,
        share: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._url = url
        self._every_seconds = every_seconds
        self._clock = clock or SystemClock()
        self._take = take
        self._read = read
        self._share = share
        self._turn: Turn | None = None
        self._was_active = True
        """Also before the first try: somebody has to say that the database is away."""
        self._due = self._clock.now().monotonic
        self._said = ""
        self._orders = read(settings, url.dialect)
        self.notebook = Notebook(settings, url)
        self.course = Course(
            settings, url, self.notebook, work=work, clock=self._clock, holds_turn=self._holds_turn
        )

    def run(self) -> None:
        """Goes on until it is interrupted."""
        try:
            while True:
                self.step()
                self._clock.sleep(self.poll_seconds)
        finally:
            self.close()

    def step(self) -> None:
        """Does what there is to do now. Raises nothing: what goes wrong is said, and tried again the next time."""
        try:
            self._step()
        except Exception as error:
            self._say("monitor_stumbled", error=f"{type(error).__name__}: {error}")

    def look_once(self) -> tuple[Pass, bool]:
        """One pass now, and whether it was recorded: not where another instance has the turn."""
        try:
            if self._stand() == "standby":
                return self.course.look(), False
            made = self._make_pass(self._read_notes())
            return self._await_probes(made), True
        finally:
            self.close()

    def close(self) -> None:
        """Lets another instance have its turn."""
        self.course.stop_asking()
        if self._turn is not None:
            self._turn.close()
            self._turn = None

    @property
    def poll_seconds(self) -> float:
        return min(_POLL_SECONDS, self._interval() / _POLLS)

    def _step(self) -> None:
        standing = self._stand()
        self._say(f"monitor_{standing}")
        if standing == "standby" or (standing == "away" and not self._was_active):
            self.course.stop_asking()
            return
        notes = self._read_notes() if standing == "active" else None
        if notes is not None and notes.wanted.state == "stopped":
            self.course.stop_asking()
            self._due = self._clock.now().monotonic  # once it is started again, at once
            return
        requests = notes.requests if notes else ()
        is_due = self._clock.now().monotonic >= self._due or any(one.kind == "check" for one in requests)
        if is_due:
            self._make_pass(notes)
        for request in requests:
            if request.kind == "fix":
                self.course.fix_as_asked(request, self._orders)
            elif request.kind == "rollback":
                self.course.roll_back_as_asked(request, self._orders)
                self._due = self._clock.now().monotonic  # what was fixed is there again
        if requests:
            self.notebook.write(done=requests)
        self.course.ask_application(self._orders, has_looked=is_due)

    def _await_probes(self, made: Pass) -> Pass:
        """The pass, with what the application said after it, if it was to be asked."""
        wanted = self._orders.probes
        patience = wanted.within_seconds + _FAREWELL_SECONDS if wanted else 0.0
        said = self.course.ask_application(self._orders, has_looked=True, patience_seconds=patience)
        return replace(made, seen=(*made.seen, *said), status=self.course.status or made.status)

    def _stand(self) -> Standing:
        if self._turn is not None:
            if self._turn.is_held():
                return "active"
            log.warning("monitor_turn_lost")
            self.close()
        try:
            self._turn = self._take(self._url, name_instance())
        except CouldNotCheck as error:
            log.info("monitor_turn_not_to_be_had", error=error.what)
            return "away"
        self._was_active = self._turn is not None
        return "active" if self._turn else "standby"

    def _holds_turn(self) -> bool:
        return self._turn is not None and self._turn.is_held()

    def _read_notes(self) -> Notes | None:
        """None where they cannot be read: what this process remembers has to do."""
        try:
            notes = self.notebook.read()
        except CouldNotCheck as error:
            log.info("monitor_notes_unread", error=first_line(error))
            return None
        self.course.remember(notes)
        return notes

    def _make_pass(self, notes: Notes | None) -> Pass:
        self._orders = self._read(self._settings, self._url.dialect)
        jitter = 1 + _JITTER * (2 * self._share() - 1)
        self._due = self._clock.now().monotonic + self._interval() * jitter
        may_fix = notes is not None and notes.wanted.state == "running"
        return self.course.make_pass(self._orders, next_monotonic=self._due, may_fix=may_fix)

    def _interval(self) -> float:
        if self._every_seconds is not None:
            return self._every_seconds
        return self._orders.every.total_seconds()

    def _say(self, event: str, **facts: object) -> None:
        """Once, until something else is to be said."""
        if self._said != (said := f"{event} {facts}"):
            self._said = said
            tell = log.warning if facts else log.info
            tell(event, **facts)
