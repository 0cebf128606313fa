"""What the pages say: each state in its own words, every value escaped, and nothing that a stranger may not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from govern.actions.notebook import Notebook, make_event
from govern.config import Settings
from govern.core.finding import Severity
from govern.core.monitoring import CheckStatus, EventKind, MonitorStatus
from govern.database.url import DatabaseUrl
from govern.web.dashboard import Dashboard
from govern.web.dashboard.history import KINDS, PAGE
from govern.web.dashboard.rendering import environment
from govern.web.monitor import Access, MonitorApi
from tests.fixtures.backups import manifest_of, write_backup
from tests.unit.core.test_fixing import ISSUE
from tests.unit.web.browsing import BASE, Browser, Document, read, said, text_of
from tests.unit.web.conftest import FIXED, NOW, STATUS, make_project

HOSTILE = (
    """<script>alert("'&")</script></script></title></pre></svg>"><img src=x onerror=alert(1)>"""
    """' onmouseover='alert(1)' {{ 7*7 }} {% raw %} javascript:alert(1) --><!-- &lt;b&gt; %3Cscript%3E"""
)
HEALTHY = replace(
    STATUS, health="healthy", checks=(CheckStatus(name="drift", status="passed", findings=0, seconds=1.0),)
)


@pytest.fixture
def alice(page: Dashboard) -> Browser:
    return Browser(page).log_in()


def look(browser: Browser, path: str = "/") -> str:
    browser.page.api.forget()
    return said(browser.get(path))


def test_with_nothing_wrong_the_page_is_calm(alice: Browser, notebook: Notebook, active: None) -> None:
    notebook.write(status=HEALTHY, issues=(replace(ISSUE, state="resolved"),))
    told = look(alice)
    assert "Healthy. Looked 2 min ago; the next look in 3 min." in told
    assert "Nothing that a look could find." in told
    assert "Critical" not in told


def test_what_is_wrong_is_said_with_what_should_be_and_what_would_be_done(
    alice: Browser, active: None
) -> None:
    told = look(alice)
    assert "Critical: 1 issue." in told
    assert "Critical an index is missing since 3 h ago" in told
    assert "Is No index Should be Index on email Table users" in told
    assert "Its repair, proven on a copy CREATE INDEX …;" in told
    assert "Running as watch-1:4123" in told
    assert "drift found 1 1.0 s" in told
    assert "Fixed index public.users.ix_users_email, for alice" in told


STATES: dict[str, tuple[Callable[[Notebook], Any], bool, tuple[str, ...]]] = {
    "absent": (
        lambda _: None,
        False,
        ("Nobody is looking.", "govern monitor run", "The last look, 2 min ago"),
    ),
    "never": (
        lambda notes: forget(notes),
        False,
        ("Nobody has looked yet.", "govern monitor run", "Not known before somebody has looked"),
    ),
    "first": (lambda notes: forget(notes), True, ("The first look is under way.", "There was none yet.")),
    "stopped": (
        lambda notes: notes.want("stopped", "carol"),
        True,
        ("The monitor is stopped.", "carol stopped it", "waits until it is started"),
    ),
    "breaker": (
        lambda notes: notes.write(status=replace(STATUS, is_broken=True)),
        True,
        ("A person is needed.", "none is tried any more", "Breaker open"),
    ),
    "overdue": (
        lambda notes: notes.write(status=replace(STATUS, next_check=NOW - timedelta(minutes=7))),
        True,
        ("The next look is overdue.", "due 7 min ago"),
    ),
    "hindered": (
        lambda notes: notes.write(status=replace(STATUS, trouble="drift: it did not end")),
        True,
        ("Hindered: drift: it did not end",),
    ),
    "degraded": (
        lambda notes: notes.write(
            status=replace(STATUS, health="degraded"), issues=(replace(ISSUE, severity=Severity.ERROR),)
        ),
        True,
        ("Degraded: 1 issue.", "Medium 1"),
    ),
    "advice": (
        lambda notes: notes.write(status=HEALTHY, issues=(replace(ISSUE, severity=Severity.INFO),)),
        True,
        ("Healthy.", "Advice 1"),
    ),
}


def forget(notes: Notebook) -> None:
    """As before the first look of all."""
    from govern.database.monitoring import open_record

    with open_record(notes._url, read_only=False) as record:
        record.write({"status": None, f"issue/{ISSUE.key}": None}, most_events=1)


@pytest.mark.parametrize("name", STATES)
def test_each_state_has_its_own_words(
    alice: Browser, notebook: Notebook, request: pytest.FixtureRequest, name: str
) -> None:
    change, is_alive, words = STATES[name]
    change(notebook)
    if is_alive:
        request.getfixturevalue("active")
    told = look(alice)
    for word in words:
        assert word in told
    others = {
        words[0] for other, (_, _, words) in STATES.items() if other not in (name, "hindered", "advice")
    }
    assert not [other for other in others - set(words) if other in told]


def test_each_state_has_the_buttons_that_make_sense(alice: Browser, notebook: Notebook, active: None) -> None:
    def buttons() -> set[str]:
        alice.page.api.forget()
        forms = read(alice.get("/")).forms
        return {action.removeprefix(f"{BASE}/") for action in forms} - {"logout"}

    assert buttons() == {"check", "stop"}
    notebook.write(status=replace(STATUS, is_broken=True))
    assert buttons() == {"check", "start", "stop"}
    notebook.want("stopped", "carol")
    assert buttons() == {"start"}


def test_while_the_database_is_away_the_page_shows_what_is_remembered(
    alice: Browser, notebook: Notebook, url: DatabaseUrl
) -> None:
    notebook.write_file(STATUS, notebook.read().open_issues)
    url.path.unlink()
    told = look(alice)
    assert "The database does not answer." in told
    assert "it shows what the monitor of this machine wrote down" in told
    assert "an index is missing" in told
    assert str(url.path.parent) not in told
    assert "an index is missing" in look(alice, f"/issues/{ISSUE.key}")
    assert not set(read(alice.get("/")).forms) & {f"{BASE}/check", f"{BASE}/start"}
    history = alice.get("/history")
    assert (history.status, "does not answer" in said(history)) == (503, True)


def test_while_it_is_away_and_nothing_is_remembered_the_page_says_so(
    alice: Browser, url: DatabaseUrl
) -> None:
    url.path.unlink()
    assert "nothing was written down on this machine" in look(alice)


def test_an_issue_has_its_evidence_and_its_rule(alice: Browser, notebook: Notebook, active: None) -> None:
    orphans = replace(
        ISSUE,
        rule="integrity.orphan",
        evidence={"rows": 1214, "keys": ["id=5", "id=6"], "query": "SELECT 1", "sampled_percent": None},
    )
    notebook.write(issues=(orphans,))
    told = look(alice, f"/issues/{ISSUE.key}")
    assert "Rows 1,214".lower() in told.lower()
    assert "Some of them id=5 id=6 To see more of them SELECT 1;" in told
    assert "Joins lose these rows" in told
    assert "sampled" not in told
    changed = replace(ISSUE, evidence={"declared": {"type": "integer"}, "live": {"type": "text"}})
    notebook.write(issues=(changed,))
    assert "type integer text" in look(alice, f"/issues/{ISSUE.key}")


def test_an_issue_that_is_gone_is_shown_as_gone(alice: Browser, notebook: Notebook, active: None) -> None:
    notebook.write(issues=(replace(ISSUE, state="resolved"),))
    told = look(alice, f"/issues/{ISSUE.key}")
    assert "Gone:" in told
    assert "The fix" not in told
    assert "it is gone already" in look(alice, f"/issues/{ISSUE.key}/fix")


def test_a_fix_that_touches_no_rows_needs_no_word(alice: Browser, active: None) -> None:
    told = look(alice, f"/issues/{ISSUE.key}/fix")
    assert "No row is touched. A verified backup is taken before." in told
    assert "Type" not in told


def test_what_cannot_be_fixed_from_here_has_no_button(
    alice: Browser, notebook: Notebook, active: None
) -> None:
    notebook.write(issues=(replace(ISSUE, loses_data=True),))
    told = look(alice, f"/issues/{ISSUE.key}/fix")
    assert "Not from here: its repair could lose data" in told
    assert set(read(alice.get(f"/issues/{ISSUE.key}/fix")).forms) == {f"{BASE}/logout"}


def test_the_history_goes_back_page_by_page_and_kind_by_kind(alice: Browser, notebook: Notebook) -> None:
    kinds: tuple[EventKind, ...] = ("check", "paged")
    events = [
        make_event(kinds[number % 2], f"person {number}", at=NOW - timedelta(minutes=number), detail="x")
        for number in range(2 * PAGE + 10)
    ]
    notebook.write(events=tuple(reversed(events)))
    seen: list[str] = []
    query = "kind=orders"
    while query:
        reply = alice.get("/history", query)
        seen += re.findall(r"person (\d+) asked", said(reply))
        older = [value for _, name, value in read(reply).attributes if name == "href" and "before=" in value]
        query = older[0].partition("?")[2] if older else ""
    assert seen == [str(number) for number in range(0, 2 * PAGE + 10, 2)]
    assert "person" not in said(alice.get("/history", "kind=fixes"))
    assert "Fixed" in said(alice.get("/history", "kind=fixes"))
    assert alice.get("/history", "kind=nonsense&before=gone").status == 200


@pytest.mark.parametrize("kind", [kind for kinds in KINDS.values() for kind in kinds])
def test_every_kind_of_event_has_its_sentence(alice: Browser, notebook: Notebook, kind: EventKind) -> None:
    event = make_event(kind, "bob", issue=ISSUE, at=NOW, run="run-1", detail="why it was so")
    notebook.write(events=(event,))
    told = look(alice, f"/history/{event.id}")
    assert "bob" in told
    assert f"Event {event.id}" in told
    assert f'<strong class="word">{kind}</strong>' not in text_of(alice.get("/"))


def test_what_was_asked_for_is_followed_until_it_has_ended(
    alice: Browser, notebook: Notebook, active: None
) -> None:
    request = notebook.ask("fix", "alice", issue=ISSUE)
    path = f"/history/{request.id}"
    waiting = alice.get(path)
    assert "Waiting: alice asked to have index public.users.ix_users_email fixed" in said(waiting)
    assert "every 2s" in text_of(waiting)
    begun = make_event("fixing", "alice", issue=ISSUE, at=request.at)
    notebook.write(events=(begun,))
    assert "At work:" in look(alice, path)
    notebook.write(events=(make_event("fixed", "alice", issue=ISSUE, attempt=begun.id),), done=(request,))
    assert "Done:" in look(alice, path)
    assert "every 2s" not in text_of(alice.get(path))


def test_a_request_that_was_refused_says_why(alice: Browser, notebook: Notebook, active: None) -> None:
    request = notebook.ask("fix", "alice", issue=ISSUE)
    refused = make_event("fix-failed", "alice", issue=ISSUE, detail="it is gone already")
    notebook.write(events=(refused,), done=(request,))
    told = look(alice, f"/history/{request.id}")
    assert "Failed: alice asked to have index public.users.ix_users_email fixed it is gone already" in told


def fill(notebook: Notebook, text: str) -> None:
    """Everything that people, files and servers can name has this text."""
    hurt = replace(
        ISSUE,
        subject=f"index {text}",
        table=text,
        column=text,
        current_state=text,
        expected_state=text,
        message=text,
        remedy=text,
        sql=(text,),
        issue_type=text,
        rule=text,
        check=text,
        kind=text,
        evidence={
            "declared": {text: text, "b": [text], "c": {text: text}},
            "live": {text: f"{text} too", "b": [f"{text} too"]},
            text: text,
            "keys": [text],
            "query": text,
        },
    )
    status = MonitorStatus(
        instance=text,
        health="critical",
        trouble=text,
        last_check=NOW,
        next_check=NOW,
        checks=(CheckStatus(name=text, status="crashed", findings=1, seconds=1, reason=text),),
    )
    event = make_event(
        "fixed", text, issue=hurt, at=NOW, run=text, backup=text, detail=text, attempt="20310506T110000Z-0"
    )
    failed = make_event("fix-failed", text, issue=hurt, at=NOW, run=text, detail=text)
    others = [
        make_event(kind, text, issue=hurt, at=NOW, detail=text) for kind in KINDS["calls"] + KINDS["orders"]
    ]
    again = replace(hurt, key="a11111111111", rule="drift.index-changed")
    notebook.write(status=status, issues=(hurt, again), events=(replace(event, id=FIXED), failed, *others))
    notebook.want("stopped", text)
    notebook.write_file(status, (hurt, again))


def render_pages(folder: Path, text: str, *, access: Access | None) -> dict[str, str]:
    """Each page of the table, with this text wherever a text can come from elsewhere."""
    settings = make_project(folder)
    url = DatabaseUrl.parse(settings.url or "")
    fill(Notebook(settings, url), text)
    api = MonitorApi(settings, url, access=access)
    page = Dashboard(api, now=lambda: NOW)
    browser = Browser(page, headers={"host": "localhost", "x-user": text})
    query = f"kind={text}&before={text}&table={text}&from={text}"
    paths = [
        route.path.format(key=ISSUE.key, id=FIXED)
        for route in page.routes
        if route.method == "GET" and route.path != "/static/{name}"
    ]
    rendered = {path: text_of(browser.get(path, query)) for path in (*paths, "/nothing")}
    page.close()
    url.path.unlink()
    api.forget()
    rendered["away"] = text_of(browser.get("/"))
    api.close()
    return rendered


@pytest.mark.parametrize("is_open", [False, True], ids=["for insiders", "for everybody"])
def test_a_text_from_elsewhere_stays_a_text_on_every_page(tmp_path: Path, is_open: bool) -> None:
    """A page with hostile texts has the very elements and attributes of the page with a harmless one."""
    access = None if is_open else Access(lambda request: request.headers["x-user"])
    plain = render_pages(tmp_path / "plain", "harmless", access=access)
    hostile = render_pages(tmp_path / "hostile", HOSTILE, access=access)
    assert plain.keys() == hostile.keys()
    showing = set()
    for path, text in hostile.items():
        document = Document(text)
        assert document.structure == Document(plain[path]).structure, path
        for _, name, value in document.attributes:
            if name in ("href", "src", "action", "hx-get", "hx-post"):
                assert value == "" or value.startswith((f"{BASE}/", "#", "data:,")), (path, value)
        showing |= {path} if "onmouseover" in document.said else set()
    issue, event = f"/issues/{ISSUE.key}", f"/history/{FIXED}"
    insiders = {f"{issue}/fix", "/history", event, f"{event}/rollback", "/drift"}
    assert showing >= {"/", "away", issue} | (set() if is_open else insiders)


def test_a_session_says_a_hostile_name_harmlessly(page: Dashboard, active: None) -> None:
    browser = Browser(page).log_in(HOSTILE)
    structure = read(browser.get("/")).structure
    assert structure == read(Browser(page).log_in("alice").get("/")).structure


FORBIDDEN: dict[str, str] = {
    r"\|\s*safe\b": "{{ name|safe }}",
    r"\bMarkup\b": "{{ Markup(name) }}",
    r"autoescape": "{% autoescape false %}",
    r"<style\b": "<style>p { color: red }</style>",
    r"\sstyle\s*=": '<p style="color: red">',
    r"\son[a-z]+\s*=": '<p onclick="x()">',
    r"hx-on|hx-vals|hx-vars|data-hx": '<p hx-on:click="x()">',
    r"javascript:": '<a href="javascript:x()">',
    r"<script(?![^>]*\ssrc=)[^>]*>": "<script>x()</script>",
    r"<(iframe|object|embed|base)\b": "<iframe src=x>",
    r"<[a-z][^<>{]*=\{\{": "<p id={{ name }}>",
    r"(href|src|action)=\"\{\{(?! (base|where) )": '<a href="{{ name }}">',
    r"https?://": '<a href="https://example.org">',
}


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_no_template_has_what_could_let_a_script_in(pattern: str) -> None:
    assert re.search(pattern, FORBIDDEN[pattern]), "the pattern finds nothing at all"
    made = environment()
    for name in made.list_templates():
        source, _, _ = made.loader.get_source(made, name)  # type: ignore[union-attr]
        assert not re.search(pattern, source), name


def test_templates_escape_and_refuse_names_that_they_do_not_get() -> None:
    import jinja2

    made = environment()
    assert made.autoescape is True
    assert made.from_string("{{ name }}").render(name="<b>") == "&lt;b&gt;"
    with pytest.raises(jinja2.UndefinedError):
        made.from_string("{{ nobody }}").render()


def test_a_rollback_is_followed_by_its_run_whatever_the_clocks_say(
    alice: Browser, notebook: Notebook, active: None
) -> None:
    """The monitor's machine has another clock than the server's: what was written later counts as later."""
    run, long_ago = "20310506T114501Z-11111111", NOW - timedelta(days=900)
    request = notebook.ask("rollback", "alice", run=run)
    path = f"/history/{request.id}"
    assert "Waiting:" in look(alice, path)
    notebook.write(events=(make_event("rolling-back", "alice", at=long_ago, run=run),))
    assert "At work:" in look(alice, path)
    back = make_event("rolled-back", "alice", at=long_ago, run=run, detail="by another run")
    notebook.write(events=(back,), done=(request,))
    assert "Done:" in look(alice, path)
    assert "It was rolled back since." in look(alice, f"/history/{FIXED}")


def test_a_fix_can_be_rolled_back_from_its_event(alice: Browser, active: None) -> None:
    reply = alice.get(f"/history/{FIXED}")
    links = [value for _, name, value in read(reply).attributes if name == "href"]
    assert f"{BASE}/history/{FIXED}/rollback" in links


def test_the_last_backup_is_said_with_what_it_is_worth(alice: Browser, settings: Settings) -> None:
    assert "None on this machine. govern backup create" in look(alice)
    write_backup(settings, manifest_of(NOW - timedelta(hours=2), is_verified=True))
    alice.page.backups.forget()
    assert "Made 2 h ago, proven by a restore" in look(alice)


def test_what_was_asked_for_and_not_begun_is_on_the_first_page(
    alice: Browser, notebook: Notebook, active: None
) -> None:
    assert "Asked for" not in look(alice)
    notebook.ask("fix", "bob", issue=ISSUE)
    assert "Asked for by bob" in look(alice)


def test_a_database_that_stays_away_is_logged_once(
    alice: Browser, url: DatabaseUrl, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page asks every few seconds."""
    url.path.unlink()
    for _ in range(3):
        look(alice)
    assert (caplog.text + capsys.readouterr().out).count("monitor_record_unread") == 1
