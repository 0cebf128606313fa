"""A report as Markdown: one comment below a pull request, as GitHub and GitLab render it."""

from govern.reports.markdown.comment import render

__all__ = ["render"]
