"""Each request that http.md lists is answered for whom it says, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from govern.config import load
from govern.database.url import DatabaseUrl
from govern.web.dashboard import Dashboard
from govern.web.health import PATHS, Health
from govern.web.monitor import MonitorApi, bearer
from govern.web.monitor.request import Request
from tests.docs.markdown import DOCS

SECRET = "a secret of the tests"
TEXT = (DOCS / "http.md").read_text(encoding="utf-8")
LISTED = [
    (row["method"], row["path"], row["opened"], row["closed"])
    for row in re.finditer(
        r"^\| `(?P<method>GET|POST) (?P<path>\S+)` \| [^|]+ \| (?P<opened>everybody|nobody) \| (?P<closed>[^|]+) \|$",
        TEXT,
        re.MULTILINE,
    )
]
Make = Callable[..., MonitorApi]


@pytest.fixture
def make_api(sqlite_database: DatabaseUrl, tmp_path: Path) -> Iterator[Make]:
    """The monitor's API of an empty database, with the secret or without."""
    made: list[MonitorApi] = []

    def make(secret: str | None, *, read_only: bool = False) -> MonitorApi:
        settings = load(start=tmp_path, url=sqlite_database.text)
        access = bearer(secret) if secret else None
        made.append(MonitorApi(settings, sqlite_database, access=access, read_only=read_only))
        return made[-1]

    yield make
    for api in made:
        api.close()


def ask(api: MonitorApi, method: str, path: str, secret: str | None = None) -> int:
    """The status of the answer; ``path``: as the page has it."""
    place = re.sub(r"\{\w+\}", "unknown", path)
    headers = {"host": "localhost"} | ({"authorization": f"Bearer {secret}"} if secret else {})
    if path.startswith(Dashboard.prefix):
        page = Dashboard(api)
        request = Request.below(place, prefix=Dashboard.prefix, method=method, headers=headers)
        return page.answer(request).status
    return api.answer(Request.below(place, method=method, headers=headers)).status


def test_the_page_lists_every_route() -> None:
    from govern.web.dashboard.routes import ROUTES as PAGE_ROUTES
    from govern.web.monitor.api import ROUTES as API_ROUTES

    assert len(LISTED) == len(API_ROUTES) + len(PAGE_ROUTES) > 20


def test_without_a_secret_nobody_gets_what_is_for_nobody(make_api: Make) -> None:
    api = make_api(None)
    for method, path, opened, _ in LISTED:
        is_there = ask(api, method, path) not in (404, 405) or "{" in path
        assert is_there or opened == "nobody", f"{method} {path}"
        if opened == "nobody":
            assert ask(api, method, path) in (404, 405), f"{method} {path}"


def test_with_a_secret_only_who_knows_it_gets_what_is_for_them(make_api: Make) -> None:
    api = make_api(SECRET)
    for method, path, _, closed in LISTED:
        is_page = path.startswith(Dashboard.prefix)
        refusal = 303 if is_page and method == "GET" else 401
        assert (ask(api, method, path) == refusal) == (closed == "who knows it"), f"{method} {path}"
        if not is_page:
            assert ask(api, method, path, SECRET) not in (401, 403, 405), f"{method} {path}"


def test_read_only_leaves_out_what_changes_something(make_api: Make) -> None:
    api = make_api(SECRET, read_only=True)
    changing = [(method, path) for method, path, *_ in LISTED if method == "POST" and "/api/" in path]
    assert len(changing) == 5
    assert {ask(api, method, path, SECRET) for method, path in changing} <= {404, 405}


def test_every_path_of_health_is_answered_and_listed(sqlite_database: DatabaseUrl) -> None:
    with closing(Health(sqlite_database.text)) as health:
        for path in PATHS:
            assert f"| `GET {path}` |" in TEXT
            assert health.answer(path).status in (200, 503)
        assert health.answer("/health/other").status == 404
        assert health.answer(PATHS[0], "POST").status == 405
