"""Attributes of models that queries ask for: what no class of the project has, nor any class it derives from."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from govern.checks.scan.findings import undefined_name
from govern.checks.scan.names import split_place
from govern.checks.scan.rules import UNDEFINED_COLUMN, UNDEFINED_MODEL
from govern.checks.scan.schema import Schema
from govern.core.code import CodeFile, MemberUse, Model, NameUse
from govern.core.finding import Finding

_ROOTS = frozenset(
    {
        "DeclarativeBase",
        "DeclarativeBaseNoMeta",
        "MappedAsDataclass",
        "AsyncAttrs",
        "SQLModel",
        "object",
        "ABC",
    }
)
"""Classes of libraries whose members are known."""
_OF_ROOTS = frozenset(
    {"metadata", "registry", "query", "query_class", "awaitable_attrs", "type_annotation_map"}
)
_OF_COLLECTIONS = frozenset(
    {"keys", "values", "items", "get", "add", "contains_column", "corresponding_column"}
)
"""Methods of SQLAlchemy's collection of columns."""
_DEEPEST = 20


class Models:
    """The models of all files, by their names."""

    def __init__(self, files: Iterable[CodeFile], schema: Schema) -> None:
        self._schema = schema
        self._known: dict[str, list[tuple[str, Model]]] = {}
        self._given: dict[str, set[str]] = {}
        for file in files:
            for model in file.models:
                self._known.setdefault(model.name, []).append((file.path, model))
            for name, member in file.gives:
                self._given.setdefault(name, set()).add(member)

    def judge(self, file: CodeFile) -> Iterator[Finding]:
        """A finding for each model and each member that there surely is not."""
        for use in file.names:
            if use.kind == "model" and use.name not in self._known:
                close = tuple(difflib.get_close_matches(use.name, self._classes(), 2, 0.8))
                if close:
                    yield undefined_name(
                        UNDEFINED_MODEL, ("model", use.name), use, "there is no model", close
                    )
        for member in file.members:
            model = self._find(member, file.path)
            known = self._members_of(model, member.via) if model is not None else None
            if (
                model is None
                or known is None
                or member.name in known
                or member.name.startswith(("_", "model_"))
            ):
                continue
            name = f"{member.model}.{member.name}"
            use = NameUse(kind="column", name=name, via=member.via, spot=member.spot)
            close = tuple(difflib.get_close_matches(member.name, known, 2))
            yield undefined_name(UNDEFINED_COLUMN, ("column", name), use, "there is no attribute", close)

    def _classes(self) -> list[str]:
        return [name for name, [(_, model), *_] in self._known.items() if not model.is_core]

    def _find(self, use: MemberUse, path: str) -> Model | None:
        """The one model that is meant; None where it may be another, or something else of the name."""
        found = self._known.get(use.model, [])
        if len(found) != 1 or found[0][1].is_core != use.is_core:
            return None
        home, model = found[0]
        return model if _is_from(use.home, home, path) else None

    def _members_of(self, model: Model, via: str) -> frozenset[str] | None:
        """All that it has; None where not all is known."""
        if model.is_core:
            columns = self._schema.find(*split_place(model.table)) if not model.is_open else None
            return frozenset(columns) | _OF_COLLECTIONS if columns is not None else None
        members = self._own_and_inherited(model, 0)
        if members is None:
            return None
        tables = [split_place(model.table)] if model.table and via in ("values", "filter_by") else []
        return members.union(*(self._schema.find(*place) or () for place in tables))

    def _own_and_inherited(self, model: Model, depth: int) -> frozenset[str] | None:
        if model.is_open or depth > _DEEPEST:
            return None
        members = {*model.members, *self._given.get(model.name, ()), *_OF_ROOTS}
        for base in model.bases:
            if base.rpartition(".")[2] in _ROOTS:
                continue
            found = self._known.get(base) or self._known.get(base.rpartition(".")[2], [])
            inherited = self._own_and_inherited(found[0][1], depth + 1) if len(found) == 1 else None
            if inherited is None:
                return None
            members |= inherited
        return frozenset(members)


def _is_from(module: str, home: str, path: str) -> bool:
    """Whether a model that stands in ``home`` is what a file at ``path`` has from the module."""
    if module == "*":
        return True
    if not module:
        return home == path
    last = module.rpartition(".")[2]
    here = PurePosixPath(home)
    return last in here.with_suffix("").parts if last else here.parent == PurePosixPath(path).parent
