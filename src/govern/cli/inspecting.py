"""Commands that look and never change anything."""

from __future__ import annotations

from pathlib import Path

import click

from govern.cli.options import no_backups, number
from govern.cli.root import embedded, repair, root
from govern.cli.session import Session
from govern.cli.values import complete_repair, complete_revision
from govern.core.report import Report


@root.inspecting("doctor")
@click.option("--locks", is_flag=True, help="Only who holds the migration lock, and who waits.")
def doctor(session: Session, *, locks: bool) -> Report:
    """What is installed, reachable and permitted, and what to do about the rest.

    \b
    Examples:
      govern doctor             before the first migration
      govern doctor --locks     when one waits
    """
    from govern import api

    return api.doctor(session.settings, locks=locks, narrate=session.narrate)


_against_ref = click.option(
    "--against-ref",
    metavar="GIT_REF",
    help="What is merged already, as origin/main: revisions it has must be as it has them, the others are linted.",
)
_since = click.option(
    "--since",
    metavar="REVISION",
    help="History up to and with it is left alone: not linted, not taken back. Default: since in the configuration.",
)


@root.inspecting("check")
@_against_ref
@_since
def check(session: Session, *, against_ref: str | None, since: str | None) -> Report:
    """Everything that needs no live database: chain, replay, models, ways back, lock, manifest, lint.

    On a scratch database each revision is applied, taken back and applied again; with --against-ref those that GIT_REF
    has not.

    Linted are the revisions that GIT_REF has not; without --against-ref those that govern.sum has not recorded:
    govern lock records what was reviewed. In a history that is older than govern --since says where both begin.

    \b
    Examples:
      govern check                             before a commit
      govern check --against-ref origin/main   in CI, for a pull request
    """
    from govern import api

    return api.check(session.settings, against_ref=against_ref, since=since, narrate=session.narrate)


@root.inspecting("lint")
@click.option(
    "--to",
    default="heads",
    show_default=True,
    metavar="REVISION",
    shell_complete=complete_revision,
    help="The last one to look at.",
)
@click.option("--all", "everything", is_flag=True, help="Every revision, whether the database has it or not.")
@_against_ref
@_since
def lint(
    session: Session, *, to: str, everything: bool, against_ref: str | None, since: str | None
) -> Report:
    """What the pending revisions would do to a busy database: locks, rewrites, losses; with the safe form.

    Pending is what the database has not applied; with --against-ref what GIT_REF has not; with --since what came after
    REVISION; all revisions where the database does not answer.

    \b
    Examples:
      govern lint                             before a deployment
      govern lint --against-ref origin/main   in CI, for a pull request
      govern lint --since 1f3a                what was written after it

    What is meant can be allowed by name, with a reason, an owner and an end, under allow in the manifest.
    """
    from govern import api

    if everything and against_ref is not None:
        raise click.UsageError("--all and --against-ref exclude each other")
    if everything and since is not None:
        raise click.UsageError("--all and --since exclude each other")
    return api.lint(
        session.settings,
        to=to,
        everything=everything,
        against_ref=against_ref,
        since=since,
        narrate=session.narrate,
    )


@root.inspecting("chain")
def chain(session: Session) -> Report:
    """The revision files: parents, heads, cycles, edited history.

    \b
    Example:
      govern chain --format json     with the heads, for scripts
    """
    from govern import api

    return api.chain(session.settings)


@root.inspecting("snapshot")
def snapshot(session: Session) -> Report:
    """Print the live schema, one fact a line.

    \b
    Example:
      govern snapshot --output before.txt
    """
    from govern import api

    return api.snapshot(session.settings)


@root.inspecting("drift")
@click.option(
    "--against",
    default="revision",
    show_default=True,
    metavar="WHAT",
    help="revision (the stamped one), head, models, a snapshot file, or another database's URL.",
)
@click.option(
    "--sql",
    "sql_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the repair script there, proven on a copy.",
)
@click.option("--column-order", is_flag=True, help="Also compare the order of columns, which SELECT * shows.")
@click.option(
    "--coverage", is_flag=True, help="Only list which kinds of objects are covered, and which are not."
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The differences that are known, instead of the manifest's file.",
)
@click.option(
    "--write-baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what differs now there, as known.",
)
def drift(
    session: Session,
    *,
    against: str,
    sql_file: Path | None,
    baseline: Path | None,
    write_baseline: Path | None,
    column_order: bool,
    coverage: bool,
) -> Report:
    """Differences between the database and the schema it should have.

    \b
    Examples:
      govern drift                        against the revision it is stamped with
      govern drift --against models       against the models
      govern drift --sql repair.sql       with the statements that repair it
      govern drift --coverage             what it sees, and what it does not
      govern drift --write-baseline schema/baseline.txt
                                          adopt a database that has drifted
    """
    from govern import api

    if coverage:
        return api.drift_coverage(session.settings)
    return api.drift(
        session.settings,
        against=against,
        sql_file=sql_file,
        column_order=column_order,
        baseline=baseline,
        write_baseline=write_baseline,
        narrate=session.narrate,
    )


@root.inspecting("plan")
@click.option(
    "--to",
    default="heads",
    show_default=True,
    metavar="REVISION",
    shell_complete=complete_revision,
    help="Where the plan ends.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan there, for govern migrate --plan.",
)
def plan(session: Session, *, to: str, out: Path | None) -> Report:
    """Pending revisions, their statements, and what those lock, rewrite, scan and lose on a copy.

    Each guard of migrate that only reads is asked, and its answer told; govern migrate --list-guards lists them.

    \b
    Examples:
      govern plan --out plan.json         to be reviewed
      govern migrate --plan plan.json     applies exactly that, or nothing
    """
    from govern import api

    return api.plan(session.settings, to=to, out=out, narrate=session.narrate)


@root.inspecting("history")
@click.option("--limit", default=20, show_default=True, type=number(1), help="How many, newest first.")
def history(session: Session, *, limit: int) -> Report:
    """Who changed the database, when, with which backup.

    \b
    Example:
      govern history --limit 5
    """
    from govern import api

    return api.history(session.settings, limit=limit)


@root.inspecting("health")
@no_backups
def health(session: Session, *, no_backups: bool) -> Report:
    """What an application asks before it starts: is this the schema it was written for?

    Ends with 0 if the database is healthy, as GET /health of govern serve answers 200.

    \b
    Examples:
      govern health                  before a deployment
      govern health --no-backups     where backups are on another machine
    """
    from govern import api

    return api.health(session.settings, judges_backups=not no_backups)


@repair.inspecting("list")
@click.option(
    "--budget",
    "budget_seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="For counting what all repairs would touch; of the rest it is said that it was not counted.",
)
def repair_list(session: Session, *, budget_seconds: float) -> Report:
    """The manifest's repairs with what each would touch now, and the runs that can be rolled back.

    \b
    Example:
      govern repair list
    """
    from govern import api

    return api.repair_list(session.settings, budget_seconds=budget_seconds, narrate=session.narrate)


@repair.inspecting("plan")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_repair)
@click.option("--all", "every", is_flag=True, help="Every repair that the manifest declares.")
def repair_plan(session: Session, *, names: tuple[str, ...], every: bool) -> Report:
    """What repairs would do: statements, exact counts, keys, and what goes with the rows.

    Without NAME, or as "schema", the statements that take the drift away, proven on a copy. Of the manifest's repairs
    the rows are counted in a transaction that cannot write.

    \b
    Examples:
      govern repair plan                           what drifted
      govern repair plan orphaned-notes
    """
    from govern import api

    return api.repair_plan(session.settings, names=names, every=every, narrate=session.narrate)


@embedded.inspecting("status")
def embedded_status(session: Session) -> Report:
    """Whether it runs, where, and how to connect.

    \b
    Example:
      govern embedded status
    """
    from govern import api

    return api.embedded_status(session.settings)


@root.inspecting("integrity")
@click.option(
    "--budget",
    "budget_seconds",
    default=300.0,
    show_default=True,
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="For all references together; the rest is looked at in a sample, and says so.",
)
@click.option(
    "--suggest", is_flag=True, help="Only look for references that nobody declared, for the manifest."
)
def integrity(session: Session, *, budget_seconds: float, suggest: bool) -> Report:
    """Rows that lost what they refer to, or break what the manifest promises of them.

    Every foreign key is looked at, whether the server upholds it or not, and every relationship of the manifest. Only
    counts and keys are read, never whole rows, and nothing is written.

    \b
    Examples:
      govern integrity               all of it
      govern integrity --suggest     relationships for the manifest
    """
    from govern import api

    return api.integrity(
        session.settings, budget_seconds=budget_seconds, suggest=suggest, narrate=session.narrate
    )
