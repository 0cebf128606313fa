"""Tells people: by a webhook that takes Slack's JSON, or by a command. Addresses are secrets and are never told."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govern.config import find_secret
from govern.core.finding import Severity
from govern.core.issue import Issue
from govern.errors import ConfigurationError, ToolMissing
from govern.source.manifest import Notify

_TRIES = 3
_PATIENCE_SECONDS = 20.0
"""For one receiver, all tries together."""
_ANSWER_SECONDS = 5.0
_MOST_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one pass has to tell."""

    database: str
    """Without a password."""
    target: str
    pages: tuple[str, ...] = ()
    """Sentences on what a person has to look at now: everybody is told."""
    acts: tuple[str, ...] = ()
    """Sentences on what was fixed, or would have been."""
    opened: tuple[Issue, ...] = ()
    resolved: tuple[Issue, ...] = ()

    def least(self, severity: Severity) -> News | None:
        """What of it is for somebody who wants to know of issues from ``severity`` on; None where nothing is."""
        opened, resolved = (
            tuple(issue for issue in issues if issue.severity >= severity)
            for issues in (self.opened, self.resolved)
        )
        if not (self.pages or self.acts or opened or resolved):
            return None
        return News(
            database=self.database,
            target=self.target,
            pages=self.pages,
            acts=self.acts,
            opened=opened,
            resolved=resolved,
        )

    @property
    def text(self) -> str:
        """For people; the most urgent first."""
        lines = [
            *(f"PAGE: {page}" for page in self.pages),
            *self.acts,
            *(f"{issue.severity.label}: {issue.subject}: {_name(issue)}" for issue in self.opened),
            *(f"resolved: {issue.subject}: {_name(issue)}" for issue in self.resolved),
        ]
        more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
        return "\n".join([f"govern monitor, {self.target} {self.database}", *lines[:_MOST_LINES], *more])

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "database": self.database,
            "target": self.target,
            "pages": list(self.pages),
            "acts": list(self.acts),
            "opened": [_describe(issue) for issue in self.opened],
            "resolved": [_describe(issue) for issue in self.resolved],
        }


def require_receivers(receivers: Iterable[Notify]) -> None:
    """Raises ConfigurationError for a variable that is not set, ToolMissing where a webhook cannot be called."""
    for receiver in receivers:
        if receiver.webhook_env is not None:
            _find_url(receiver.webhook_env)
            _import_client()


def tell(news: News, receivers: Sequence[Notify], folder: Path) -> Iterator[str]:
    """Tells each receiver what is for it; yields what went wrong, without any address."""
    for position, receiver in enumerate(receivers):
        meant = news.least(receiver.severity)
        if meant is None:
            continue
        try:
            if receiver.command is not None:
                _run(receiver.command, meant.to_json(), folder)
            elif receiver.webhook_env is not None:
                _post(_find_url(receiver.webhook_env), {"text": meant.text})
        except (Undelivered, ConfigurationError, ToolMissing) as error:
            yield f"monitor.notify[{position}] was not told: {error.args[0]}"


class Undelivered(Exception):
    """Nobody was told; the text says why, and never where."""


def _post(url: str, body: Mapping[str, Any]) -> None:
    httpx, stamina = _import_client()
    for attempt in stamina.retry_context(on=Undelivered, attempts=_TRIES, timeout=_PATIENCE_SECONDS):
        with attempt:
            _post_once(httpx, url, body)


def _post_once(httpx: Any, url: str, body: Mapping[str, Any]) -> None:
    try:
        answer = httpx.post(url, json=dict(body), timeout=_ANSWER_SECONDS, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Undelivered(type(error).__name__) from None  # its text has the URL
    if not answer.is_success:
        raise Undelivered(f"the answer was {answer.status_code}")


def _run(command: Sequence[str], document: Mapping[str, Any], folder: Path) -> None:
    try:
        done = subprocess.run(
            list(command),
            input=json.dumps(document),
            text=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Undelivered(f"{command[0]} took longer than {_PATIENCE_SECONDS:.0f} s") from None
    except OSError as error:
        raise Undelivered(f"{command[0]} could not be started: {error.strerror}") from None
    if done.returncode:
        raise Undelivered(f"{command[0]} ended with {done.returncode}")


def _find_url(variable: str) -> str:
    url = find_secret(variable)
    if url is None:
        raise ConfigurationError(
            f"the environment variable {variable} is not set",
            why="monitor.notify of the manifest names it: it has the webhook's URL",
            next=f"export {variable}=…",
        )
    return url


def _import_client() -> tuple[Any, Any]:
    try:
        import httpx2
        import stamina
    except ImportError as error:
        raise ToolMissing(
            "notifications by webhook need the packages httpx2 and stamina",
            why=f"{error.name} is not installed",
            next="pip install 'govern[monitor]'",
        ) from error
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)  # below that they tell the URL
    return httpx2, stamina


def _name(issue: Issue) -> str:
    return f"{issue.current_state}, should be: {issue.expected_state} ({issue.rule}, {issue.key})"


def _describe(issue: Issue) -> dict[str, Any]:
    """Without what may have keys of rows."""
    hidden = ("message", "remedy", "evidence")
    return {name: value for name, value in issue.to_json().items() if name not in hidden}
