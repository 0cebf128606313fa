"""The incident drill: eight things broken at once on the 38 tables, found, and brought back on the monitor's page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from examples.drill import place
from examples.drill.breakages import BREAKAGES, break_database
from govern.database.url import DatabaseUrl
from tests.acceptance.program import Project, finish, serving
from tests.fixtures.accessible import count_pixels_beside, find_barriers
from tests.fixtures.browser import NARROW, OpenPage, Window
from tests.fixtures.databases import MakeFromTemplate, run_folder
from tests.fixtures.projects import read_rows

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECRET = "correct-horse-battery-staple"
HOME = "/admin/database-health"
PAGES = ("/", "/history", "/schema", "/drift", "/backups")
LONG_MILLISECONDS = 240_000
"""For what the monitor does meanwhile on a busy machine."""
EXPIRED = "SELECT count(*) FROM user_sessions WHERE expires_at < now()"
ENDED = re.compile("Done:|Failed:|Not known:")
FOCUSED = "(e => e.matches('a, button, summary, input') ? e.innerText : '')(document.activeElement)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A project whose database is broken in eight ways, and what it was before."""

    project: Project
    before: place.Digests

    @property
    def conninfo(self) -> str:
        return self.project.database.conninfo

    @property
    def backup(self) -> str:
        """Of before the breakages."""
        [first, *_] = sorted(
            path.name for path in (self.project.root / "backups").iterdir() if "-" in path.name
        )
        return first

    def type(self, *command: str) -> None:
        """What a person types. It ends with 0, or with 1 while other things are still wrong."""
        done = self.project.govern(*command)
        assert done.exit_code in (0, 1), done


@pytest.fixture
def drill(
    postgresql_from_template: MakeFromTemplate, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Drill:
    """Seeded and backed up once a run; copied and broken for each test."""
    original = run_folder(tmp_path_factory.getbasetemp()) / "drill"

    def fill(template: DatabaseUrl) -> None:
        shutil.rmtree(original, ignore_errors=True)  # of one that failed midway
        place.copy_project(original)
        environment = {**os.environ, "DATABASE_URL": template.text}
        place.migrate(original, environment)
        place.seed(original, template.conninfo, environment)
        digests = place.read_digests(template.conninfo)
        original.with_suffix(".json").write_text(json.dumps(digests), encoding="utf-8")

    url = postgresql_from_template("drill", fill)
    shutil.copytree(original, tmp_path / "project")
    before = {
        name: tuple(digest) for name, digest in json.loads(original.with_suffix(".json").read_text()).items()
    }
    break_database(url.conninfo)
    project = Project(root=tmp_path / "project", url=url.text, environment={"GOVERN_MONITOR_TOKEN": SECRET})
    return Drill(project=project, before=before)


@contextmanager
def monitoring(project: Project) -> Iterator[subprocess.Popen[str]]:
    """One that has looked once when somebody asks it to look again."""
    process = project.start("monitor", "run", "--interval", "600")
    try:
        yield process
        process.terminate()
        finish(process)
    finally:
        process.kill()
        process.communicate()


def test_each_breakage_is_found_by_its_rules_and_nothing_else_is(drill: Drill) -> None:
    looked = drill.project.ask("monitor", "run", "--once")
    assert looked.exit_code == 1, looked
    issues = drill.project.succeed("monitor", "status").report["issues"]
    expected = {(breakage.table, rule) for breakage in BREAKAGES for rule in breakage.rules}
    assert {(issue["table"], issue["rule"]) for issue in issues} == expected
    assert len(issues) == len(expected)


def test_monitor_and_page_bring_everything_back(drill: Drill, open_page: OpenPage) -> None:
    with serving(drill.project) as address, monitoring(drill.project):
        visit = Visit(drill=drill, window=open_page(), home=address + HOME)
        visit.log_in()
        visit.see_what_is_wrong()
        visit.let_the_monitor_fix()
        visit.fix_expired_sessions()
        visit.fix_default_settings_by_keyboard()
        visit.fix_the_column_without_scripts(open_page)
        visit.bring_rows_back_in_a_terminal()
        visit.take_one_fix_back_and_make_it_again()
        visit.see_that_all_is_well(open_page)
        visit.log_out()
        visit.page.goto(f"{address}/health")  # which answers 503 as long as something is wrong
    assert place.find_differences(drill.before, place.read_digests(drill.conninfo)) == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A person at the page, and what they do there."""

    drill: Drill
    window: Window
    home: str

    @property
    def page(self) -> Page:
        return self.window.page

    def go(self, path: str = "/") -> None:
        self.page.goto(self.home + path)

    def log_in(self) -> None:
        self.go()
        assert self.page.url == f"{self.home}/login"
        self._enter("wrong-secret-of-somebody")
        self.window.keep_picture("wrong secret")
        assert self.page.get_by_role("alert").is_visible()
        self._enter(SECRET)
        self.page.get_by_role("heading", name="What is wrong").wait_for()

    def _enter(self, secret: str) -> None:
        status = 200 if secret == SECRET else 401
        self.page.get_by_label("Your name").fill("ada")
        self.page.get_by_label("Secret").fill(secret)
        with nullcontext() if status == 200 else self.window.announced(status, f"{HOME}/login"):
            self.page.get_by_role("button", name="Log in").click()

    def see_what_is_wrong(self) -> None:
        """The first look comes to its end while the page is open: nobody loads it again."""
        self.page.locator("#issues details").nth(9).wait_for(timeout=LONG_MILLISECONDS)
        self.window.keep_picture("eight breakages")
        said = self.page.locator("#issues").inner_text()
        assert all(breakage.table in said for breakage in BREAKAGES), said
        keys = [str(entry.get_attribute("id")) for entry in self.page.locator("#issues details").all()]
        assert len(keys) == 10
        for path in (*(f"/issues/{key.removeprefix('issue-')}" for key in keys), *PAGES):
            self.go(path)
            assert find_barriers(self.page) == [], path
            self.window.keep_picture(path)
        self.go("/drift")
        differences = self.page.get_by_role("main").inner_text()
        assert "password_hash" in differences
        assert "grocery_deals" in differences
        self.go("/schema")
        assert self.page.locator("svg a").filter(has_text="auth_tokens").count() > 0

    def let_the_monitor_fix(self) -> None:
        """What the policy allows, once it is switched on: orphans, the index, the trigger."""
        self.drill.project.edit("schema/governance.yaml", "mode: dry-run", "mode: apply")
        self.go()
        self.page.get_by_role("button", name="Check now").click()
        fixed = self.page.locator("#events").get_by_text("Fixed", exact=True)
        fixed.nth(2).wait_for(timeout=LONG_MILLISECONDS)
        self.window.keep_picture("three fixes by the monitor")

    def fix_expired_sessions(self) -> None:
        self._open_fix("expired-sessions")
        assert "40" in self.page.get_by_role("main").inner_text()
        self.page.get_by_label("Type user_sessions").fill("users")
        with self.window.announced(422, self._path()):
            self.page.get_by_role("button", name="Fix").click()
        assert self.page.get_by_role("alert").is_visible()
        self.window.keep_picture("wrong confirmation")
        assert read_rows(self.drill.project.database, EXPIRED) == [(40,)]
        self.page.get_by_label("Type user_sessions").fill("user_sessions")
        self.page.get_by_role("button", name="Fix").click()
        self._await_done()
        assert read_rows(self.drill.project.database, EXPIRED) == [(0,)]

    def fix_default_settings_by_keyboard(self) -> None:
        self.go()
        self._tab_to(lambda: "default-settings" in self._focused())
        self.page.keyboard.press("Enter")
        self._tab_to(lambda: self._focused().startswith("Fix"))
        self.page.keyboard.press("Enter")
        self.page.get_by_label("Type user_settings").wait_for()
        self._tab_to(lambda: bool(self.page.evaluate("document.activeElement.id === 'typed'")))
        self.page.keyboard.type("user_settings")
        self.page.keyboard.press("Enter")
        self._await_done()

    def fix_the_column_without_scripts(self, open_page: OpenPage) -> None:
        plain = replace(self, window=open_page(javascript=False, like=self.window))
        plain.go()
        plain.window.keep_picture("without scripts")
        plain._open_fix("password_hash")
        plain.page.get_by_role("button", name="Fix").click()
        plain._await_done(is_renewed=False)

    def bring_rows_back_in_a_terminal(self) -> None:
        """What the page names, and does not do by itself."""
        tables = ("--table", "users", "--table", "grocery_deals", "--allow", "overwrites-rows:users")
        self.drill.type("restore", self.drill.backup, *tables)
        for repair in ("user-ids-are-uuids", "telephones-belong-to-users"):
            self.drill.type("repair", "apply", repair, "--backup", "off")

    def take_one_fix_back_and_make_it_again(self) -> None:
        self.go("/history?kind=fixes")
        self.window.keep_picture("history")
        self.page.get_by_role("link", name="expired-sessions").first.click()
        self.page.get_by_role("link", name="Roll back").click()
        self.window.keep_picture("rollback")
        self.page.get_by_label("Type user_sessions").fill("user_sessions")
        self.page.get_by_role("button", name="Roll back").click()
        self._await_done()
        assert read_rows(self.drill.project.database, EXPIRED) == [(40,)]
        self._open_fix("expired-sessions")
        self.page.get_by_label("Type user_sessions").fill("user_sessions")
        self.page.get_by_role("button", name="Fix").click()
        self._await_done()

    def see_that_all_is_well(self, open_page: OpenPage) -> None:
        self.go()
        self.page.get_by_role("button", name="Check now").click()
        self.page.locator("#checks td").filter(has_text="passed").nth(3).wait_for(timeout=LONG_MILLISECONDS)
        assert self.page.get_by_role("heading", name="Healthy").is_visible()
        self.window.keep_picture("healthy")
        small = replace(self, window=open_page(scheme="dark", width=NARROW, like=self.window))
        for path in PAGES:
            small.go(path)
            small.window.keep_picture(f"dark {path}")
            assert count_pixels_beside(small.page) <= 0, path

    def log_out(self) -> None:
        self.page.get_by_role("button", name="Log out").click()
        self.go("/history")
        assert self.page.url == f"{self.home}/login"

    def _open_fix(self, name: str) -> None:
        """From the overview to what a fix would do."""
        self.go()
        entry = self.page.locator("#issues details").filter(has_text=name)
        entry.wait_for(timeout=LONG_MILLISECONDS)  # the monitor looks again, and the page shows it
        entry.locator("summary").click()
        entry.get_by_role("link", name="All that is known of it").click()
        self.page.get_by_role("link", name="Look at what it would do").click()
        self.window.keep_picture(f"fix {name}")
        assert find_barriers(self.page) == []

    def _await_done(self, *, is_renewed: bool = True) -> None:
        """``is_renewed``: the page does so by itself."""
        ended = self.page.get_by_role("heading", level=1).filter(has_text=ENDED)
        if is_renewed:
            ended.wait_for(timeout=LONG_MILLISECONDS)
        while not ended.is_visible():
            self.page.wait_for_timeout(1_000)
            self.page.reload()
        self.window.keep_picture("ended")
        assert ended.inner_text().startswith("Done:"), self.page.get_by_role("main").inner_text()

    def _path(self) -> str:
        return urlsplit(self.page.url).path

    def _focused(self) -> str:
        return str(self.page.evaluate(FOCUSED))

    def _tab_to(self, is_there: Callable[[], bool]) -> None:
        for _ in range(60):
            if is_there():
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"not reached with the Tab key on {self.page.url}")
