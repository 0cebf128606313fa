"""Finds a project's SQLAlchemy metadata, and the one module whose import brings in every table."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from govern.actions.init.modules import Module, Modules, Place, dotted_name, is_defined, parse

_BASES = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta"})
_BASE_FACTORIES = frozenset({"declarative_base", "automap_base"})
_OWNERS = frozenset({"registry", "SQLAlchemy"})
"""What has ``.metadata`` and makes bases: SQLAlchemy's registry, Flask-SQLAlchemy's extension."""
_LIBRARIES = frozenset({"sqlalchemy", "flask_sqlalchemy", "sqlmodel", "advanced_alchemy"})


@dataclass(frozen=True, slots=True, order=True)
class Metadata:
    """One MetaData object, named by where it is made. ``module`` is empty for the one inside SQLModel."""

    module: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table as the source text has it."""

    name: str
    """With its namespace where one is given: ``auth.users``."""
    module: str
    references: frozenset[str] = frozenset()
    """Tables its foreign keys point to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A metadata, and how to get all of it with one import."""

    metadata: Metadata
    model_modules: frozenset[str]
    tables: tuple[Table, ...]
    models: str | None
    """``package.module:Base.metadata``; None where no module of the project imports all model modules."""


def env_declares_metadata(env: Path) -> bool:
    """Whether env.py gives Alembic a metadata: what its template writes (None, or an empty dict) is none."""
    tree = parse(env)
    return tree is not None and any(_is_metadata(value) for value in _env_values(tree))


def env_has_online_options(env: Path) -> bool:
    """Whether env.py has options that its part for offline rarely has: of the version table, or of several databases.

    As a keyword of context.configure, or a key of what is given to it.
    """
    tree = parse(env)
    return tree is not None and any(_is_online_option(node) for node in ast.walk(tree))


def _is_online_option(node: ast.AST) -> bool:
    match node:
        case ast.keyword(arg="version_table" | "version_table_schema" | "upgrade_token"):
            return True
        case ast.Constant(value="version_table" | "version_table_schema" | "upgrade_token"):
            return True
        case _:
            return False


def _env_values(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id="target_metadata")], value=value):
                yield value
            case ast.AnnAssign(target=ast.Name(id="target_metadata"), value=ast.expr() as value):
                yield value
            case ast.keyword(arg="target_metadata", value=value):
                yield value


def _is_metadata(value: ast.expr) -> bool:
    if any(isinstance(node, ast.Name) and node.id == "target_metadata" for node in ast.walk(value)):
        return False  # passed on; its assignment decides
    match value:
        case ast.Constant(value=None) | ast.Dict(keys=[]) | ast.List(elts=[]):
            return False
        case _:
            return True


def find_candidates(modules: Modules) -> tuple[Candidate, ...]:
    """Every metadata the project makes, the one with most model modules first."""
    reached = {module.name: _reach(modules, module) for module in modules}
    models: dict[Metadata, set[str]] = defaultdict(set)
    tables: dict[Metadata, list[Table]] = defaultdict(list)
    for module in modules:
        for name in (*module.classes, *module.values):
            metadata = reached[module.name].get(name)
            if metadata is None:
                continue
            is_model = _is_model(modules, module, name, metadata)
            models[metadata] |= {module.name} if is_model else set()
            tables[metadata] += _table(modules, module, name) if is_model else ()
    loaded = {module.name: modules.loaded_by(module) for module in modules}
    candidates = (
        Candidate(
            metadata=metadata,
            model_modules=frozenset(found),
            tables=tuple(sorted(tables[metadata], key=lambda table: table.name)),
            models=_find_import(modules, metadata, frozenset(found), reached, loaded),
        )
        for metadata, found in models.items()
    )
    return tuple(
        sorted(candidates, key=lambda candidate: (-len(candidate.model_modules), candidate.metadata))
    )


def _reach(modules: Modules, module: Module) -> Mapping[str, Metadata]:
    """What each of a module's names has to do with a metadata, if anything; imported names come last."""
    names = (*module.classes, *module.values, *module.imported)
    found = ((name, metadata_of(modules, module, name)) for name in names)
    return {name: metadata for name, metadata in found if metadata is not None}


def count_references(tables: tuple[Table, ...]) -> Mapping[str, int]:
    """By how many other tables each table is referenced, the most first."""
    names = {table.name for table in tables}
    counts = {
        name: sum(name in table.references for table in tables if table.name != name)
        for name in sorted(names)
    }
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


# --- which metadata a name belongs to ---------------------------------------------------------------------


def metadata_of(
    modules: Modules, module: Module, dotted: str, seen: frozenset[tuple[str, str]] = frozenset()
) -> Metadata | None:
    """The metadata behind a base, model, table, registry or MetaData called ``dotted`` in ``module``."""
    if (module.name, dotted) in seen:
        return None
    seen |= {(module.name, dotted)}
    place = modules.follow(module, dotted)
    if place.module is None:
        return (
            Metadata("", "SQLModel") if place.name.removesuffix(".metadata") == "sqlmodel.SQLModel" else None
        )
    if place.name in place.module.classes:
        return _metadata_of_class(modules, place.module, place.module.classes[place.name], seen)
    if place.name in place.module.values:
        return _metadata_of_value(modules, place, seen)
    return None


def _metadata_of_class(
    modules: Modules, module: Module, node: ast.ClassDef, seen: frozenset[tuple[str, str]]
) -> Metadata | None:
    given = _class_attribute(node, "metadata")
    if given is not None:
        name = dotted_name(given)
        # MetaData(naming_convention=…) written in the class body belongs to the class
        return metadata_of(modules, module, name, seen) if name else Metadata(module.name, node.name)
    for base in filter(None, map(dotted_name, node.bases)):
        if _library_name(modules, module, base) in _BASES:
            return Metadata(module.name, node.name)
        if (found := metadata_of(modules, module, base, seen)) is not None:
            return found
    for decorator in node.decorator_list:
        name = dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if name and _library_name(modules, module, name) == "as_declarative":
            return Metadata(module.name, node.name)
        if name and (found := metadata_of(modules, module, name, seen)) is not None:
            return found
    return None


def _metadata_of_value(modules: Modules, place: Place, seen: frozenset[tuple[str, str]]) -> Metadata | None:
    module = place.module
    assert module is not None  # noqa: S101 - the caller looked
    call = module.values[place.name]
    maker = dotted_name(call.func)
    if maker is None:
        return None
    library = _library_name(modules, module, maker)
    if library == "Table":
        owner = dotted_name(call.args[1]) if len(call.args) > 1 else None
        return metadata_of(modules, module, owner, seen) if owner else None
    if library == "MetaData":
        return Metadata(module.name, place.name)
    if library in _BASE_FACTORIES | _OWNERS:
        given = next((dotted_name(word.value) for word in call.keywords if word.arg == "metadata"), None)
        return metadata_of(modules, module, given, seen) if given else Metadata(module.name, place.name)
    if maker.endswith(".generate_base"):
        return metadata_of(modules, module, maker.removesuffix(".generate_base"), seen)
    return None


def _library_name(modules: Modules, module: Module, dotted: str) -> str | None:
    """``DeclarativeBase`` for whatever name the module gave to ``sqlalchemy.orm.DeclarativeBase``."""
    place = modules.follow(module, dotted)
    if place.module is not None:
        return None
    library, _, name = place.name.partition(".")
    return name.rpartition(".")[2] if library in _LIBRARIES else None


def _class_attribute(node: ast.ClassDef, name: str) -> ast.expr | None:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return value
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if found == name:
                return value
    return None


# --- models and their tables ------------------------------------------------------------------------------


def _is_model(modules: Modules, module: Module, name: str, metadata: Metadata) -> bool:
    if name in module.values:
        maker = dotted_name(module.values[name].func)
        return maker is not None and _library_name(modules, module, maker) == "Table"
    node = module.classes[name]
    if metadata.module == "":  # SQLModel: only classes with table=True have one
        return any(word.arg == "table" and _literal(word.value) is True for word in node.keywords)
    # SQLAlchemy takes any other subclass for a model, or refuses it
    return not _is_base(modules, module, node) and _class_attribute(node, "__abstract__") is None


def _is_base(modules: Modules, module: Module, node: ast.ClassDef) -> bool:
    decorators = [call.func if isinstance(call, ast.Call) else call for call in node.decorator_list]
    names = (dotted_name(expression) for expression in (*node.bases, *decorators))
    libraries = (_library_name(modules, module, name) for name in names if name)
    return any(name in _BASES or name == "as_declarative" for name in libraries)


def _table(modules: Modules, module: Module, name: str) -> list[Table]:
    """The table of a model; none if its name is computed."""
    node: ast.AST = module.classes.get(name) or module.values[name]
    table_name = _table_name(node)
    if table_name is None:
        return []
    references = frozenset(filter(None, (_referenced(modules, module, call) for call in _calls(node))))
    return [Table(name=table_name, module=module.name, references=references)]


def _table_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call):
        plain = _literal(node.args[0]) if node.args else None
        namespace = next((_literal(word.value) for word in node.keywords if word.arg == "schema"), None)
    elif isinstance(node, ast.ClassDef):
        given = _class_attribute(node, "__tablename__")
        is_table = any(word.arg == "table" for word in node.keywords)  # SQLModel's default name
        plain = _literal(given) if given else node.name.lower() if is_table else None
        namespace = _namespace(_class_attribute(node, "__table_args__"))
    else:
        return None
    if not isinstance(plain, str):
        return None
    return f"{namespace}.{plain}" if isinstance(namespace, str) else plain


def _namespace(arguments: ast.expr | None) -> object:
    """``schema`` of ``__table_args__``: a dict, or the last item of a tuple."""
    if isinstance(arguments, ast.Tuple) and arguments.elts:
        arguments = arguments.elts[-1]
    if not isinstance(arguments, ast.Dict):
        return None
    pairs = zip(arguments.keys, arguments.values, strict=True)
    return next((_literal(value) for key, value in pairs if key and _literal(key) == "schema"), None)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (child for child in ast.walk(node) if isinstance(child, ast.Call))


def _referenced(modules: Modules, module: Module, call: ast.Call) -> str | None:
    """The table a ForeignKey or ForeignKeyConstraint points to, or SQLModel's ``Field(foreign_key=…)``."""
    target: ast.expr | None = None
    match (dotted_name(call.func) or "").rpartition(".")[2], call.args:
        case "ForeignKey", [first, *_]:
            target = first
        case "ForeignKeyConstraint", [_, ast.List(elts=[first, *_]) | ast.Tuple(elts=[first, *_]), *_]:
            target = first
        case _:
            target = next((word.value for word in call.keywords if word.arg == "foreign_key"), None)
    if target is None:
        return None
    if (column := dotted_name(target)) is not None:  # ForeignKey(User.id)
        place = modules.follow(module, column.rpartition(".")[0])
        if place.module is None or not is_defined(place):
            return None
        return _table_name(place.module.classes.get(place.name) or place.module.values[place.name])
    written = _literal(target)
    return written.rpartition(".")[0] or None if isinstance(written, str) else None


def _literal(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


# --- the one import ---------------------------------------------------------------------------------------


def _find_import(
    modules: Modules,
    metadata: Metadata,
    model_modules: frozenset[str],
    reached: Mapping[str, Mapping[str, Metadata]],
    loaded: Mapping[str, frozenset[str]],
) -> str | None:
    """``module:attribute`` of the smallest import that brings in all models and names the metadata.

    ``reached`` and ``loaded`` are each module's names with their metadata, and what importing it loads.
    """
    needed = model_modules or ({metadata.module} - {""})
    covering = []
    for module in modules:
        if not needed <= loaded[module.name]:
            continue
        attribute = _attribute(modules, module, metadata, reached[module.name])
        if attribute is not None:
            covering.append((len(loaded[module.name]), module.name, attribute))
    if not covering:
        return None
    _, name, attribute = min(covering)
    return f"{name}:{attribute}"


def _attribute(
    modules: Modules, module: Module, metadata: Metadata, reached: Mapping[str, Metadata]
) -> str | None:
    """How to reach the metadata from the module: by its own name, else by any model of it."""
    leading = [name for name, found in reached.items() if found == metadata]
    if leading:
        own = (name for name in leading if _leads_to(modules, module, name, metadata))
        return _with_metadata(modules, module, next(own, leading[0]))
    if metadata.module.startswith(f"{module.name}."):  # a submodule is an attribute of its package
        owner = modules.by_name[metadata.module]
        inside = metadata.module.removeprefix(f"{module.name}.")
        return f"{inside}.{_with_metadata(modules, owner, metadata.name)}"
    return None


def _leads_to(modules: Modules, module: Module, name: str, metadata: Metadata) -> bool:
    place = modules.follow(module, name)
    if place.module is None:
        return place.name == "sqlmodel.SQLModel"
    return (place.module.name, place.name) == (metadata.module, metadata.name)


def _with_metadata(modules: Modules, module: Module, name: str) -> str:
    place = modules.follow(module, name)
    if place.module is not None and (call := place.module.values.get(place.name)) is not None:
        maker = dotted_name(call.func)
        if maker and _library_name(modules, place.module, maker) == "MetaData":
            return name
    return f"{name}.metadata"
