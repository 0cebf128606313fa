"""Is a conversion unnecessary once its column has the right type? What is not known is not certain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from govern.checks.scan.conversions import Conversion, Conversions
from govern.checks.scan.destinations import Destination, Destinations
from govern.checks.scan.mistyped import Keys
from govern.checks.scan.origins import Origin, Origins
from govern.checks.scan.shapes import Shapes
from govern.code.programs.calls import Function, Program, Project
from govern.code.programs.program import Expression, unwrap
from govern.code.sources import Source
from govern.core.edit import Edit

Certainty = Literal["certain", "likely", "unsure"]
_LARGE = ("bigint", "int8", "bigserial")
"""Types that drivers of JavaScript give back as texts."""
_TELLING = frozenset(
    {"log", "logger", "logging", "console", "print", "warn", "info", "debug", "error", "jsonify"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a conversion is unnecessary, how sure that is, and why."""

    keys: Keys
    certainty: Certainty
    because: str
    destination: Destination | None = None


CastKey = tuple[str, int, int, int]
"""A file, the line and column where its statement begins, and where in it the cast is."""
Key = Expression | CastKey


@dataclass(slots=True, kw_only=True, eq=False)
class Workaround:
    """One place where code papers over a type."""

    key: Key
    source: Source
    begin: int
    end: int
    keys: Keys
    certainty: Certainty
    because: str
    """What the certainty rests on, or what is missing."""
    edits: tuple[Edit, ...] = ()
    needs: frozenset[Key] = frozenset()
    """What has to go with it."""
    helper: Function | None = None

    @property
    def text(self) -> str:
        """As it stands there, on one line."""
        return " ".join(self.source.text[self.begin : self.end].split())


class Finder:
    """Judges the conversions in the files of a project."""

    def __init__(self, project: Project, shapes: Shapes, known: tuple[Keys, ...]) -> None:
        self.project, self.shapes, self.known = project, shapes, known
        self.conversions = Conversions(project)
        self.origins = Origins(project, shapes, self.conversions, known)
        self.destinations = Destinations(project, shapes, self.conversions, self.origins)

    def find_in(self, program: Program) -> Iterator[tuple[Conversion, Verdict]]:
        """Each conversion around a value of such keys, from the outside in: one within another goes with it."""
        pending = [program.root]
        while pending:
            one = pending.pop()
            verdict = self.judge(program, one)
            if verdict is None:
                pending.extend(reversed(one.parts))
                continue
            yield verdict
            pending.append(core_of(self.conversions, program, verdict[0]))

    def judge(self, program: Program, one: Expression) -> tuple[Conversion, Verdict] | None:
        conversion = self.conversions.find(program, one)
        if conversion is None or _is_in_helper(self, program, one):
            return None
        core = core_of(self.conversions, program, conversion)
        self.origins.steps = self.shapes.steps = 0
        origin = self.origins.origin_of(program, core)
        destination = self.destinations.destination_of(program, one)
        verdict = _judge(program, conversion, core, origin, destination)
        return (conversion, verdict) if verdict is not None else None


def core_of(conversions: Conversions, program: Program, conversion: Conversion) -> Expression:
    """The value within conversions within conversions."""
    value = unwrap(conversion.value)
    while (inner := conversions.find(program, value)) is not None:
        value = unwrap(inner.value)
    return value


def _judge(
    program: Program,
    conversion: Conversion,
    core: Expression,
    origin: Origin | None,
    destination: Destination | None,
) -> Verdict | None:
    keys = origin.keys if origin is not None else destination.keys if destination is not None else None
    if keys is None or (
        origin is not None and destination is not None and origin.keys is not destination.keys
    ):
        return None
    if conversion.to == keys.family:
        return _judge_repeated(program, conversion, core, origin)
    if destination is None or origin is None:
        return _judge_named(program, conversion, origin)
    if not origin.is_sure:
        because = f"{_said(core)} is only called like such a column"
        return Verdict(keys=keys, certainty="likely", because=because)
    if origin.may_be_null and conversion.nulls != "kept":
        return Verdict(keys=keys, certainty="likely", because=f"{_said(core)} may be NULL")
    return Verdict(
        keys=keys,
        certainty="certain",
        because=f"{_said(core)} is a value of {origin.column}, and goes where such a value belongs",
        destination=destination,
    )


def _judge_repeated(
    program: Program, conversion: Conversion, core: Expression, origin: Origin | None
) -> Verdict | None:
    """A conversion to what the value is anyway, once the column is."""
    if origin is None:
        return None
    said = _said(core)
    if not origin.is_sure:
        certainty: Certainty = "unsure" if origin.is_open else "likely"
        return Verdict(
            keys=origin.keys, certainty=certainty, because=f"{said} is only called like such a column"
        )
    if origin.may_be_null and conversion.nulls != "kept":
        return Verdict(keys=origin.keys, certainty="likely", because=f"{said} may be NULL")
    declared = origin.keys.types[origin.column] if origin.column is not None else ""
    if program.path.suffix not in (".py", ".pyi") and declared.lower().startswith(_LARGE):
        because = f"{said} is a {declared}, which most drivers of JavaScript give back as a text"
        return Verdict(keys=origin.keys, certainty="unsure", because=because)
    if conversion.to == "uuids":
        because = f"whether {said} is a text or a UUID is the driver's choice"
        return Verdict(keys=origin.keys, certainty="likely", because=because)
    return Verdict(
        keys=origin.keys,
        certainty="certain",
        because=f"{said} is a value of {origin.column}, which is {declared}",
    )


def _judge_named(program: Program, conversion: Conversion, origin: Origin | None) -> Verdict | None:
    """A conversion to what the keys are not, of which only one end is known: the name of a keyword may tell."""
    above = program.parents.get(conversion.outer)
    call = program.parents.get(above) if above is not None and above.kind == "keyword" else None
    if origin is None or call is None or above is None or above.name not in origin.keys.names:
        return None
    if any(part.name in _TELLING for part in call.parts[0].walk() if part.kind in ("name", "attribute")):
        return None
    because = f"nobody can say what {_said(call.parts[0])} does with it"
    return Verdict(keys=origin.keys, certainty="unsure", because=because)


def _is_in_helper(finder: Finder, program: Program, one: Expression) -> bool:
    """Whether it is what a helper does, which goes when nobody calls it."""
    function = program.function_around(one)
    if function is program.root:
        return False
    known = Function(program, function, function.name)
    return finder.conversions.is_helper(known)


def _said(one: Expression) -> str:
    """``row.user_id``, ``row["user_id"]``, as far as it has a name."""
    if one.kind == "attribute":
        return f"{_said(one.parts[0])}.{one.name}"
    if one.kind == "item":
        key = one.name if one.name.isdigit() else f'"{one.name}"'
        return f"{_said(one.parts[0])}[{key}]"
    if one.kind == "call":
        return f"{_said(one.parts[0])}(…)"
    return one.name or "…"
