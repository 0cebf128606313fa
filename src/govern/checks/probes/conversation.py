"""One sequence while it runs: its values and cookies, what was asked and answered, and what is wrong."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from govern.checks.probes.asking import Answer, Caller, NoAnswer, Wanted
from govern.checks.probes.rules import TLS, UNEXPECTED_STATUS, UNREACHABLE
from govern.core.finding import Finding, Rule, Subject
from govern.core.masking import Mask
from govern.core.template import fill, fill_all

if TYPE_CHECKING:
    from govern.source.manifest.probes import Probes, Sequence, Step

_MOST_KEPT = 20_000
_SHORTEST_KEY = 8
_MOST_EXCERPT = 300
"""Characters of an answer, or of what was sent, that a report keeps."""
REFUSING = (401, 403)
"""The statuses that say: not you."""


class CannotGoOn(Exception):
    """The steps after this one would ask for nothing that can be; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """What all sequences of one run have in common."""

    probes: Probes
    base_url: str
    root: Path
    python: Path
    """The project's interpreter."""
    path: str
    """Of the manifest, for findings."""
    trusted: ssl.SSLContext
    values: Mapping[str, str]
    """Variables and secrets, by name."""
    secrets: tuple[str, ...]
    database_url: str | None = None
    """For Python probes; never told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question and its answer, as they were: secrets are in it."""

    step: str
    what: str
    """Was asked, as the manifest has it, and by whom: the same in every run."""
    request: str
    sent: str
    status: int | None
    seconds: float | None
    said: str
    """How the answer begins; why there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """Something wrong, before anything of it is masked."""

    rule: Rule
    what: str
    message: str
    line: int
    exchange: Exchange | None
    expected: str


@dataclass(slots=True, kw_only=True)
class Conversation:
    """Asks for one sequence; made by ``begin``, and closed."""

    around: Probing
    sequence: Sequence
    caller: Caller
    mask: Mask
    values: dict[str, str]
    step: Step | None = None
    label: str = ""
    """Of the step that is being done."""
    exchanges: list[Exchange] = field(default_factory=list)
    notes: list[_Note] = field(default_factory=list)

    @classmethod
    def begin(cls, around: Probing, sequence: Sequence) -> Conversation:
        return cls(
            around=around,
            sequence=sequence,
            caller=make_caller(around),
            mask=Mask((*around.secrets, *_secrets_of(around.database_url))),
            values=dict(around.values),
        )

    async def close(self) -> None:
        await self.caller.close()

    def fill(self, text: str) -> str:
        return fill(text, self.values)

    def fill_all(self, value: Any) -> Any:
        return fill_all(value, self.values)

    def keep(self, name: str, value: object) -> None:
        """A captured value, for later steps. A text of some length may be a key to something: it is masked."""
        text = value if isinstance(value, str) else json.dumps(value)
        self.values[name] = text
        if isinstance(value, str) and len(value) >= _SHORTEST_KEY:
            self.mask.add(value)

    def note(
        self, rule: Rule, what: str, message: str, answer: Answer | None = None, *, expected: str = ""
    ) -> None:
        """``what`` was asked, the same in every run: it names the finding. ``answer``: the last one, if it shows it;
        ``expected``: what it should have been, in a word or two."""
        self._note(rule, what, message, expected, is_about_last=answer is not None)

    def _note(self, rule: Rule, what: str, message: str, expected: str, *, is_about_last: bool) -> None:
        self.notes.append(
            _Note(
                rule=rule,
                what=what,
                message=f"{self.sequence.name}, {self.label}: {message}",
                line=self.step.line if self.step else self.sequence.line,
                exchange=self.exchanges[-1] if self.exchanges and is_about_last else None,
                expected=expected,
            )
        )

    def tell_findings(self) -> tuple[Finding, ...]:
        """What is wrong, without secrets; asked for once nothing is captured any more."""
        return tuple(self._to_finding(note) for note in self.notes)

    def tell_exchanges(self) -> list[dict[str, Any]]:
        """What was asked and answered, without secrets, and whether it was as it must be."""
        expected = {id(note.exchange): note.expected for note in self.notes if note.exchange}
        return [
            {
                **self._to_json(one),
                "what": self.mask.hide(one.what),
                "ok": id(one) not in expected,
                "expected": self.mask.hide(expected.get(id(one), "")),
            }
            for one in self.exchanges
        ]

    def wanted(
        self,
        path: str,
        *,
        method: str = "GET",
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Wanted:
        """A request as the manifest has it, filled in. Raises Undefined."""
        return Wanted(
            method=method,
            path=fill(path, self.values, quoted=lambda value: quote(value, safe="")),
            json_body=self.fill_all(json_body),
            form=None if form is None else self.fill_all(dict(form)),
            query=self.fill_all(dict(query or {})),
            headers=self.fill_all(dict(headers or {})),
        )

    async def ask(
        self, wanted: Wanted, *, what: str, timeout_seconds: float | None = None, follow: bool = True
    ) -> Answer | None:
        """The answer to who is logged in; None where there is none, which is noted then."""
        token = self.values.get("access_token")
        names = {name.lower() for name in wanted.headers}
        headers = (
            {"authorization": f"Bearer {token}"} if token is not None and "authorization" not in names else {}
        )
        return await self._ask(self.caller, wanted, headers, what, timeout_seconds, follow=follow)

    async def ask_as_stranger(self, path: str, *, what: str, token: str | None = None) -> Answer | None:
        """The answer to somebody without cookies, who has nothing but the token. No redirection is followed."""
        stranger = make_caller(self.around)
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        try:
            return await self._ask(stranger, self.wanted(path), headers, what, None, follow=False)
        finally:
            await stranger.close()

    def expect_success(self, answer: Answer | None, what: str) -> bool:
        """Whether it is one of 200 to 299; noted where it is not."""
        if answer is None:
            return False
        if not 200 <= answer.status < 300:
            message = f"{what} answered {answer.status}, expected 200 to 299"
            self.note(UNEXPECTED_STATUS, what, message, answer, expected="200 to 299")
        return 200 <= answer.status < 300

    async def _ask(
        self,
        caller: Caller,
        wanted: Wanted,
        headers: Mapping[str, str],
        what: str,
        timeout_seconds: float | None,
        *,
        follow: bool,
    ) -> Answer | None:
        sent = Wanted(
            method=wanted.method,
            path=wanted.path,
            query=wanted.query,
            headers={**wanted.headers, **headers},
            json_body=wanted.json_body,
            form=wanted.form,
        )
        seconds = timeout_seconds or self.around.probes.timeout_seconds
        try:
            answer = await caller.ask(sent, timeout_seconds=seconds, follow=follow)
        except NoAnswer as problem:
            self._keep_exchange(what, sent, None, problem.message)
            self._note(problem.rule, what, f"{what}: {problem.message}", "an answer", is_about_last=True)
            if problem.rule in (UNREACHABLE, TLS):
                raise CannotGoOn(problem.message) from problem
            return None
        self._keep_exchange(what, sent, answer, answer.text)
        return answer

    def _keep_exchange(self, what: str, sent: Wanted, answer: Answer | None, said: str) -> None:
        query = urlencode(dict(sent.query))
        body = json.dumps(sent.json_body) if sent.json_body is not None else urlencode(dict(sent.form or {}))
        url = f"{self.around.base_url.rstrip('/')}{sent.path}" + (f"?{query}" if query else "")
        self.exchanges.append(
            Exchange(
                step=self.label,
                what=what,
                request=f"{sent.method} {url}",
                sent=body[:_MOST_KEPT],
                status=answer.status if answer else None,
                seconds=answer.seconds if answer else None,
                said=said[:_MOST_KEPT],
            )
        )

    def _to_finding(self, note: _Note) -> Finding:
        evidence = self._to_json(note.exchange) if note.exchange else {}
        is_answered = note.exchange is not None and note.exchange.status is not None
        if note.expected:
            evidence["expected"] = self.mask.hide(note.expected)
        return Finding.of(
            note.rule,
            Subject(
                kind="probe",
                name=f"{self.sequence.name}: {note.what}",
                path=self.around.path,
                line=note.line,
            ),
            self.mask.hide(note.message),
            severity=self.sequence.severity,
            why=f"it answered: {evidence['excerpt']}" if evidence.get("excerpt") and is_answered else "",
            evidence=evidence,
        )

    def _to_json(self, exchange: Exchange) -> dict[str, Any]:
        return {
            "step": self.mask.hide(exchange.step),
            "request": self.mask.hide(exchange.request),
            "sent": self._excerpt(exchange.sent),
            "status": exchange.status,
            "ms": None if exchange.seconds is None else round(exchange.seconds * 1000),
            "excerpt": self._excerpt(exchange.said),
        }

    def _excerpt(self, text: str) -> str:
        """Masked before it is cut: half a secret is one, too."""
        return " ".join(self.mask.hide(text).split())[:_MOST_EXCERPT]


def _secrets_of(database_url: str | None) -> tuple[str, ...]:
    password = urlsplit(database_url or "").password
    return tuple(filter(None, (database_url if password else None, password, unquote(password or ""))))


def make_caller(around: Probing) -> Caller:
    return Caller(around.base_url, trusted=around.trusted, use_proxy=around.probes.use_proxy)
