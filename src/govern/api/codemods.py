"""Workarounds for wrong types in a project's code, and their removal."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from govern.actions.codemods.course import Mended, mend
from govern.actions.codemods.difference import render_difference
from govern.actions.codemods.writing import is_writable, write_sources
from govern.api.standing import Standing, open_schema
from govern.checks.orphans import read_implied
from govern.checks.scan.ignores import add_beside
from govern.checks.scan.mistyped import Keys, Retyping, find_mistyped
from govern.checks.scan.papering import describe_workaround
from govern.checks.scan.schema import Schema
from govern.checks.scan.verdicts import Workaround
from govern.checks.scan.workarounds import Workarounds, find_workarounds
from govern.code.comments import find_ignores
from govern.code.files import Reader, find_files, find_texts
from govern.code.programs.calls import Program
from govern.code.sources import Source
from govern.code.texts.imports import Homes
from govern.config import Settings
from govern.core.code import SqlText
from govern.core.finding import Finding
from govern.core.keys import Column, read_types
from govern.core.report import Draft
from govern.core.snapshot import Snapshot, default_namespace
from govern.core.wording import count_of
from govern.database.engines import dialect_of
from govern.errors import NoSuchName

_TOLD = 3


@dataclass(slots=True, kw_only=True)
class Papering:
    """The code of a project, and what in it papers over wrong types."""

    root: Path
    """The project's folder: names are relative to it."""
    reader: Reader
    schema: Schema
    known: tuple[Keys, ...]
    editable: frozenset[Path]
    sources: dict[Path, Source]
    _sql: dict[Source, tuple[SqlText, ...]] = field(default_factory=dict)
    _programs: dict[Source, Program] = field(default_factory=dict)
    _found: tuple[tuple[Source, ...], Workarounds] | None = None
    """What was found last, and in which state of the files."""
    _homes: Homes = field(default_factory=Homes)
    _mentions: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def find(self, sources: Collection[Source]) -> Workarounds:
        """In this state of the files; for the same one as before it is what it was."""
        state = tuple(sources)
        if self._found is None or self._found[0] != state:
            self._found = (state, self._find(state))
        return self._found[1]

    def _find(self, sources: Collection[Source]) -> Workarounds:
        sql = {source.name: self._sql_of(source) for source in sources if source.path in self.editable}
        programs = {source: self._program_of(source) for source in sources}
        return find_workarounds(programs, sql, self.schema, self.known, self._home)

    def find_findings(self) -> Mapping[str, tuple[Finding, ...]]:
        """Of the files that are looked at, by file."""
        found: dict[str, list[Finding]] = {}
        for one in self.find(self.sources.values()).found:
            if one.source.path in self.editable:
                found.setdefault(one.source.name, []).append(describe_workaround(one))
        return {path: tuple(findings) for path, findings in found.items()}

    def add_to(self, findings: Iterable[Finding]) -> list[Finding]:
        """With what was found beside, where no comment means it."""
        beside = self.find_findings()
        named = {source.name: source for source in self.sources.values()}
        ignores = {path: tuple(find_ignores(named[path].text)) for path in beside}
        return list(add_beside(findings, beside, ignores))

    def mend(self) -> Mended:
        """In memory."""
        readable = (path for path in self.editable if path in self.sources)
        writable = frozenset(path for path in readable if is_writable(self.sources[path]))
        return mend(
            tuple(self.sources.values()),
            writable,
            self.find,
            self.reader.read_again,
            self._is_meant,
            self._find_mentions,
        )

    def _is_meant(self, workaround: Workaround) -> bool:
        finding = describe_workaround(workaround)
        return not any(
            ignore.line == finding.subject.line and ignore.names(finding.rule.id)
            for ignore in find_ignores(workaround.source.text)
        )

    def _home(self, path: Path, module: str) -> Path | None:
        return self._homes.find(path, module, is_python=path.suffix in (".py", ".pyi"))

    def _program_of(self, source: Source) -> Program:
        if source not in self._programs:
            self._programs[source] = Program(source.path, source.root)
        return self._programs[source]

    def _sql_of(self, source: Source) -> tuple[SqlText, ...]:
        if source not in self._sql:
            read = self.reader.read_source(source.text, source.name, source.language, source.path)
            self._sql[source] = read.sql
        return self._sql[source]

    def _find_mentions(self, name: str) -> tuple[str, ...]:
        if name not in self._mentions:
            self._mentions[name] = tuple(self._find_naming(name))
        return self._mentions[name]

    def _find_naming(self, name: str) -> Iterator[str]:
        """Files beside the programs that are known: texts, and code that cannot be read as a program."""
        word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
        others = (path for path in find_files([self.root]) if path not in self.sources)
        for path in (*find_texts(self.root), *others):
            if word.search(path.read_text(encoding="utf-8", errors="replace")):
                yield str(path.relative_to(self.root))


@contextmanager
def open_papering(
    settings: Settings, standing: Standing, looked_at: Iterable[Path], columns: tuple[str, ...] = ()
) -> Iterator[Papering | None]:
    """None where no column has or had a wrong type. Raises ConfigurationError for a column there is not."""
    known = _find_known(settings, standing, columns)
    if not known:
        yield None
        return
    reader, editable = Reader(), frozenset(looked_at)
    everywhere = sorted({*find_files([settings.root]), *editable})
    read = (reader.read_program(path, settings.relative(path)) for path in everywhere)
    sources = {source.path: source for source in read if source is not None}
    with open_schema(standing.url) as schema:
        yield Papering(
            root=settings.root, reader=reader, schema=schema, known=known, editable=editable, sources=sources
        )


def apply_fixes(draft: Draft, papering: Papering | None, *, is_diff: bool) -> frozenset[Path]:
    """Writes the code without what is certain, or only says what that would be; the files that were changed.

    Raises Refused where a file is not any more what was read, NotPermitted where one cannot be written.
    """
    if papering is None:
        if is_diff:
            draft.data["diff"] = ""
        draft.passed(
            "fix", "nothing to remove: neither the manifest nor the types tell of a wrong type (--column)"
        )
        return frozenset()
    mended = papering.mend()
    pairs = mended.changed
    said = "; ".join(_say(mended, papering))
    if is_diff:
        draft.data["diff"] = render_difference(pairs)
        draft.passed("fix", f"would remove {said}; nothing was written")
        return frozenset()
    dirty = _find_uncommitted(papering.root, pairs)
    write_sources(pairs)
    if dirty:
        said += f"; beside changes of yours that were not committed: {', '.join(dirty)}"
    draft.passed("fix", f"removed {said}")
    papering.sources = mended.after
    return frozenset(after.path for _, after in pairs)


def _say(mended: Mended, papering: Papering) -> Iterator[str]:
    yield f"{count_of(mended.places, 'workaround')} in {count_of(len(mended.changed), 'file')}"
    if mended.helpers:
        yield f"{', '.join(sorted(mended.helpers))} gone, which nobody calls any more"
    for name, why in sorted(mended.kept.items()):
        yield f"{name} stays: {why}"
    if mended.refused:
        yield f"left as they are, because they would not be programs any more: {', '.join(mended.refused)}"
    left = [one for one in papering.find(mended.after.values()).found if one.source.path in papering.editable]
    for obstacle in sorted({one.keys.obstacle for one in left if one.keys.obstacle}):
        yield f"left until the schema is right: {obstacle}"
    for certainty in ("likely", "unsure"):
        places = [one for one in left if one.certainty == certainty]
        if places:
            more = ", …" if len(places) > _TOLD else ""
            yield f"left, because only {certainty}: {', '.join(map(_place_of, places[:_TOLD]))}{more}"


def _place_of(workaround: Workaround) -> str:
    line, _ = workaround.source.place_of(workaround.begin)
    return f"{workaround.source.name}:{line}"


def _find_known(settings: Settings, standing: Standing, columns: tuple[str, ...]) -> tuple[Keys, ...]:
    from govern.source.manifest import load_manifest, split_column

    manifest = load_manifest(settings.manifest) if settings.manifest else None
    home = default_namespace(dialect_of(standing.url).name)

    def column_of(name: str) -> Column:
        namespace, table, column = split_column(name)
        return Column((namespace or home, table), column)

    retypings = [
        Retyping(column_of(repair.column), repair.to or "", f"repair {repair.name}: {repair.reason}")
        for repair in (manifest.repairs if manifest else ())
        if repair.kind == "convert_type" and repair.column
    ]
    named = [Retyping(column_of(name), "", "named by --column") for name in columns]
    for one in named:
        if one.column.name not in _columns_beside(standing.snapshot, one.column):
            raise NoSuchName(
                f"there is no column {one.column}",
                wanted=str(one.column),
                known=sorted(str(column) for column in read_types(standing.snapshot)),
                why="it was named by --column",
                next="name a column of the declared schema: --column notes.user_id",
            )
    return find_mistyped(standing.snapshot, read_implied(manifest, home), (*retypings, *named))


def _columns_beside(declared: Snapshot, column: Column) -> frozenset[str]:
    """The columns of the same table."""
    return frozenset(one.name for one in read_types(declared) if one.table == column.table)


def _find_uncommitted(root: Path, pairs: Iterable[tuple[Source, Source]]) -> list[str]:
    """Those of the files that git knows otherwise than they were."""
    names = [str(before.path) for before, _ in pairs]
    if not names:
        return []
    command = ["git", "-C", str(root), "status", "--porcelain", "-z", "--", *names]
    try:
        listed = subprocess.run(command, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return []
    lines = os.fsdecode(listed.stdout).split("\0")
    return [line[3:] for line in lines if line and not line.startswith("??")]
