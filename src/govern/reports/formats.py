"""The forms a report can have, by the names of ``--format``; each is imported where it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeGuard, assert_never, get_args

from govern.core.finding import Severity

if TYPE_CHECKING:
    from govern.core.report import Report
    from govern.reports.places import Places

Document = Literal["json", "junit", "sarif", "github", "gitlab", "markdown", "html"]
Format = Literal["text"] | Document
DOCUMENTS: tuple[str, ...] = get_args(Document)
FORMATS: tuple[str, ...] = ("text", *DOCUMENTS)


def is_format(name: str) -> TypeGuard[Format]:
    """Whether there is one of that name."""
    return name in FORMATS


def is_document(name: str) -> TypeGuard[Document]:
    """Whether there is one of that name that is a whole document."""
    return name in DOCUMENTS


def render_document(
    report: Report,
    form: Document,
    *,
    find_places: Callable[[], Places],
    fail_on: Severity = Severity.ERROR,
) -> str:
    """One whole document of that form, whatever became of the command; text alone is made of parts.

    ``find_places`` is asked by forms that show findings in files; ``fail_on`` is that of the exit code.
    """
    match form:
        case "json":
            from govern.reports import json

            return json.render(report)
        case "junit":
            from govern.reports import junit

            return junit.render(report, fail_on=fail_on)
        case "sarif":
            from govern.reports import sarif

            return sarif.render(report, find_places(), exit_code=report.exit_code(fail_on))
        case "github":
            from govern.reports import github

            return github.render(report, find_places())
        case "gitlab":
            from govern.reports import gitlab

            return gitlab.render(report, find_places())
        case "markdown":
            return _render_markdown(report, fail_on)
        case "html":
            return _render_html(report, fail_on)
        case _:
            assert_never(form)


def _render_markdown(report: Report, fail_on: Severity) -> str:
    """A comment below a pull request, or the page that was asked for."""
    if report.document is not None:
        from govern.reports.documents import markdown as pages

        return pages.render(report.document)
    from govern.reports import markdown

    return markdown.render(report, fail_on=fail_on)


def _render_html(report: Report, fail_on: Severity) -> str:
    if report.document is not None:
        from govern.reports.documents import html as pages

        return pages.render(report.document)
    from govern.reports import html

    return html.render(report, fail_on=fail_on)
