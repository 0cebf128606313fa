"""What is told of many databases: why some could not be done, which are unlike the rest, and how each ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from govern.core.wording import count_of
from govern.reports.style import Style

Rows = Sequence[Mapping[str, Any]]

_SHOWN = 30
_NAMED = 5


def tell_problems(problems: Rows, style: Style) -> Iterator[str]:
    """Each with whom it happened to, and what to do."""
    for position, problem in enumerate(problems):
        if position:
            yield ""
        names = problem["targets"]
        yield from style.indent(
            f"{problem['what']} ({name_some(names)})", first=f"{len(names)} x exit {problem['exit_code']}: "
        )
        for label in ("why", "next", "state"):
            if problem[label]:
                yield from style.indent(problem[label], first=f"  {label + ':':<7}")


def tell_forms(groups: Rows, style: Style) -> Iterator[str]:
    """Where one finding has several forms: whose is which."""
    for group in groups:
        if len(group["variants"]) > 1:
            yield style.say(f"{group['subject']} in {len(group['variants'])} forms:")
            for variant in group["variants"]:
                said = f"{variant['form'] or variant['message']}: {name_some(variant['targets'])}"
                yield from style.indent(said, first=f"  {len(variant['targets'])} x ")


def tell_outliers(schemas: Rows, style: Style) -> Iterator[str]:
    """Of databases that should be alike, those that are not like most; nothing where all are."""
    alike: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for schema in schemas:
        alike[schema["engine"], schema["revision"]].append(schema)
    for (engine, revision), members in alike.items():
        first, *others = members
        if others and 2 * first["count"] > sum(member["count"] for member in members):
            yield style.say(f"{engine} at {revision}: {first['count']} have the same schema, and")
            for other in others:
                same = "another one in common" if other["count"] > 1 else "one of its own"
                yield from style.indent(
                    f"{name_some(other['targets'])}: {same}", first=f"  {other['count']} x "
                )


def tell_revisions(revisions: Rows, style: Style) -> Iterator[str]:
    """Where the databases stand, if not all stand at one place."""
    if len(revisions) < 2 and not any(one["pending"] for one in revisions):
        return
    for one in revisions:
        pending = f", {count_of(one['pending'], 'revision')} pending" if one["pending"] else ""
        said = f"at {one['revision']}{pending}: {name_some(one['targets'])}"
        yield from style.indent(said, first=f"{one['count']} x ")


def tell_run(fleet: Mapping[str, Any], style: Style) -> Iterator[str]:
    """What to call it by."""
    yield style.say(f"run {fleet['run']}")


def tell_targets(targets: Rows, style: Style) -> Iterator[str]:
    """Those with findings; of clean ones there is nothing to say, and problems are told by themselves."""
    unclean = [target for target in targets if target["exit_code"] and target["problem"] is None]
    width = max((len(target["name"]) for target in unclean[:_SHOWN]), default=0)
    for target in unclean[:_SHOWN]:
        yield from style.indent(_how_it_ended(target), first=style.say(f"{target['name']:<{width}}  "))
    if len(unclean) > _SHOWN:
        yield style.say(f"… and {len(unclean) - _SHOWN:,} more: --format json has them all")


def _how_it_ended(target: Mapping[str, Any]) -> str:
    undecided = "" if target["exit_code"] == 1 else ", and not everything could be looked at"
    return count_of(len(target["findings"]), "finding") + undecided


def name_some(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
