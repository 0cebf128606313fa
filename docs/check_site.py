"""Reads the built site as a browser would, and says what it would miss: a link that leads nowhere, an anchor that
is not there, and whatever a page would fetch from another server to be shown.

``python docs/check_site.py site`` prints each on a line and exits 1 if there is any.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches by itself to show a page. Of links, those that ``_SHOWN`` names."""
_SHOWN = frozenset(
    {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch"}
)


@dataclass(slots=True)
class Page:
    """What one page has to be found by, leads to, and needs."""

    anchors: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    fetched: set[str] = field(default_factory=set)


def main(arguments: list[str]) -> int:
    """Checks the site in the folder that is named. Returns the exit code."""
    [folder] = arguments
    mistakes = list(find_mistakes(Path(folder)))
    sys.stdout.writelines(f"{mistake}\n" for mistake in mistakes)
    return 1 if mistakes else 0


def find_mistakes(site: Path) -> Iterator[str]:
    """One sentence for each link, anchor or picture that a reader of ``site`` would not get."""
    pages = {
        file.resolve(): read_page(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))
    }
    if not pages:
        yield f"{site} has no pages"
    for file, page in pages.items():
        where = file.relative_to(site.resolve())
        yield from (f"{where}: fetches {url}" for url in sorted(page.fetched) if urlsplit(url).netloc)
        for url in sorted(page.links | page.fetched):
            if not _is_elsewhere(url) and not _leads_somewhere(url, site.resolve(), file, pages):
                yield f"{where}: {url} leads nowhere"


def read_page(html: str) -> Page:
    """The anchors, links and needs of a page's text."""
    reader = _Reader()
    reader.feed(html)
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value for name, value in attrs if value}
        self.page.anchors.update(named[name] for name in ("id", "name") if name in named)
        if tag == "a" and "href" in named:
            self.page.links.add(named["href"])
        is_shown = tag != "link" or bool(_SHOWN & set(named.get("rel", "").split()))
        if is_shown and (url := named.get(_FETCHED.get(tag, ""))):
            self.page.fetched.add(url)


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.netloc) or parts.scheme in ("mailto", "data")


def _leads_somewhere(url: str, site: Path, file: Path, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(url)
    folder = site if parts.path.startswith("/") else file.parent
    target = (folder / unquote(parts.path).lstrip("/")).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return False
    anchor = unquote(parts.fragment)
    return not anchor or target not in pages or anchor in pages[target].anchors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
