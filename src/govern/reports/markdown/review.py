"""The parts of a comment that are about a pull request: who waits, its schema as a diff, what ends soon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from govern.core.report import Report
from govern.core.wording import count_of
from govern.reports.effects import Effect
from govern.reports.markdown.fitting import Part, fit_items
from govern.reports.markdown.syntax import TONE_SIGNS, block, code, details, escape, in_html, table
from govern.reports.review import Environment, Review, ReviewedRevision, read_review, say_end
from govern.reports.statements import terminate

_FOLDED_FROM = 30
"""Lines of a diff that are seen at once."""
_LONGEST_DIFF = 20_000
_LONGEST_SQL = 8_000
_LONGEST_EFFECTS = 10_000
_PICTURE_RANK = 3


def tell_review(report: Report) -> Iterator[Part]:
    """Nothing of a report that is about no pull request."""
    review = read_review(report)
    if review is None:
        return
    if review.environment:
        yield Part(_tell_environment(review.environment), "the environment")
    if review.revisions:
        yield Part(_tell_revisions(review), "what the revisions do")
    yield Part(_tell_schema(review), "the schema's changes")
    if review.picture:
        picture = details("The change as a picture", block(review.picture, "mermaid"))
        yield Part(picture, "the picture of what changes", _PICTURE_RANK)
    if sql := "\n".join(_list_statements(review.revisions)):
        yield Part(_tell_sql(sql, len(review.revisions)), "the SQL", _PICTURE_RANK)
    if review.exceptions:
        yield Part(_tell_exceptions(review.exceptions), "what ends soon")


def _tell_environment(environment: Environment) -> str:
    return f"{TONE_SIGNS[environment.tone]} **{code(environment.name)}** {escape(environment.sentence)}"


def _tell_revisions(review: Review) -> str:
    """What waits for each; how long a statement takes is known of an empty copy alone."""
    title = f"**What it does** to a database in use, {escape(review.where_seen)}:"
    items = [_tell_revision(revision) for revision in review.revisions]
    return "\n\n".join([title, fit_items(items, longest=_LONGEST_EFFECTS, gap="\n")])


def _tell_revision(revision: ReviewedRevision) -> str:
    """A line for each table that was there before, below that of the revision."""
    lines = [f"- {code(revision.id)} {escape(revision.message)} ({escape(revision.took)})"]
    lines += [f"  - {_tell_effect(effect)}" for effect in revision.effects]
    if revision.milliseconds is not None and not revision.effects:
        lines.append("  - nobody waits")
    return "\n".join(lines)


def _tell_effect(effect: Effect) -> str:
    size = f" ({escape(effect.size)})" if effect.size else ""
    waiting = f"**{escape(effect.waiting)}** ({escape(effect.lock)})" if effect.waiting else ""
    return f"{code(effect.table)}{size}: {', '.join(filter(None, (waiting, *map(escape, effect.others))))}"


def _tell_schema(review: Review) -> str:
    against = code(review.against)
    if review.changes is None:
        return f"❔ What becomes of **the schema** since {against} is not known: it could not be compared."
    if not review.changes:
        doubt = ", says a schema.lock that is not up to date" if review.is_stale else ""
        return f"{'❔ ' if review.is_stale else ''}**The schema** stays as it is in {against}{doubt}."
    doubt = ", by a schema.lock that is not up to date" if review.is_stale else ""
    title = f"**The schema** since {against}: {review.counted}{doubt}"
    count, diff = len(review.changes), "\n".join(review.changes)
    if len(diff) > _LONGEST_DIFF:
        kept = diff[:_LONGEST_DIFF].rpartition("\n")[0]
        rest = count - kept.count("\n") - 1
        diff = f"{kept}\n  … and {count_of(rest, 'line')} more"
    if count <= _FOLDED_FROM:
        return f"{title}\n\n{block(diff, 'diff')}"
    return details(
        f"<b>The schema</b> since {in_html(review.against)}: {review.counted}{doubt}", block(diff, "diff")
    )


def _tell_sql(sql: str, revisions: int) -> str:
    if len(sql) > _LONGEST_SQL:
        return f"The SQL of {count_of(revisions, 'revision')} has {len(sql):,} characters: `govern plan`."
    return details(f"SQL of {count_of(revisions, 'revision')}", block(sql, "sql"))


def _list_statements(revisions: Sequence[ReviewedRevision]) -> Iterator[str]:
    for revision in revisions:
        if revision.statements:
            yield f"-- {' '.join((revision.id + ' ' + revision.message).split())}"
            yield from (terminate(one) for one in revision.statements)


def _tell_exceptions(exceptions: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (code(one["what"]), say_end(one), escape(one["owner"]), escape(one["reason"])) for one in exceptions
    ]
    title = f"{count_of(len(exceptions), 'exception')} in the manifest that ended or soon will"
    return details(f"⏳ {in_html(title)}", table(("what", "until", "owner", "reason"), rows))
