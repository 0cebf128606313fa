"""Models and tables of SQLAlchemy as values: their names and attributes, and which attributes queries ask them for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from govern.code.libraries.arguments import (
    NOWHERE,
    Calls,
    argument,
    called,
    named_arguments,
    placed_arguments,
    receiver_of,
)
from govern.code.texts.names import Names
from govern.code.tree import Tree
from govern.core.code import MemberUse, Model, NameUse, Spot

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_MARKS = frozenset({"Column", "mapped_column", "relationship", "declarative_base", "Field", "Relationship"})
"""A file that calls none of them has no models and no mixins of them, unless its classes derive from one of these."""
_ROOTS = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta", "MappedAsDataclass", "SQLModel"})
_RELATIONSHIPS = frozenset({"relationship", "Relationship"})
_OF_ROWS = frozenset({"values", "filter_by"})
"""They are given values by the names of attributes or columns."""
_ASKING = frozenset(
    {"select", "query", "where", "filter", "order_by", "group_by", "having", "join", "outerjoin", "returning"}
    | {
        "options",
        "with_only_columns",
        "distinct",
        "exists",
        "delete",
        "update",
        "insert",
        "scalar",
        "scalars",
    }
)
"""What builds a query out of attributes of models."""
_JOINING = re.compile(r"\.(?:outer)?join(?:_from)?\(|\.select_from\(")
ANYWHERE = "*"
"""The home of a model that is asked for by its name alone, as SQLAlchemy's registry has it."""
_CAPITAL = re.compile(r"_*[A-Z]\w*")


def find_models(root: Tree, calls: Calls, names: Names, path: str) -> Iterator[Model]:
    """The classes of a file that has models, and its tables of Core."""
    yield from _find_core(root, path, names)
    classes = root.find_all(kind="class_definition")
    is_told = bool(calls.named(_MARKS))
    for node in classes:
        if is_told or any(one.text().rpartition(".")[2] in _ROOTS for one in _bases(node)):
            yield _read_class(node, names, path)


def find_relationships(calls: Calls, names: Names, path: str) -> Iterator[NameUse | MemberUse]:
    """The models that ``relationship("…")`` names, and what they are said to have."""
    for call in calls.named(_RELATIONSHIPS):
        target = argument(call, 0, "argument")
        named = _text(target, names) if target is not None else _annotated(call)
        if target is not None and target.kind() == "identifier":
            named = target.text()
        if named is None or not named.isidentifier():
            continue
        at = target if target is not None else call
        if target is None or target.kind() != "identifier":
            yield NameUse(kind="model", name=named, via="relationship", spot=spot_of(at, path))
        value = argument(call, NOWHERE, "back_populates")
        if value is not None and (member := _text(value, names)):
            yield MemberUse(
                model=named, home=ANYWHERE, name=member, via="back_populates", spot=spot_of(value, path)
            )


def find_given(root: Tree, calls: Calls, names: Names) -> Iterator[tuple[str, str]]:
    """Models and what they get besides their own: ``backref="orders"``, ``User.orders = relationship(…)``."""
    for call in calls.named(_RELATIONSHIPS):
        if "backref" in call.text():
            back, target = argument(call, NOWHERE, "backref"), argument(call, 0, "argument")
            if back is not None and back.kind() == "call":
                back = argument(back, 0, "name")
            named = target.text().rpartition(".")[2].strip("\"'") if target is not None else _annotated(call)
            member = _text(back, names)
            if named and member:
                yield named, member
    for node in root.find_all(kind="assignment"):
        left = node.field("left")
        if left is None or left.kind() != "attribute":
            continue
        of, name = left.field("object"), left.field("attribute")
        if of is not None and name is not None and _CAPITAL.fullmatch(of.text()):
            yield of.text(), name.text()


def find_members(calls: Calls, homes: Mapping[str, str], path: str) -> Iterator[MemberUse]:
    """Attributes of models that queries ask for, each place once. ``homes``: where imported names come from."""
    seen: set[Spot] = set()
    for call in calls.named(_ASKING | _OF_ROWS):
        via = called(call)
        if via in _ASKING and (arguments := call.field("arguments")) is not None:
            for node in arguments.find_all(kind="attribute"):
                use = _read_attribute(node, homes, via, path)
                if use is not None and use.spot not in seen:
                    seen.add(use.spot)
                    yield use
        if via in _OF_ROWS:
            yield from _find_keywords(call, via, homes, path)


def spot_of(node: SgNode, path: str) -> Spot:
    """Where an expression begins."""
    start = node.range().start
    return Spot(path=path, line=start.line + 1, column=start.column + 1)


def _find_core(root: Tree, path: str, names: Names) -> Iterator[Model]:
    for node in root.find_all(kind="assignment"):
        left, right = node.field("left"), node.field("right")
        if left is None or right is None:
            continue
        if right.kind() != "call":
            continue
        made = called(right)
        if made == "Table" and len(placed_arguments(right)) > 1:
            table = _text(placed_arguments(right)[0], names)
            if table is not None:
                schema = _text(argument(right, NOWHERE, "schema"), names)
                yield Model(
                    name=left.text(),
                    table=f"{schema}.{table}" if schema else table,
                    is_core=True,
                    is_open="key=" in right.text(),
                    spot=spot_of(left, path),
                )
        elif made == "SQLAlchemy":
            is_open = "model_class=" in right.text()
            yield Model(name=f"{left.text()}.Model", is_open=is_open, spot=spot_of(left, path))
        elif made == "declarative_base":
            yield Model(name=left.text(), is_open="cls=" in right.text(), spot=spot_of(left, path))


def _read_class(node: SgNode, names: Names, path: str) -> Model:
    name, body = node.field("name"), node.field("body")
    members: list[str] = []
    table, is_open = "", False
    for statement in body.named_children() if body is not None else ():
        found = _member_of(statement)
        if found is not None:
            members.append(found)
            if found == "__tablename__":
                table = _text(_value_of(statement), names) or ""
            is_open |= found in ("__getattr__", "__table__")
        elif statement.kind() not in (
            "expression_statement",
            "pass_statement",
            "comment",
            "class_definition",
        ):
            is_open = True  # an attribute may come out of a condition or a loop
    bases = tuple(one.text() for one in _bases(node))
    text = node.text()
    return Model(
        name=name.text() if name is not None else "",
        table=table,
        bases=bases,
        members=tuple(members),
        is_open=is_open or "metaclass=" in text or any(not re.fullmatch(r"[\w.]+", base) for base in bases),
        spot=spot_of(node, path),
    )


def _member_of(statement: SgNode) -> str | None:
    """The name that a statement of a class's body gives it."""
    if statement.kind() == "decorated_definition":
        statement = statement.field("definition") or statement
    if statement.kind() in ("function_definition", "class_definition"):
        name = statement.field("name")
        return name.text() if name is not None else None
    if statement.kind() == "expression_statement" and statement.named_children():
        inner = statement.named_children()[0]
        left = inner.field("left") if inner.kind() == "assignment" else None
        return left.text() if left is not None and left.kind() == "identifier" else None
    return None


def _value_of(statement: SgNode) -> SgNode | None:
    return statement.named_children()[0].field("right") if statement.named_children() else None


def _bases(node: SgNode) -> list[SgNode]:
    listed = node.field("superclasses")
    given = listed.named_children() if listed is not None else []
    return [one for one in given if one.kind() not in ("keyword_argument", "comment")]


def _annotated(call: SgNode) -> str | None:
    """``Order`` of ``orders: Mapped[list["Order"]] = relationship()``."""
    assignment = call.parent()
    kind = assignment.field("type") if assignment is not None and assignment.kind() == "assignment" else None
    if kind is None:
        return None
    words = re.findall(r"\w+", kind.text())
    named = [word for word in words if _CAPITAL.fullmatch(word)]
    ours = [
        word
        for word in named
        if word not in ("Mapped", "List", "Set", "Optional", "None", "Sequence", "Dict")
    ]
    return ours[0] if len(ours) == 1 else None


def _read_attribute(node: SgNode, homes: Mapping[str, str], via: str, path: str) -> MemberUse | None:
    """``User.id``, ``models.User.id``, ``users.c.id``."""
    of, name = node.field("object"), node.field("attribute")
    if of is None or name is None:
        return None
    is_core = False
    if of.kind() == "attribute":
        attribute, inner = of.field("attribute"), of.field("object")
        if attribute is None or inner is None or inner.kind() != "identifier":
            return None
        is_core = attribute.text() in ("c", "columns")
        model = inner.text() if is_core else attribute.text()
        home, model = _origin_of(model, homes) if is_core else (homes.get(inner.text(), ""), model)
        if not is_core and (not home or not _CAPITAL.fullmatch(model)):
            return None
    elif of.kind() == "identifier" and _CAPITAL.fullmatch(of.text()):
        home, model = _origin_of(of.text(), homes)
    else:
        return None
    spot = spot_of(name, path)
    return MemberUse(model=model, home=home, name=name.text(), via=via, spot=spot, is_core=is_core)


def _origin_of(local: str, homes: Mapping[str, str]) -> tuple[str, str]:
    """The module that a name comes from, and what it is called there."""
    home, _, name = homes.get(local, "").rpartition(".")
    return (home or ".", name) if name else ("", local)


def _find_keywords(call: SgNode, via: str, homes: Mapping[str, str], path: str) -> Iterator[MemberUse]:
    """``insert(users).values(name=…)``, ``session.query(User).filter_by(name=…)``."""
    of = _asked_of(call, via)
    if of is None:
        return
    for name, value in named_arguments(call):
        where = spot_of(value.parent() or value, path)
        is_core = _CAPITAL.fullmatch(of) is None
        home, model = _origin_of(of, homes)
        yield MemberUse(model=model, home=home, name=name, via=via, spot=where, is_core=is_core)


def _asked_of(call: SgNode, via: str) -> str | None:
    """The one model or table that a chain of calls is about."""
    if _JOINING.search(receiver_of(call)):
        return None
    begins = ("insert", "update") if via == "values" else ("query", "select")
    node = call
    while (function := node.field("function")) is not None and (of := function.field("object")) is not None:
        if called(node) in begins:
            break
        if of.kind() != "call":
            return None
        node = of
    if called(node) not in begins:
        return None
    given = placed_arguments(node)
    if len(given) == 1 and given[0].kind() == "identifier":
        return given[0].text()
    receiver = receiver_of(node)
    return receiver if not given and via == "values" and receiver.isidentifier() else None


def _text(node: SgNode | None, names: Names) -> str | None:
    text = names.build(node) if node is not None else None
    return text.content if text is not None and text.is_known else None
