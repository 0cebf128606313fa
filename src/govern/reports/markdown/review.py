"""The parts of a comment that are about a pull request: its schema as a diff, what its revisions do, what ends soon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from govern.core.report import Report
from govern.core.wording import count_of
from govern.reports.effects import size_table, summarise_effects
from govern.reports.markdown.fitting import Part
from govern.reports.markdown.syntax import block, code, details, escape, in_html, table
from govern.reports.statements import terminate

_FOLDED_FROM = 40
"""Lines of a diff that are seen at once."""
_LONGEST_DIFF = 20_000
_LONGEST_SQL = 8_000


def tell_review(report: Report) -> Iterator[Part]:
    """Nothing of a report that is about no pull request."""
    review = report.data.get("pull_request")
    if review is None:
        return
    yield Part(_tell_schema(review), "the schema's changes")
    if picture := review.get("picture"):
        yield Part(
            details("Its picture", block(picture, "mermaid"), is_open=True), "the picture of what changes"
        )
    # of the environment that was looked at
    sizes = {size["table"]: size for size in report.data.get("plan", {}).get("tables", ())}
    if review["environment"]:
        yield Part(_tell_drift(review["environment"], report), "the environment's drift")
    if review["revisions"]:
        yield Part(
            _tell_revisions(review["revisions"], sizes, review["environment"]), "what the revisions do"
        )
    if review["exceptions"]:
        yield Part(_tell_exceptions(review["exceptions"]), "what ends soon")


def _tell_schema(review: Mapping[str, Any]) -> str:
    changes, against = review["schema"], code(review["against"])
    if changes is None:
        return f"❔ What becomes of **the schema** since {against} is not known: see below."
    if not changes:
        return f"**The schema** stays as it is in {against}."
    title = f"**The schema** since {against}: {count_of(len(changes), 'change')}"
    diff = "\n".join(line for change in changes for line in change["lines"])
    count = diff.count("\n") + 1
    if len(diff) > _LONGEST_DIFF:
        kept = diff[:_LONGEST_DIFF].rpartition("\n")[0]
        rest = count - kept.count("\n") - 1
        diff = f"{kept}\n  … and {count_of(rest, 'line')} more"
    if count <= _FOLDED_FROM:
        return f"{title}\n\n{block(diff, 'diff')}"
    return "\n\n".join([title, details(count_of(count, "line"), block(diff, "diff"))])


def _tell_drift(environment: str, report: Report) -> str:
    name = code(environment)
    drift = next((entry for entry in report.entries if entry.name == f"{environment}: drift"), None)
    if drift is None or drift.status in ("crashed", "skipped"):
        return f"❔ Whether **{name}** has drifted is not known: see below."
    if drift.findings:
        return f"❌ **{name}** has drifted: {count_of(len(drift.findings), 'difference')} from its revision, see below."
    return f"✅ **{name}** is as its revision declares."


def _tell_revisions(
    revisions: Sequence[Mapping[str, Any]], sizes: Mapping[str, Mapping[str, Any]], environment: str | None
) -> str:
    """What waits for each; how long a statement takes is known of an empty copy alone."""
    where = f"; sizes are those of {code(environment)}" if environment and sizes else ""
    rows = [
        (
            f"{code(revision['revision'])} {escape(revision['message'])}",
            "<br>".join(_effects_of(revision, sizes)) or "nobody waits",
            f"{revision['seconds'] * 1000:,.0f} ms" if revision["observed"] else "",
        )
        for revision in revisions
    ]
    title = f"**What the new revisions do** to a database in use, as seen on an empty copy{where}"
    sql = "\n".join(_list_statements(revisions))
    folded = [details(f"SQL of {count_of(len(revisions), 'revision')}", block(sql, "sql"))] if sql else []
    if len(sql) > _LONGEST_SQL:
        folded = [f"Their SQL has {len(sql):,} characters: `govern plan`."]
    return "\n\n".join(
        [title, table(("revision", "what waits, is read or written as a whole", "ran"), rows), *folded]
    )


def _effects_of(revision: Mapping[str, Any], sizes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line for each table that was there before, with the strongest of its locks."""
    if not revision["observed"]:
        yield "not seen: it did not run"
        return
    for effect in summarise_effects(revision["observed"]):
        yield f"{code(size_table(effect.table, sizes))}: {escape(', '.join(effect.sentences))}"


def _list_statements(revisions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for revision in revisions:
        if revision["statements"]:
            yield f"-- {' '.join((revision['revision'] + ' ' + revision['message']).split())}"
            yield from (terminate(one) for one in revision["statements"])


def _tell_exceptions(exceptions: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (code(one["what"]), _say_end(one), escape(one["owner"]), escape(one["reason"])) for one in exceptions
    ]
    title = in_html(f"{count_of(len(exceptions), 'exception')} in the manifest that ended or soon will")
    return details(f"⏳ {title}", table(("what", "until", "owner", "reason"), rows))


def _say_end(one: Mapping[str, Any]) -> str:
    days = one["days"]
    said = "has ended" if days < 0 else "ends today" if days == 0 else f"in {count_of(days, 'day')}"
    return f"{one['until']}, {said}"
