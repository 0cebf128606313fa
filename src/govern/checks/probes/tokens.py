"""Steps about the token of a log-in: what it says, what refreshes it, what must not pass for it, what ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from govern.checks.probes.asking import Answer, NotJson
from govern.checks.probes.conversation import REFUSING, CannotGoOn, Conversation
from govern.checks.probes.forgery import NoToken, forge, is_signed_with, read_token, sign
from govern.checks.probes.rules import (
    SESSION_ALIVE,
    SESSION_MISSING,
    TOKEN_ACCEPTED,
    TOKEN_UNCHANGED,
    UNEXPECTED_STATUS,
    UNEXPECTED_VALUE,
    WRONG_CLAIM,
)
from govern.checks.probes.steps import require
from govern.core.finding import Rule
from govern.core.json_path import NothingThere, find_value

if TYPE_CHECKING:
    from govern.source.manifest.probes import Forgery, Refresh, Reject, Sessions, Token

_FORGERIES: Mapping[Forgery, str] = {
    "changed_signature": "a token whose signature was changed",
    "changed_payload": "a token whose claims were changed",
    "no_algorithm": "a token with the algorithm none",
    "wrong_key": "a token signed with another key",
    "expired": "a token that has expired",
}
_LIFETIME_SECONDS = 300
"""Of the token that proves that the signing key is the right one."""


async def check_token(step: Token, talk: Conversation) -> None:
    """Header, claims and, with the key, the signature of the token."""
    token = _current(talk)
    try:
        header, claims = read_token(token)
        key = talk.fill(step.signing_key) if step.signing_key else None
        is_signed = key is None or is_signed_with(token, key, step.algorithms)
    except NoToken as error:
        talk.note(WRONG_CLAIM, "token", str(error))
        return
    if header.get("alg") not in step.algorithms:
        wanted = " or ".join(step.algorithms)
        message = f"its algorithm is {header.get('alg')!r}, expected {wanted}"
        talk.note(WRONG_CLAIM, "token alg", message, expected=wanted)
    elif not is_signed:
        talk.note(WRONG_CLAIM, "token signature", "it is not signed with the declared signing_key")
    for claim, message in _compare_claims(step, claims, talk, now=time.time()):
        talk.note(WRONG_CLAIM, f"token {claim}", message)


async def refresh(step: Refresh, talk: Conversation) -> None:
    """The new token is another one and works; what was there before is handled as declared."""
    what = f"POST {step.path}"
    old, old_refresh = _current(talk), talk.values.get("refresh_token")
    wanted = talk.wanted(step.path, method="POST", json_body=step.json_body, form=step.form)
    answer = await talk.ask(wanted, what=what)
    if not talk.expect_success(answer, what) or answer is None:
        return
    new = require(talk, "access_token", step.token, answer, what)
    if step.refresh_token is not None:
        require(talk, "refresh_token", step.refresh_token, answer, what)
    if new == old:
        message = f"{what} gave the token that there was before"
        talk.note(TOKEN_UNCHANGED, what, message, answer, expected="another token")
    await _expect(talk, step.page, new, "with the new token", handled="accepted")
    if step.old_token is not None:
        await _expect(talk, step.page, old, "with the token before", handled=step.old_token)
    if step.old_refresh_token is not None and old_refresh is not None:
        await _refresh_again(step, talk, old_refresh)


async def reject(step: Reject, talk: Conversation) -> None:
    """Forged tokens are refused; the good one is not, or else that would prove nothing."""
    token = _current(talk)
    key = talk.fill(step.signing_key) if step.signing_key else None
    if not await _expect(talk, step.page, token, "with the good token", handled="accepted"):
        raise CannotGoOn("the good token is not accepted, so that forged ones prove nothing")
    if key is not None and not await _is_the_key(step, talk, token, key):
        return
    kinds = step.tokens or tuple(kind for kind in _FORGERIES if kind != "expired" or key is not None)
    for kind in kinds:
        try:
            forged = forge(kind, token, now=time.time(), signing_key=key)
        except NoToken as error:
            talk.note(WRONG_CLAIM, "token", str(error))
            return
        talk.mask.add(forged)
        await _expect(talk, step.page, forged, f"with {_FORGERIES[kind]}", handled="rejected")


async def check_sessions(step: Sessions, talk: Conversation) -> None:
    """The list has this session; after it is revoked its token is refused."""
    what, mine, token = f"GET {step.path}", talk.fill(step.mine), _current(talk)
    answer = await talk.ask(talk.wanted(step.path), what=what)
    if answer is None or not talk.expect_success(answer, what):
        return
    if mine not in _list_ids(step, answer, what, talk):
        talk.note(SESSION_MISSING, what, f"{what} does not list this session", answer)
    revoking = f"{step.revoke.method} {step.revoke.path}"
    revoked = await talk.ask(talk.wanted(step.revoke.path, method=step.revoke.method), what=revoking)
    if talk.expect_success(revoked, revoking):
        told = "with the token of a revoked session"
        await _expect(talk, step.page, token, told, handled="rejected", rule=SESSION_ALIVE)


def _current(talk: Conversation) -> str:
    return talk.fill("{{access_token}}")


async def _expect(
    talk: Conversation,
    page: str,
    token: str,
    how: str,
    *,
    handled: str,
    rule: Rule = TOKEN_ACCEPTED,
) -> bool:
    """Whether a page is answered as it must be to nothing but this token; noted where it is not."""
    what = f"GET {page}, {how}"
    answer = await talk.ask_as_stranger(page, what=what, token=token)
    if answer is None:
        return False
    if handled == "accepted":
        is_right, rule, wanted = answer.status == 200, UNEXPECTED_STATUS, "200"
    else:
        is_right, wanted = answer.status in REFUSING, "401 or 403"
        rule = rule if answer.status < 400 else UNEXPECTED_STATUS
    if not is_right:
        message = f"{what}, answered {answer.status}, expected {wanted}"
        talk.note(rule, what, message, answer, expected=wanted)
    return is_right


async def _refresh_again(step: Refresh, talk: Conversation, old_refresh: str) -> None:
    """Asks once more with the refresh token that was used up."""
    what = f"POST {step.path}, with the refresh token before"
    kept = {name: talk.values.get(name) for name in ("refresh_token", "access_token")}
    talk.values["refresh_token"] = old_refresh
    wanted = talk.wanted(step.path, method="POST", json_body=step.json_body, form=step.form)
    talk.values.update({name: value for name, value in kept.items() if value is not None})
    answer = await talk.ask(wanted, what=what)
    if answer is None:
        return
    is_accepted = 200 <= answer.status < 300
    if is_accepted:
        talk.mask.add(_find_token(step, answer))
    if is_accepted and step.old_refresh_token == "rejected":  # noqa: S105 - what is to become of it
        talk.note(TOKEN_ACCEPTED, what, f"{what}, gave a token", answer)
    elif answer.status >= 500 or is_accepted != (step.old_refresh_token == "accepted"):  # noqa: S105
        talk.note(UNEXPECTED_STATUS, what, f"{what}, answered {answer.status}", answer)


def _find_token(step: Refresh, answer: Answer) -> str:
    try:
        return str(find_value(answer.read_json(), step.token))
    except (NotJson, NothingThere):
        return ""


async def _is_the_key(step: Reject, talk: Conversation, token: str, key: str) -> bool:
    """A token that we sign is accepted as long as it has not expired: only then an expired one shows something."""
    try:
        header, claims = read_token(token)
        lasting = {**claims, "exp": int(time.time()) + _LIFETIME_SECONDS}
        ours = sign(lasting, key, str(header.get("alg", "")), header)
    except NoToken as error:
        talk.note(WRONG_CLAIM, "token", str(error))
        return False
    talk.mask.add(ours)
    return await _expect(
        talk, step.page, ours, "with a token signed with the declared key", handled="accepted"
    )


def _list_ids(step: Sessions, answer: Answer, what: str, talk: Conversation) -> set[str]:
    try:
        items = find_value(answer.read_json(), step.items)
        return {str(find_value(item, step.id)) for item in (items if isinstance(items, list) else ())}
    except (NotJson, NothingThere) as error:
        talk.note(UNEXPECTED_VALUE, what, f"the answer to {what} has no list of sessions: {error}", answer)
        return set()


def _compare_claims(
    step: Token, claims: Mapping[str, Any], talk: Conversation, *, now: float
) -> Iterator[tuple[str, str]]:
    yield from _compare_end(step, claims.get("exp"), now)
    fill: Callable[[Any], Any] = talk.fill_all
    for claim, wanted in (("iss", step.issuer), ("sub", step.subject), *step.claims.items()):
        if wanted is not None and claims.get(claim) != fill(wanted):
            yield claim, f"its {claim} is {claims.get(claim)!r}, expected {fill(wanted)!r}"
    audience = claims.get("aud")
    if step.audience is not None and fill(step.audience) not in (
        audience if isinstance(audience, list) else [audience]
    ):
        yield "aud", f"its aud is {audience!r}, expected {fill(step.audience)!r}"


def _compare_end(step: Token, end: object, now: float) -> Iterator[tuple[str, str]]:
    if not isinstance(end, int | float) or isinstance(end, bool):
        yield "exp", "it has no exp: it is good for ever"
    elif end <= now:
        yield "exp", f"it ended {round(now - end)} s ago, when it was given"
    elif step.lasts_at_most is not None and end - now > step.lasts_at_most.total_seconds() + 1:
        yield (
            "exp",
            f"it is good for {round(end - now)} s, at most {step.lasts_at_most.total_seconds():.0f} are allowed",
        )
