"""Helpers that nobody calls any more, and everything that still speaks of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from govern.actions.codemods.imports import drop_imported
from govern.actions.codemods.listing import remove_items, whole_lines, with_blank_lines, with_comment_above
from govern.code.programs.calls import Function, Program, Project
from govern.code.programs.program import Expression
from govern.code.sources import Source
from govern.core.edit import Edit

_DEFINING = ("export", "export default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A helper with all that goes with it, or why it stays."""

    name: str
    edits: tuple[tuple[Source, Edit], ...] = ()
    obstacle: str = ""


def remove_helper(
    function: Function,
    project: Project,
    sources: Collection[Source],
    editable: Collection[Source],
    gone: Collection[Expression],
    mentions: Iterable[str],
) -> Removal:
    """``gone``: the calls that are taken away anyhow; ``mentions``: other files of the project that name it."""
    removing = _Removing(function, project, sources, editable, gone)
    obstacle = next(removing.find_obstacles(mentions), "")
    if obstacle:
        return Removal(name=function.name, obstacle=obstacle)
    return Removal(name=function.name, edits=tuple(removing.edits))


class _Removing:
    """Collects the edits for one helper."""

    def __init__(
        self,
        function: Function,
        project: Project,
        sources: Collection[Source],
        editable: Collection[Source],
        gone: Collection[Expression],
    ) -> None:
        self._function, self._project, self._gone = function, project, frozenset(gone)
        self._sources = {source.path: source for source in sources}
        self._editable = frozenset(source.path for source in editable)
        self.edits: list[tuple[Source, Edit]] = []

    def find_obstacles(self, mentions: Iterable[str]) -> Iterator[str]:
        """Why it cannot go; where there is nothing, ``edits`` are complete."""
        uses = self._project.uses_of(self._function)
        for program, call in uses.calls:
            if call not in self._gone:
                yield f"{self._spot(program, call)} calls it"
        for program, name in uses.others:
            yield f"{self._spot(program, name)} hands it on"
        for mention in mentions:
            yield f"{mention} names it"
        yield from self._find_others_in_code()
        yield from self._remove_definition()
        yield from self._remove_imports()

    def _remove_definition(self) -> Iterator[str]:
        program = self._function.program
        source = self._sources[program.path]
        statement = self._function.expression
        while (above := program.parents.get(statement)) is not None and above is not program.root:
            statement = above
        if program.path not in self._editable:
            yield f"{source.name} is not among the paths"
        elif sum(one.kind in ("bind", "function") for one in _outermost(statement)) > 1:
            yield f"{self._spot(program, statement)} defines something else, too"
        else:
            before = ("const", "let", "var", *_DEFINING)
            lines = whole_lines(source.text, statement.begin, statement.end, before=before)
            if lines is None:
                yield f"{self._spot(program, statement)}: something else stands on its lines"
                return
            lines = with_comment_above(source.text, lines, source.comments)
            self.edits.append((source, with_blank_lines(source.text, lines)))
            self.edits += [(source, edit) for edit in self._unlist(source, program)]

    def _remove_imports(self) -> Iterator[str]:
        found: dict[Expression, tuple[Program, list[Expression]]] = {}
        for program, statement, imported in self._project.find_imports(self._function):
            found.setdefault(statement, (program, []))[1].append(imported)
        for statement, (program, needless) in found.items():
            source = self._sources[program.path]
            if any(one.name == "*" for one in needless):
                continue
            edits = drop_imported(source, statement, needless)
            if program.path not in self._editable:
                yield f"{self._spot(program, statement)} imports it, and is not among the paths"
            elif edits is None:
                yield f"{self._spot(program, statement)} imports it among other things"
            else:
                self.edits += [(source, edit) for edit in (*edits, *self._unlist(source, program))]

    def _unlist(self, source: Source, program: Program) -> Iterator[Edit]:
        """Out of ``__all__``, and of what the file exports by itself."""
        for one in program.root.parts:
            if one.kind == "bind" and one.parts[0].name == "__all__" and len(one.parts) > 1:
                items = one.parts[1].parts
                named = {(item.begin, item.end) for item in items if item.name == self._function.name}
                if named and len(named) < len(items):
                    yield from remove_items([(item.begin, item.end) for item in items], named)
                elif named:
                    yield Edit(items[0].begin, items[-1].end)
            if one.kind == "export" and not one.name:
                exported = [part for part in one.parts if part.name == self._function.name]
                if exported:
                    yield from drop_imported(source, one, exported) or ()

    def _find_others_in_code(self) -> Iterator[str]:
        """Mentions in code that are no use that is known: in a text, or of what is not followed."""
        word = re.compile(rf"(?<![\w$]){re.escape(self._function.name)}(?![\w$])")
        for path, source in self._sources.items():
            program = self._project.programs[path]
            for found in word.finditer(source.text):
                if not self._is_known(source, program, found.start()):
                    line, _ = source.place_of(found.start())
                    yield f"{source.name}:{line} names it"

    def _is_known(self, source: Source, program: Program, at: int) -> bool:
        if any(begin <= at < end for begin, end in source.comments):
            return True
        around = [one for one in program.root.walk() if one.begin <= at < one.end]
        innermost = min(around, key=lambda one: one.end - one.begin, default=program.root)
        if innermost.kind == "text":
            above = program.parents.get(innermost)
            listing = program.parents.get(above) if above is not None else None
            is_listed = listing is not None and listing.kind == "bind" and listing.parts[0].name == "__all__"
            is_docstring = above is not None and above.kind == "block"
            return is_listed or is_docstring
        if innermost.kind == "name":
            return bool(program.look_up(innermost)) or innermost in program.definitions
        if innermost.kind == "attribute":
            return self._project.find_function(program, innermost) is self._function
        return innermost.kind in ("function", "imported", "import", "export", "pair")

    def _spot(self, program: Program, one: Expression) -> str:
        source = self._sources[program.path]
        return f"{source.name}:{source.place_of(one.begin)[0]}"


def _outermost(statement: Expression) -> Iterator[Expression]:
    """The definitions of a statement, without what is in them."""
    pending = [statement]
    while pending:
        one = pending.pop()
        if one.kind in ("bind", "function"):
            yield one
        else:
            pending.extend(one.parts)
