"""Where a value goes: surely into one of some keys' columns and nowhere else, or who knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from govern.checks.scan.conversions import Conversion, Conversions
from govern.checks.scan.mistyped import Keys
from govern.checks.scan.origins import Origins
from govern.checks.scan.shapes import RunSql, Shapes, is_tagged
from govern.checks.scan.statement_columns import CastInSql, Operand
from govern.code.programs.calls import Function, Program, Project
from govern.code.programs.program import Expression, unwrap
from govern.core.keys import family_of
from govern.core.type_names import spell_type

_EQUALITIES = frozenset({"==", "===", "!=", "!=="})
_HOLDERS = frozenset({"prepare"})
_RUN_ON_HOLDERS = frozenset({"get", "all", "run", "iterate"})
_DEEPEST = 6
_LONGEST = {"whole numbers": len(str(-(2**63))), "uuids": 36}
"""Characters that values of a family may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The keys whose column a value is for, and what has to go together with its conversion."""

    keys: Keys
    conversions: tuple[Conversion, ...] = ()
    """Of what it is compared with."""
    casts: tuple[tuple[Expression, CastInSql], ...] = ()
    """In the SQL of a call."""


class Destinations:
    """Follows values on through the files of a project."""

    def __init__(self, project: Project, shapes: Shapes, conversions: Conversions, origins: Origins) -> None:
        self._project, self._shapes = project, shapes
        self._conversions, self._origins = conversions, origins

    def destination_of(self, program: Program, one: Expression, depth: int = 0) -> Destination | None:
        """None where a value goes anywhere else, too, or nobody can say."""
        above = program.parents.get(one)
        if above is None or depth > _DEEPEST:
            return None
        if above.kind == "wrapped":
            return self.destination_of(program, above, depth)
        if above.kind == "comparison":
            return self._of_comparison(program, above, one)
        if above.kind == "call" and one is not above.parts[0]:
            return self._of_argument(program, above, one, depth)
        if above.kind == "keyword":
            return self._of_keyword(program, program.parents[above], above, depth)
        if above.kind in ("pair", "sequence"):
            return self._of_element(program, above, one)
        if above.kind == "template":
            return self._of_filled_in(program, above, one)
        if above.kind == "bind" and above.parts[0].kind == "name" and one is not above.parts[0]:
            return self._of_name(program, above, depth)
        return None

    def _of_comparison(self, program: Program, above: Expression, one: Expression) -> Destination | None:
        if above.name not in _EQUALITIES:
            return None
        other = unwrap(next(part for part in above.parts if part is not one))
        origin = self._origins.origin_of(program, other)
        if origin is not None and origin.is_sure:
            return Destination(keys=origin.keys)
        conversion = self._conversions.find(program, other)
        origin = self._origins.origin_of(program, conversion.value) if conversion is not None else None
        if conversion is None or origin is None or not origin.is_sure or conversion.to == origin.keys.family:
            return None
        return Destination(keys=origin.keys, conversions=(conversion,))

    def _of_argument(
        self, program: Program, call: Expression, one: Expression, depth: int
    ) -> Destination | None:
        number = call.arguments.index(one)
        ran, given = self._find_run(call)
        if ran is not None and one in given:
            return self._of_parameter(call, ran, str(given.index(one) + 1))
        if self._conversions.find(program, call) is not None and number == 0:
            return None
        function = self._project.find_function(program, call.parts[0])
        if function is None:
            return None
        parameters = function.parameters
        if any(argument.kind == "spread" for argument in call.arguments) or number >= len(parameters):
            return None
        return self._of_function(function, parameters[number], depth)

    def _of_keyword(
        self, program: Program, call: Expression, keyword: Expression, depth: int
    ) -> Destination | None:
        callee = call.parts[0]
        shape = self._shapes.model_of(program, callee)
        if shape is None and callee.kind == "attribute" and callee.name in ("filter_by", "values"):
            shape = self._shapes.shape_of(program, callee.parts[0])
        if shape is not None and shape.is_mapped:
            output = shape.find(keyword.name)
            keys = self._origins.keys_of(output.column) if output is not None else None
            return Destination(keys=keys) if keys is not None else None
        if callee.kind == "attribute" and callee.name == "bindparams" and callee.parts[0].kind == "call":
            ran = self._shapes.read_sql(callee.parts[0])
            return self._of_parameter(callee.parts[0], ran, keyword.name) if ran is not None else None
        function = self._project.find_function(program, callee)
        named = [one for one in function.parameters if one.name == keyword.name] if function else []
        return self._of_function(function, named[0], depth) if function is not None and named else None

    def _of_element(self, program: Program, part: Expression, one: Expression) -> Destination | None:
        """Of a tuple or a mapping that a statement gets its parameters from."""
        holder = part if part.kind == "sequence" else program.parents[part]
        key = part.name if part.kind == "pair" else str(part.parts.index(one) + 1)
        above = program.parents.get(holder)
        is_many = above is not None and above.kind == "sequence"
        call = program.parents.get(above) if above is not None and is_many else above
        if call is None or call.kind != "call" or is_many != (call.parts[0].name == "executemany"):
            return None
        ran, given = self._find_run(call)
        return self._of_parameter(call, ran, key) if ran is not None and given else None

    def _of_filled_in(self, program: Program, template: Expression, one: Expression) -> Destination | None:
        call = program.parents.get(template)
        if call is None or call.kind != "call" or not is_tagged(call):
            return None
        ran = self._shapes.read_sql(call)
        if ran is None or len(ran.names) != len(template.parts):
            return None
        return self._of_parameter(call, ran, str(template.parts.index(one) + 1))

    def _find_run(self, call: Expression) -> tuple[RunSql | None, tuple[Expression, ...]]:
        """What a call runs, and the arguments that are its parameters."""
        ran = self._shapes.read_sql(call)
        if ran is not None and not is_tagged(call):
            return ran, call.arguments[1:]
        callee = call.parts[0]
        if callee.kind == "attribute" and callee.name in _RUN_ON_HOLDERS and callee.parts[0].kind == "call":
            holder = callee.parts[0]
            if holder.parts[0].name in _HOLDERS:
                return self._shapes.read_sql(holder), call.arguments
        return None, ()

    def _of_parameter(self, call: Expression, ran: RunSql, key: str) -> Destination | None:
        """Of a statement: by its name, or by its number."""
        number = _number_of(ran.names, key)
        if number is None:
            return None
        comparisons = ran.said.columns_of(number)
        found = [self._of_sides(call, one.left, one.right) for one in comparisons]
        known = [one for one in found if one is not None]
        if not known or len(known) != len(found) or any(one.keys is not known[0].keys for one in known):
            return None
        return Destination(keys=known[0].keys, casts=tuple(cast for one in known for cast in one.casts))

    def _of_sides(self, call: Expression, left: Operand, right: Operand) -> Destination | None:
        column = left.column or right.column
        keys = self._origins.keys_of(column)
        if keys is None or column is None:
            return None
        casts = [
            (call, cast)
            for operand in (left, right)
            for cast in operand.casts
            if spell_type(cast.to) != spell_type(keys.types[column])
        ]
        if any(family_of(cast.to) == keys.family or cuts_off(cast.to, keys.family) for _, cast in casts):
            return None  # another width: what is too long for it is an error today, or cut off
        return Destination(keys=keys, casts=tuple(casts))

    def _of_function(self, function: Function, parameter: Expression, depth: int) -> Destination | None:
        """Of a parameter that is used for nothing else, and gets no other value."""
        program, expression = function.program, function.expression
        return self._of_uses(program, expression, parameter.name, depth)

    def _of_name(self, program: Program, bind: Expression, depth: int) -> Destination | None:
        scope = program.scope_of(bind)
        if scope is program.root:
            return None  # others may import it
        return self._of_uses(program, scope, bind.parts[0].name, depth)

    def _of_uses(self, program: Program, scope: Expression, name: str, depth: int) -> Destination | None:
        bindings = program.bindings.get((scope, name), [])
        if len(bindings) != 1:
            return None
        found = [
            self._of_use(program, use, depth + 1) for use in _find_uses(program, scope, name, bindings[0])
        ]
        known = [one for one in found if one is not None]
        if not known or len(known) != len(found) or any(one.keys is not known[0].keys for one in known):
            return None
        return Destination(
            keys=known[0].keys,
            conversions=tuple(conversion for one in known for conversion in one.conversions),
            casts=tuple(cast for one in known for cast in one.casts),
        )

    def _of_use(self, program: Program, use: Expression, depth: int) -> Destination | None:
        above = program.parents.get(use)
        conversion = self._conversions.find(program, above) if above is not None else None
        if above is not None and conversion is not None and unwrap(conversion.value) is use:
            destination = self.destination_of(program, above, depth)
            is_again = destination is not None and conversion.to == destination.keys.family
            return destination if is_again else None
        return self.destination_of(program, use, depth)


def cuts_off(type_: str, family: str) -> bool:
    """Whether a text of this type may be too short for some value of a family."""
    length = re.search(r"\((\d+)\)", type_)
    return length is not None and int(length[1]) < _LONGEST.get(family, 0)


def given_for(call: Expression, ran: RunSql, number: int) -> Expression | None:
    """What a call gives for a parameter of its statement, as far as it stands there."""
    name = ran.names[number - 1]
    if is_tagged(call):
        filled = call.arguments[0].parts
        return filled[number - 1] if len(filled) == len(ran.names) else None
    given = call.arguments[1:]
    if len(given) == 1 and given[0].kind == "mapping":
        return given[0].find_pair(name)
    if len(given) == 1 and given[0].kind == "sequence":
        given = given[0].parts
    at = int(name) if name.isdigit() else number
    return _argument_at(given, at)


def _argument_at(given: tuple[Expression, ...], at: int) -> Expression | None:
    if any(one.kind in ("spread", "keyword") for one in given) or not 0 < at <= len(given):
        return None
    return given[at - 1]


def _number_of(names: tuple[str, ...], key: str) -> int | None:
    if key in names:
        return names.index(key) + 1
    is_unnamed = all(name.startswith("#") for name in names)
    return int(key) if key.isdigit() and is_unnamed and int(key) <= len(names) else None


def _find_uses(program: Program, scope: Expression, name: str, binding: object) -> Iterator[Expression]:
    for one in scope.walk():
        if one.kind == "name" and one.name == name and one not in program.definitions:
            found = program.look_up(one)
            if len(found) == 1 and found[0] is binding:
                yield one
