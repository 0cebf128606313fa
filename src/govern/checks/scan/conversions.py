"""Expressions that make a number or a text of a value, and functions that do nothing but that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govern.checks.scan.shapes import is_tagged
from govern.code.programs.calls import Function, Program, Project
from govern.code.programs.program import Expression, unwrap

Family = Literal["whole numbers", "texts", "uuids"]
Nulls = Literal["kept", "refused", "made something"]
"""What becomes of no value: it is given back, it is an error, or it becomes something that it is not."""

_PYTHON: dict[str, Family] = {"int": "whole numbers", "str": "texts", "UUID": "uuids"}
_PYTHON_TYPES: dict[str, Family] = {
    **dict.fromkeys(("Integer", "BigInteger", "SmallInteger", "INTEGER", "BIGINT"), "whole numbers"),
    **dict.fromkeys(("String", "Text", "Unicode", "UnicodeText", "TEXT", "VARCHAR"), "texts"),
    **dict.fromkeys(("Uuid", "UUID"), "uuids"),
}
_ECMASCRIPT: dict[str, Family] = {
    "Number": "whole numbers",
    "parseInt": "whole numbers",
    "Number.parseInt": "whole numbers",
    "String": "texts",
}
_IS_NULL = frozenset({"is", "==", "==="})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conversion:
    """An expression whose value is another one's, of a family of types."""

    outer: Expression
    value: Expression
    to: Family
    nulls: Nulls
    helper: Function | None = None
    is_in_sql: bool = False
    """Whether it is SQLAlchemy's ``cast``: the database converts."""


class Conversions:
    """Recognises conversions in the files of a project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._helpers: dict[Expression, _Work | None] = {}

    def find(self, program: Program, one: Expression) -> Conversion | None:
        """The expression as a conversion; None for what is none, or may do something else, too."""
        if one.kind == "call":
            return self._read_call(program, one)
        if program.path.suffix.startswith(".py"):
            return None
        if one.kind == "unary" and one.name == "+":
            return _convert(one, one.parts[0], "whole numbers", "made something")
        if one.kind == "template" and len(one.parts) == 1 and not one.name and not _is_tag(program, one):
            return _convert(one, one.parts[0], "texts", "made something")
        return None

    def is_helper(self, function: Function) -> bool:
        return self._work_of(function) is not None

    def _read_call(self, program: Program, one: Expression) -> Conversion | None:
        callee, given = one.parts[0], one.arguments
        built_in = _read_python(program, one) if _is_python(program) else _read_ecmascript(program, one)
        if built_in is not None:
            return built_in
        if len(given) != 1 or given[0].kind in ("keyword", "spread"):
            return None
        function = self._project.find_function(program, callee)
        work = self._work_of(function) if function is not None else None
        if function is None or work is None:
            return None
        return Conversion(outer=one, value=given[0], to=work.to, nulls=work.nulls, helper=function)

    def _work_of(self, function: Function) -> _Work | None:
        if function.expression not in self._helpers:
            self._helpers[function.expression] = None  # where it calls itself
            self._helpers[function.expression] = self._read_work(function)
        return self._helpers[function.expression]

    def _read_work(self, function: Function) -> _Work | None:
        """What a function does that does nothing but convert what it is given."""
        program, expression = function.program, function.expression
        parameters = function.parameters
        if len(parameters) != 1 or not parameters[0].name or len(parameters[0].parts) > 1:
            return None
        if any(part.kind != "type" for part in parameters[0].parts):
            return None
        if program.is_method(expression) or program.is_decorated(expression):
            return None
        reading = _Body(program, parameters[0].name, self)
        is_done = reading.read(expression.parts[1:])
        if not is_done or len(reading.families) != 1:
            return None
        [to] = reading.families
        return _Work(to, reading.nulls or reading.nulls_of_conversion)


@dataclass(frozen=True, slots=True)
class _Work:
    to: Family
    nulls: Nulls


class _Body:
    """Reads the statements of a function: each may only look at the parameter, convert it or give it back."""

    def __init__(self, program: Program, parameter: str, conversions: Conversions) -> None:
        self._program, self._names = program, {parameter}
        self._conversions = conversions
        self.families: set[Family] = set()
        self.nulls: Nulls | None = None
        self.nulls_of_conversion: Nulls = "refused"

    def read(self, statements: tuple[Expression, ...]) -> bool:
        """Whether they do nothing else, and end with a value."""
        for number, one in enumerate(statements):
            if one.kind == "text":  # a docstring
                continue
            if one.kind == "block":
                if self.read(one.parts):
                    return number == len(statements) - 1
                return False
            if one.kind == "return":
                return len(one.parts) == 1 and self._gives(one.parts[0])
            if one.kind == "raise":
                return True
            if one.kind == "attempt":
                return number == len(statements) - 1 and self._read_attempt(one)
            if one.kind == "bind":
                if not self._read_bind(one):
                    return False
            elif one.kind == "branch":
                if not self._read_guard(one):
                    return False
            else:
                return False
        return False

    def _gives(self, value: Expression) -> bool:
        value = unwrap(value)
        if value.kind == "choice":
            condition, then, otherwise = value.parts
            if not self._is_look(condition):
                return False
            meaning = _read_null_test(condition)
            if meaning is not None:
                empty, full = (then, otherwise) if meaning else (otherwise, then)
                self._note_null(empty)
                return self._is_value(empty, allows_null=True) and self._gives(full)
            return self._gives(then) and self._gives(otherwise)
        return self._is_value(value, allows_null=False)

    def _is_value(self, value: Expression, *, allows_null: bool) -> bool:
        """The parameter itself, or converted; where there is none, nothing."""
        value = unwrap(value)
        if value.kind == "null":
            return allows_null
        if value.kind == "name":
            return value.name in self._names
        conversion = self._conversions.find(self._program, value)
        if (
            conversion is None
            or conversion.is_in_sql
            or not self._is_value(conversion.value, allows_null=False)
        ):
            return False
        inner = self._conversions.find(self._program, unwrap(conversion.value))
        if inner is not None:  # int(str(value)): the last one counts
            self.families.discard(inner.to)
        self.families.add(conversion.to)
        self.nulls_of_conversion = conversion.nulls
        return True

    def _read_bind(self, one: Expression) -> bool:
        target = one.parts[0]
        if target.kind != "name" or len(one.parts) < 2 or not self._is_value(one.parts[1], allows_null=False):
            return False
        self._names.add(target.name)
        return True

    def _read_guard(self, one: Expression) -> bool:
        """``if value is None: return None``, ``if isinstance(value, int): return value``."""
        condition, *blocks = one.parts
        condition = unwrap(condition)
        if not self._is_look(condition):
            return False
        meaning = _read_null_test(condition)
        for number, block in enumerate(blocks):
            [only, *more] = [*_statements(block), None]
            if only is None or more != [None]:
                return False
            is_of_null = meaning is not None and (number == 0) == meaning
            if only.kind == "raise" and is_of_null:
                self.nulls = "refused"
            elif only.kind == "return" and is_of_null:
                value = only.parts[0] if only.parts else only
                self._note_null(value)
                if only.parts and not self._is_value(value, allows_null=True):
                    return False
            elif only.kind != "return" or not only.parts or not self._gives(only.parts[0]):
                return False
        return True

    def _read_attempt(self, one: Expression) -> bool:
        """What is converted gives a value; what cannot be is answered in some way that such a value never sees."""
        body, *handlers = one.parts
        if not self.read((body,)) or not all(map(_is_simple, handlers)):
            return False
        self.nulls = self.nulls or "made something"
        return True

    def _is_look(self, condition: Expression) -> bool:
        """Whether it looks at the parameter alone: no call but those that ask for a type."""
        for one in condition.walk():
            if one.kind == "call" and one.parts[0].name != "isinstance":
                return False
            if one.kind not in ("name", "null", "comparison", "call", "wrapped", "text", "unary", "sequence"):
                return False
        compared = [one for one in condition.walk() if one.kind == "comparison"]
        if _read_null_test(condition) is not None:
            return True
        asks_type = condition.kind == "call" or any(
            one.kind == "unary" and one.name == "typeof" for one in condition.walk()
        )
        return asks_type and len(compared) <= 1

    def _note_null(self, value: Expression) -> None:
        value = unwrap(value)
        is_kept = value.kind == "null" or (value.kind == "name" and value.name in self._names)
        self.nulls = "kept" if is_kept or value.kind == "return" else "made something"


def _read_python(program: Program, one: Expression) -> Conversion | None:
    callee, given = one.parts[0], one.arguments
    name = _name_of(callee)
    if callee.kind == "attribute" and callee.name == "cast" and len(given) == 1 and _type_of(given[0]):
        return _convert(one, callee.parts[0], _type_of(given[0]), "kept", is_in_sql=True)
    if name.rpartition(".")[2] == "cast" and len(given) == 2 and _is_from(program, callee, "sqlalchemy"):
        return _convert(one, given[0], _type_of(given[1]), "kept", is_in_sql=True)
    if len(given) != 1 or given[0].kind in ("keyword", "spread", "comprehension"):
        return None
    if name in ("int", "str") and not program.look_up(callee):
        nulls: Nulls = "refused" if name == "int" else "made something"
        return _convert(one, given[0], _PYTHON[name], nulls)
    if name.rpartition(".")[2] == "UUID" and _is_from(program, callee, "uuid"):
        return _convert(one, given[0], "uuids", "refused")
    return None


def _read_ecmascript(program: Program, one: Expression) -> Conversion | None:
    callee, given = one.parts[0], one.arguments
    if callee.kind == "attribute" and callee.name == "toString" and not given:
        return _convert(one, callee.parts[0], "texts", "refused")
    name = _name_of(callee)
    root = callee if callee.kind == "name" else callee.parts[0] if callee.parts else callee
    if name not in _ECMASCRIPT or program.look_up(root, root.name) or not given:
        return None
    is_radix = name.endswith("parseInt") and len(given) == 2 and given[1].name == "10"
    if given[0].kind == "spread" or (len(given) != 1 and not is_radix):
        return None
    return _convert(one, given[0], _ECMASCRIPT[name], "made something")


def _convert(
    outer: Expression, value: Expression, to: Family | None, nulls: Nulls, *, is_in_sql: bool = False
) -> Conversion | None:
    if to is None:
        return None
    return Conversion(outer=outer, value=value, to=to, nulls=nulls, is_in_sql=is_in_sql)


def _type_of(one: Expression) -> Family | None:
    """The family of ``String``, ``sa.Text()``, ``String(36)``."""
    one = one.parts[0] if one.kind == "call" else one
    return _PYTHON_TYPES.get(one.name) if one.kind in ("name", "attribute") else None


def _is_from(program: Program, callee: Expression, module: str) -> bool:
    root = callee
    while root.kind == "attribute":
        root = root.parts[0]
    bindings = program.look_up(root, _name_of(root)) if root.kind == "name" else ()
    return bool(bindings) and all(
        one.kind == "import" and one.source.name.partition(".")[0] == module for one in bindings
    )


def _is_python(program: Program) -> bool:
    return program.path.suffix in (".py", ".pyi")


def _is_tag(program: Program, template: Expression) -> bool:
    above = program.parents.get(template)
    return above is not None and above.kind == "call" and is_tagged(above)


def _name_of(one: Expression) -> str:
    if one.kind == "attribute" and one.parts[0].kind in ("name", "attribute"):
        return f"{_name_of(one.parts[0])}.{one.name}"
    return one.name if one.kind == "name" else ""


def _read_null_test(condition: Expression) -> bool | None:
    """True for ``value is None``, False for ``value is not None``; None for another question."""
    condition = unwrap(condition)
    if condition.kind != "comparison" or len(condition.parts) != 2:
        return None
    left, right = map(unwrap, condition.parts)
    if left.kind != "name" or right.kind != "null" or (condition.name, right.name) == ("===", "undefined"):
        return None
    if condition.name in _IS_NULL:
        return True
    return False if condition.name in ("is not", "!=", "!==") else None


def _statements(block: Expression) -> tuple[Expression, ...]:
    if block.kind != "block":
        return (block,)
    return tuple(one for part in block.parts for one in _statements(part))


def _is_simple(handler: Expression) -> bool:
    """Whether it only gives something back or raises: it calls nothing but what it raises."""
    raised = {part for one in handler.walk() if one.kind == "raise" for part in one.walk()}
    return all(one in raised for one in handler.walk() if one.kind == "call")
