"""Is every model of the project in the metadata that the revisions are held against? Importing them is for others."""

from __future__ import annotations

from collections.abc import Mapping

from govern.core.finding import Finding, Rule, Severity, Subject

MODEL_NOT_REGISTERED = Rule(
    id="drift.model-not-registered",
    name="a model that nobody imports",
    severity=Severity.ERROR,
    condition="a module of the project defines a table, and neither env.py nor the configured models import it",
    effect="no revision is ever written for it, or one that drops its table: the code that uses it fails in production",
    remedy="import the module where the metadata comes from, or remove it",
)
RULES = (MODEL_NOT_REGISTERED,)


def check_registered(
    tables: Mapping[str, tuple[str, ...]], *, paths: Mapping[str, str], source: str
) -> tuple[Finding, ...]:
    """One finding for each table that only a module of its own knows.

    ``tables`` are by module, ``paths`` the modules' files; ``source`` is where the metadata comes from.
    """
    return tuple(
        Finding.of(
            MODEL_NOT_REGISTERED,
            Subject(kind="table", name=table, path=paths.get(module)),
            f"table {table}: {module} defines it, and {source} does not import that",
            remedy=f"import {module} where {source} gets its metadata from, or remove it",
        )
        for module, names in tables.items()
        for table in names
    )
