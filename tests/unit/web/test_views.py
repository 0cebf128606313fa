"""The pages of the schema, its drift and the backups: what they say, in which state, and to whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from govern.actions.notebook import Notebook
from govern.api.backups import backup_create
from govern.config import Settings
from govern.core.finding import Severity
from govern.core.issue import Issue
from govern.core.monitoring import CheckStatus
from govern.core.snapshot import Snapshot
from govern.database.url import DatabaseUrl
from govern.source.lock import render_lock
from govern.web.dashboard import Dashboard
from govern.web.look import SharedLook
from govern.web.monitor import MonitorApi
from tests.unit.core.test_diagram import schema_of
from tests.unit.core.test_fixing import ISSUE
from tests.unit.web.browsing import BASE, Browser, Document, read, said, text_of
from tests.unit.web.conftest import NOW, STATUS

HOSTILE = """<script>alert("'&")</script></svg></table>"><img src=x onerror=alert(1)> javascript:alert(1)"""
KEYED = {"id": "", "pk": "PRIMARY KEY (id)"}
TABLES = {
    "users": {**KEYED, "email": ""},
    "notes": {**KEYED, "user_id": "", "fk": "FOREIGN KEY (user_id) REFERENCES users(id)"},
    "logs": {**KEYED, "note_id": ""},
    "alone": KEYED,
}
MANIFEST = """
critical_tables:
  - name: users
relationships:
  - {from: logs.note_id, to: notes.id}
"""
BACK = "The live schema is as declared."
CHANGED = replace(
    ISSUE,
    key="k1",
    rule="drift.column-changed",
    severity=Severity.CRITICAL,
    kind="column",
    subject="column users.email",
    table="users",
    evidence={"declared": {"type": "varchar(320)"}, "live": {"type": "varchar(80)"}},
    sql=("ALTER TABLE users …",),
    is_proven=True,
)
REMOVED = replace(
    ISSUE,
    key="k2",
    rule="drift.table-removed",
    severity=Severity.ERROR,
    subject="table notes",
    table="notes",
    evidence={"declared": {"strict": False}},
    sql=(),
    remedy="make it again",
)
ADDED = replace(
    REMOVED,
    key="k3",
    rule="drift.index-added",
    subject="index users.by_hand",
    table="users",
    evidence={"live": {"columns": ["email", "id"]}},
)


@pytest.fixture
def alice(page: Dashboard) -> Browser:
    return Browser(page).log_in()


@pytest.fixture
def declare(settings: Settings, page: Dashboard) -> Callable[..., None]:
    """Writes a lock, and the manifest where there is none yet."""

    def write(tables: Any = TABLES, manifest: str = MANIFEST) -> None:
        schema = schema_of(tables, namespace="")
        snapshot = Snapshot(dialect="sqlite", server_version="3", objects=schema.objects)
        settings.lock.parent.mkdir(exist_ok=True)
        settings.lock.write_text(render_lock(snapshot, heads=()), encoding="utf-8")
        path = settings.lock.parent / "governance.yaml"
        path.write_text(manifest, encoding="utf-8")
        page.api.settings = replace(settings, manifest=path)

    return write


def note(notebook: Notebook, browser: Browser, *issues: Issue, **status: Any) -> None:
    """The monitor has seen these, and nothing else."""
    gone = replace(ISSUE, state="resolved")
    notebook.write(issues=(gone, *issues), status=replace(STATUS, **status))
    browser.page.api.forget()


def rows_of(document: Document) -> str:
    return document.said.partition("In words")[2]


def test_critical_tables_are_drawn_with_their_neighbours(
    alice: Browser, declare: Callable[..., None], notebook: Notebook
) -> None:
    declare()
    note(notebook, alice, CHANGED)
    shown = read(alice.get("/schema"))
    assert "As the monitor saw it 2 min ago." in shown.said
    assert "2 tables, those with problems first" in shown.said
    assert "users, critical table: critical, 1 issue" in {
        value for _, name, value in shown.attributes if name == "aria-label"
    }
    assert "notes healthy user_id → users none" in rows_of(shown)
    assert "logs" not in rows_of(shown)


def test_all_tables_are_drawn_where_that_is_asked_for(alice: Browser, declare: Callable[..., None]) -> None:
    declare()
    shown = read(alice.get("/schema", "show=all"))
    assert "4 tables" in shown.said
    assert "note_id → notes implied" in rows_of(shown)


def test_any_table_is_drawn_with_its_neighbours(alice: Browser, declare: Callable[..., None]) -> None:
    declare()
    shown = read(alice.get("/schema", "table=logs"))
    assert "Schema: logs and its neighbours" in shown.said
    assert "2 tables" in shown.said
    assert "Schema: " not in said(alice.get("/schema", "table=nowhere"))


def test_every_table_of_the_picture_leads_to_its_row_and_from_there_to_its_issues(
    alice: Browser, declare: Callable[..., None], notebook: Notebook
) -> None:
    declare()
    note(notebook, alice, CHANGED, REMOVED)
    shown = read(alice.get("/schema", "show=all"))
    anchors = {value for tag, name, value in shown.attributes if (tag, name) == ("tr", "id")}
    targets = {
        value.removeprefix("#")
        for _, name, value in shown.attributes
        if name == "href" and value.startswith("#table-")
    }
    assert len(anchors) == 4
    assert targets == anchors
    assert f"{BASE}/issues/k1" in {value for _, name, value in shown.attributes if name == "href"}
    assert rows_of(shown).index("notes missing") < rows_of(shown).index("users critical table critical")
    assert rows_of(shown).index("users critical table critical") < rows_of(shown).index("alone healthy")


def test_before_a_look_no_table_is_called_healthy(
    alice: Browser, declare: Callable[..., None], notebook: Notebook
) -> None:
    declare()
    note(notebook, alice, checks=())
    shown = read(alice.get("/schema", "show=all"))
    assert rows_of(shown).count("not looked at") == 4


def test_without_a_lock_the_page_says_what_writes_one(alice: Browser) -> None:
    told = said(alice.get("/schema"))
    assert "Schema/schema.lock cannot be read." in told
    assert "govern lock" in told


def test_a_schema_that_is_too_large_for_a_picture_is_told_in_words(
    alice: Browser, declare: Callable[..., None]
) -> None:
    declare({f"t{at:03}": KEYED for at in range(401)}, manifest="{}")
    shown = read(alice.get("/schema"))
    assert "more than 400 tables" in shown.said
    found = read(alice.get("/schema", "show=all&find=T39"))
    assert "10 tables with T39 in their names" in found.said
    assert "t398" in found.said
    assert "t400" not in found.said
    assert "No table here has nowhere in its name." in said(alice.get("/schema", "find=nowhere"))
    assert "t400" in shown.said
    assert "Schema: t007 and its neighbours" in said(alice.get("/schema", "table=t007"))


def test_an_empty_schema_says_so(alice: Browser, declare: Callable[..., None]) -> None:
    declare({}, manifest="{}")
    assert "The declared schema has no tables." in said(alice.get("/schema"))


def test_both_sides_of_a_difference_stand_beside_each_other(alice: Browser, notebook: Notebook) -> None:
    note(notebook, alice, CHANGED, REMOVED, replace(ADDED, repair="tidy-indexes"))
    shown = read(alice.get("/drift"))
    assert "3 differences from the declared schema." in shown.said
    assert "column users.email is otherwise than declared" in shown.said
    assert "type varchar( 320 ) varchar( 80 )" in shown.said
    assert "1 statement brings it back, proven on a copy ALTER TABLE users …;" in shown.said
    assert "table notes is declared, and not there" in shown.said
    assert "strict no nothing" in shown.said
    assert "No statement is known that brings it back. Make it again." in shown.said
    assert "index users.by_hand is there, and not declared" in shown.said
    assert "columns nothing email nothing id" in shown.said
    assert "The declared repair tidy-indexes brings it back." in shown.said
    marked = text_of(alice.get("/drift")).split("<mark>")[1:]
    assert [text.partition("</mark>")[0] for text in marked] == ["320", "80"]


DRIFT: dict[str, tuple[dict[str, Any], str]] = {
    "as declared": ({"checks": (CheckStatus(name="drift", status="passed", findings=0, seconds=1),)}, BACK),
    "not compared": (
        {
            "checks": (
                CheckStatus(name="drift", status="crashed", findings=0, seconds=1, reason="it did not end"),
            )
        },
        "In the last look the schemas were not compared: it did not end.",
    ),
    "never looked": ({"checks": (), "last_check": None}, "Nobody has looked yet."),
}


@pytest.mark.parametrize("state", DRIFT)
def test_where_nothing_differs_the_page_says_whether_that_is_known(
    alice: Browser, notebook: Notebook, state: str
) -> None:
    status, words = DRIFT[state]
    note(notebook, alice, **status)
    told = said(alice.get("/drift"))
    assert words in told
    assert (BACK in told) == (state == "as declared")
    assert ("No difference is known." in told) == (state != "as declared")


def test_many_differences_come_page_by_page(alice: Browser, notebook: Notebook) -> None:
    note(notebook, alice, *(replace(REMOVED, key=f"k{at}", subject=f"table t{at:03}") for at in range(120)))
    shown = [
        said(alice.get("/drift", query)) for query in ("", "from=50", "from=100", "from=9999", "from=-1")
    ]
    assert [told.count("is declared, and not there") for told in shown] == [50, 50, 20, 50, 50]
    assert "51 to 100 of 120" in shown[1]
    assert "The next ones" not in shown[2]


def test_names_and_texts_of_a_database_stay_texts(
    alice: Browser, declare: Callable[..., None], notebook: Notebook
) -> None:
    for word in ("plain", HOSTILE):
        declare({word: {**KEYED, "plain": ""}, "users": KEYED})
        evil = replace(
            CHANGED, table=word, subject=f"table {word}", sql=(word,), evidence={"live": {word: word}}
        )
        note(notebook, alice, evil)
        pages = [read(alice.get(path, query)) for path, query in (("/schema", "show=all"), ("/drift", ""))]
        assert not [
            page
            for page in pages
            if any(tag in ("script", "img") and names != ("defer", "src") for tag, names in page.structure)
        ]
        structures = [page.structure for page in pages]
        if word == "plain":
            expected = structures
    assert structures == expected
    assert all(HOSTILE in page.said or HOSTILE[:28] in page.said for page in pages)


def test_the_list_of_backups_says_what_each_is_worth(alice: Browser, settings: Settings) -> None:
    assert "There is no backup in backups." in said(alice.get("/backups"))
    backup_create(settings)
    alice.page.backups = type(alice.page)(alice.page.api).backups
    told = said(alice.get("/backups"))
    assert "1 in backups." in told
    assert "proven by a restore" in told
    assert "restored into a scratch database and compared, every row of it" in told
    assert "a baseline after it: the backup has no revision" in told
    assert "a time that nobody has measured: govern backup drill 20" in told
    [folder] = (
        path for path in settings.backups.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    assert f"govern restore {folder.name} --plan" in told
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    alice.page.backups = type(alice.page)(alice.page.api).backups
    damaged = said(alice.get("/backups"))
    assert "There is no backup in backups." in damaged
    assert folder.name in damaged


def test_a_folder_of_backups_that_cannot_be_read_says_so(alice: Browser, settings: Settings) -> None:
    settings.backups.write_text("no folder", encoding="utf-8")
    told = said(alice.get("/backups"))
    assert "cannot be read." in told
    assert "There is no backup" not in told


def test_a_folder_of_backups_that_hangs_keeps_no_page_from_coming(alice: Browser) -> None:
    let_go = threading.Event()

    def hang() -> Any:
        let_go.wait(10)

    alice.page.backups = SharedLook(hang, patience_seconds=0.05)
    told = said(alice.get("/backups"))
    assert "The folder backups does not answer." in told
    let_go.set()
    alice.page.backups.close()


@pytest.mark.parametrize("path", ["/schema", "/drift", "/backups"])
def test_without_a_secret_a_page_for_insiders_says_how_to_become_one(
    settings: Settings, url: DatabaseUrl, notebook: Notebook, declare: Callable[..., None], path: str
) -> None:
    declare()
    api = MonitorApi(settings, url)
    told = said(Browser(Dashboard(api, now=lambda: NOW)).get(path))
    assert "is for people who are known here" in told
    assert "GOVERN_MONITOR_TOKEN" in told
    assert "users" not in told
    api.close()


def test_what_is_remembered_while_the_database_is_away_says_of_when_it_is(
    alice: Browser, notebook: Notebook, url: DatabaseUrl, declare: Callable[..., None]
) -> None:
    declare()
    notebook.write_file(STATUS, (CHANGED,))
    url.path.unlink()
    alice.page.api.forget()
    told = said(alice.get("/drift"))
    assert "The database does not answer. This is what is remembered from" in told
    assert "column users.email is otherwise than declared" in told
    assert "users critical table critical" in said(alice.get("/schema"))
