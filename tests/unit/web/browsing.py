"""A browser of tests: it keeps cookies, reads tokens out of forms, and knows the structure of a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

from govern.web.dashboard import Dashboard
from govern.web.monitor.request import FORM, Reply, Request

SECRET = "correct-horse-battery-staple"
BASE = Dashboard.prefix
_VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "path", "circle", "rect", "line", "use"})


@dataclass
class Browser:
    """One window, at one origin."""

    page: Dashboard
    headers: dict[str, str] = field(default_factory=lambda: {"host": "localhost:8080"})
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, query: str = "", **headers: str) -> Reply:
        return self.ask("GET", path, query=query, headers=headers)

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> Reply:
        return self.ask("POST", path, form=form, headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body_bytes: int | None = None,
    ) -> Reply:
        body = urlencode(form or {}).encode()
        sent = self.headers | {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if form is not None:
            sent.setdefault("content-type", FORM)
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = self.page.answer(
            Request.below(
                BASE + path,
                prefix=BASE,
                method=method,
                query=query,
                headers=sent,
                body=body,
                body_bytes=len(body) if body_bytes is None else body_bytes,
            )
        )
        self._keep(reply)
        return reply

    def log_in(self, name: str = "alice") -> Browser:
        form = read(self.get("/login")).forms[f"{BASE}/login"]
        reply = self.post("/login", {**form, "secret": SECRET, "name": name})
        assert reply.status == 303, text_of(reply)
        return self

    def token(self, path: str = "/") -> str:
        """Of any form of the page."""
        return next(form["token"] for form in read(self.get(path)).forms.values() if "token" in form)

    def _keep(self, reply: Reply) -> None:
        for name, value in reply.headers:
            if name == "set-cookie":
                key, _, content = value.partition(";")[0].partition("=")
                self.cookies[key] = content


class Document(HTMLParser):
    """What a browser makes of a page, as far as tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.structure: list[tuple[str, tuple[str, ...]]] = []
        """Each element with the names of its attributes."""
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.forms: dict[str, dict[str, str]] = {}
        """Their fields with their values, by what they are sent to."""
        self.open: list[str] = []
        self._form: dict[str, str] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.structure.append((tag, tuple(sorted(name for name, _ in attrs))))
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        values = dict(attrs)
        if tag == "form":
            self._form = self.forms[values.get("action") or ""] = {}
        if tag == "input" and self._form is not None and values.get("name"):
            self._form[values["name"] or ""] = values.get("value") or ""
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def said(self) -> str:
        return re.sub(r" ([.,;:])", r"\1", " ".join(" ".join(self.words).split()))


def read(reply: Reply) -> Document:
    return Document(text_of(reply))


def text_of(reply: Reply) -> str:
    return reply.body.decode()


def said(reply: Reply) -> str:
    """Its words, without what is between them."""
    return read(reply).said
