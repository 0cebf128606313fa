"""Asks the application after a change of its database whether it works, and writes into the ledger where it does not.

The run is recorded as applied before: an application that validates at its start waits for that, and the probes wait
for the application.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.actions.record import finish_run, note_probes
from govern.actions.validate import serious
from govern.config import Settings
from govern.core.report import Draft, Entry
from govern.core.run import Run
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.errors import GovernError

if TYPE_CHECKING:
    from govern.checks.probes import Probing, Proof
    from govern.source.manifest import Manifest


def prepare_proof(settings: Settings, manifest: Manifest | None, occasion: str) -> Probing | None:
    """What asking needs; None where the manifest wants nothing asked after this command.

    Called before anything is changed. Raises ConfigurationError, as for a secret that is not there, and ToolMissing.
    """
    if manifest is None or occasion not in manifest.probes.after:
        return None
    from govern.checks.probes import prepare  # asyncio and ssl are slow to import, and few need them

    return prepare(settings, manifest.probes, path=settings.relative(manifest.path))


def prove(
    live: LiveDatabase, draft: Draft, run: Run, probing: Probing | None, *, narrate: Callable[[str], None]
) -> tuple[Run, str | None]:
    """The run as it is recorded in the end, and what does not work; None where all does, or nobody wants to know.

    An entry of the report for each sequence.
    """
    if probing is None or run.result != "applied":
        return run, None
    from govern.checks.probes import run_probes

    try:
        proofs = run_probes(
            replace(probing, database_url=live.url.text), probing.probes.sequences, narrate=narrate
        )
    except BaseException as error:
        error.add_note("the database is changed, and marked unhealthy: the probes did not come to their end")
        with contextlib.suppress(GovernError):
            finish_run(live, run, "unhealthy", error=f"the probes broke off: {type(error).__name__}")
        raise
    for proof in proofs:
        draft.add(replace(proof.entry, name=f"probe {proof.entry.name}"))
    draft.data["probes"] = [proof.to_json() for proof in proofs]
    problem = _find_problem(proofs)
    run = replace(run, probes=tuple(proof.to_evidence() for proof in proofs))
    if problem:
        return finish_run(live, run, "unhealthy", error=problem), problem
    return note_probes(live, run), None


def tell_proof(run: Run, draft: Draft) -> None:
    """What the ledger says of the run now."""
    draft.data["run"] = run.to_json()
    draft.replace(Entry(name="ledger", status="passed", reason=f"run {run.id}, {run.result}"))


def _find_problem(proofs: tuple[Proof, ...]) -> str | None:
    findings = [finding for proof in proofs for finding in serious(proof.entry.findings)]
    if findings:
        return f"{count_of(len(findings), 'finding')} of probes; the first: {findings[0].message}"
    crashed = [proof.entry for proof in proofs if proof.entry.status == "crashed"]
    return f"the probe {crashed[0].name} crashed: {crashed[0].reason}" if crashed else None
