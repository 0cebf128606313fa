"""Does the application's code fit the declared schema?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from govern.actions.files import write_text
from govern.api.command import Narrate, command, silent
from govern.checks.scan.judge import judge_code
from govern.checks.scan.ratchet import Ratchet
from govern.checks.scan.schema import Schema
from govern.code.files import find_files, require_parser
from govern.code.workers import read_files
from govern.config import Settings
from govern.core.code import CodeFile
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.database.engines import dialect_of
from govern.database.scratch import dropping_meanwhile
from govern.database.target import declared_like
from govern.database.url import DatabaseUrl
from govern.declared import declared_by_models
from govern.errors import ConfigurationError


@command("scan")
@dropping_meanwhile()
def scan(
    draft: Draft,
    settings: Settings,
    paths: tuple[Path, ...],
    *,
    baseline: Path | None = None,
    write_baseline: Path | None = None,
    narrate: Narrate = silent,
) -> None:
    """Each statement and name in the code below ``paths``, held against the schema that the models declare.

    Nothing of the code is run, and no statement: a scratch database with the declared schema prepares it.
    Revisions and the schema's own SQL files are left out: they make the schema. ``baseline``: a file of findings that
    are known; ``write_baseline``: where to write those of now, beside what it has of files that were not looked at.
    Raises ConfigurationError for a path there is not and for a file that is no baseline, ToolMissing without the
    extra ``scan``.
    """
    ours = {settings.sql, *settings.alembic.version_locations}
    below = find_files(path.absolute() for path in paths)
    found = [path for path in below if not any(path.is_relative_to(one) for one in ours)]
    narrate(f"reading {count_of(len(found), 'file')}")
    named = [(path, settings.relative(path)) for path in found]
    require_parser(found)
    narrate("creating the declared schema in a scratch database")
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(read_files, named)  # while the server makes a database
        with declared_by_models(settings, like=declared_like(settings)) as declared:
            files = reading.result()
            narrate(f"showing {count_of(sum(len(file.sql) for file in files), 'statement')} to it")
            with open_schema(declared.url, search_path_of(files)) as schema:
                judged = judge_code(files, schema)
    looked = f"{count_of(judged.statements, 'statement')} in {count_of(len(files), 'file')}"
    if judged.unverified:
        looked += f", {judged.unverified} of them only known when they run"
    read = frozenset(file.path for file in files)

    def is_looked_at(path: str) -> bool:
        return path in read or not (settings.root / path).exists()

    if write_baseline is not None:
        before = _read_ratchet(settings, write_baseline) if write_baseline.exists() else Ratchet(counts={})
        kept = before.narrow(lambda path: not is_looked_at(path))
        write_text(write_baseline, Ratchet.of(judged.findings).with_other(kept).render())
        draft.passed("baseline", f"written: {write_baseline}")
        baseline = write_baseline
    if baseline is None:
        draft.add(Entry.of("scan", tuple(judged.findings), looked))
        return
    held = _read_ratchet(settings, baseline).narrow(is_looked_at).apply(judged.findings)
    draft.add(Entry.of("scan", held.new, f"{looked}; {count_of(held.known, 'problem')} known"))
    if held.gone:
        draft.passed("baseline", f"{held.gone} fewer than it says: govern scan --write-baseline {baseline}")


def _read_ratchet(settings: Settings, path: Path) -> Ratchet:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the baseline {path} cannot be read",
            why=getattr(error, "strerror", None) or str(error),
            next="write one: govern scan PATH… --write-baseline FILE",
        ) from error
    return Ratchet.parse(text, settings.relative(path))


def search_path_of(files: Iterable[CodeFile]) -> tuple[str, ...]:
    """All schemas that the code has names without a schema looked for in, wherever it says so."""
    return tuple(dict.fromkeys(schema for file in files for schema in file.search_path))


@contextmanager
def open_schema(url: DatabaseUrl, also: Sequence[str] = ()) -> Iterator[Schema]:
    """A database's schema, for as long as the context lasts; ``also``: where names without a schema are looked for."""
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        judging, is_server = dialect.judging(), dialect.is_server
        relations = judging.read_relations(connection)
        ours = dict.fromkeys(("public", *also) if is_server else ("",))
        search_path = tuple(schema for schema in ours if any(place[0] == schema for place in relations))
        if also:
            judging.look_in(connection, search_path)
        yield Schema(
            relations=relations,
            search_path=(*search_path, "pg_catalog") if is_server else ("",),
            judge=lambda asked: judging.judge(connection, asked),
            engine=dialect.name,
            reads_grammar=is_server,
        )
