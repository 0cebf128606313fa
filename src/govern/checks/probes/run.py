"""Runs sequences of probes, one after the other; whatever happens to one, the others are run."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from govern.checks.probes.asking import NoAnswer, Wanted, import_client, trust
from govern.checks.probes.conversation import CannotGoOn, Conversation, Probing, make_caller
from govern.checks.probes.forgery import import_jwt
from govern.checks.probes.python_probe import Crashed, ask_python
from govern.checks.probes.secret_sources import read_secrets
from govern.checks.probes.steps import ask_anonymously, ask_protected, ask_request, import_jsonschema, log_in
from govern.checks.probes.tokens import check_sessions, check_token, refresh, reject
from govern.config import Settings, find_secret
from govern.core.masking import Mask
from govern.core.report import Entry
from govern.core.template import Undefined
from govern.core.wording import count_of, name_seconds
from govern.errors import ConfigurationError, GovernError, NoSuchName

if TYPE_CHECKING:
    from govern.source.manifest.probes import Probes, Sequence, Step, StepKind

_BASE_URL = r"https?://[^\s/@?#]+(/[^\s@?#]*)?"
URL_VARIABLE = "GOVERN_PROBE_BASE_URL"
_OF_TOKENS = ("token", "reject")
_BETWEEN_LOOKS_SECONDS = 0.2
_ONE_LOOK_SECONDS = 5.0
_MOST_KEPT = 50
"""Requests of a sequence, in ledgers."""

_ACTS: Mapping[StepKind, Callable[[Any, Conversation], Awaitable[None]]] = {
    "request": ask_request,
    "anonymous": ask_anonymously,
    "log_in": log_in,
    "protected": ask_protected,
    "token": check_token,
    "refresh": refresh,
    "reject": reject,
    "sessions": check_sessions,
    "python": ask_python,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How one sequence ended."""

    entry: Entry
    exchanges: tuple[Mapping[str, Any], ...]
    """What was asked and answered, as JSON values without secrets."""
    seconds: float
    is_whole: bool
    """Whether every step was done: what was not asked may be as wrong as it ever was."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.entry.name,
            "status": self.entry.status,
            "ms": round(self.seconds * 1000),
            "findings": len(self.entry.findings),
            "reason": self.entry.reason,
            "exchanges": list(self.exchanges),
        }

    def to_evidence(self) -> dict[str, Any]:
        """What is kept of it: the same; of many requests those that went wrong, and the first."""
        answered = self.exchanges
        first = sorted(range(len(answered)), key=lambda index: (answered[index]["ok"], index))[:_MOST_KEPT]
        kept = [answered[index] for index in sorted(first)]
        return {**self.to_json(), "exchanges": kept, "left_out": len(answered) - len(kept)}


def prepare(settings: Settings, probes: Probes, *, path: str, base_url: str | None = None) -> Probing:
    """All that can be wrong before anything is asked: ConfigurationError, ToolMissing. ``path``: of the file."""
    import_client()
    steps = tuple(step for sequence in probes.sequences for step in sequence.steps)
    if any(step.kind in _OF_TOKENS for step in steps):
        import_jwt()
    if any(one.request.expect.json_schema is not None for one in steps if one.request is not None):
        import_jsonschema()
    secrets = read_secrets(probes, settings.root)
    return Probing(
        probes=probes,
        base_url=_choose_url(base_url, probes, path),
        root=settings.root,
        python=settings.python,
        path=path,
        trusted=trust(settings.root / probes.ca_file if probes.ca_file else None),
        values={**probes.variables, **secrets},
        secrets=tuple(secrets.values()),
    )


def choose(probes: Probes, names: tuple[str, ...]) -> tuple[Sequence, ...]:
    """The sequences of these names; all for none. Raises ConfigurationError."""
    by_name = {sequence.name: sequence for sequence in probes.sequences}
    for name in names:
        if name not in by_name:
            raise NoSuchName(
                f"there is no probe {name!r}",
                wanted=name,
                known=by_name,
                why=f"there are: {', '.join(by_name) or 'none'}",
                next="see probes.sequences of the manifest",
            )
    return tuple(by_name[name] for name in dict.fromkeys(names)) or probes.sequences


def run_probes(
    probing: Probing,
    sequences: Iterable[Sequence],
    *,
    narrate: Callable[[str], None],
    tell: Callable[[Proof], None] = lambda _: None,
) -> tuple[Proof, ...]:
    """Waits until the application answers, as long as the manifest says, then asks. Raises GovernError for a tool
    that is missing; an application that does not work is a finding. ``tell``: is told each proof when it is there."""
    return asyncio.run(_run_all(probing, tuple(sequences), narrate, tell))


async def _run_all(
    probing: Probing,
    sequences: tuple[Sequence, ...],
    narrate: Callable[[str], None],
    tell: Callable[[Proof], None],
) -> tuple[Proof, ...]:
    await _wait(probing, narrate)
    proofs = []
    for sequence in sequences:
        narrate(f"asking the application: {sequence.name}")
        proofs.append(await _run(probing, sequence))
        tell(proofs[-1])
    return tuple(proofs)


async def _wait(probing: Probing, narrate: Callable[[str], None]) -> None:
    """Until it answers at all; what it does after that is for the probes to say."""
    ends = time.monotonic() + probing.probes.wait_seconds
    caller, is_told = make_caller(probing), False
    try:
        while (left := ends - time.monotonic()) > 0:
            try:
                answer = await caller.ask(
                    Wanted(path=probing.probes.ready),
                    timeout_seconds=min(left, _ONE_LOOK_SECONDS),
                    follow=False,
                )
                if answer.status < 500:
                    return
            except NoAnswer:
                pass
            if not is_told:
                narrate(f"waiting up to {name_seconds(left)} until the application answers")
                is_told = True
            await asyncio.sleep(min(_BETWEEN_LOOKS_SECONDS, max(0.0, ends - time.monotonic())))
    finally:
        await caller.close()


async def _run(probing: Probing, sequence: Sequence) -> Proof:
    started, crash, rest = time.monotonic(), "", None
    talk = Conversation.begin(probing, sequence)
    try:
        rest = await _take_steps(talk, sequence)
    except GovernError:
        raise
    except Crashed as error:
        crash = str(error)
    except Exception as error:  # a bug in one probe must not end the others, nor tell a secret
        crash = f"{type(error).__name__}: {error}"
    finally:
        await talk.close()
    seconds = time.monotonic() - started
    asked = f"{count_of(len(talk.exchanges), 'request')} in {name_seconds(seconds)}"
    reason = talk.mask.hide("; ".join(filter(None, (crash, rest, asked))))
    entry = Entry.of(sequence.name, talk.tell_findings(), reason)
    if crash:
        entry = Entry(name=sequence.name, status="crashed", reason=reason, findings=entry.findings)
    return Proof(
        entry=entry,
        exchanges=tuple(talk.tell_exchanges()),
        seconds=seconds,
        is_whole=not crash and rest is None,
    )


async def _take_steps(talk: Conversation, sequence: Sequence) -> str | None:
    """What was not asked, and why; None where every step came to its end."""
    for number, step in enumerate(sequence.steps, start=1):
        talk.step, talk.label = step, _name(step, number)
        try:
            await _ACTS[step.kind](getattr(step, step.kind), talk)
        except (CannotGoOn, Undefined) as error:
            why = f"{error.name} was not captured" if isinstance(error, Undefined) else str(error)
            left = len(sequence.steps) - number
            return f"{why}: {count_of(left, 'step')} after it not asked" if left else ""
    return None


def _name(step: Step, number: int) -> str:
    return step.name or f"step {number} ({step.kind})"


def _choose_url(given: str | None, probes: Probes, path: str) -> str:
    url = given or find_secret(URL_VARIABLE) or probes.base_url
    if url is None:
        raise ConfigurationError(
            "nobody says where the application is",
            why=f"{path} has no probes.base_url, and {URL_VARIABLE} is not set",
            next="name it: govern probe --base-url http://127.0.0.1:8000",
        )
    if not re.fullmatch(_BASE_URL, url) or not _has_port(url):
        raise ConfigurationError(
            f"the base URL of probes is none: {Mask().hide(url.rpartition('@')[2])}",
            why="it is written as http://host:port or https://host/below, without user, password and query",
            next="correct it; a user and a password belong into a log_in step",
        )
    return url


def _has_port(url: str) -> bool:
    """Whether its port, if it names one, is a port."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False
