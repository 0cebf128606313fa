"""Writes a file as the comment of a pull request, or in the place of the one that was written before.

Asks nothing but the environment of a GitHub workflow and Python's own library. The comment is known again by its first
line and its author: one in which a person quotes that line is left alone. Where it cannot be written, as from a fork, a
warning says so: what decides is the exit code of the check.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SECONDS = 30
_PAGE = 100


def main(file: Path) -> None:
    number = read_pull_request(Path(os.environ["GITHUB_EVENT_PATH"]))
    if number is None:
        print("no pull request: no comment")
        return
    id_ = re.sub(r"[^a-zA-Z0-9_.]+", "-", os.environ.get("GOVERN_COMMENT_ID") or "govern")
    mark = f"<!-- govern-comment: {id_.strip('-')} -->"
    try:
        print(write_comment(number, f"{mark}\n{file.read_text(encoding='utf-8')}", mark))
    except urllib.error.HTTPError as error:
        print(f"::warning title=no comment::the API answered {error.code} {error.reason}; the summary has it")
    except OSError as error:
        print(
            f"::warning title=no comment::the API does not answer: {type(error).__name__}; the summary has it"
        )


def read_pull_request(event: Path) -> int | None:
    """The number of the pull request that the workflow runs for."""
    told = json.loads(event.read_text(encoding="utf-8"))
    number = (told.get("pull_request") or {}).get("number")
    return int(number) if number is not None else None


def write_comment(number: int, body: str, mark: str) -> str:
    """Updates the writer's own comment that begins with ``mark``, else makes one; says which."""
    comments = f"issues/{number}/comments"
    marked = [one for one in list_comments(comments) if str(one.get("body", "")).startswith(mark)]
    writer = find_writer() if marked else None
    for comment in marked:
        if is_by(comment, writer):
            ask("PATCH", f"issues/comments/{comment['id']}", {"body": body})
            return f"comment {comment['id']} was updated"
    return f"comment {ask('POST', comments, {'body': body})['id']} was made"


def find_writer() -> str | None:
    """The login of the token's owner; None for the token of a workflow or another app, which is told no name."""
    try:
        login = ask("GET", "user", of_repository=False).get("login")
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403, 404):
            raise
        return None
    return str(login) if login else None


def is_by(comment: dict[str, Any], writer: str | None) -> bool:
    """Whether ``writer`` wrote it; an app where that is not known."""
    author = comment.get("user") or {}  # none where the account was deleted
    return author.get("type") == "Bot" if writer is None else author.get("login") == writer


def list_comments(path: str) -> Iterator[Any]:
    page = 1
    while found := ask("GET", f"{path}?per_page={_PAGE}&page={page}"):
        yield from found
        if len(found) < _PAGE:
            return
        page += 1


def ask(method: str, path: str, content: dict[str, str] | None = None, *, of_repository: bool = True) -> Any:
    """What the API answers, of this repository or of all. Raises OSError, HTTPError among them."""
    where = f"repos/{os.environ['GITHUB_REPOSITORY']}/{path}" if of_repository else path
    request = urllib.request.Request(  # the runner says where the API is
        f"{os.environ['GITHUB_API_URL']}/{where}",
        data=None if content is None else json.dumps(content).encode(),
        headers={"Accept": "application/vnd.github+json", "Content-Type": "application/json"},
        method=method,
    )
    request.add_unredirected_header("Authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
