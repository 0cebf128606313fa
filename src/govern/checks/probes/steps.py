"""What each kind of step asks, and what its answer must be; those about tokens are in ``tokens``."""

from __future__ import annotations

import asyncio
import fnmatch
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from govern.checks.probes.asking import Answer, NotJson
from govern.checks.probes.conversation import REFUSING, CannotGoOn, Conversation
from govern.checks.probes.rules import (
    OPEN_PAGE,
    SLOW,
    UNEXPECTED_STATUS,
    UNEXPECTED_VALUE,
)
from govern.core.finding import Rule
from govern.core.json_path import NothingThere, find_value
from govern.core.wording import first_line, name_seconds
from govern.errors import ToolMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from govern.source.manifest.probes import Capture, Expectation, LogIn, PasswordGrant, Request

_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0)
"""Between two attempts."""


class Problem(NamedTuple):
    """Something in which an answer is not as expected."""

    rule: Rule
    message: str
    expected: str = ""


async def ask_request(request: Request, talk: Conversation) -> None:
    """A request of the manifest; where it may be repeated, until its answer is as expected."""
    what = f"{request.method} {request.path}"
    wanted = talk.wanted(
        request.path,
        method=request.method,
        json_body=request.json_body,
        form=request.form,
        query=request.query,
        headers=request.headers,
    )
    follow = not any(300 <= status < 400 for status in request.expect.status)

    for pause in (*_PAUSES[: request.attempts - 1], None):
        noted = len(talk.notes)
        answer, problems = None, list[Problem]()
        try:
            answer = await talk.ask(wanted, what=what, timeout_seconds=request.timeout_seconds, follow=follow)
        except CannotGoOn:
            if pause is None:
                raise
        if answer is not None:
            problems = list(_compare(answer, request.expect, what, talk))
        if pause is None or (answer is not None and not problems):
            break
        del talk.notes[noted:]
        await asyncio.sleep(pause)
    for problem in problems:
        talk.note(problem.rule, what, problem.message, answer, expected=problem.expected)
    if answer is not None and not any(problem.rule is UNEXPECTED_STATUS for problem in problems):
        capture(request.capture, answer, what, talk)


async def ask_anonymously(paths: tuple[str, ...], talk: Conversation) -> None:
    """Pages that must not be seen by whoever comes along."""
    page = talk.around.probes.log_in_page
    for path in paths:
        what = f"GET {path}, not logged in"
        answer = await talk.ask_as_stranger(path, what=what)
        if answer is None or answer.status in REFUSING or _leads_to(page, answer):
            continue
        wanted = "401 or 403" + (f", or a redirection to {page}" if page else "")
        rule = OPEN_PAGE if answer.status < 400 else UNEXPECTED_STATUS
        message = f"{what}, answered {answer.status}, expected {wanted}"
        talk.note(rule, what, message, answer, expected=wanted)


async def log_in(step: LogIn, talk: Conversation) -> None:
    """Raises CannotGoOn where it does not succeed: nothing after it could."""
    what = f"POST {step.path}"
    form = _to_form(step.oauth2) if step.oauth2 is not None else step.form
    wanted = talk.wanted(step.path, method="POST", json_body=step.json_body, form=form)
    answer = await talk.ask(wanted, what=what)
    if answer is None or not talk.expect_success(answer, what):
        raise CannotGoOn("nobody is logged in")
    if step.cookie is None:
        require(talk, "access_token", step.token, answer, what)
    elif step.cookie not in answer.cookies:
        talk.note(UNEXPECTED_VALUE, what, f"{what} set no cookie {step.cookie}", answer)
        raise CannotGoOn("nobody is logged in")
    else:
        talk.mask.add(answer.cookies[step.cookie])
    if step.refresh_token is not None:
        require(talk, "refresh_token", step.refresh_token, answer, what)
    capture(step.capture, answer, what, talk)


async def ask_protected(paths: tuple[str, ...], talk: Conversation) -> None:
    """Pages that must be seen by who is logged in."""
    for path in paths:
        what = f"GET {path}"
        answer = await talk.ask(talk.wanted(path), what=what, follow=False)
        if answer is not None and answer.status != 200:
            message = f"{what}, logged in, answered {answer.status}, expected 200"
            talk.note(UNEXPECTED_STATUS, what, message, answer, expected="200")


def require(talk: Conversation, name: str, path: str, answer: Answer, what: str) -> str:
    """The text at a place of the answer, kept under the name. Raises CannotGoOn where there is none."""
    try:
        value = find_value(answer.read_json(), path)
    except NotJson as error:
        talk.note(UNEXPECTED_VALUE, what, f"{what} answered no JSON: {error}", answer)
    except NothingThere:
        talk.note(UNEXPECTED_VALUE, what, f"the answer to {what} has no {path}", answer)
    else:
        if isinstance(value, str) and value:
            talk.keep(name, value)
            talk.mask.add(value)
            return value
        talk.note(UNEXPECTED_VALUE, what, f"{path} in the answer to {what} is no text", answer)
    raise CannotGoOn(f"there is no {name}")


def capture(places: Mapping[str, Capture], answer: Answer, what: str, talk: Conversation) -> None:
    """Keeps what later steps name; what is not there is noted."""
    for name, place in places.items():
        try:
            talk.keep(name, _find_captured(place, answer))
        except (LookupError, NotJson):
            where = place.json_path or place.header or place.cookie
            talk.note(UNEXPECTED_VALUE, what, f"the answer to {what} has no {where} to capture", answer)


def _find_captured(place: Capture, answer: Answer) -> object:
    if place.json_path is not None:
        return find_value(answer.read_json(), place.json_path)
    if place.header is not None:
        return answer.headers[place.header.lower()]
    return answer.cookies[place.cookie or ""]


def _compare(answer: Answer, expect: Expectation, what: str, talk: Conversation) -> Iterator[Problem]:
    """Everything in which the answer is not as expected."""
    statuses = expect.status
    if not (answer.status in statuses if statuses else 200 <= answer.status < 300):
        wanted = " or ".join(map(str, statuses)) or "200 to 299"
        yield Problem(UNEXPECTED_STATUS, f"{what} answered {answer.status}, expected {wanted}", wanted)
        return
    if expect.within_seconds is not None and answer.seconds > expect.within_seconds:
        took, limit = name_seconds(answer.seconds), name_seconds(expect.within_seconds)
        yield Problem(SLOW, f"{what} took {took}, expected within {limit}", f"within {limit}")
    for name, pattern in expect.headers.items():
        found = answer.headers.get(name.lower())
        if found is None or not fnmatch.fnmatchcase(found, talk.fill(pattern)):
            said = "is not there" if found is None else f"is {found!r}"
            message = f"the header {name} of {what} {said}, expected {pattern!r}"
            yield Problem(UNEXPECTED_VALUE, message, f"{name}: {pattern}")
    if expect.json_values or expect.json_schema is not None:
        yield from _compare_json(answer, expect, what, talk)


def _compare_json(answer: Answer, expect: Expectation, what: str, talk: Conversation) -> Iterator[Problem]:
    try:
        document = answer.read_json()
    except NotJson as error:
        yield Problem(UNEXPECTED_VALUE, f"{what} answered no JSON: {error}", "JSON")
        return
    for path, wanted in expect.json_values.items():
        try:
            found = find_value(document, path)
        except NothingThere:
            yield Problem(UNEXPECTED_VALUE, f"the answer to {what} has no {path}", path)
            continue
        if not _is_equal(found, talk.fill_all(wanted)):
            message = f"{path} of {what} is {_show(found)}, expected {_show(wanted)}"
            yield Problem(UNEXPECTED_VALUE, message, f"{path}: {_show(wanted)}")
    if expect.json_schema is not None:
        yield from _validate(document, dict(expect.json_schema), what)


def _is_equal(found: Any, wanted: Any) -> bool:
    """As JSON has it: true is not 1."""
    return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True) or (
        isinstance(found, float | int)
        and isinstance(wanted, float | int)
        and not isinstance(found, bool)
        and not isinstance(wanted, bool)
        and found == wanted
    )


def _validate(document: Any, schema: dict[str, Any], what: str) -> Iterator[Problem]:
    jsonschema = import_jsonschema()
    problem = next(jsonschema.Draft202012Validator(_to_plain(schema)).iter_errors(document), None)
    if problem is not None:
        message = first_line(problem.message)[:200]
        said = f"{problem.json_path} of {what} does not fit the schema: {message}"
        yield Problem(UNEXPECTED_VALUE, said, f"{problem.json_path} as in the schema")


def import_jsonschema() -> Any:
    """Raises ToolMissing."""
    try:
        import jsonschema
    except ImportError as error:
        raise ToolMissing(
            "a JSON Schema needs the package jsonschema",
            why=f"{error.name} is not installed",
            next="pip install 'govern[probes]'",
        ) from error
    return jsonschema


def _to_plain(value: Any) -> Any:
    """Lists for the manifest's tuples."""
    return json.loads(json.dumps(value))


def _show(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}…"


def _leads_to(page: str | None, answer: Answer) -> bool:
    if page is None or not 300 <= answer.status < 400:
        return False
    there, here = urlsplit(answer.headers.get("location", "")), urlsplit(answer.url)
    return there.path == page and there.netloc in ("", here.netloc)


def _to_form(grant: PasswordGrant) -> dict[str, str]:
    fields = grant.model_dump(exclude_none=True)
    return {"grant_type": "password", **fields}
