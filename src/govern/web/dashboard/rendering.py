"""Templates and static files. Every value is escaped, and a name that a template does not get is a mistake."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from govern.reports.diagram import STYLE
from govern.reports.page import open_templates
from govern.reports.palette import write_palette

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = "govern.web.dashboard"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One that a page needs."""

    body: bytes
    media_type: str
    version: str
    """Another one for other content."""


@cache
def static_files() -> Mapping[str, StaticFile]:
    """By name."""
    bodies = {"diagram.css": STYLE.encode()}
    for file in files(_PACKAGE).joinpath("static").iterdir():
        if file.name.rpartition(".")[2] in _TYPES:
            bodies[file.name] = file.read_bytes()
    bodies["page.css"] = write_palette().encode() + bodies["page.css"]
    return {name: _make_static(name, body) for name, body in bodies.items()}


def _make_static(name: str, body: bytes) -> StaticFile:
    return StaticFile(body, _TYPES[name.rpartition(".")[2]], hashlib.sha256(body).hexdigest()[:12])


@cache
def environment() -> Environment:
    """The templates'."""
    made = open_templates(_PACKAGE)
    made.globals["versions"] = {name: file.version for name, file in static_files().items()}
    return made


def render(template: str, facts: Mapping[str, Any]) -> str:
    return environment().get_template(template).render(facts)
