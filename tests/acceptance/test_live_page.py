"""The page in a browser while things change: it keeps up, and disturbs nobody who reads or has opened something."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from govern.actions.notebook import Notebook, make_event
from govern.core.issue import Issue
from govern.core.monitoring import MonitorStatus
from govern.database.monitoring import take_turn
from govern.database.url import DatabaseUrl
from govern.web.dashboard import Dashboard
from govern.web.monitor import MonitorApi, asgi_app, bearer
from tests.fixtures.browser import NARROW, OpenPage, Window
from tests.unit.core.test_fixing import ISSUE
from tests.unit.web.browsing import SECRET
from tests.unit.web.conftest import STATUS, make_project

SECONDS = 15_000
OTHER = replace(ISSUE, key="a00000000001", subject="table public.roles", message="a table is missing")


class Site:
    """A database with a monitor that does nothing by itself, and the address of its page."""

    def __init__(self, folder: Path) -> None:
        settings = make_project(folder)
        self.url = DatabaseUrl.parse(settings.url or "")
        self.notebook = Notebook(settings, self.url)
        self.api = MonitorApi(settings, self.url, access=bearer(SECRET))
        self.page = Dashboard(self.api)
        self.address = ""

    def write(self, *issues: Issue, **facts: object) -> None:
        now = datetime.now(UTC)
        status: MonitorStatus = replace(
            STATUS, last_check=now, next_check=now + timedelta(minutes=5), **facts
        )  # type: ignore[arg-type]
        self.notebook.write(status=status, issues=issues)


@contextmanager
def serving(site: Site) -> Iterator[None]:
    """On a thread: what a test writes is seen by the page's next look."""
    config = uvicorn.Config(asgi_app(site.api, site.page), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with config.bind_socket() as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        site.address = f"http://127.0.0.1:{listener.getsockname()[1]}{site.page.prefix}"
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.write(ISSUE, OTHER)
    turn = take_turn(made.url, "test")
    assert turn is not None
    with serving(made):
        yield made
    turn.close()
    made.page.close()
    made.api.close()


def enter(site: Site, window: Window) -> Page:
    page = window.page
    page.goto(site.address)
    page.get_by_label("Secret").fill(SECRET)
    page.get_by_label("Your name").fill("ann")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Critical: 2 issues.")
    return page


def test_the_page_keeps_up_and_leaves_what_is_open_focused_and_selected(
    site: Site, browser_page: Window
) -> None:
    page = enter(site, browser_page)
    page.locator(f"#summary-{OTHER.key}").click()
    page.locator(f"#summary-{ISSUE.key}").focus()
    site.write(ISSUE, replace(OTHER, message="a table is missing still"), total_fixes=7)
    expect(page.get_by_text("a table is missing still")).to_be_visible(timeout=SECONDS)
    expect(page.locator(f"#issue-{OTHER.key}")).to_have_attribute("open", "")
    expect(page.locator(f"#issue-{ISSUE.key}")).not_to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.id") == f"summary-{ISSUE.key}"
    page.evaluate(f"getSelection().selectAllChildren(document.querySelector('#issue-{OTHER.key} pre'))")
    site.write(ISSUE, replace(OTHER, message="changed while it is read"), total_fixes=8)
    expect(page.locator("#monitor")).to_contain_text("8 fixes", timeout=SECONDS)
    assert "CREATE INDEX" in page.evaluate("String(getSelection())")
    page.evaluate("getSelection().removeAllRanges()")
    expect(page.get_by_text("changed while it is read")).to_be_visible(timeout=SECONDS)
    site.write(replace(ISSUE, state="resolved"), replace(OTHER, state="resolved"), health="healthy")
    expect(page.get_by_role("heading", level=1)).to_have_text("Healthy.", timeout=SECONDS)
    assert page.title().startswith("Healthy.")


def test_a_button_works_with_scripts_and_without(
    site: Site, browser_page: Window, open_page: OpenPage
) -> None:
    page = enter(site, browser_page)
    page.evaluate("window.isTheSamePage = true")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("button", name="A look was asked for")).to_be_focused(timeout=SECONDS)
    assert page.evaluate("window.isTheSamePage")
    plain = open_page(javascript=False, width=NARROW, like=browser_page).page
    plain.goto(site.address)
    plain.get_by_role("button", name="Stop").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("The monitor is stopped.")
    expect(page.get_by_role("heading", level=1)).to_have_text("The monitor is stopped.", timeout=SECONDS)
    assert [request.actor for request in site.notebook.read().requests] == ["ann"]


def test_what_is_refused_is_said_in_place(site: Site, browser_page: Window) -> None:
    page = enter(site, browser_page)
    form = page.locator("form[action$='/stop'] input[name=token]")
    form.evaluate("field => { field.value = 'of another session' }")
    with browser_page.announced(403, f"{site.page.prefix}/stop"):
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Not allowed")
        expect(page.locator("#content")).to_be_focused()


def test_a_fix_is_followed_to_its_end_without_a_hand(site: Site, browser_page: Window) -> None:
    page = enter(site, browser_page)
    page.goto(f"{site.address}/issues/{ISSUE.key}/fix")
    page.get_by_role("button", name="Fix").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Waiting")
    [request] = site.notebook.read().requests
    begun = make_event("fixing", "ann", issue=ISSUE)
    site.notebook.write(events=(begun,), done=(request,))
    expect(heading).to_contain_text("At work", timeout=SECONDS)
    site.notebook.write(events=(make_event("fixed", "ann", issue=ISSUE, attempt=begun.id),))
    expect(heading).to_contain_text("Done", timeout=SECONDS)
    expect(page.locator(".poller")).to_have_count(0)
