"""The command that draws the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from govern.cli.options import number
from govern.cli.root import root
from govern.cli.session import Session
from govern.cli.values import complete_table
from govern.core.report import Report

if TYPE_CHECKING:
    from govern.api.diagrams import Notation
    from govern.core.diagram import Detail

_NOTATIONS: dict[str, Notation] = {
    ".svg": "svg",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
}


@root.inspecting("diagram")
@click.option(
    "--as",
    "notation",
    type=click.Choice(sorted(set(_NOTATIONS.values()))),
    help="How it is written; else as the ending of --output says, else as Mermaid; SVG with --format html.",
)
@click.option(
    "--of",
    metavar="WHAT",
    help="declared (schema.lock), models, head, revision (the stamped one), live, a snapshot file or a URL; "
    "declared by default, live where --url is given.",
)
@click.option(
    "--against", metavar="WHAT", help="Draw what is different from this schema, named as --of names them."
)
@click.option(
    "--against-ref",
    metavar="GIT_REF",
    help="Draw what is different from the schema.lock of GIT_REF, as origin/main.",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_table,
    help="Only this table and its neighbours. May be given several times.",
)
@click.option(
    "--depth",
    type=number(0, 20),
    metavar="LINES",
    help="How many lines from there a neighbour may be: 1 from --table, 0 from what is different.",
)
@click.option(
    "--columns",
    "detail",
    type=click.Choice(["all", "keys", "none"]),
    help="Which are shown; all of up to 20 tables by default, else keys.",
)
def diagram(
    session: Session,
    *,
    notation: Notation | None,
    of: str | None,
    against: str | None,
    against_ref: str | None,
    tables: tuple[str, ...],
    depth: int | None,
    detail: Detail | None,
) -> Report:
    """Draw the schema, a part of it, or what a change makes different: as Mermaid, DOT or SVG.

    Tables with their columns and keys, foreign keys, the manifest's relationships and critical tables, views. The
    declared schema needs no database.

    \b
    Examples:
      govern diagram --output schema.svg                  all of it
      govern diagram --table notes --depth 2              what is around a table
      govern diagram --against-ref origin/main --as svg   what a branch changes
      govern diagram --of head --against revision         what is pending
      govern diagram --url postgresql://app@db/app --as dot   a live database
    """
    from govern import api

    if against is not None and against_ref is not None:
        raise click.UsageError("--against and --against-ref exclude each other")
    if depth is not None and not (tables or against or against_ref):
        raise click.UsageError("--depth is counted from --table, or from what is different: --against")
    ending = session.output.suffix.lower() if session.output else ""
    return api.diagram(
        session.settings,
        notation=notation or _NOTATIONS.get(ending, "svg" if session.format == "html" else "mermaid"),
        of=of or ("live" if session.url else "declared"),
        against=against,
        against_ref=against_ref,
        tables=tables,
        depth=depth,
        detail=detail,
        narrate=session.narrate,
    )
