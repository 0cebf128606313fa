"""Commands that gather what others say into something to be handed on."""

from __future__ import annotations

import click

from govern.cli.root import report
from govern.cli.session import Session
from govern.core.report import Report


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
