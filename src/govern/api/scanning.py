"""Does the application's code fit the declared schema?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from govern.actions.files import write_text
from govern.actions.kept_scan import Code, judge_changed
from govern.api.codemods import apply_fixes, open_papering
from govern.api.command import Narrate, command, silent
from govern.api.project import open_database, read_project
from govern.api.standing import Standing, open_schema, require_schema, schema_of, search_path_of
from govern.checks.scan.across import judged_across
from govern.checks.scan.judge import Judged
from govern.checks.scan.ratchet import Ratchet
from govern.checks.scan.unused import find_unused
from govern.code.files import find_files, require_parser
from govern.code.kept.earlier import read_changed
from govern.code.kept.store import Kept
from govern.code.workers import Named
from govern.config import Settings
from govern.core.finding import Finding
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.database.scratch import dropping_meanwhile
from govern.errors import ConfigurationError


@command("scan")
@dropping_meanwhile()
def scan(
    draft: Draft,
    settings: Settings,
    paths: tuple[Path, ...],
    *,
    against: str = "models",
    across_pending: bool = False,
    baseline: Path | None = None,
    write_baseline: Path | None = None,
    fix: bool = False,
    diff: bool = False,
    columns: tuple[str, ...] = (),
    narrate: Narrate = silent,
) -> None:
    """Each statement and name in the code below ``paths``, held against a schema: the one that the models declare.

    Nothing of the code is run, and no statement: a scratch database with the declared schema prepares it.
    Revisions and the schema's own SQL files are left out: they make the schema. ``against`` is ``revision`` (the
    one that the target is stamped with), ``head`` or a database's URL in place of ``models``; ``across_pending``: also
    against the stamped revision, so that what breaks on the way is found before and after. ``baseline``: a file of
    findings that are known; ``write_baseline``: where to write those of now, beside what it has of files that were not
    looked at. ``fix``: writes the code without those conversions that are certainly unnecessary since a column has the
    right type; ``diff``: only says what that would be; ``columns``: whose type was wrong, beside those of the manifest.
    Raises ConfigurationError for a path there is not and for a file that is no baseline, ToolMissing without the
    extra ``scan``.
    """
    require_schema(against)
    found = _find_code(settings, paths)
    if not found:
        what = ", ".join(settings.relative(path.absolute()) for path in paths)
        reason = f"there is no Python, JavaScript, TypeScript or SQL file to read in {what}"
        draft.add(Entry(name="scan", status="skipped", reason=reason))
        return
    require_parser(found)
    narrate(f"creating the schema in a scratch database, and looking at {count_of(len(found), 'file')}")
    named = [(path, settings.relative(path)) for path in found]
    with Kept(settings.cache_folder) as kept, ThreadPoolExecutor(1) as aside:
        reading = aside.submit(read_changed, named, kept, narrate=narrate)
        with schema_of(settings, against) as standing:
            code = Code(reading.result())
            with open_papering(settings, standing, found, columns) as papering:
                if (fix or diff) and apply_fixes(draft, papering, is_diff=diff):
                    code = Code(read_changed(named, kept))
                judged = _judge(code, standing, kept, narrate)
                if across_pending:
                    judged = _judge_across(draft, settings, code, judged, kept, narrate)
                if papering is not None:
                    judged.findings = papering.add_to(judged.findings)
    if any(settings.root.is_relative_to(path.absolute()) for path in paths):
        judged.findings += _find_unused(settings, standing, code, named)
    _report(draft, settings, judged, named, baseline, write_baseline)


def _find_code(settings: Settings, paths: Sequence[Path]) -> list[Path]:
    """Without what makes the schema: revisions, and its own SQL files."""
    ours = {settings.sql, *settings.alembic.version_locations}
    below = find_files(path.absolute() for path in paths)
    return [path for path in below if not any(path.is_relative_to(one) for one in ours)]


def _report(
    draft: Draft,
    settings: Settings,
    judged: Judged,
    named: Sequence[Named],
    baseline: Path | None,
    write_baseline: Path | None,
) -> None:
    """What was found beside what is known; of files that were not looked at nobody knows what is still there."""
    looked = f"{count_of(judged.statements, 'statement')} in {count_of(len(named), 'file')}"
    if judged.unverified:
        looked += f", {judged.unverified} of them only known when they run"
    read = frozenset(name for _, name in named)

    def is_looked_at(path: str) -> bool:
        return path in read or not (settings.root / path).exists()

    if write_baseline is not None:
        before = _read_ratchet(settings, write_baseline) if write_baseline.exists() else Ratchet(counts={})
        elsewhere = before.narrow(lambda path: not is_looked_at(path))
        write_text(write_baseline, Ratchet.of(judged.findings).with_other(elsewhere).render())
        draft.passed("baseline", f"written: {write_baseline}")
        baseline = write_baseline
    if baseline is None:
        draft.add(Entry.of("scan", tuple(judged.findings), looked))
        return
    held = _read_ratchet(settings, baseline).narrow(is_looked_at).apply(judged.findings)
    draft.add(Entry.of("scan", held.new, f"{looked}; {count_of(held.known, 'problem')} known"))
    if held.gone:
        draft.passed("baseline", f"{held.gone} fewer than it says: govern scan --write-baseline {baseline}")


def _judge(code: Code, standing: Standing, kept: Kept, narrate: Narrate) -> Judged:
    with open_schema(standing.url, search_path_of(code.surroundings)) as schema:
        return judge_changed(code, schema, standing.fingerprint, kept, narrate=narrate)


def _find_unused(
    settings: Settings, standing: Standing, code: Code, named: Sequence[Named]
) -> Iterator[Finding]:
    """Of a whole project: in a part of it nobody knows what the other parts mention."""
    kept = {
        settings.alembic.version_table,
        *(name.rpartition(".")[2] for name in read_project(settings).critical_tables),
    }
    tables = (place for place in standing.tables if place[1] not in kept)
    texts = (
        (name, path.read_text(encoding="utf-8", errors="replace")) for path, name in named if path.exists()
    )
    return find_unused(tables, code.files, texts)


def _judge_across(
    draft: Draft, settings: Settings, code: Code, after: Judged, kept: Kept, narrate: Narrate
) -> Judged:
    """Also by the schema that the database has as long as nothing is applied."""
    project = read_project(settings)
    pending = project.chain.pending(open_database(project, draft).read_only_stamp(), "heads")
    if not pending:
        draft.passed("pending", "no revision is pending: there is one schema to fit")
        return after
    with schema_of(settings, "revision") as standing:
        narrate("asking the schema before the pending revisions")
        before = _judge(code, standing, kept, narrate)
    draft.passed("pending", f"held against the schema before and after {count_of(len(pending), 'revision')}")
    return judged_across(before, after)


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
