"""uvicorn's HTTP, but for its patience: who says nothing, or a word at a time, takes no place for ever.

uvicorn counts connections (``limit_concurrency``) and answers 503 where there are too many, and gives up none of them
before it has sent a whole request. Some hundred that say nothing would shut everybody out.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class ImpatientProtocol(H11Protocol):
    """Hangs up on who has not said what they want, or not taken the answer, in time."""

    head_seconds = 10.0
    """From the connection, or from the first byte of another request, to the end of its headers."""
    answer_seconds = 120.0
    """From there until the answer is taken: no answer of govern's takes so long."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._hang_up_after(self.head_seconds)

    def data_received(self, data: bytes) -> None:
        answered = self.cycle
        super().data_received(data)
        if self.cycle is not answered:
            self._hang_up_after(self.answer_seconds)
        elif self._deadline is None:
            self._hang_up_after(self.head_seconds)

    def on_response_complete(self) -> None:
        answered = self.cycle
        self._wait()
        super().on_response_complete()
        if self.cycle is not answered:  # which was sent along with it
            self._hang_up_after(self.answer_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait()
        super().connection_lost(exc)

    def _hang_up_after(self, seconds: float) -> None:
        self._wait()
        self._deadline = self.loop.call_later(seconds, self._hang_up)

    def _wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        self._deadline = None
        self.transport.abort()
