"""Probes of the running application, as a command and for whoever wants to know in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from govern.actions.journal import note_asked
from govern.api.command import Narrate, command, silent
from govern.checks.probes import Proof, choose, prepare
from govern.checks.probes import run_probes as run_sequences
from govern.config import Settings
from govern.core.report import Draft
from govern.database.target import resolve_target
from govern.errors import ConfigurationError

if TYPE_CHECKING:
    from govern.source.manifest import Probes


@command("probe")
def probe(
    draft: Draft,
    settings: Settings,
    names: tuple[str, ...] = (),
    *,
    file: Path | None = None,
    base_url: str | None = None,
    narrate: Narrate = silent,
) -> None:
    """Asks the running application; an entry for each sequence, ``data["probes"]`` with what was asked and answered.

    ``names``: of sequences; none: all. ``file``: another one than the manifest. ``base_url`` counts more than what
    the environment and the file say. Raises ConfigurationError and ToolMissing before anything is asked.
    """
    path = file or settings.manifest
    if path is None:
        raise ConfigurationError(
            "there are no probes",
            why="the project has no manifest",
            next="name a file: govern probe --file FILE",
        )
    probes = _read(path)
    if not probes.sequences:
        raise ConfigurationError(
            f"there are no probes in {settings.relative(path)}",
            why="it has no probes.sequences",
            next="declare what has to work: docs/probes.md",
        )
    shown = settings.relative(path.absolute())
    proofs = run_probes(settings, probes, path=shown, names=names, base_url=base_url, narrate=narrate)
    note_asked(
        settings,
        [proof.to_evidence() for proof in proofs],
        started_at=draft.started_at,
        finished_at=datetime.now(UTC),
    )
    for proof in proofs:
        draft.add(proof.entry)
    draft.data["probes"] = [proof.to_json() for proof in proofs]


def run_probes(
    settings: Settings,
    probes: Probes,
    *,
    path: str,
    names: tuple[str, ...] = (),
    base_url: str | None = None,
    narrate: Narrate = silent,
    tell: Callable[[Proof], None] = lambda _: None,
) -> tuple[Proof, ...]:
    """Runs the sequences of these names, all for none; each proof has the ``entry`` of one, without any secret.

    ``path`` is the file's, for findings. ``tell`` is told each proof as soon as there is one. It waits and blocks as
    long as the manifest lets it: not for a thread that runs an event loop. Raises ConfigurationError and ToolMissing
    before anything is asked.
    """
    sequences = choose(probes, names)
    probing = prepare(settings, probes, path=path, base_url=base_url)
    if any(step.python is not None for sequence in sequences for step in sequence.steps):
        probing = replace(probing, database_url=resolve_target(settings).text)
    return run_sequences(probing, sequences, narrate=narrate, tell=tell)


def _read(path: Path) -> Probes:
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    return load_manifest(path).probes
