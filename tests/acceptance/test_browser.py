"""The browser of the tests notices whatever a page complains of, and reads what ``govern serve`` answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import serving
from tests.fixtures.accessible import count_pixels_beside, find_barriers
from tests.fixtures.browser import NARROW, OpenPage, Window

PAGES: Mapping[str, str] = {
    "/good": "<title>t</title><button>Go</button><p>good</p>",
    "/error": "<script>console.error('told')</script>",
    "/warning": "<script>console.warn('told')</script>",
    "/crash": "<script>undefinedFunction()</script>",
    "/later": "<script>Promise.reject(new Error('later'))</script>",
    "/missing-picture": "<img alt='' src='/nowhere.png'>",
    "/unreachable": "<script>fetch('http://127.0.0.1:9/').catch(() => {})</script>",
    "/blocked": "<meta http-equiv='content-security-policy' content=\"script-src 'self'\"><script>1</script>",
    "/barriers": "<title></title><main></main><main><h2>first</h2><h4>second</h4><button></button><a href='/'></a>"
    "<img src='data:,'><input tabindex='7'></main>",
    "/open": "<html lang='en'><title>t</title><header></header><main><h1>One</h1><h2>Two</h2><button>Go</button>"
    "<label>Name <input></label><a href='/'>home</a></main><footer></footer>",
    "/dark": "<style>@media (prefers-color-scheme: dark) { p { color: red } }</style><p>dark</p>",
}


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        self.send_response(404 if page is None else 200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write((page or "nothing").encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def take_troubles(window: Window) -> list[str]:
    """What the page complained of; the test has seen it."""
    window.settle()
    troubles = [str(trouble) for trouble in window.troubles]
    window.troubles.clear()
    return troubles


def test_what_govern_serves_can_be_read_in_it(
    make_project: MakeProject, sqlite_database: DatabaseUrl, browser_page: Window
) -> None:
    with serving(make_project("plain", sqlite_database)) as address:
        browser_page.page.goto(f"{address}/health/ping")
    assert browser_page.page.locator("body").inner_text() == '{"status": "ok", "message": "pong"}'


def test_a_page_without_a_fault_has_no_trouble(site: str, browser_page: Window) -> None:
    browser_page.page.goto(f"{site}/good")
    assert browser_page.page.get_by_role("button", name="Go").is_visible()
    assert take_troubles(browser_page) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/error", "console error: told"),
        ("/warning", "console warning: told"),
        ("/crash", "undefinedFunction is not defined"),
        ("/later", "page error: later"),
        ("/missing-picture", "answered 404: GET"),
        ("/unreachable", "failed: GET, net::ERR_"),
        ("/blocked", "Content Security Policy"),
    ],
)
def test_whatever_a_page_complains_of_is_noticed(
    path: str, said: str, site: str, browser_page: Window
) -> None:
    browser_page.page.goto(site + path)
    browser_page.page.wait_for_timeout(100)  # what a script has begun
    assert said in "\n".join(take_troubles(browser_page))


def test_what_a_test_announces_is_no_trouble_and_has_to_come(site: str, browser_page: Window) -> None:
    with browser_page.announced(404, "/nowhere"):
        browser_page.page.goto(f"{site}/nowhere")
    assert take_troubles(browser_page) == []
    with (
        pytest.raises(AssertionError, match="no answer 404 at /nowhere"),
        browser_page.announced(404, "/nowhere"),
    ):
        browser_page.page.goto(f"{site}/good")


def test_what_would_be_in_the_way_of_a_screen_reader_is_found(site: str, browser_page: Window) -> None:
    browser_page.page.goto(f"{site}/open")
    assert find_barriers(browser_page.page) == []
    browser_page.page.goto(f"{site}/barriers")
    found = "\n".join(find_barriers(browser_page.page))
    for said in (
        "without a name: - button",
        "without a name: - img",
        "without a name: - link",
        "without a name: - textbox",
        "0 headings of the first level",
        "a heading of level 4 follows one of level 2",
        "main is there 2 times",
        "in an order of its own: <input",
        "unlabelled, or in an order of its own: <html",
        "the page has no title",
    ):
        assert said in found, found
    assert count_pixels_beside(browser_page.page) == 0
    browser_page.page.add_style_tag(content="main { width: 2000px }")
    assert count_pixels_beside(browser_page.page) > 0


def test_a_page_can_be_looked_at_in_the_dark_on_a_telephone_and_without_scripts(
    site: str, open_page: OpenPage
) -> None:
    window = open_page(scheme="dark", width=NARROW, javascript=False)
    window.page.goto(f"{site}/dark")
    paragraph = window.page.locator("p")
    assert paragraph.evaluate("element => getComputedStyle(element).color") == "rgb(255, 0, 0)"
    assert window.page.viewport_size == {"width": NARROW, "height": 900}
    window.page.goto(f"{site}/crash")
    assert take_troubles(window) == []
