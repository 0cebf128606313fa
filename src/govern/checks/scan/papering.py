"""Workarounds as findings: which column made them necessary, how sure it is that they are not any more."""

from __future__ import annotations

from govern.checks.scan.rules import TYPE_WORKAROUND
from govern.checks.scan.verdicts import Workaround
from govern.core.finding import Finding, Severity, Subject

_LONGEST = 120


def describe_workaround(workaround: Workaround) -> Finding:
    """One of them; what may just as well be meant is information."""
    line, column = workaround.source.place_of(workaround.begin)
    keys, text = workaround.keys, workaround.text
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    is_unsure = workaround.certainty == "unsure"
    return Finding.of(
        TYPE_WORKAROUND,
        Subject(kind="conversion", name=text, path=workaround.source.name, line=line),
        f"{workaround.certainty}: {workaround.because}",
        severity=Severity.INFO if is_unsure else None,
        remedy=_find_remedy(workaround),
        evidence={
            "column": column,
            "columns": sorted(map(str, keys.columns)),
            "certainty": workaround.certainty,
            "made_necessary_by": keys.why,
            **({"helper": workaround.helper.name} if workaround.helper is not None else {}),
        },
    )


def _find_remedy(workaround: Workaround) -> str:
    if workaround.keys.obstacle:
        return (
            f"fix the schema first: {workaround.keys.obstacle}; change the model, convert the column by a revision or "
            "govern repair, then scan again"
        )
    if workaround.certainty == "certain":
        return "govern scan PATH --fix --diff shows the code without it, --fix writes it"
    return "look whether the value can be anything else; if not, remove the conversion by hand"
