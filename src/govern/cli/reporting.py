"""Pages for people: plain text in a terminal, Markdown for a ticket, HTML as one file without anything to load."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from govern.cli.publish import write_document
from govern.cli.root import report
from govern.cli.session import Session
from govern.cli.values import complete_target
from govern.core.report import Report
from govern.errors import GovernError
from govern.reports.formats import DOCUMENTS, Document, is_document


class _Moment(click.ParamType):  # type: ignore[type-arg]  # a class of parameters in the newest click alone
    """A moment, or how long ago it was."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from govern.api.reporting import parse_since

        try:
            return parse_since(value)
        except ValueError:
            self.fail(f"{value!r} is no moment: 2031-12-31T12:00 (UTC), or how long ago: 3 h", param, ctx)


@report.inspecting("health")
def report_health(session: Session) -> Report:
    """How the database is now: schema, drift, rows, backups, pending revisions, the monitor, the application.

    \b
    Example:
      govern report health --format html --output health.html
    """
    from govern import api

    return api.report_health(session.settings, narrate=session.narrate)


@report.inspecting("migration")
@click.option(
    "--run", metavar="ID", help="Of the ledger, see govern history; the newest migration without it."
)
def report_migration(session: Session, *, run: str | None) -> Report:
    """What a migration did: its statements with their times and locks, backup, rehearsal, validation, probes.

    \b
    Example:
      govern report migration --format html --output migration.html
    """
    from govern import api

    return api.report_migration(session.settings, run=run)


@report.inspecting("restoration")
@click.option(
    "--since",
    type=_Moment(),
    metavar="MOMENT",
    help="2031-12-31T12:00 (UTC), or how long ago: 3 h. Default: 1 d.",
)
@click.option("--run", metavar="ID", help="From the beginning of this run of the ledger on.")
@click.option(
    "--before",
    multiple=True,
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="What health, drift, integrity or probe said before, as JSON. May be given several times.",
)
def report_restoration(
    session: Session, *, since: datetime | None, run: str | None, before: tuple[Path, ...]
) -> Report:
    """An incident: the database and the application before and after, what was done, from which backups, in order.

    \b
    Examples:
      govern health --format json --output before.json; govern probe --format json --output probes.json
      govern report restoration --since '3 h' --before before.json --before probes.json --format html --output it.html
    """
    from govern import api

    if since is not None and run is not None:
        raise click.UsageError("--since and --run exclude each other")
    return api.report_restoration(
        session.settings, since=since, run=run, before=before, narrate=session.narrate
    )


@report.inspecting("pull-request")
@click.option(
    "--against-ref", required=True, metavar="GIT_REF", help="What is merged already, as origin/main."
)
@click.option(
    "--environment",
    metavar="NAME",
    shell_complete=complete_target,
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


class _Written(click.ParamType):  # type: ignore[type-arg]  # a class of parameters in the newest click alone
    """A form, and the file for it."""

    name = "form=file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Document, Path]:
        form, equals, file = value.partition("=")
        if not equals or not file or not is_document(form):
            self.fail(f"{value!r} is not FORM=FILE; forms are {', '.join(DOCUMENTS)}", param, ctx)
        if not Path(file).absolute().parent.is_dir():
            self.fail(f"there is no folder {Path(file).parent}", param, ctx)
        return form, Path(file)


@report.inspecting("render")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--also",
    multiple=True,
    type=_Written(),
    metavar="FORM=FILE",
    help="Write it in this form, too. May be given several times.",
)
def report_render(session: Session, *, file: Path, also: tuple[tuple[Document, Path], ...]) -> Report:
    """A report that was written with --format json, in other forms: the work is done once for all of them.

    Ends as the command ended that wrote it.

    \b
    Examples:
      govern check --format json --output report.json
      govern report render report.json --format sarif --output report.sarif
      govern report render report.json --also markdown=comment.md --also html=report.html
    """
    from govern.checks.registry import all_rules
    from govern.reports.reading import read_report

    with contextlib.suppress(GovernError):  # what is wrong with the project is what the report may be about
        _ = session.settings  # for the places in its files
    report = read_report(file, all_rules())
    for form, path in also:
        write_document(report, form, path, session)
    return report
