"""What a report knows of a pull request as text: its schema as a diff, its statements with what they do."""

from __future__ import annotations

from collections.abc import Iterator

from govern.core.report import Report
from govern.reports.listings import list_planned_statements
from govern.reports.review import Review, read_review, say_end
from govern.reports.style import TERMINAL_SIGNS, Paint, Style

_PAINTS: dict[str, Paint] = {"+": "green", "-": "red"}


def render_review(report: Report, style: Style) -> Iterator[str]:
    """Lines; nothing of a report that is about no pull request."""
    review = read_review(report)
    if review is None:
        return
    yield from _tell_schema(review, style)
    yield from _tell_revisions(review, style)
    if review.environment:
        sign, paint = TERMINAL_SIGNS[review.environment.tone]
        yield ""
        lead = f"{sign} {review.environment.name} "
        [first, *others] = style.indent(review.environment.sentence, first=lead, rest="  ")
        yield style.paint(style.say(sign), paint) + first[1:]
        yield from others
    for one in review.exceptions:
        yield from style.indent(
            f"{one['what']}, {one['owner']}: {one['reason']}", first=f"until {say_end(one)}: "
        )


def _tell_schema(review: Review, style: Style) -> Iterator[str]:
    if review.changes is None:
        said = "is not known: it could not be compared"
    else:
        said = review.counted if review.changes else "no change"
        said += ", by a schema.lock that is not up to date" if review.is_stale else ""
    yield style.paint(style.say(f"the schema since {review.against}: {said}"), "bold")
    for line in review.changes or ():
        paint = _PAINTS.get(line[:1])
        for told in style.say(f"  {line}").splitlines():
            yield style.paint(told, paint) if paint else told


def _tell_revisions(review: Review, style: Style) -> Iterator[str]:
    if review.revisions:
        yield ""
        yield style.paint(style.say(f"what it does to a database in use, {review.where_seen}"), "bold")
    for revision in review.revisions:
        yield ""
        facts = (revision.id, revision.message, revision.path, revision.took)
        yield style.say("  ".join(filter(None, facts)))
        told = {"statements": revision.statements, "observed": revision.observed}
        yield from (f"  {line}" for line in list_planned_statements(told, review.sizes, style))
