"""Every page has its place in the site's navigation, and the check of the built site sees what a browser would miss."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.markdown import DOCS, ROOT

PAGE = '<html><h1 id="top">Page</h1>{}</html>'


def read_navigation(entry: object) -> Iterator[str]:
    """The pages that the navigation leads to, in order."""
    match entry:
        case str():
            yield entry
        case list():
            for member in entry:
                yield from read_navigation(member)
        case dict():
            for member in entry.values():
                yield from read_navigation(member)


def test_every_page_has_one_place_in_the_navigation() -> None:
    project = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    listed = list(read_navigation(project["nav"]))
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    assert project["theme"]["font"] is False, "a font would be fetched from another server"
    assert all((DOCS / name).exists() for name in project["extra_css"])


@pytest.fixture(scope="module")
def check_site() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        return importlib.import_module("check_site")


@pytest.mark.parametrize(
    ("html", "mistakes"),
    [
        ('<a href="other.html#top">there</a><a href="https://example.org">elsewhere</a>', []),
        ('<a href="/other.html">there</a><img src="data:image/png;base64,AA">', []),
        ('<link rel="canonical" href="https://example.org/page"><a href="#top">up</a>', []),
        ('<a href="othr.html">there</a>', ["page.html: othr.html leads nowhere"]),
        ('<a href="other.html#end">there</a>', ["page.html: other.html#end leads nowhere"]),
        ('<link rel="stylesheet" href="site.css">', ["page.html: site.css leads nowhere"]),
        (
            '<script src="https://cdn.example.org/a.js"></script>',
            ["page.html: fetches https://cdn.example.org/a.js"],
        ),
    ],
)
def test_a_site_is_whole_and_by_itself_or_it_is_said(
    html: str, mistakes: list[str], tmp_path: Path, check_site: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.html").write_text(PAGE.format(html), encoding="utf-8")
    (tmp_path / "other.html").write_text(PAGE.format(""), encoding="utf-8")
    assert check_site.main([str(tmp_path)]) == (1 if mistakes else 0)
    assert capsys.readouterr().out.splitlines() == mistakes


def test_a_site_without_pages_is_no_site(tmp_path: Path, check_site: ModuleType) -> None:
    assert list(check_site.find_mistakes(tmp_path)) == [f"{tmp_path} has no pages"]
