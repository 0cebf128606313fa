"""What a view reads, as far as its definition tells: the tables and views that its text names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from govern.core.restoration import Place
from govern.core.snapshot import ObjectKey, Snapshot

_WORD = re.compile(
    r"""'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+|[^\s\w]""", re.DOTALL
)
_INTRODUCES = frozenset({"from", "join"})
_ENDS_A_LIST = frozenset({"where", "group", "order", "on", "select", "union"})
_QUOTES = {'"': '"', "`": "`", "[": "]"}


def find_view_sources(
    snapshot: Snapshot, kind: str, view: Place, relations: Collection[Place]
) -> tuple[Place, ...]:
    """Those of ``relations`` that the view's definition names, sorted.

    A name with a namespace is one wherever it stands, as PostgreSQL writes all of them; one without, as in SQLite,
    where a relation has to stand: after FROM or JOIN, or in the list that follows.
    """
    known = {_fold(place): place for place in relations}
    definition = str(snapshot.objects[ObjectKey(kind, *view)].get("definition", ""))
    named = {known[name] for name in _read_names(definition, view[0]) if name in known}
    return tuple(sorted(named - {view}))


def _read_names(definition: str, namespace: str) -> Iterator[Place]:
    words = [word for word in _WORD.findall(definition) if not word.startswith(("--", "/*", "'"))]
    is_expected = is_list = False
    for at, word in enumerate(words):
        if word.lower() in _INTRODUCES:
            is_expected = is_list = True
        elif _is_name(word):
            if words[at + 1 : at + 2] == ["."] and at + 2 < len(words):
                yield _plain(word).lower(), _plain(words[at + 2]).lower()
            elif is_expected:
                yield namespace.lower(), _plain(word).lower()
            is_list = is_list and word.lower() not in _ENDS_A_LIST
            is_expected = False
        elif word == "," and is_list:
            is_expected = True


def _is_name(word: str) -> bool:
    return word[0] in _QUOTES or word[0].isalpha() or word[0] == "_"


def _plain(word: str) -> str:
    closing = _QUOTES.get(word[0])
    return word[1:-1].replace(closing * 2, closing) if closing else word


def _fold(place: Place) -> Place:
    return place[0].lower(), place[1].lower()
