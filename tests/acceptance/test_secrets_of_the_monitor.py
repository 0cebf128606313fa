"""Secrets of the monitor, its API and its page are shown nowhere: no answer, no log, no file, no command line."""

from __future__ import annotations

import contextlib
import os
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from govern.database.url import DatabaseUrl
from govern.web.dashboard import Dashboard
from govern.web.dashboard.routes import ROUTES as PAGES
from govern.web.health import PATHS
from govern.web.monitor.api import ROUTES
from govern.web.monitor.request import PREFIX
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import dump, execute
from tests.acceptance.test_unable import give_to
from tests.fixtures.databases import MakeRole

CANARIES = {
    "password": "Kanarienvogel@7/ü%'\"\\#",
    "GOVERN_MONITOR_TOKEN": "Zeisig-of-the-page-and-its-api",
    "GOVERN_BACKUP_KEY": "Stieglitz-that-signs-what-is-backed-up",
    "HOOK": "http://127.0.0.1:1/Gimpel-of-the-webhook",
}
SINGS = ("Kanarienvogel", "Zeisig", "Stieglitz", "Gimpel")
WRONG = "Kuckuck-that-is-no-secret-of-ours"
MANIFEST = (
    "critical_tables:\n  - {name: users, min_rows: 5}\nmonitor:\n  notify:\n    - {webhook_env: HOOK}\n"
)


@contextlib.contextmanager
def recording_command_lines() -> Iterator[set[str]]:
    """Those of all processes there are meanwhile, but for this one's."""
    seen: set[str] = set()
    end = threading.Event()

    def look() -> None:
        while not end.is_set():
            for folder in Path("/proc").iterdir():
                if folder.name.isdecimal() and int(folder.name) != os.getpid():
                    with contextlib.suppress(OSError):
                        seen.add((folder / "cmdline").read_bytes().decode(errors="replace"))
            end.wait(0.05)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        end.set()
        thread.join()


def ask(url: str, method: str, *, headers: dict[str, str], form: dict[str, str] | None = None) -> str:
    """All that comes back, whatever it is."""
    body = urllib.parse.urlencode(form or {}).encode() if method == "POST" else None
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=30) as answer:
            return f"{answer.headers}\n{answer.read().decode()}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.headers}\n{error.read().decode()}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def ask_everything(base: str) -> list[str]:
    """Every route there is, of nobody, of who guesses, and of who knows the secret."""
    answers = [ask(f"{base}{path}", "GET", headers={}) for path in PATHS]
    token = CANARIES["GOVERN_MONITOR_TOKEN"]
    for given in ("", WRONG, token):
        headers = {"Authorization": f"Bearer {given}"}
        for route in ROUTES:
            path = f"{PREFIX}{route.path.format(key='x', id='x')}"
            answers += [ask(f"{base}{path}", route.method, headers=headers)]
        form = {"secret": given, "name": "somebody", "token": "x"}
        cookie = {"Cookie": f"govern_session={given}; govern_form={'0' * 32}"}
        for page in PAGES:
            path = page.path.format(key="x", id="x", name="page.js")
            answers.append(ask(f"{base}{Dashboard.prefix}{path}", page.method, headers=cookie, form=form))
    return answers


def test_secrets_are_shown_nowhere(
    make_project: MakeProject, make_role: MakeRole, postgresql_database: DatabaseUrl, server_url: DatabaseUrl
) -> None:
    role = make_role("app", CANARIES["password"], createdb=True)
    url = give_to(role, postgresql_database, server_url)
    variables = {name: value for name, value in CANARIES.items() if name.isupper()}
    project = make_project("plain", url, {"schema/governance.yaml": MANIFEST}).with_environment(**variables)
    project.succeed("lock")
    with recording_command_lines() as command_lines:
        said = [project.govern("migrate", "-v"), project.govern("monitor", "run", "--once", "-v")]
        assert "was not told" in said[-1].out + said[-1].err, said[-1]
        process = project.start("serve", "--port", "0", "-v")
        try:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            head = next(line for line in lines if "listening at" in line)
            base = head.partition("listening at ")[2].partition(": ")[0]
            answers = ask_everything(base)
            execute(postgresql_database, f"ALTER ROLE \"{urlsplit(role.text).username}\" PASSWORD 'another'")
            answers += [
                ask(f"{base}{PREFIX}/status", "GET", headers={}),
                ask(f"{base}/health", "GET", headers={}),
            ]
        finally:
            process.terminate()
            out, err = process.communicate(timeout=30)
        said += [project.govern("monitor", "run", "--once", "-v"), project.govern("monitor", "status")]

    texts = [one.out + one.err for one in said] + [head, out, err, *answers, *command_lines]
    texts += [content.decode(errors="replace") for content in project.read_files().values()]
    texts.append(dump(postgresql_database))
    assert len(answers) > 3 * (len(ROUTES) + len(PAGES))
    assert any("monitor" in text for text in command_lines)
    shown = [text[:500] for text in texts if any(bird in text for bird in (*SINGS, WRONG))]
    assert shown == []
