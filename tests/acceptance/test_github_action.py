"""The steps of the GitHub action, run for real; a server on this machine stands in for the API of comments."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.program import Project
from tests.acceptance.test_pull_request import commit
from tests.fixtures.formats import read_log, read_sarif

ACTION = Path(__file__).parents[2] / "ci" / "github" / "action.yml"
TOKEN = "ghs_secret-of-this-test"
MARK = "<!-- govern-comment: govern -->"
QUOTED = f"{MARK}\nThis is what the bot said, and I disagree."
PERSON = {"login": "ada", "type": "User"}
BOT = {"login": "github-actions[bot]", "type": "Bot"}


class Comments(ThreadingHTTPServer):
    """Of pull request 7 of ``acme/shop``: those of others, then govern's."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments: list[dict[str, Any]] = [
            {"id": number, "body": f"see {MARK} below", "user": PERSON} for number in range(1, 130)
        ]
        self.comments.append({"id": 130, "body": QUOTED, "user": PERSON})
        self.writer = BOT
        self.asked: list[tuple[str, str]] = []
        self.refuses = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def ours(self) -> list[str]:
        return [one["body"] for one in self.comments if one["user"] == self.writer]


class _Handler(BaseHTTPRequestHandler):
    server: Comments

    def do_GET(self) -> None:
        if self.path == "/user":  # which no app is told
            is_person = self.server.writer["type"] == "User"
            self._answer(*((200, self.server.writer) if is_person else (403, {})))
            return
        page = int(re.search(r"[?&]page=(\d+)", self.path)[1])  # type: ignore[index]  # else the test fails
        self._answer(200, self.server.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        made = {
            "id": 1000 + len(self.server.comments),
            "body": self._read()["body"],
            "user": self.server.writer,
        }
        self.server.comments.append(made)
        self._answer(201, made)

    def do_PATCH(self) -> None:
        id_ = int(self.path.rpartition("/")[2])
        [comment] = [one for one in self.server.comments if one["id"] == id_]
        comment["body"] = self._read()["body"]
        self._answer(200, comment)

    def _read(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, content: object) -> None:
        self.server.asked.append((self.command, self.path.partition("?")[0]))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status, content = 401, {}
        elif self.server.refuses:
            status, content = 403, {}
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def comments() -> Iterator[Comments]:
    with Comments() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Runner:
    """What GitHub's runner does with a composite action, as far as this one asks for it."""

    def __init__(self, project: Project, folder: Path, api: str) -> None:
        self.project = project
        self.action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
        self.output, self.summary, event = (folder / name for name in ("output", "summary", "event.json"))
        event.write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
        self.variables = {
            **project.variables,
            "PATH": f"{Path(sys.executable).parent}:{project.variables['PATH']}",
            "RUNNER_TEMP": str(folder),
            "GITHUB_ACTION_PATH": str(ACTION.parent),
            "GITHUB_API_URL": api,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        self.output.touch()
        self.context = {
            "github.base_ref": "main",
            "github.token": TOKEN,
            "github.workspace": str(project.root),
        }
        self.inputs = {name: self.evaluate(one["default"]) for name, one in self.action["inputs"].items()}
        self.inputs |= {"against-ref": "main", "install": ""}

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        [step] = [step for step in self.action["runs"]["steps"] if step["name"] == name]
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.project.root / self.evaluate(step.get("working-directory", ".")),
            env=self.variables | self._environment(step),
            capture_output=True,
            text=True,
            check=False,
        )

    def evaluate(self, text: str) -> str:
        """``${{ inputs.install }}`` and its like; an unknown one is a KeyError."""
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: self._look_up(found[1]), text)

    def _environment(self, step: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.evaluate(text) for name, text in step.get("env", {}).items()}

    def _look_up(self, name: str) -> str:
        family, _, rest = name.partition(".")
        if family == "inputs":
            return self.inputs[rest]
        if name.startswith("steps.review.outputs."):
            return self.outputs[rest.rpartition(".")[2]]
        return self.context[name]

    @property
    def outputs(self) -> dict[str, str]:
        lines = self.output.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_the_steps_tell_a_pull_request_in_one_comment(
    governed: Project, comments: Comments, tmp_path: Path
) -> None:
    commit(governed)
    governed.edit("app/models.py", "class Note", "class Unwritten(Base):\n    __tablename__ = 'u'\n"
                  "    id = Column(Integer, primary_key=True)\n\n\nclass Note")  # fmt: skip
    (tmp_path / "runner").mkdir()
    runner = Runner(governed, tmp_path / "runner", comments.address)
    assert runner.run("Install").returncode == 0
    reviewed = runner.run("Review")
    assert (reviewed.returncode, runner.outputs["exit-code"]) == (0, "1"), reviewed

    told = runner.run("Tell")
    assert told.returncode == 0, told
    commands, _ = read_log(told.stdout)
    assert "drift.table-removed: table u" in [one.properties["title"] for one in commands]
    written = Path(runner.outputs["folder"])
    assert read_sarif((written / "govern.sarif").read_text(encoding="utf-8"))["results"]
    comment = (written / "comment.md").read_text(encoding="utf-8")
    assert runner.summary.read_text(encoding="utf-8") == comment

    first = runner.run("Comment")
    assert (first.returncode, first.stdout) == (0, "comment 1130 was made\n"), first
    assert comments.ours == [f"{MARK}\n{comment}"]
    (written / "comment.md").write_text("another", encoding="utf-8")
    second = runner.run("Comment")
    assert (second.stdout, comments.ours) == ("comment 1130 was updated\n", [f"{MARK}\nanother"])
    assert [method for method, _ in comments.asked] == [
        *("GET", "GET", "GET", "POST"),
        *("GET", "GET", "GET", "PATCH"),
    ]
    assert QUOTED in [one["body"] for one in comments.comments]  # a person's

    comments.writer = {"login": "deployer", "type": "User"}  # a token of its own instead of the workflow's
    third, fourth = runner.run("Comment"), runner.run("Comment")
    assert (third.stdout, fourth.stdout) == ("comment 1131 was made\n", "comment 1131 was updated\n")
    assert comments.ours == [f"{MARK}\nanother"]

    comments.refuses = True  # as where the request comes from a fork
    refused = runner.run("Comment")
    assert (refused.returncode, "the API answered 403" in refused.stdout) == (0, True)
    assert TOKEN not in first.stdout + first.stderr + refused.stdout + refused.stderr
    assert runner.run("Decide").returncode == 1


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_a_review_that_could_not_be_done_is_told_too(governed: Project, tmp_path: Path) -> None:
    """No repository: a mistake of the workflow, and its comment says what to do."""
    (tmp_path / "runner").mkdir()
    runner = Runner(governed, tmp_path / "runner", "http://127.0.0.1:9")
    assert runner.run("Review").returncode == 0
    assert runner.outputs["exit-code"] == "2"
    told = runner.run("Tell")
    assert told.returncode == 0, told
    assert "the project is in no git repository" in runner.summary.read_text(encoding="utf-8")
    unheard = runner.run("Comment")
    assert (unheard.returncode, "does not answer" in unheard.stdout) == (0, True)
    assert runner.run("Decide").returncode == 2
