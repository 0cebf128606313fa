"""The part of zensical.toml that lists the pages of rules, so that each of them has its place in the navigation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

import rule_pages

_START = "    # rules: written by docs/generate.py"
_END = "    # end of rules"


def render_navigation(current: str) -> str:
    """``current`` with a section for each family of rules that has pages; nothing where there is no such file."""
    if not current:
        return current
    part = re.compile(rf"^{_START}$.*?^{_END}$", re.DOTALL | re.MULTILINE)
    if not part.search(current):
        raise SystemExit(f"zensical.toml has no lines {_START.strip()!r} and {_END.strip()!r}")
    return part.sub(lambda _: "\n".join([_START, *_sections(), _END]), current, count=1)


def _sections() -> Iterator[str]:
    names = sorted(name for name in rule_pages.pages() if name.startswith("rules/"))
    for family, members in groupby(names, key=lambda name: name.split("/")[1]):
        yield f'    {{ "Rules: {family}" = ['
        yield from (f'      {{ "{_title(name)}" = "{name}" }},' for name in members)
        yield "    ] },"


def _title(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".md").replace("-", " ")
