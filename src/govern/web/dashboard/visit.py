"""Who looks at the page, and may do what there."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from govern.web.dashboard.session import (
    FORM_COOKIE,
    SESSION_COOKIE,
    TOKEN_FIELD,
    Session,
    is_token,
    make_token,
    set_cookie,
)
from govern.web.monitor.access import Access
from govern.web.monitor.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody."""

    actor: str = ""
    """Empty where nobody was asked."""
    is_insider: bool = False
    """Whether they may see messages, keys of rows, statements and names of people."""
    bound_to: str = field(default="", repr=False)
    """What their forms are bound to; empty where they get none."""
    is_logged_in: bool = False
    """Whether they can log out here."""
    cookies: tuple[tuple[str, str], ...] = ()
    """Headers that make their browser remember what their forms are bound to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request for a page that was let in."""

    request: Request
    visitor: Visitor
    values: Mapping[str, str] = field(default_factory=dict)
    """Of the path's parameters."""

    @property
    def actor(self) -> str:
        return self.visitor.actor


class Entrance:
    """Knows who is let in: by the host application's word, or by a session that the secret began."""

    def __init__(self, access: Access | None, now: Callable[[], datetime]) -> None:
        self._access = access
        self._secret = access.secret if access else None
        self._now = now

    @property
    def has_login(self) -> bool:
        """Whether one can log in here; else the host application sees to that, or nobody can."""
        return self._access is not None and not self._access.is_ambient and self._secret is not None

    def recognise(self, request: Request) -> Visitor | None:
        """None for a stranger."""
        if self._access is None:
            return Visitor()
        if self.has_login:
            session = self._find_session(request)
            return _visitor_of(session) if session else None
        actor = self._access.authenticate(request)
        return None if actor is None else self._bind(request, Visitor(actor=actor, is_insider=True))

    def welcome(self, request: Request) -> Visitor:
        """A stranger, whose form is bound to their browser."""
        return self._bind(request, Visitor())

    def begin(self, request: Request, secret: str, name: str) -> tuple[str, str] | None:
        """The cookie of who knows the secret; None for who does not."""
        if self._secret is None or not self._secret.is_equal_to(secret):
            return None
        now = self._now()
        session = Session.begin(name, now)
        return set_cookie(request, SESSION_COOKIE, session.sign(self._secret), lasts=session.ends - now)

    def make_token(self, visitor: Visitor) -> str:
        """What the forms of this visitor carry."""
        return make_token(self._secret, visitor.bound_to) if visitor.bound_to else ""

    def is_their_form(self, request: Request, visitor: Visitor) -> bool:
        """Whether what was sent is a form that was made for who sends it."""
        given = request.form.get(TOKEN_FIELD, "")
        return bool(visitor.bound_to) and is_token(given, self._secret, visitor.bound_to)

    def _find_session(self, request: Request) -> Session | None:
        secret, now = self._secret, self._now()
        if secret is None:
            return None
        sessions = (Session.read(value, secret, now) for value in request.cookies(SESSION_COOKIE))
        return next((session for session in sessions if session), None)

    def _bind(self, request: Request, visitor: Visitor) -> Visitor:
        """By a random cookie: another site cannot read it, and so not know what the form has to carry."""
        known = next((value for value in request.cookies(FORM_COOKIE) if _is_ours(value)), None)
        value = known or secrets.token_hex(16)
        cookies = () if known else (set_cookie(request, FORM_COOKIE, value),)
        return replace(visitor, bound_to=f"{value} {visitor.actor}", cookies=cookies)


def _visitor_of(session: Session) -> Visitor:
    return Visitor(actor=session.name, is_insider=True, bound_to=session.nonce, is_logged_in=True)


def _is_ours(value: str) -> bool:
    return len(value) == 32 and all(character in "0123456789abcdef" for character in value)
