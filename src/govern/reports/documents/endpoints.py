"""What the application answered: one time of asking, or two beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from govern.core.document import Block, Cell, Code, Sentence, Table, Tone
from govern.core.history import Answers
from govern.core.wording import count_of
from govern.reports.documents.wording import say_moment, say_status

_MOST_SHOWN = 10

Key = tuple[str, str, str, int]
"""Sequence, step, what was asked as the manifest has it, and the how manyth of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One request of a sequence."""

    status: int | None
    is_right: bool | None
    """None where nobody wrote down whether it was: of an older release."""
    milliseconds: int | None
    expected: str
    said: str


def compare_endpoints(before: Answers | None, after: Answers | None) -> tuple[Block, ...]:
    """Both beside each other; what nobody asked is said to be so."""
    if before is None and after is None:
        return (
            Sentence(tone="notice", word="Not known", text="nobody asked the application, before or after"),
        )
    old, new = _read(before), _read(after)
    keys = list(dict.fromkeys((*new, *old)))
    rows = tuple(
        (
            Cell(text=key[0]),
            Cell(text=key[1]),
            Cell(text=key[2], is_code=True),
            _say(old.get(key), before),
            _say(new.get(key), after),
        )
        for key in keys
    )
    caption = f"Before: {_tell(before)}. After: {_tell(after)}."
    table = Table(titles=("Sequence", "Step", "Asked", "Before", "After"), rows=rows, caption=caption)
    return (*_list_sequences(before, after), table, *_show_wrong(new or old))


def list_endpoints(answers: Answers) -> tuple[Block, ...]:
    """What was asked at one time."""
    answered = _read(answers)
    rows = tuple(
        (Cell(text=key[0]), Cell(text=key[1]), Cell(text=key[2], is_code=True), _say(one, answers))
        for key, one in answered.items()
    )
    titles = ("Sequence", "Step", "Asked", "Answer")
    return Table(titles=titles, rows=rows, caption=f"{_tell(answers)}."), *_show_wrong(answered)


def tell_answers(name: str, answers: Answers | None) -> Sentence:
    """One sentence of all sequences."""
    if answers is None:
        return Sentence(tone="notice", word="Not known", text=f"{name}: nobody asked it")
    return tell_sequences(name, answers.ended, answers.at)


def tell_sequences(name: str, ended: Mapping[str, str], at: datetime) -> Sentence:
    """``ended``: the status of each sequence."""
    tone, said = judge_sequences(ended)
    text = f"{name}: {said}, asked {say_moment(at)}"
    return Sentence(tone=tone, word="Good" if tone == "good" else "Wrong", text=text)


def judge_sequences(ended: Mapping[str, str]) -> tuple[Tone, str]:
    """``1 of 3 sequences: pages``, ``3 sequences``."""
    down = [name for name, status in ended.items() if status != "passed"]
    total = count_of(len(ended), "sequence")
    return ("bad", f"{len(down)} of {total}: {', '.join(down)}") if down else ("good", total)


def _list_sequences(before: Answers | None, after: Answers | None) -> Iterator[Block]:
    old = {str(proof["name"]): proof for proof in (before.proofs if before else ())}
    new = {str(proof["name"]): proof for proof in (after.proofs if after else ())}
    yield Table(
        titles=("Sequence", "Before", "After"),
        rows=tuple(
            (Cell(text=name), _say_sequence(old.get(name)), _say_sequence(new.get(name)))
            for name in dict.fromkeys((*new, *old))
        ),
    )


def _say_sequence(proof: Mapping[str, Any] | None) -> Cell:
    if proof is None:
        return Cell(text="not asked", tone="notice")
    status = say_status(str(proof.get("status")))
    reason = str(proof.get("reason") or "")
    return Cell(text=f"{status.text}{f': {reason}' if reason else ''}", tone=status.tone)


def _tell(answers: Answers | None) -> str:
    return f"{say_moment(answers.at)}, by {answers.by}" if answers else "nobody asked"


def _read(answers: Answers | None) -> dict[Key, Answered]:
    counted: Counter[tuple[str, str, str]] = Counter()
    read = {}
    for proof in answers.proofs if answers else ():
        for exchange in proof.get("exchanges", ()):
            what = str(exchange.get("what") or _shorten(str(exchange.get("request", ""))))
            name = str(proof["name"]), str(exchange.get("step", "")), what
            counted[name] += 1
            read[*name, counted[name]] = Answered(
                status=exchange.get("status"),
                is_right=exchange.get("ok"),
                milliseconds=exchange.get("ms"),
                expected=str(exchange.get("expected") or ""),
                said=str(exchange.get("excerpt") or ""),
            )
    return read


def _shorten(request: str) -> str:
    """``GET /notes?page=1``: before and after it may have been another host."""
    method, _, url = request.partition(" ")
    parts = urlsplit(url)
    return f"{method} {parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"


def _say(answered: Answered | None, answers: Answers | None) -> Cell:
    if answered is None:
        is_kept = answers is None or any(proof.get("exchanges") for proof in answers.proofs)
        return Cell(
            text="not asked" if is_kept else "not kept", tone="notice" if answers and is_kept else None
        )
    said = str(answered.status) if answered.status is not None else "no answer"
    took = f" in {answered.milliseconds} ms" if answered.milliseconds is not None else ""
    wanted = f", expected {answered.expected}" if answered.expected and answered.is_right is False else ""
    tone: Tone | None = None if answered.is_right is None else "good" if answered.is_right else "bad"
    return Cell(text=f"{said}{took}{wanted}", tone=tone)


def _show_wrong(answered: Mapping[Key, Answered]) -> Iterator[Block]:
    """How answers begin that are not as they must be."""
    wrong = [(key, one) for key, one in answered.items() if one.is_right is False and one.said]
    for key, one in wrong[:_MOST_SHOWN]:
        yield Code(text=one.said, caption=f"{key[0]}, {key[1]}: {key[2]} answered")
