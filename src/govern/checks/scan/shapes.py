"""What values are made of: rows of a statement, and objects of a mapped class, by their columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from govern.checks.scan.placeholders import split_statements
from govern.checks.scan.schema import Schema
from govern.checks.scan.statement_columns import Output, StatementColumns, read_statement_columns
from govern.code.programs.calls import Binding, Program, Project
from govern.code.programs.program import Expression, unwrap
from govern.core.code import SqlText
from govern.core.keys import Column

Level = Literal["rows", "row", "class"]

_TO_ROW = frozenset({"fetchone", "one", "first", "one_or_none", "fetchrow", "fetch_one", "oneOrNone"})
_TO_ROWS = frozenset(
    {"fetchall", "all", "fetchmany", "mappings", "unique", "tuples", "fetch", "fetch_all", "iterate", "query"}
    | {
        "filter",
        "filter_by",
        "where",
        "order_by",
        "limit",
        "offset",
        "join",
        "options",
        "distinct",
        "execute",
    }
    | {"any", "many", "manyOrNone", "execution_options", "with_for_update", "scalars", "values", "slice"}
)
"""Methods of a result or a query that give something with the same columns."""
_TO_VALUE = frozenset({"scalar", "scalar_one", "scalar_one_or_none", "fetchval", "fetch_val", "pluck"})
_OF_EACH = frozenset({"map", "forEach", "filter", "find", "some", "every", "flatMap", "findLast"})
"""Methods whose first argument is called with every element."""
_OF_A_CURSOR = frozenset({"fetchone", "fetchall", "fetchmany"})
_TAKE_A_CLASS = frozenset({"select", "query", "get", "get_one", "insert", "update", "delete"})
_TAKE_A_QUERY = frozenset({"scalars", "scalar", "execute", "list", "iter", "sorted", "reversed"})
_PLAIN = frozenset(
    {"Integer", "BigInteger", "SmallInteger", "INTEGER", "BIGINT", "String", "Text", "Unicode", "UnicodeText"}
    | {"TEXT", "VARCHAR", "ForeignKey", "Identity", "Sequence", "Computed", "CheckConstraint"}
)
"""What a column is given that leaves its values as the database has them."""
_DEEPEST = 12
_MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Columns by name and in their order; of a class those of its objects."""

    level: Level
    outputs: tuple[Output, ...]
    is_mapped: bool = False
    """Whether they are attributes of a mapped class, which anybody may assign to."""
    is_handed: bool = False
    """Whether an annotation alone says so: the object may never have been in the database."""

    def at(self, level: Level) -> Shape:
        return replace(self, level=level)

    def find(self, key: str) -> Output | None:
        if key.lstrip("-").isdigit() and not self.is_mapped:
            number = int(key)
            return self.outputs[number] if -len(self.outputs) <= number < len(self.outputs) else None
        found = [one for one in self.outputs if one.name == key]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSql:
    """A statement as a call runs it."""

    said: StatementColumns
    names: tuple[str, ...]
    """Of its parameters."""
    statement: str


class Shapes:
    """Finds the shape of expressions in the files of a project."""

    def __init__(self, project: Project, schema: Schema) -> None:
        self._project, self._schema = project, schema
        self._models = dict(_find_models(project, schema))
        self._statements: dict[str, RunSql | None] = {}
        self._pending: set[Expression] = set()
        self.steps = 0
        """Made for the value that is asked for; after too many of them nobody knows its shape."""

    def shape_of(self, program: Program, one: Expression, depth: int = 0) -> Shape | None:
        """None where it is not known, or may be one of several."""
        one = unwrap(one)
        self.steps += 1
        if depth > _DEEPEST or one in self._pending or self.steps > _MOST_STEPS:
            return None
        self._pending.add(one)
        try:
            return self._find(program, one, depth + 1)
        finally:
            self._pending.discard(one)

    def model_of(self, program: Program, one: Expression) -> Shape | None:
        """The class that a name stands for, if it is a mapped one."""
        if one.kind not in ("name", "attribute") or one.name not in self._models:
            return None
        root = one
        while root.kind == "attribute":
            root = root.parts[0]
        bindings = program.look_up(root) if root.kind == "name" else ()
        is_class = all(self._project.is_own_class(program, binding) for binding in bindings)
        return self._models[one.name] if bindings and is_class else None

    def read_sql(self, call: Expression) -> RunSql | None:
        """What a call runs, as far as its statement is known; holes are parameters of a tagged template alone."""
        if call.sql is None or (not call.sql.is_whole and not is_tagged(call)):
            return None
        if call.sql.text not in self._statements:
            self._statements[call.sql.text] = self._read(call.sql)
        return self._statements[call.sql.text]

    def _read(self, sql: SqlText) -> RunSql | None:
        statements = tuple(split_statements(sql.text))
        if len(statements) != 1:
            return None
        [statement] = statements
        said = read_statement_columns(statement.sql, self._schema)
        return RunSql(said=said, names=statement.names, statement=statement.sql) if said else None

    def _find(self, program: Program, one: Expression, depth: int) -> Shape | None:
        if one.kind == "name":
            return self.model_of(program, one) or self._join_bindings(program, one, depth)
        if one.kind == "attribute":
            return self._of_attribute(program, one, depth)
        if one.kind == "item":
            before = self.shape_of(program, one.parts[0], depth)
            is_number = before is not None and one.name.lstrip("-").isdigit()
            return before.at("row") if before is not None and before.level == "rows" and is_number else None
        if one.kind == "call":
            return self._of_call(program, one, depth)
        return None

    def _of_attribute(self, program: Program, one: Expression, depth: int) -> Shape | None:
        before = self.shape_of(program, one.parts[0], depth)
        if before is None:
            return self.model_of(program, one)
        if before.level == "rows" and one.name == "rows":
            return before
        return before.at("rows") if before.level == "class" and one.name in ("query", "objects") else None

    def _of_call(self, program: Program, one: Expression, depth: int) -> Shape | None:
        callee, given = one.parts[0], one.arguments
        name = callee.name
        if (ran := self.read_sql(one)) is not None:
            if ran.said.outputs is None or name in _TO_VALUE:
                return None
            is_row = name in _TO_ROW or name in ("get", "one")
            return Shape(level="row" if is_row else "rows", outputs=ran.said.outputs)
        if callee.kind == "attribute":
            found = self._of_method(program, one, depth)
            if found is not None:
                return found
        if name in _TAKE_A_CLASS | _TAKE_A_QUERY and given:
            inner = self.shape_of(program, given[0], depth)
            if inner is None or (inner.level == "class") != (name in _TAKE_A_CLASS):
                return None
            if len(given) > 1 and name in ("select", "query"):
                return None
            return inner.at("row" if name in ("get", "get_one", "scalar") else "rows")
        return self._of_function(program, one, depth)

    def _of_method(self, program: Program, one: Expression, depth: int) -> Shape | None:
        callee = one.parts[0]
        before = self.shape_of(program, callee.parts[0], depth)
        if before is None and callee.name in _OF_A_CURSOR:
            before = self._ran_on(program, callee.parts[0], depth)
        if before is None or before.level != "rows":
            return None
        if callee.name in _TO_ROW or callee.name in ("get", "find", "scalar_one", "scalar_one_or_none"):
            is_scalar = callee.name.startswith("scalar")
            return before.at("row") if before.is_mapped or not is_scalar else None
        return before if callee.name in _TO_ROWS else None

    def _ran_on(self, program: Program, cursor: Expression, depth: int) -> Shape | None:
        """What ``cursor.execute(…)`` gives, where the same function runs nothing else on that cursor."""
        cursor = unwrap(cursor)
        if cursor.kind != "name" or not program.look_up(cursor):
            return None
        ran = [
            call
            for call in program.function_around(cursor).walk()
            if call.kind == "call" and call.parts[0].kind == "attribute"
            if call.parts[0].name in ("execute", "executemany")
            if call.parts[0].parts[0].kind == "name" and call.parts[0].parts[0].name == cursor.name
        ]
        is_only_one = len(ran) == 1 and ran[0].sql is not None and ran[0].end <= cursor.begin
        return self.shape_of(program, ran[0], depth) if is_only_one else None

    def _of_function(self, program: Program, one: Expression, depth: int) -> Shape | None:
        function = self._project.find_function(program, one.parts[0])
        if function is None:
            return None
        given = [
            returned.parts[0]
            for returned in function.expression.walk()
            if returned.kind == "return"
            and returned.parts
            and function.program.function_around(returned) is function.expression
            and unwrap(returned.parts[0]).kind != "null"
        ]
        return _agree([self.shape_of(function.program, value, depth) for value in given])

    def _join_bindings(self, program: Program, one: Expression, depth: int) -> Shape | None:
        bindings = [binding for binding in program.look_up(one) if not _is_nothing(binding)]
        return _agree([self._of_binding(program, binding, depth) for binding in bindings])

    def _of_binding(self, program: Program, binding: Binding, depth: int) -> Shape | None:
        if binding.kind == "value" or (binding.kind == "element" and not binding.keys):
            shape = self.shape_of(program, binding.source, depth)
            if binding.kind == "element":
                return shape.at("row") if shape is not None and shape.level == "rows" else None
            for key in binding.keys:
                if shape is None or shape.level != "rows" or not (key == "rows" or key.isdigit()):
                    return None
                shape = shape.at("row") if key.isdigit() else shape
            return shape
        if binding.kind == "parameter" and not binding.keys:
            return self._of_parameter(program, binding.source, depth)
        return None

    def _of_parameter(self, program: Program, parameter: Expression, depth: int) -> Shape | None:
        annotated = next((part.name for part in parameter.parts if part.kind == "type"), "")
        named = Expression(
            kind="name", begin=parameter.begin, end=parameter.begin, name=annotated.strip("\"'")
        )
        if self.model_of(program, named) is not None:
            return replace(self._models[annotated.strip("\"'")], level="row", is_handed=True)
        function = program.scope_of(parameter)
        if (each := self.elements_given_to(program, function, parameter)) is not None:
            shape = self.shape_of(program, each, depth)
            return shape.at("row") if shape is not None and shape.level == "rows" else None
        found = []
        for caller, argument in find_given(self._project, program, parameter):
            found.append(self.shape_of(caller, argument, depth) if argument is not None else None)
        return _agree(found)

    def elements_given_to(
        self, program: Program, function: Expression, parameter: Expression
    ) -> Expression | None:
        """``rows`` of ``rows.map((row) => …)``, for its first parameter."""
        above = program.parents.get(function)
        if above is None or above.kind != "call" or above.parts[0].kind != "attribute":
            return None
        is_first = function.parts[0].parts[:1] == (parameter,) and above.arguments[:1] == (function,)
        return above.parts[0].parts[0] if is_first and above.parts[0].name in _OF_EACH else None


def _is_nothing(binding: Binding) -> bool:
    return binding.kind == "value" and unwrap(binding.source).kind == "null"


def find_given(
    project: Project, program: Program, parameter: Expression
) -> list[tuple[Program, Expression | None]]:
    """What every caller gives for a parameter, None where that is not to be said; nothing if not all are known."""
    scope = program.scope_of(parameter)
    function = next(
        (
            found
            for name in _names_of(program, scope)
            if (found := project.find_function(program, name)) and found.expression is scope
        ),
        None,
    )
    if function is None or not project.is_closed(function):
        return []
    calls = project.uses_of(function).calls
    if all(_is_test(caller) for caller, _ in calls) and not _is_test(program):
        return []
    number = scope.parts[0].parts.index(parameter)
    return [(caller, argument_for(call, number, parameter.name)) for caller, call in calls]


def _is_test(program: Program) -> bool:
    """Whether a file tests others: that it alone calls something does not say who else does."""
    return any(part in ("test", "tests", "__tests__", "spec") for part in program.path.parts[-4:-1]) or (
        re.match(r"test_|.*(_test|\.test|\.spec)\.\w+$", program.path.name) is not None
    )


def argument_for(call: Expression, number: int, name: str) -> Expression | None:
    """What a call gives for a parameter; None where something is spread over its parameters, or it is left out."""
    if any(one.kind == "spread" for one in call.arguments):
        return None
    if (named := call.find_pair(name)) is not None:
        return named
    positional = [one for one in call.arguments if one.kind != "keyword"]
    return positional[number] if number < len(positional) else None


def is_tagged(call: Expression) -> bool:
    """Whether it is a tagged template: what is filled in there are parameters."""
    given = call.arguments
    return len(given) == 1 and given[0].kind == "template" and given[0].end == call.end


def _names_of(program: Program, function: Expression) -> list[Expression]:
    """A name that stands for the function, if it has one."""
    name = function.name
    if not name:
        above = program.parents.get(function)
        if above is None or above.kind != "bind" or above.parts[0].kind != "name":
            return []
        return [above.parts[0]]
    home = program.parents.get(function, program.root)
    return [Expression(kind="name", begin=home.begin, end=home.begin, name=name)]


def _agree(shapes: list[Shape | None]) -> Shape | None:
    [first, *others] = [*shapes, None][:-1] or [None]
    return first if all(one == first for one in others) else None


def _find_models(project: Project, schema: Schema) -> Mapping[str, Shape]:
    """Mapped classes by their names; none of a name that two classes have."""
    found: dict[str, Shape | None] = {}
    for program in project.programs.values():
        if program.path.suffix != ".py":
            continue
        for one in program.root.walk():
            if one.kind == "class" and (shape := _read_model(one, schema)) is not None:
                found[one.name] = None if one.name in found else shape
    return {name: shape for name, shape in found.items() if shape is not None}


def _read_model(one: Expression, schema: Schema) -> Shape | None:
    assigned = {
        bind.parts[0].name: bind.parts[1]
        for bind in _statements(one.parts[1])
        if bind.kind == "bind" and bind.parts[0].kind == "name" and len(bind.parts) == 2
    }
    table = assigned.get("__tablename__")
    if table is None or table.kind != "text":
        return None
    places = [(namespace, table.name) for namespace in schema.search_path]
    place = next((one for one in places if one in schema.relations), None)
    if place is None or ("__table_args__" in assigned and "schema" in _texts(assigned["__table_args__"])):
        return None
    outputs = []
    for name, value in assigned.items():
        if value.kind == "call" and value.parts[0].name in ("Column", "mapped_column"):
            first = value.arguments[0] if value.arguments else None
            column = first.name if first is not None and first.kind == "text" else name
            is_plain = all(map(_says_nothing_of_values, value.arguments))
            if column in schema.relations[place]:
                outputs.append(Output(name, Column(place, column) if is_plain else None, False))
    return Shape(level="class", outputs=tuple(outputs), is_mapped=True)


def _says_nothing_of_values(argument: Expression) -> bool:
    """Whether a column's values are those of the database: not of a type of one's own."""
    type_ = argument.parts[0] if argument.kind == "call" else argument
    return argument.kind in ("keyword", "text") or type_.name in _PLAIN


def _texts(one: Expression) -> set[str]:
    return {part.name for part in one.walk() if part.kind == "pair"}


def _statements(block: Expression) -> tuple[Expression, ...]:
    return block.parts if block.kind == "block" else (block,)
