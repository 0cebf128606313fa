"""Code that papers over a wrong type of a key: every place, how sure that is, and what it would be without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from govern.checks.scan.conversions import Conversion
from govern.checks.scan.cuts import Cut, cut_out
from govern.checks.scan.mistyped import Keys
from govern.checks.scan.schema import Schema
from govern.checks.scan.shapes import Shapes
from govern.checks.scan.sql_casts import find_casts, name_cast
from govern.checks.scan.statements import find_temporary
from govern.checks.scan.verdicts import Finder, Key, Verdict, Workaround
from govern.code.programs.calls import Home, Program, Project
from govern.code.sources import Source
from govern.core.code import SqlText


@dataclass(frozen=True, slots=True, kw_only=True)
class Workarounds:
    """All that was found in a project."""

    project: Project
    finder: Finder
    found: tuple[Workaround, ...]


def find_workarounds(
    programs: Mapping[Source, Program],
    sql: Mapping[str, tuple[SqlText, ...]],
    schema: Schema,
    known: tuple[Keys, ...],
    home: Home,
) -> Workarounds:
    """``programs``: the files of the project, which say who calls what; ``sql``: the statements of those looked at."""
    schema = schema.without(find_temporary(text for texts in sql.values() for text in texts))
    project = Project(programs.values(), home)
    finder = Finder(project, Shapes(project, schema), known)
    found = [
        _of_conversion(source, program, finder, conversion, verdict)
        for source, program in programs.items()
        for conversion, verdict in finder.find_in(program)
    ]
    found += find_casts(programs, sql, finder, schema)
    _settle(found)
    return Workarounds(project=project, finder=finder, found=tuple(found))


def _of_conversion(
    source: Source, program: Program, finder: Finder, conversion: Conversion, verdict: Verdict
) -> Workaround:
    outer = conversion.outer
    cut = cut_out(source, program, finder, conversion) if verdict.certainty == "certain" else Cut()
    return Workaround(
        key=outer,
        source=source,
        begin=outer.begin,
        end=outer.end,
        keys=verdict.keys,
        certainty="likely" if cut.obstacle else verdict.certainty,
        because=cut.obstacle or verdict.because,
        edits=cut.edits,
        needs=frozenset(_find_needs(verdict)),
        helper=conversion.helper,
    )


def _find_needs(verdict: Verdict) -> Iterator[Key]:
    destination = verdict.destination
    if destination is None:
        return
    yield from (conversion.outer for conversion in destination.conversions)
    for call, cast in destination.casts:
        if call.sql is not None:
            yield name_cast(call.sql, cast.offset)


def _settle(found: list[Workaround]) -> None:
    """What needs something to go with it that is not certain is not certain either."""
    while True:
        certain = {one.key for one in found if one.certainty == "certain"}
        doubtful = [one for one in found if one.certainty == "certain" and not one.needs <= certain]
        if not doubtful:
            return
        for one in doubtful:
            one.certainty, one.edits = "likely", ()
            one.because = "what it is compared with is not certain"
