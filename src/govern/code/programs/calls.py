"""Who calls what in a project: names followed to the functions that they stand for, through imports and re-exports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from govern.code.programs.program import Expression, unwrap

Home = Callable[[Path, str], Path | None]
"""The file of the project that an import means; None for a package's."""
BindingKind = Literal["value", "element", "parameter", "function", "class", "import", "unknown"]

_SCOPES = frozenset({"function", "comprehension", "class"})
_DEEPEST = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Binding:
    """A place where a name gets a value: that of ``source``, or of one after the other of its elements."""

    kind: BindingKind
    source: Expression
    keys: tuple[str, ...] = ()
    """Of a value that is taken apart: what is taken."""


class Program:
    """One file: what stands around an expression, and what its names stand for."""

    def __init__(self, path: Path, root: Expression) -> None:
        self.path = path
        self.root = root
        self.parents: dict[Expression, Expression] = {}
        self.bindings: dict[tuple[Expression, str], list[Binding]] = defaultdict(list)
        self.definitions: set[Expression] = set()
        """Names that stand where they are given a value."""
        for one in root.walk():
            self.parents.update(dict.fromkeys(one.parts, one))
        for one in root.walk():
            self._bind(one)
        for one in root.walk():
            if one.kind == "bind" and one.name == "outer":
                self._bind_further_out(one)

    def ancestors(self, one: Expression) -> Iterator[Expression]:
        """From the inside out."""
        while (above := self.parents.get(one)) is not None:
            yield above
            one = above

    def scope_of(self, one: Expression) -> Expression:
        """The function, comprehension, class or file that it stands in."""
        return next((above for above in self.ancestors(one) if above.kind in _SCOPES), self.root)

    def function_around(self, one: Expression) -> Expression:
        """The function that it stands in, or the file."""
        return next((above for above in self.ancestors(one) if above.kind == "function"), self.root)

    def look_up(self, name: Expression, text: str = "") -> tuple[Binding, ...]:
        """Every value that the name gets where it is looked for first; none for what the file does not define."""
        scope, is_own = self.scope_of(name), True
        while True:
            if (is_own or scope.kind != "class") and (found := self.bindings.get((scope, text or name.name))):
                return tuple(found)
            if scope is self.root:
                return ()
            scope, is_own = self.scope_of(scope), False

    def is_method(self, function: Expression) -> bool:
        """Whether it is looked up in an object, so that nobody knows who calls it."""
        return self.scope_of(function).kind == "class"

    def is_decorated(self, function: Expression) -> bool:
        above = self.parents.get(function)
        return above is not None and above.kind == "decorated"

    def decorators_of(self, function: Expression) -> tuple[Expression, ...]:
        above = self.parents.get(function)
        return above.parts[:-1] if above is not None and above.kind == "decorated" else ()

    def exported(self, name: str) -> tuple[Binding, ...]:
        """What other files can import by a name."""
        return tuple(self.bindings.get((self.root, name), ()))

    def _bind(self, one: Expression) -> None:
        scope = self.scope_of(one)
        if one.kind == "bind" and one.name == "outer" and len(one.parts) > 1:
            self.definitions.update(name for name in one.parts[0].walk() if name.kind == "name")
        elif one.kind == "bind":
            kind: BindingKind = "value" if len(one.parts) > 1 else "unknown"
            self._bind_target(scope, one.parts[0], Binding(kind=kind, source=one.parts[-1]))
        elif one.kind == "loop":
            inner = scope if scope.kind == "comprehension" else self.scope_of(one)
            self._bind_target(inner, one.parts[0], Binding(kind="element", source=one.parts[1]))
        elif one.kind == "function":
            if one.name:
                self.bindings[scope, one.name].append(Binding(kind="function", source=one))
            for parameter in one.parts[0].parts:
                self._bind_parameter(one, parameter)
        elif one.kind == "class":
            self.bindings[scope, one.name].append(Binding(kind="class", source=one))
        elif one.kind == "import":
            for imported in one.parts:
                for local in imported.parts:
                    self.definitions.add(local)
                    self.bindings[scope, local.name].append(
                        Binding(kind="import", source=one, keys=(imported.name,))
                    )
        elif one.kind == "export":
            self.definitions.update(local for imported in one.parts for local in imported.parts)

    def _bind_further_out(self, one: Expression) -> None:
        """A value that a name gets from within: it is one of those that the name has where it is declared."""
        if one.parts[0].kind in ("attribute", "item"):
            return
        scopes = [self.scope_of(one)]
        while scopes[-1] is not self.root:
            scopes.append(self.scope_of(scopes[-1]))
        known = len(one.parts) > 1 and one.parts[0].kind == "name"
        binding = Binding(kind="value" if known else "unknown", source=one.parts[-1])
        for name in {name.name for name in one.parts[0].walk() if name.kind == "name"}:
            homes = [scope for scope in scopes if (scope, name) in self.bindings]
            for scope in homes[:1] if known else homes:
                self.bindings[scope, name].append(binding)
            if not homes:
                self.bindings[scopes[0], name].append(binding)

    def _bind_parameter(self, function: Expression, parameter: Expression) -> None:
        binding = Binding(kind="parameter", source=parameter)
        if parameter.kind == "parameter" and parameter.name:
            self.bindings[function, parameter.name].append(binding)
        elif parameter.kind == "parameter":
            self._bind_target(function, parameter.parts[0], binding)

    def _bind_target(self, scope: Expression, target: Expression, binding: Binding) -> None:
        if target.kind == "name":
            self.definitions.add(target)
            self.bindings[scope, target.name].append(binding)
        elif target.kind in ("sequence", "mapping"):
            for number, part in enumerate(target.parts):
                is_pair = part.kind == "pair"
                key = part.name if is_pair else str(number)
                inner = part.parts[0] if is_pair else part
                kind = binding.kind if part.kind in ("pair", "name", "sequence", "mapping") else "unknown"
                taken = Binding(kind=kind, source=binding.source, keys=(*binding.keys, key))
                self._bind_target(scope, inner, taken)
        elif target.kind == "wrapped":
            self._bind_target(scope, unwrap(target), binding)
        elif target.kind not in ("attribute", "item"):
            for name in target.walk():
                if name.kind == "name":
                    self.definitions.add(name)
                    self.bindings[scope, name.name].append(Binding(kind="unknown", source=name))


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function, and the file that it is in."""

    program: Program
    expression: Expression
    name: str

    @property
    def parameters(self) -> tuple[Expression, ...]:
        return self.expression.parts[0].parts


@dataclass(slots=True)
class Uses:
    """Where a function is spoken of."""

    calls: list[tuple[Program, Expression]] = field(default_factory=list)
    others: list[tuple[Program, Expression]] = field(default_factory=list)
    """Where it is handed on: nobody knows what it is called with there."""


class Project:
    """The files of a project together."""

    def __init__(self, programs: Iterable[Program], home: Home) -> None:
        self.programs = {program.path: program for program in programs}
        self._home = home
        self._functions: dict[Expression, Function] = {}
        self._uses: dict[Expression, Uses] = defaultdict(Uses)
        for program in self.programs.values():
            for one in program.root.walk():
                if one.kind in ("name", "attribute") and one not in program.definitions:
                    self._note_use(program, one)

    def find_function(self, program: Program, callee: Expression) -> Function | None:
        """The one function that a name or ``module.name`` stands for; None where it may be another."""
        callee = unwrap(callee)
        if callee.kind == "name":
            return self._follow(program, program.look_up(callee), 0)
        if callee.kind == "attribute" and callee.parts[0].kind in ("name", "attribute"):
            path = _dotted(callee.parts[0])
            [binding, *others] = [*program.look_up(callee.parts[0], path), None] if path else [None]
            if binding is not None and others == [None] and binding.kind == "import":
                home = self._module_of(program, binding)
                return self._find_exported(home, callee.name, 0) if home is not None else None
        return None

    def uses_of(self, function: Function) -> Uses:
        return self._uses[function.expression]

    def is_closed(self, function: Function) -> bool:
        """Whether everybody who calls it is known."""
        program, expression = function.program, function.expression
        return not (
            program.is_method(expression) or program.is_decorated(expression) or self.uses_of(function).others
        )

    def find_imports(self, function: Function) -> Iterator[tuple[Program, Expression, Expression]]:
        """The imports and re-exports of a function: the file, the statement and the name in it."""
        for program in self.programs.values():
            for one in program.root.walk():
                if one.kind not in ("import", "export") or program.path == function.program.path:
                    continue
                home = self._home(program.path, one.name) if one.name else None
                for imported in one.parts:
                    named = imported.name if home is not None else ""
                    if home is not None and self._find_exported(home, named, 0) is function:
                        yield program, one, imported

    def is_own_class(self, program: Program, binding: Binding) -> bool:
        """Whether a name stands for a class of the project, here or imported from one of its files."""
        if binding.kind == "import":
            return self._home(program.path, binding.source.name) is not None
        return binding.kind == "class"

    def is_handed_on(self, path: Path, name: str) -> bool:
        """Whether another file imports a name from this one."""
        return any(
            imported.name in (name, "*") and self._home(program.path, one.name) == path
            for program in self.programs.values()
            if program.path != path
            for one in program.root.walk()
            if one.kind in ("import", "export") and one.name
            for imported in one.parts
        )

    def _note_use(self, program: Program, one: Expression) -> None:
        function = self.find_function(program, one)
        if function is None:
            return
        above = program.parents.get(one)
        uses = self._uses[function.expression]
        is_called = above is not None and above.kind == "call" and above.parts[0] is one
        (uses.calls if is_called else uses.others).append((program, above if is_called and above else one))

    def _follow(self, program: Program, bindings: tuple[Binding, ...], depth: int) -> Function | None:
        if len(bindings) != 1 or depth > _DEEPEST:
            return None
        [binding] = bindings
        if binding.kind == "function":
            return self._function(program, binding.source, binding.source.name)
        if binding.kind == "value" and not binding.keys and unwrap(binding.source).kind == "function":
            target = program.parents[binding.source].parts[0]
            return self._function(program, unwrap(binding.source), target.name)
        if binding.kind == "import" and binding.keys != ("",):
            home = self._home(program.path, binding.source.name)
            return self._find_exported(home, binding.keys[0], depth + 1) if home is not None else None
        return None

    def _function(self, program: Program, expression: Expression, name: str) -> Function:
        return self._functions.setdefault(expression, Function(program, expression, name))

    def _find_exported(self, home: Path, name: str, depth: int) -> Function | None:
        program = self.programs.get(home)
        if program is None or depth > _DEEPEST:
            return None
        if found := program.exported(name):
            return self._follow(program, found, depth)
        for export in (one for one in program.root.parts if one.kind in ("export", "import")):
            for imported in export.parts:
                local = imported.parts[0].name if imported.parts else imported.name
                if local not in (name, "*"):
                    continue
                wanted = name if local == "*" else imported.name
                target = self._home(home, export.name) if export.name else None
                if export.name and target is not None:
                    if function := self._find_exported(target, wanted, depth + 1):
                        return function
                elif not export.name and (found := program.exported(wanted)):
                    return self._follow(program, found, depth)
        return None

    def _module_of(self, program: Program, binding: Binding) -> Path | None:
        """The file that a name is the whole of: ``import * as ids``, ``import app.ids``, ``from app import ids``."""
        module = binding.source.name
        if binding.keys == ("",):
            return self._home(program.path, module)
        between = "" if module.endswith(".") else "."
        return self._home(program.path, f"{module}{between}{binding.keys[0]}")


def _dotted(one: Expression) -> str:
    """``app.ids`` of names with attributes; nothing for anything else."""
    if one.kind == "name":
        return one.name
    if one.kind == "attribute" and (before := _dotted(one.parts[0])):
        return f"{before}.{one.name}"
    return ""
