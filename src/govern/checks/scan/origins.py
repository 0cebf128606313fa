"""Where a value comes from: surely one of some keys' columns, perhaps by its name, or who knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from govern.checks.scan.conversions import Conversions
from govern.checks.scan.mistyped import Keys
from govern.checks.scan.shapes import Shape, Shapes, find_given
from govern.checks.scan.statement_columns import Output
from govern.code.programs.calls import Binding, Function, Program, Project
from govern.code.programs.program import Expression, unwrap
from govern.core.keys import Column

_INPUT = frozenset(
    {"request", "req", "params", "args", "query", "body", "form", "json", "event", "environ", "argv", "env"}
    | {"headers", "cookies", "searchParams", "input", "GET", "POST", "kwargs", "options", "opts", "payload"}
    | {"path_params", "query_params", "url", "config", "settings", "data", "formData", "ctx", "props"}
)
"""What people call that which comes from outside: whatever it is of, it has to be converted."""
_MOST_STEPS = 5_000
_NONE = Column(("", ""), "")
_SCALARS = frozenset({"scalar", "scalar_one", "scalar_one_or_none", "fetchval", "fetch_val"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose value an expression has."""

    keys: Keys
    column: Column | None
    is_sure: bool
    """Whether it is read from that column; else its name says so."""
    may_be_null: bool = False
    is_open: bool = False
    """Whether it is a parameter, or of something that others may fill in as they like."""


class Origins:
    """Follows values back through the files of a project."""

    def __init__(
        self, project: Project, shapes: Shapes, conversions: Conversions, known: tuple[Keys, ...]
    ) -> None:
        self._project, self._shapes, self._conversions = project, shapes, conversions
        self._known = known
        self._pending: set[Expression] = set()
        self.steps = 0
        """Made for the value that is asked for; after too many of them nobody knows where it is from."""

    def keys_of(self, column: Column | None) -> Keys | None:
        return next((keys for keys in self._known if column in keys.columns), None)

    def origin_of(self, program: Program, one: Expression) -> Origin | None:
        """None for what is no value of such keys, and what does not even look like one."""
        one = unwrap(one)
        self.steps += 1
        if one in self._pending or self.steps > _MOST_STEPS:
            return None
        self._pending.add(one)
        try:
            return self._find(program, one)
        finally:
            self._pending.discard(one)

    def _find(self, program: Program, one: Expression) -> Origin | None:
        if one.kind == "name":
            return self._of_name(program, one)
        if one.kind == "attribute" or (one.kind == "item" and one.name):
            return self._of_part(program, one, one.parts[0], one.name)
        if one.kind != "call":
            return self._of_conversion(program, one)
        callee = one.parts[0]
        if callee.kind == "attribute" and callee.name == "get" and one.arguments:
            key = one.arguments[0]
            if key.kind == "text" and self._shapes.shape_of(program, callee.parts[0]) is not None:
                return self._of_part(program, one, callee.parts[0], key.name)
        return (
            self._of_conversion(program, one)
            or self._of_scalar(program, one)
            or self._of_function(program, one)
        )

    def _of_conversion(self, program: Program, one: Expression) -> Origin | None:
        """A conversion to what the keys are to be changes nothing of where a value is from."""
        conversion = self._conversions.find(program, one)
        origin = self.origin_of(program, conversion.value) if conversion is not None else None
        if conversion is None or origin is None or conversion.to != origin.keys.family:
            return None
        return origin

    def _of_scalar(self, program: Program, one: Expression) -> Origin | None:
        """``connection.execute("SELECT user_id …").scalar_one()``."""
        callee = one.parts[0]
        if callee.name not in _SCALARS:
            return None
        ran = self._shapes.read_sql(one)
        if ran is None and callee.kind == "attribute":
            before = self._shapes.shape_of(program, callee.parts[0])
            outputs = before.outputs if before is not None and not before.is_mapped else None
        else:
            outputs = ran.said.outputs if ran is not None else None
        origin = self._of_output(outputs[0]) if outputs else None
        return replace(origin, may_be_null=True) if origin and callee.name != "scalar_one" else origin

    def _of_function(self, program: Program, one: Expression) -> Origin | None:
        function = self._project.find_function(program, one.parts[0])
        if function is None or self._conversions.is_helper(function):
            return None
        found = [self.origin_of(function.program, value) for value in _returned_by(function)]
        return _agree(found)

    def _of_part(self, program: Program, whole: Expression, of: Expression, name: str) -> Origin | None:
        shape = self._shapes.shape_of(program, of)
        if shape is None or shape.level == "rows":
            return self._by_name(whole, name)
        output = shape.find(name)
        if output is None:
            return None
        origin = self._of_output(output)
        if origin is None or shape.level == "class":
            return origin
        is_loaded = self._is_as_loaded(program, whole, shape, name)
        return origin if is_loaded else replace(origin, is_sure=False)

    def _of_output(self, output: Output) -> Origin | None:
        keys = self.keys_of(output.column)
        if keys is None or output.column is None:
            return None
        may_be_null = output.is_outer or output.column in keys.nullable
        return Origin(keys=keys, column=output.column, is_sure=True, may_be_null=may_be_null)

    def _is_as_loaded(self, program: Program, whole: Expression, shape: Shape, name: str) -> bool:
        """Whether nobody puts something else into the attribute of a mapped object before it is read."""
        places = self._project.programs.values() if shape.is_handed else (program,)
        around = None if shape.is_handed else program.function_around(whole)
        for place in places:
            for value in _find_written(around or place.root, name):
                if value is None or not self._is_of_right_kind(place, value):
                    return False
        return True

    def _is_of_right_kind(self, program: Program, value: Expression) -> bool:
        conversion = self._conversions.find(program, unwrap(value))
        origin = self.origin_of(program, conversion.value if conversion is not None else value)
        if origin is not None and origin.is_sure:
            return True
        return unwrap(value) in self._pending

    def _of_name(self, program: Program, one: Expression) -> Origin | None:
        bindings = [binding for binding in program.look_up(one) if not _is_nothing(binding)]
        again = {
            binding: to for binding in bindings if (to := self._converts_itself(program, binding, one.name))
        }
        others = [binding for binding in bindings if binding not in again]
        found = [self._of_binding(program, binding, one.name) for binding in others]
        if (sure := _agree(found)) is not None:
            if all(to == sure.keys.family for to in again.values()):
                is_empty = len(bindings) < len(program.look_up(one))
                return replace(sure, may_be_null=sure.may_be_null or is_empty)
            return replace(sure, is_sure=False)
        if not others or not all(self._may_be_named(program, binding) for binding in others):
            return None
        if any(
            origin is None and binding.kind != "parameter"
            for origin, binding in zip(found, others, strict=True)
        ):
            return None
        origin = self._by_name(one, one.name)
        return replace(origin, is_open=True) if origin is not None else None

    def _converts_itself(self, program: Program, binding: Binding, name: str) -> str:
        """To what: of ``user_id = int(user_id)``."""
        if binding.kind != "value" or binding.keys:
            return ""
        conversion = self._conversions.find(program, unwrap(binding.source))
        value = unwrap(conversion.value) if conversion is not None else None
        is_own = value is not None and value.kind == "name" and value.name == name
        return conversion.to if conversion is not None and is_own else ""

    def _may_be_named(self, program: Program, binding: Binding) -> bool:
        """Whether a name is all that there is to go by: it is of no other thing, and not from outside."""
        if binding.kind in ("import", "function", "class", "unknown"):
            return False
        if binding.kind != "parameter":
            return not is_input(binding.source)
        function = program.scope_of(binding.source)
        beside = {parameter.name for parameter in function.parts[0].parts} if function.parts else set()
        return not program.is_decorated(function) and beside.isdisjoint(_INPUT)

    def _of_binding(self, program: Program, binding: Binding, name: str) -> Origin | None:
        if binding.kind == "value" and not binding.keys:
            return self.origin_of(program, binding.source)
        if binding.kind in ("value", "element") and binding.keys:
            return self._of_taken(self._shapes.shape_of(program, binding.source), binding, name)
        if binding.kind != "parameter":
            return None
        scope = next((one for one in (program.scope_of(binding.source),) if one.kind == "function"), None)
        if scope is None:
            return None
        if binding.keys:
            each = self._shapes.elements_given_to(program, scope, binding.source)
            shape = self._shapes.shape_of(program, each) if each is not None else None
            return self._of_taken(shape.at("row") if shape else None, binding, name)
        return self._of_parameter(program, binding.source)

    def _of_taken(self, shape: Shape | None, binding: Binding, name: str) -> Origin | None:
        """``const { user_id } = row``, ``for id, user_id in rows``."""
        if shape is None or len(binding.keys) != 1 or shape.level == "class":
            return self._by_name(binding.source, name) if shape is None else None
        is_row = shape.level == "row" or binding.kind == "element"
        output = shape.find(binding.keys[0]) if is_row else None
        return self._of_output(output) if output is not None and not shape.is_mapped else None

    def _of_parameter(self, program: Program, parameter: Expression) -> Origin | None:
        given = find_given(self._project, program, parameter)
        found = [
            self.origin_of(caller, value) if value is not None else None
            for caller, value in given
            if value is None or unwrap(value) not in self._pending
        ]
        return _agree(found)

    def _by_name(self, one: Expression, name: str) -> Origin | None:
        if is_input(one):
            return None
        plain = _plain(name)
        for keys in self._known:
            if any(_plain(known) == plain for known in keys.names):
                return Origin(keys=keys, column=None, is_sure=False)
        return None


def is_input(one: Expression) -> bool:
    """Whether it is of something that people call as they call what comes from outside."""
    return any(
        part.name in _INPUT for part in one.walk() if part.kind in ("name", "attribute") and part.name
    ) or any(_plain(part.name) in ("request", "req") for part in one.walk() if part.kind == "name")


def _returned_by(function: Function) -> Iterator[Expression]:
    for one in function.expression.walk():
        if one.kind == "return" and function.program.function_around(one) is function.expression:
            yield one.parts[0] if one.parts else one


def _find_written(around: Expression, name: str) -> Iterator[Expression | None]:
    """What is assigned to an attribute of this name, or given for it to a class."""
    for one in around.walk():
        if one.kind == "bind" and one.parts[0].kind in ("attribute", "item") and one.parts[0].name == name:
            yield one.parts[1] if len(one.parts) > 1 else None
        elif one.kind == "call" and one.parts[0].name[:1].isupper() and (given := one.find_pair(name)):
            yield given
        elif one.kind == "call" and one.parts[0].name == "setattr" and len(one.arguments) > 1:
            yield None if one.arguments[1].kind != "text" or one.arguments[1].name == name else one


def _agree(found: list[Origin | None]) -> Origin | None:
    """What all of them are surely from: the same keys, of whichever column."""
    sure = [origin for origin in found if origin is not None and origin.is_sure]
    if not sure or len(sure) != len(found) or any(origin.keys is not sure[0].keys for origin in sure):
        return None
    widest = max(sure, key=lambda origin: "big" in str(origin.keys.types.get(origin.column or _NONE)).lower())
    return replace(widest, may_be_null=any(origin.may_be_null for origin in sure))


def _is_nothing(binding: Binding) -> bool:
    return binding.kind == "value" and not binding.keys and unwrap(binding.source).kind == "null"


def _plain(name: str) -> str:
    """``userId`` and ``user_id`` are one name."""
    return re.sub(r"[_$]", "", name).lower()
