"""The tests themselves: each a function of the workbench that returns findings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from govern.actions.registered import find_unregistered
from govern.actions.round_trip import has_way_back, prove_ways_back
from govern.api.checking import compare_models
from govern.checks.chain import does_not_replay, find_ways_back
from govern.core.finding import Finding
from govern.declared import Declared, ReplayFailed, declared_by_models
from govern.errors import CouldNotCheck
from govern.pytest_plugin.workbench import Workbench
from govern.revisions.graph import RevisionFile

Check = Callable[[Workbench], tuple[Finding, ...]]

UP_DOWN_UP = "up_down_up"
NO_DRIFT = "no_drift_after_tests"


class NotTried(Exception):
    """A test has nothing to say: another one that fails says why, or there is nothing it could be about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysBack:
    """How the downgrades of the revisions that were asked for did."""

    findings: Mapping[str, tuple[Finding, ...]]
    """By revision; those proven without a finding are not in it."""
    unproven: Mapping[str, str]
    """By revision: why it could not be tried."""


def chain_is_valid(bench: Workbench) -> tuple[Finding, ...]:
    return bench.chain_problems


def replays_from_empty(bench: Workbench) -> tuple[Finding, ...]:
    _require_chain(bench)
    try:
        _ = bench.revisions
    except ReplayFailed as failure:
        return (does_not_replay(bench.project.chain, failure.error, root=bench.settings.root),)
    return ()


def models_equal_revisions(bench: Workbench) -> tuple[Finding, ...]:
    revisions = _replay(bench)
    with declared_by_models(bench.settings, like=bench.like) as models:
        return compare_models(bench.project, models, revisions).findings


def models_are_registered(bench: Workbench) -> tuple[Finding, ...]:
    return find_unregistered(bench.settings)


def prove(bench: Workbench, revisions: Collection[str]) -> WaysBack:
    """Takes the revisions up, down and up again, all in one course of the chain. Raises NotTried."""
    _replay(bench)
    chain = bench.project.chain
    asked = [file.revision for file in chain.files if file.revision in revisions and has_way_back(file)]
    try:
        ways = prove_ways_back(bench.settings, chain, asked, like=bench.like)
    except ReplayFailed:
        raise
    except CouldNotCheck as error:
        return WaysBack(findings={}, unproven=dict.fromkeys(asked, f"{error.what}: {error.why}"))
    findings: dict[str, tuple[Finding, ...]] = {}
    for finding in find_ways_back(chain, ways.traces, ways.failures, root=bench.settings.root):
        findings[finding.subject.name] = (*findings.get(finding.subject.name, ()), finding)
    why = "a downgrade before it left something half done" if ways.failures else "it needs two transactions"
    return WaysBack(findings=findings, unproven=dict.fromkeys(ways.unproven, why))


def why_no_way_back(file: RevisionFile) -> str | None:
    """Why there is nothing to prove; None where there is."""
    if has_way_back(file):
        return None
    return "its downgrade() says that there is none" if file.downgrade_raises else "it has no downgrade()"


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (chain_is_valid, replays_from_empty, models_equal_revisions, models_are_registered)
}
NAMES = (*CHECKS, UP_DOWN_UP, NO_DRIFT)


def _require_chain(bench: Workbench) -> None:
    if bench.what_breaks_the_chain:
        raise NotTried("the revision chain is broken: see chain_is_valid")


def _replay(bench: Workbench) -> Declared:
    _require_chain(bench)
    try:
        return bench.revisions
    except ReplayFailed:
        raise NotTried("the revisions do not replay: see replays_from_empty") from None
