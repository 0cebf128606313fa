"""What env.py keeps from autogenerate (``include_object``, ``include_name``), asked about differences."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from govern.config import Settings
from govern.core.changes import Change
from govern.core.snapshot import ObjectKey, default_namespace, parts_of
from govern.database.url import DatabaseUrl
from govern.revisions.runner import Asked, Runner

_HOOKS = frozenset({"include_object", "include_name"})
_CONSTRAINTS = {"unique": "unique_constraint", "foreign key": "foreign_key_constraint"}
_OF_TABLES = frozenset({"column", "constraint", "index", "trigger", "rule", "policy", "statistics"})
"""What belongs to a table, and is left out with it."""


def env_filters(settings: Settings) -> bool:
    """Whether env.py gives ``context.configure`` one of the two hooks, or options that its text does not show."""
    try:
        module = ast.parse((settings.alembic.script_location / "env.py").read_bytes())
    except (OSError, SyntaxError, ValueError):  # said by whoever runs it
        return False
    return any(_is_hook(node) or _has_hidden_options(node) for node in ast.walk(module))


def _is_hook(node: ast.AST) -> bool:
    return (isinstance(node, ast.keyword) and node.arg in _HOOKS) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in _HOOKS
    )


def _has_hidden_options(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "configure"
        and any(keyword.arg is None for keyword in node.keywords)
    )


def find_left_out(settings: Settings, url: DatabaseUrl, changes: Iterable[Change]) -> frozenset[ObjectKey]:
    """The keys of those ``changes`` that env.py would not look at; ``url`` is a scratch database.

    A table that is left out takes all with it that belongs to it. Kinds that Alembic does not know are never left out.
    """
    asked = [
        (change.key, question)
        for change in changes
        if (question := _question(change, default_namespace(url.dialect))) is not None
    ]
    if not asked:
        return frozenset()
    positions = Runner(settings).find_left_out(url, [question for _, question in asked])
    return frozenset(key for position, (key, _) in enumerate(asked) if position in positions)


def _question(change: Change, usual: str) -> Asked | None:
    """A change as Alembic names what it is about: the usual namespace has no name."""
    key = change.key
    kind, *_ = key.name.split(" ") if key.kind not in (*_OF_TABLES, "table") else (key.kind,)
    if kind != "table" and kind not in _OF_TABLES:
        return None
    schema = key.namespace if key.namespace != usual else None
    parts = parts_of(key)
    if kind != key.kind or kind == "table" or len(parts) < 2:
        return "table", schema or None, parts[0], None
    facts = change.declared or change.live or {}
    type_ = _CONSTRAINTS.get(str(facts.get("type"))) if kind == "constraint" else kind
    if type_ not in ("column", "index", *_CONSTRAINTS.values()):
        return "table", schema or None, parts[0], None
    return type_, schema or None, parts[0], parts[1]
