"""Commands about the application itself: its code, and whether it works."""

from __future__ import annotations

from pathlib import Path

import click

from govern.cli.root import root
from govern.cli.session import Session
from govern.cli.values import complete_probe
from govern.core.report import Report


@root.inspecting("scan")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH…"
)
@click.option(
    "--against",
    default="models",
    show_default=True,
    metavar="WHAT",
    help="models, head, revision (the one that the database is stamped with), or a database's URL.",
)
@click.option(
    "--across-pending",
    is_flag=True,
    help="Also against the schema before the pending revisions: code that breaks while they are applied.",
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What is known, and not to be reported: an old code base starts green, and can only get better.",
)
@click.option(
    "--write-baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what is found now there, as known.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Remove conversions that are certainly unnecessary, since a column has the right type.",
)
@click.option("--diff", is_flag=True, help="Print what --fix would do, as a patch, and write nothing.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="TABLE.COLUMN",
    help="A column whose type was wrong, beside those of the manifest's repairs; may be given several times.",
)
def scan(
    session: Session,
    *,
    paths: tuple[Path, ...],
    against: str,
    across_pending: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    fix: bool,
    diff: bool,
    columns: tuple[str, ...],
) -> Report:
    """Whether the code below each PATH fits the declared schema: SQL and models in Python, JavaScript, TypeScript, SQL.

    Nothing is run: a scratch database with the declared schema prepares each statement. What is meant can be left
    alone where it stands: # govern: ignore[scan.undefined-table] the importer makes it

    \b
    Examples:
      govern scan src                    all there is below src
      govern scan app jobs web/server    several places
      govern scan src --fix --diff       what it is without needless conversions
      govern scan src --across-pending   before a deployment
    """
    from govern import api

    session.changes = "files" if fix and not diff else session.changes
    return api.scan(
        session.settings,
        paths,
        against=against,
        across_pending=across_pending,
        baseline=baseline,
        write_baseline=write_baseline,
        fix=fix,
        diff=diff,
        columns=columns,
        narrate=session.narrate,
    )


@root.inspecting("probe")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_probe)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file with probes, instead of the manifest.",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Where the application is; counts more than GOVERN_PROBE_BASE_URL and the file.",
)
def probe(session: Session, *, names: tuple[str, ...], file: Path | None, base_url: str | None) -> Report:
    """Ask the running application whether it works: log in, protected pages, tokens, whatever is declared.

    Without a NAME all sequences of the manifest are run. No database is looked at, but by Python probes.

    \b
    Examples:
      govern probe                                          as the manifest says
      govern probe accounts --base-url http://127.0.0.1:8000
      govern probe --format junit --output probes.xml       for CI
    """
    from govern import api

    return api.probe(session.settings, names, file=file, base_url=base_url, narrate=session.narrate)
