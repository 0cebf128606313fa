"""Asks the running application for the monitor, in its child: what is told on has nothing from an answer in it.

What the application said may be a person's data, and what the monitor knows is read by many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.config import Settings
from govern.core.finding import Finding
from govern.core.probed import name_entry
from govern.core.report import Entry
from govern.errors import ConfigurationError, GovernError
from govern.monitor.checks import Seen

if TYPE_CHECKING:
    from govern.checks.probes import Proof

CANNOT_ASK = "probes"
"""The name of what is told where nothing can be asked at all."""
_ANSWERED = ("sent", "excerpt")
"""Of the evidence."""


def ask_application(settings: Settings, sequences: tuple[str, ...], tell: Callable[[Seen], None]) -> None:
    """Tells what was learned of each sequence as soon as it has ended; one ``probes`` where nothing can be asked."""
    try:
        _ask(settings, sequences, tell)
    except GovernError as error:
        reason = f"{error.what}: {error.why}" if error.why else error.what
        tell(Seen(entry=Entry(name=CANNOT_ASK, status="skipped", reason=reason), is_decided=False))
    except Exception as error:  # a bug in asking is told as any other crash
        tell(Seen.crashed(CANNOT_ASK, f"{type(error).__name__}: {error}"))


def _ask(settings: Settings, sequences: tuple[str, ...], tell: Callable[[Seen], None]) -> None:
    from govern.api.probing import run_probes
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    if settings.manifest is None:
        raise ConfigurationError(
            "there are no probes", why="the project has no manifest", next="see docs/probes.md"
        )
    probes, path = load_manifest(settings.manifest).probes, settings.relative(settings.manifest)
    run_probes(settings, probes, path=path, names=sequences, tell=lambda proof: tell(_see(proof)))


def _see(proof: Proof) -> Seen:
    entry = replace(
        proof.entry,
        name=name_entry(proof.entry.name),
        findings=tuple(_without_answers(finding) for finding in proof.entry.findings),
    )
    return Seen(entry=entry, is_decided=proof.is_whole, seconds=proof.seconds)


def _without_answers(finding: Finding) -> Finding:
    kept = {name: value for name, value in finding.evidence.items() if name not in _ANSWERED}
    return replace(finding, why=finding.rule.effect, evidence=kept)
