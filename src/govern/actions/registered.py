"""Models that the project's files define and its metadata does not have: found by reading, proven by importing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from govern.actions.init.metadata import find_candidates
from govern.actions.init.modules import Modules, read_project_modules
from govern.checks.models import check_registered
from govern.config import Settings
from govern.core.finding import Finding
from govern.database.scratch import scratch_database
from govern.database.target import declared_like
from govern.errors import CouldNotCheck
from govern.revisions.explain import NeedsDatabase
from govern.revisions.protocol import ImportedModels
from govern.revisions.runner import Runner


def find_unregistered(settings: Settings) -> tuple[Finding, ...]:
    """Each table whose model the metadata lacks: only modules that define models of a base in use are imported.

    Raises CouldNotCheck where such a module cannot be imported, ConfigurationError where there are no models.
    """
    modules = read_project_modules(settings)
    pairs = tuple(sorted(_base_and_module(modules)))
    if not pairs:
        return ()
    imported = _import(settings, pairs)
    findings = check_registered(
        imported.tables,
        paths={name: settings.relative(module.path) for name, module in modules.by_name.items()},
        source=settings.models or settings.relative(settings.alembic.script_location / "env.py"),
    )
    if imported.failures and not findings:
        (module, why), *_ = imported.failures.items()
        raise CouldNotCheck(
            f"{module} cannot be imported, so what models it has is not known",
            why=why,
            next=f"{settings.python} -c 'import {module}' says more",
        )
    return findings


def _base_and_module(modules: Modules) -> Iterator[tuple[str, str]]:
    """The module that makes a base, and a module with models of it."""
    for candidate in find_candidates(modules):
        for module in candidate.model_modules:
            yield candidate.metadata.module or "sqlmodel", module


def _import(settings: Settings, pairs: tuple[tuple[str, str], ...]) -> ImportedModels:
    """A project that connects while it is loaded gets a scratch database."""
    with suppress(NeedsDatabase):
        return Runner(settings).import_models(pairs)
    with scratch_database(settings, like=declared_like(settings), label="models") as url:
        return Runner(settings).import_models(pairs, url)
