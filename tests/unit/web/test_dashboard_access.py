"""Who may see and press what on the page: every route of its table with everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from govern.actions.notebook import Notebook
from govern.config import Settings
from govern.database.url import DatabaseUrl
from govern.web.dashboard import Dashboard
from govern.web.dashboard.routes import ROUTES
from govern.web.dashboard.session import LASTS, Session
from govern.web.monitor import Access, MonitorApi, bearer
from govern.web.monitor.access import Secret
from govern.web.monitor.api import ROUTES as API_ROUTES
from govern.web.monitor.request import LONGEST_BODY, PREFIX, Reply, Request
from govern.web.monitor.route import Route
from tests.unit.core.test_fixing import ISSUE
from tests.unit.web.browsing import BASE, SECRET, Browser, read, said
from tests.unit.web.conftest import FIXED, NOW

every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
changing = pytest.mark.parametrize(
    "route", [one for one in ROUTES if one.changes], ids=lambda route: route.path
)
STRANGERS: dict[str, Callable[[Browser], dict[str, str]]] = {
    "nobody": lambda _: {},
    "who signed with another secret": lambda _: {"govern_session": sign("another-secret-altogether", NOW)},
    "whose session is over": lambda _: {"govern_session": sign(SECRET, NOW - LASTS)},
    "who changed their session": lambda known: {"govern_session": f"9{known.cookies['govern_session']}"},
    "who cut the signature off": lambda known: {
        "govern_session": known.cookies["govern_session"].rpartition(".")[0]
    },
    "who sends nonsense": lambda _: {"govern_session": "\x00.%..é;=", "govern_form": "é" * 32},
}
FOREIGN: dict[str, tuple[dict[str, Any], int]] = {
    "a foreign Origin": ({"headers": {"origin": "https://evil.example"}}, 403),
    "no Origin's Origin": ({"headers": {"origin": "null"}}, 403),
    "a foreign page": ({"headers": {"sec-fetch-site": "cross-site"}}, 403),
    "a foreign page's frame": (
        {
            "headers": {
                "sec-fetch-site": "cross-site",
                "sec-fetch-mode": "navigate",
                "sec-fetch-dest": "iframe",
            }
        },
        403,
    ),
    "a foreign Host": ({"headers": {"host": "evil.example"}}, 403),
    "a foreign Host that looks like ours": ({"headers": {"host": "localhost.evil.example"}}, 403),
    "an oversize body": ({"body_bytes": LONGEST_BODY + 1}, 413),
    "PUT": ({"method": "PUT"}, 405),
    "DELETE": ({"method": "DELETE"}, 405),
    "OPTIONS, as a preflight": ({"method": "OPTIONS", "headers": {"origin": "http://localhost:8080"}}, 405),
}
FORMS: dict[str, Callable[[Browser, Dashboard], dict[str, str]]] = {
    "no token": lambda _browser, _page: {},
    "an empty token": lambda _browser, _page: {"token": ""},
    "a wrong token": lambda _browser, _page: {"token": "0" * 64},
    "another session's token": lambda _browser, page: {"token": Browser(page).log_in("mallory").token()},
    "the log-in form's token": lambda _browser, page: {
        "token": read(Browser(page).get("/login")).forms[f"{BASE}/login"]["token"]
    },
}


def sign(secret: str, begun: Any) -> str:
    return Session.begin("mallory", begun).sign(Secret(secret))


def path_of(route: Route) -> str:
    return route.path.format(key=ISSUE.key, id=FIXED, name="page.css")


@pytest.fixture
def alice(page: Dashboard) -> Browser:
    return Browser(page).log_in()


@pytest.fixture
def unchanged(notebook: Notebook) -> Iterator[None]:
    """Whatever a test does, nothing of it is in the record afterwards."""
    before = notebook.read(), notebook.read_events()
    yield
    assert (notebook.read(), notebook.read_events()) == before


@every_route
@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_is_shown_the_way_in_and_nothing_else(
    page: Dashboard, alice: Browser, active: None, unchanged: None, route: Route, who: str
) -> None:
    stranger = Browser(page, cookies=STRANGERS[who](alice))
    reply = stranger.ask(route.method, path_of(route), form={} if route.method == "POST" else None)
    if route.path == "/static/{name}" or (route.method, route.path) == ("GET", "/login"):
        assert reply.status == 200
    elif route.method == "GET":
        assert (reply.status, dict(reply.headers)["location"]) == (303, f"{BASE}/login")
    else:
        assert reply.status in (401, 403)
    if reply.status != 200:
        assert b"users" not in reply.body


@every_route
@pytest.mark.parametrize("what", FOREIGN)
def test_what_comes_from_elsewhere_or_is_too_much_is_refused_whoever_sends_it(
    alice: Browser, active: None, unchanged: None, route: Route, what: str
) -> None:
    facts, status = FOREIGN[what]
    form = {"token": alice.token()} if route.method == "POST" else None
    assert (
        alice.ask(**{"method": route.method, "path": path_of(route), "form": form, **facts}).status == status
    )


@every_route
def test_a_link_from_elsewhere_may_be_followed_and_nothing_be_sent_by_it(
    page: Dashboard, alice: Browser, active: None, unchanged: None, route: Route
) -> None:
    """SameSite=Strict keeps the session's cookie back then: the page goes on to itself, where it is sent."""
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    form = {"token": alice.token()} if route.method == "POST" else None
    reply = Browser(page).ask(route.method, path_of(route), headers=link, form=form)
    if route.method == "POST":
        assert reply.status == 403
    elif not route.is_public:
        assert ("meta", "http-equiv", "refresh") in read(reply).attributes
        assert b"users" not in reply.body


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if one.method == "POST"], ids=lambda route: route.path
)
@pytest.mark.parametrize("what", FORMS)
def test_a_form_that_was_not_made_for_who_sends_it_is_refused(
    page: Dashboard, alice: Browser, active: None, unchanged: None, route: Route, what: str
) -> None:
    reply = alice.post(path_of(route), {"secret": SECRET, **FORMS[what](alice, page)})
    assert reply.status == 403
    assert "not made for you" in said(reply)


@changing
def test_a_token_counts_in_a_form_alone(
    page: Dashboard, alice: Browser, active: None, unchanged: None, route: Route
) -> None:
    token = alice.token()
    assert alice.post(path_of(route), {"token": token}, content_type="text/plain").status == 403
    assert alice.ask("POST", path_of(route), query=f"token={token}").status == 403
    assert alice.ask("POST", path_of(route), headers={"x-govern-request": "1"}).status == 403


@every_route
def test_the_other_method_is_refused(alice: Browser, unchanged: None, route: Route) -> None:
    there = {one.method for one in ROUTES if one.path == route.path}
    form = {"token": alice.token()}
    for method in {"GET", "POST"} - there:
        assert alice.ask(method, path_of(route), form=form if method == "POST" else None).status == 405


@every_route
def test_whoever_is_let_in_is_answered(alice: Browser, active: None, route: Route) -> None:
    """The twin of all of these. What is asked for a decision is asked again without one."""
    form = {"token": alice.token()} if route.method == "POST" else None
    reply = alice.ask(route.method, path_of(route), form=form)
    expected = {
        ("POST", "/login"): 401,
        ("GET", "/login"): 303,
        ("POST", "/issues/{key}/fix"): 422,
        ("POST", "/history/{id}/rollback"): 422,
    }
    default = 200 if route.method == "GET" else 303
    assert reply.status == expected.get((route.method, route.path), default), said(reply)


@every_route
def test_every_answer_says_what_a_browser_may_do_with_it(alice: Browser, active: None, route: Route) -> None:
    form = {"token": alice.token()} if route.method == "POST" else None
    headers = dict(alice.ask(route.method, path_of(route), form=form).headers)
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    if route.path != "/static/{name}":
        assert headers["cache-control"] == "no-store"


def without_access(settings: Settings, url: DatabaseUrl) -> tuple[MonitorApi, Dashboard]:
    api = MonitorApi(settings, url, hosts=frozenset({"localhost"}))
    return api, Dashboard(api, now=lambda: NOW)


def read_only(settings: Settings, url: DatabaseUrl) -> tuple[MonitorApi, Dashboard]:
    api = MonitorApi(settings, url, access=bearer(SECRET), hosts=frozenset({"localhost"}), read_only=True)
    return api, Dashboard(api, now=lambda: NOW)


def close(api: MonitorApi, page: Dashboard) -> None:
    page.close()
    api.close()


@every_route
def test_without_a_secret_the_page_shows_what_the_open_api_shows(
    settings: Settings, url: DatabaseUrl, notebook: Notebook, unchanged: None, route: Route
) -> None:
    api, page = without_access(settings, url)
    reply = Browser(page).ask(route.method, path_of(route), form={} if route.method == "POST" else None)
    assert reply.status == (200 if route.is_open else 405 if is_there(page, route) else 404)
    if route.path != "/static/{name}":
        for hidden in ("CREATE INDEX", "alice", "an index is missing", "watch-1", "tester"):
            assert hidden not in reply.body.decode()
        assert not read(reply).forms
    close(api, page)


@every_route
def test_read_only_means_that_nobody_can_have_anything_changed(
    settings: Settings, url: DatabaseUrl, notebook: Notebook, active: None, unchanged: None, route: Route
) -> None:
    api, page = read_only(settings, url)
    browser = Browser(page).log_in()
    reply = browser.ask(route.method, path_of(route), form={"token": "0"} if route.changes else None)
    if route.changes or route.leads_to_change:
        assert reply.status in (404, 405)
    else:
        document = read(reply)
        assert set(document.forms) <= {f"{BASE}/logout", f"{BASE}/login"}
    close(api, page)


@pytest.mark.parametrize("route", API_ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_read_only_api_has_no_route_that_changes(
    settings: Settings, url: DatabaseUrl, notebook: Notebook, active: None, unchanged: None, route: Route
) -> None:
    api, page = read_only(settings, url)
    headers = {"host": "localhost", "authorization": f"Bearer {SECRET}"}
    path = PREFIX + route.path.format(key=ISSUE.key, id=FIXED)
    reply = api.answer(Request.below(path, method=route.method, headers=headers))
    assert reply.status == (404 if route.changes else 200)
    close(api, page)


@pytest.mark.parametrize("route", API_ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_session_of_the_page_opens_nothing_of_the_api(
    page: Dashboard, alice: Browser, active: None, unchanged: None, route: Route
) -> None:
    """A script of another page could have a browser send it."""
    path = PREFIX + route.path.format(key=ISSUE.key, id=FIXED)
    cookie = f"govern_session={alice.cookies['govern_session']}"
    headers = {"host": "localhost", "cookie": cookie, "x-govern-request": "1"}
    assert page.api.answer(Request.below(path, method=route.method, headers=headers)).status == 401


@every_route
def test_the_host_application_says_who_it_is_and_forms_are_bound_to_the_browser(
    settings: Settings, url: DatabaseUrl, notebook: Notebook, active: None, route: Route
) -> None:
    api = MonitorApi(settings, url, access=Access(lambda request: request.headers.get("x-user")))
    page = Dashboard(api, now=lambda: NOW)
    path, is_post = path_of(route), route.method == "POST"
    stranger = Browser(page).ask(route.method, path, form={} if is_post else None)
    alice, mallory = (
        Browser(page, headers={"host": "app.example", "x-user": who}) for who in ("alice", "mallory")
    )
    if route.is_of_session:
        assert stranger.status == 404
    elif not route.is_public:
        assert (stranger.status, b"users" in stranger.body) == (401, False)
    if route.changes:
        assert alice.post(path, {"token": mallory.token()}).status == 403
        assert Browser(page, headers=alice.headers).post(path, {"token": alice.token()}).status == 403
        assert alice.post(path, {"token": alice.token()}).status in (303, 422)
    close(api, page)


def is_there(page: Dashboard, route: Route) -> bool:
    return any(one.match(path_of(route)) is not None for one in page.routes)


def test_who_knows_the_secret_is_let_in_and_goes_where_they_were_going(page: Dashboard) -> None:
    browser = Browser(page)
    assert browser.get(f"/issues/{ISSUE.key}").status == 303
    form = read(browser.get("/login")).forms[f"{BASE}/login"]
    reply = browser.post("/login", {**form, "secret": SECRET, "name": "Ann Ö"})
    assert dict(reply.headers)["location"] == f"{BASE}/issues/{ISSUE.key}"
    assert "Ann Ö" in said(browser.get("/"))
    out = browser.post("/logout", {"token": browser.token()})
    assert (out.status, browser.cookies["govern_session"]) == (303, "")
    assert browser.get("/").status == 303


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("Ann", "Ann"),
        ("", "page"),
        ("Monitor ", "Monitor (a person)"),
        ("a\u202eb\r\n", "ab"),
        ("x" * 99, "x" * 60),
    ],
)
def test_nobody_is_taken_for_the_monitor_by_their_name(given: str, known: str) -> None:
    assert Session.begin(given, NOW).name == known


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/login", "/static/page.css", "/check"]
)
def test_nobody_is_sent_anywhere_but_to_a_page_of_ours(page: Dashboard, path: str) -> None:
    browser = Browser(page, cookies={"govern_after": path})
    form = read(browser.get("/login", query="next=//evil.example")).forms[f"{BASE}/login"]
    reply = browser.post("/login", {**form, "secret": SECRET, "next": "//evil.example"})
    assert dict(reply.headers)["location"] == f"{BASE}/"


def test_the_session_is_for_the_page_alone_and_tells_no_secret(
    page: Dashboard, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    def log_in(secret: str, **facts: Any) -> Reply:
        browser = Browser(page)
        form = read(browser.get("/login")).forms[f"{BASE}/login"]
        request = Request.below(
            f"{BASE}/login",
            prefix=BASE,
            method="POST",
            headers={
                "host": "localhost",
                "content-type": "application/x-www-form-urlencoded",
                "cookie": f"govern_form={browser.cookies['govern_form']}",
            },
            body=f"token={form['token']}&secret={secret}".encode(),
            **facts,
        )
        return page.answer(request)

    plain, encrypted = log_in(SECRET), log_in(SECRET, is_encrypted=True)
    for reply, is_secure in ((plain, False), (encrypted, True)):
        [cookie] = [value for name, value in reply.headers if name == "set-cookie" and "session" in value]
        facts = [fact.strip() for fact in cookie.split(";")[1:]]
        assert {f"Path={BASE}", "HttpOnly", "SameSite=Strict", "Max-Age=43200"} <= set(facts)
        assert ("Secure" in facts) is is_secure
        assert SECRET not in str(reply.headers) + reply.body.decode()
    assert log_in("guessed-wrongly").status == 401
    told = caplog.text + capsys.readouterr().out
    assert "page_login_failed" in told
    assert SECRET not in told
    assert "guessed-wrongly" not in told


def test_a_session_ends_after_twelve_hours_in_every_process(settings: Settings, url: DatabaseUrl) -> None:
    now = [NOW]
    pages = [
        Dashboard(MonitorApi(settings, url, access=bearer(SECRET)), now=lambda: now[0]) for _ in range(2)
    ]
    browser = Browser(pages[0]).log_in()
    browser.page = pages[1]
    assert browser.get("/").status == 200
    now[0] += LASTS - timedelta(seconds=1)
    assert browser.get("/").status == 200
    now[0] += timedelta(seconds=1)
    assert browser.get("/").status == 303
    for page in pages:
        close(page.api, page)


def test_so_many_may_guess_wrongly_in_a_minute(page: Dashboard) -> None:
    browser = Browser(page)
    form = read(browser.get("/login")).forms[f"{BASE}/login"]
    statuses = [browser.post("/login", {**form, "secret": f"guess {number}"}).status for number in range(21)]
    assert statuses == [401] * 20 + [429]


def test_so_many_changes_may_be_asked_for_in_a_minute(alice: Browser, active: None) -> None:
    form = {"token": alice.token()}
    assert [alice.post("/stop", form).status for _ in range(11)] == [303] * 10 + [429]


def test_what_is_asked_is_written_down_with_who_asked(
    alice: Browser, notebook: Notebook, active: None
) -> None:
    assert dict(alice.post("/check", {"token": alice.token()}).headers)["location"] == f"{BASE}/"
    [request] = notebook.read().requests
    assert (request.kind, request.actor) == ("check", "alice")
    assert "A look was asked for" in said(alice.get("/"))
    alice.post("/stop", {"token": alice.token()})
    assert (notebook.read().wanted.state, notebook.read().wanted.by) == ("stopped", "alice")


def test_a_fix_is_asked_for_as_it_was_seen(alice: Browser, notebook: Notebook, active: None) -> None:
    path = f"/issues/{ISSUE.key}/fix"
    form: Mapping[str, str] = read(alice.get(path)).forms[BASE + path]
    notebook.write(issues=(replace(ISSUE, sql=("CREATE INDEX another",)),))
    alice.page.api.forget()
    reply = alice.post(path, form)
    assert (reply.status, "something else by now" in said(reply)) == (422, True)
    assert notebook.read().requests == ()
    done = alice.post(path, read(reply).forms[BASE + path])
    [request] = notebook.read().requests
    assert (request.kind, request.issue, request.actor) == ("fix", ISSUE.key, "alice")
    assert dict(done.headers)["location"] == f"{BASE}/history/{request.id}"
