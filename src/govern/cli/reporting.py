"""Commands that gather what others say into something to be handed on."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from govern.cli.root import report
from govern.cli.session import Session
from govern.core.report import Report
from govern.errors import GovernError


@report.inspecting("pull-request")
@click.option(
    "--against-ref", required=True, metavar="GIT_REF", help="What is merged already, as origin/main."
)
@click.option(
    "--environment",
    metavar="NAME",
    help="A database named in the configuration: also its drift, and what is pending there. Nothing is changed.",
)
def report_pull_request(session: Session, *, against_ref: str, environment: str | None) -> Report:
    """What a reviewer wants to know: the schema's changes as a diff, locks, hazards, the chain, what is wrong.

    All that govern check says, and what schema.lock says otherwise than that of GIT_REF. As Markdown it is one comment.

    \b
    Examples:
      govern report pull-request --against-ref origin/main --format markdown --output comment.md
      govern report pull-request --against-ref origin/main --environment production
    """
    from govern import api

    return api.report_pull_request(
        session.settings,
        against_ref=against_ref,
        environment=session.settings_of(environment) if environment else None,
        narrate=session.narrate,
    )


@report.inspecting("render")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def report_render(session: Session, *, file: Path) -> Report:
    """A report that was written with --format json, in another form: the work is done once for all of them.

    Ends as the command ended that wrote it.

    \b
    Examples:
      govern check --format json --output report.json
      govern report render report.json --format sarif --output report.sarif
    """
    from govern.checks.registry import all_rules
    from govern.reports.reading import read_report

    with contextlib.suppress(GovernError):  # what is wrong with the project is what the report may be about
        _ = session.settings  # for the places in its files
    return read_report(file, all_rules())
