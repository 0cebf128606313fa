"""Where a run is to lead, up or down the chain, and which revisions it runs on the way there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from govern.core.progress import name_step
from govern.core.wording import name_revisions
from govern.errors import ConfigurationError, Refused
from govern.revisions.graph.chain import Chain, reachable

if TYPE_CHECKING:
    from govern.revisions.graph.files import RevisionFile

_RELATIVE = re.compile(r"(?:(?P<branch>.+)@)?-(?P<count>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From where a database stands to a destination."""

    direction: Literal["upgrade", "downgrade"]
    target: str
    """What Alembic is told; never relative, for the database may move before it is asked."""
    revisions: tuple[RevisionFile, ...]
    """Those that run, in order."""
    reached: tuple[str, ...]
    """The version rows at its end, sorted."""

    @property
    def named(self) -> str:
        """What is about to happen, in words."""
        return "the pending revisions" if self.direction == "upgrade" else "the downgrade"

    @property
    def steps(self) -> tuple[str, ...]:
        """What is noted of each while it runs: see ``govern.core.progress``."""
        return tuple(name_step(self.direction, file.revision) for file in self.revisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A revision as somebody names it, and from which side it is to be reached."""

    target: str = "heads"
    direction: Literal["upgrade", "downgrade"] = "upgrade"

    @property
    def command(self) -> str:
        """``migrate`` or ``downgrade``, as the ledger has it."""
        return "migrate" if self.direction == "upgrade" else "downgrade"

    @property
    def command_line(self) -> str:
        """What to type to be led there again."""
        return "govern migrate" if self.direction == "upgrade" else f"govern downgrade {self.target}"

    def name_step(self, revision: str | None) -> str:
        """``revision 3f2a``, ``the downgrade of 3f2a``; ``the migration`` where it is not known which."""
        if revision is None:
            return "the migration"
        return f"revision {revision}" if self.direction == "upgrade" else f"the downgrade of {revision}"

    def find_way(self, chain: Chain, stamped: Iterable[str]) -> Way:
        """From a database stamped with ``stamped``; no revisions where it is there already.

        Raises ConfigurationError for a target or stamped revision that the chain does not have, or where the
        target is ambiguous; Refused for a way down to what the database does not have.
        """
        stamped = tuple(stamped)
        if self.direction == "downgrade":
            return _find_way_down(chain, stamped, self.target)
        pending = chain.pending(stamped, self.target)
        reached = chain.heads_after(stamped, pending)
        return Way(direction="upgrade", target=self.target, revisions=pending, reached=reached)

    def list_ended(self, chain: Chain, stamped: Iterable[str]) -> tuple[str, ...]:
        """The steps that came to their end, as the version rows say: nothing noted of them matters any more."""
        applied = chain.ancestors(stamped)
        if self.direction == "upgrade":
            return tuple(applied)
        return tuple(name_step("downgrade", id_) for id_ in chain.revisions.keys() - applied)

    def list_run(self, chain: Chain, before: Iterable[str], after: Iterable[str]) -> frozenset[str]:
        """The revisions that lie between two states of the version table."""
        here, there = chain.ancestors(before), chain.ancestors(after)
        return there - here if self.direction == "upgrade" else here - there


def _find_way_down(chain: Chain, stamped: tuple[str, ...], target: str) -> Way:
    """As Alembic goes down (``alembic/script/revision.py``, ``_collect_downgrade_revisions``): what comes after the
    target, and whatever needs that."""
    chain.pending(stamped, "base")  # every stamped revision has to be in the chain
    applied = chain.ancestors(stamped)
    target, first = _first_to_leave(chain, _make_absolute(chain, stamped, target), applied)
    leaving = reachable(first, _needing(chain)) & applied
    if not leaving and target.rpartition("@")[2] not in (*stamped, "base"):
        raise _nothing_to_take_back(target, "nothing that the database has comes after it")
    kept = applied - leaving
    replaced = {parent for id_ in kept for parent in chain.parents[id_]}
    return Way(
        direction="downgrade",
        target=target,
        revisions=tuple(
            chain.revisions[id_] for id_ in sorted(leaving, key=chain.position.__getitem__, reverse=True)
        ),
        reached=tuple(sorted(kept - replaced)),
    )


def _first_to_leave(chain: Chain, target: str, applied: frozenset[str]) -> tuple[str, frozenset[str]]:
    """The target in full, and the revisions next to it."""
    branch, _, symbol = target.rpartition("@")
    if symbol == "base":
        return target, _of_branch(chain, branch, frozenset(chain.bases))
    found = chain.resolve(target)
    if len(found) != 1:
        raise ConfigurationError(
            f"{target!r} is no single revision to go back to",
            why=f"it means {name_revisions(found)}",
            next="name the revision that the database is to be at afterwards",
        )
    (revision,) = found
    if revision not in applied:
        raise _nothing_to_take_back(revision, "it has not been applied: the way up is govern migrate")
    full = f"{branch}@{revision}" if branch else revision
    return full, _of_branch(chain, branch, frozenset(chain.children[revision]))


def _nothing_to_take_back(target: str, why: str) -> Refused:
    return Refused(
        f"the database is not past revision {target}",
        why=why,
        next="name a revision below the one it is at: govern downgrade -1 takes one back",
    )


def _of_branch(chain: Chain, branch: str, revisions: frozenset[str]) -> frozenset[str]:
    """Where there are several, those that lead to where the branch begins."""
    if not branch or len(revisions) < 2:
        return revisions
    found = revisions & reachable(chain.resolve(branch), chain.down)
    if not found:
        raise ConfigurationError(
            f"from there {len(revisions)} revisions lead up, and none of them to the branch {branch!r}",
            why=f"they are {name_revisions(sorted(revisions))}",
            next="name the revision that the database is to be at afterwards",
        )
    return found


def _make_absolute(chain: Chain, stamped: tuple[str, ...], target: str) -> str:
    """``-2`` and ``branch@-2`` as the revision that is so many steps below the stamped one; others as they are."""
    relative = _RELATIVE.fullmatch(target)
    if relative is None:
        return target
    branch, here = relative["branch"], stamped
    if branch:
        (start,) = chain.resolve(branch)
        lineage = reachable([start], chain.children) | reachable([start], chain.down)
        here = tuple(id_ for id_ in stamped if id_ in lineage)
    for _ in range(int(relative["count"])):
        here = chain.down[_the_one(target, here)]
    symbol = _the_one(target, here) if here else "base"
    return f"{branch}@{symbol}" if branch else symbol


def _the_one(target: str, revisions: tuple[str, ...]) -> str:
    if len(revisions) == 1:
        return revisions[0]
    if not revisions:
        raise Refused(
            f"there is no revision {target} steps back",
            why="the way ends at base before that",
            next="go back to the beginning: govern downgrade base",
        )
    raise ConfigurationError(
        f"{target!r} can mean one of {len(revisions)} ways",
        why=f"the way down splits at {name_revisions(revisions)}",
        next=f"name the revision to be at afterwards: govern downgrade {revisions[0]}",
    )


def _needing(chain: Chain) -> Mapping[str, Iterable[str]]:
    """What needs each revision: its children, and what depends on it."""
    needing: dict[str, list[str]] = {id_: [] for id_ in chain.revisions}
    for id_, parents in chain.parents.items():
        for parent in parents:
            needing[parent].append(id_)
    return needing
