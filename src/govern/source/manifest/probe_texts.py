"""What only the texts of ``probes`` show: names that nothing has, and secrets that stand in the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from govern.core.masking import names_secret
from govern.core.template import find_names, is_malformed
from govern.source.manifest.document import Document, Path_, Problem

_BODIES = ("headers", "query", "json", "form", "oauth2")
_OF_A_TOKEN = ("token", "refresh", "reject", "sessions")
_UNREAD = ("name", "schema")
"""Keys of a step below which double braces mean nothing."""


def check_probe_texts(document: Document) -> Iterator[Problem]:
    """Each undefined name with its place and the nearest that there is; each literal secret with the way out."""
    probes = document.values.get("probes")
    if not isinstance(probes, dict):
        return
    variables, secrets = (_keys(probes.get(key)) for key in ("variables", "secrets"))
    yield from _find_literals(document, ("probes", "variables"), probes.get("variables"), frozenset())
    for index, sequence in enumerate(_items(probes.get("sequences"))):
        captured: set[str] = set()
        for number, step in enumerate(_items(_get(sequence, "steps"))):
            path: Path_ = ("probes", "sequences", index, "steps", number)
            for place, text in _walk(step, path):
                yield from _check_names(document, place, text, variables | secrets | captured)
            yield from _find_secrets(document, path, step, variables)
            yield from _find_too_early(document, path, step, captured)
            captured |= _captured_by(step)


def _check_names(document: Document, place: Path_, text: str, known: set[str]) -> Iterator[Problem]:
    mark = document.locate(place)
    if is_malformed(text):
        yield Problem(mark, f"{_name(place)} has braces that are no reference: it is written as {{{{name}}}}")
    for name in find_names(text):
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = (
                f"did you mean {close[0]!r}?"
                if close
                else f"known here: {', '.join(sorted(known)) or 'none'}"
            )
            yield Problem(mark, f"{_name(place)} names {name!r}, which nothing before it defines; {hint}")


def _find_too_early(document: Document, path: Path_, step: Any, captured: set[str]) -> Iterator[Problem]:
    for kind in _OF_A_TOKEN:
        if _get(step, kind) is not None and "access_token" not in captured:
            message = (
                f"{_name((*path, kind))} needs a token: a log_in before it, or a capture named access_token"
            )
            yield Problem(document.locate_key((*path, kind)), message)


def _find_secrets(document: Document, path: Path_, step: Any, variables: set[str]) -> Iterator[Problem]:
    for kind, content in step.items() if isinstance(step, dict) else ():
        if not isinstance(content, dict):
            continue
        for body in _BODIES:
            yield from _find_literals(document, (*path, kind, body), content.get(body), variables)
        page = content.get("path")
        query = dict(parse_qsl(urlsplit(page).query)) if isinstance(page, str) else {}
        yield from _find_literals(document, (*path, kind, "path"), query, variables)


def _find_literals(
    document: Document, path: Path_, content: Any, variables: set[str] | frozenset[str]
) -> Iterator[Problem]:
    for place, text in _walk(content, path):
        key = str(next((part for part in reversed(place) if isinstance(part, str)), ""))
        names = set(find_names(text))
        if names_secret(key) and text and (not names or names & variables):
            yield Problem(
                document.locate(place),
                f"{_name(place)} is a secret in the file: say where it comes from under probes.secrets, "
                f"as {{password: {{env: PROBE_PASSWORD}}}}, and write '{{{{password}}}}' here",
            )


def _walk(value: Any, path: Path_) -> Iterator[tuple[Path_, str]]:
    """Each text in it, with the way to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _UNREAD or "json" in path or "form" in path:
                yield from _walk(item, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, index))


def _captured_by(step: Any) -> set[str]:
    names: set[str] = set()
    for kind in ("request", "log_in"):
        names |= _keys(_get(_get(step, kind), "capture"))
    log_in = _get(step, "log_in")
    if isinstance(log_in, dict):
        names |= set() if "cookie" in log_in else {"access_token"}
        names |= {"refresh_token"} if "refresh_token" in log_in else set()
    return names


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _keys(value: Any) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()


def _name(place: Path_) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")
