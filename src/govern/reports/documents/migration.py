"""The page of one migration: what it ran, what that locked and took, and how it was made sure."""

from __future__ import annotations

from collections.abc import Iterator

from govern.core.document import Block, Cell, Document, Facts, Section, Sentence, Table
from govern.core.history import Answers, Migrated
from govern.core.run import AppliedRevision, Run
from govern.core.wording import count_of, name_duration, name_revisions
from govern.reports.documents.endpoints import list_endpoints, tell_answers
from govern.reports.documents.wording import RESULT_TONES, list_backups, say_moment, say_took

_MOST_STATEMENTS = 200
_LONGEST = 500
_COPIES = {"schema": "a copy of the schema", "data": "the restored backup, with its rows"}


def tell_migration(migrated: Migrated) -> Document:
    """All that the ledger knows of it."""
    run, target = migrated.run, migrated.target
    answers = (
        Answers(at=run.finished_at or run.started_at, by=run.command, proofs=run.probes)
        if run.probes
        else None
    )
    way = f"{name_revisions(run.from_revision)} → {name_revisions(run.to_revision)}"
    return Document(
        title=f"Migration report: {way}",
        lead=f"{target.url if target else ''} · {say_moment(run.started_at)}".removeprefix(" · "),
        verdict=tuple(_judge(run, answers)),
        sections=tuple(
            Section(title=title, blocks=blocks)
            for title, blocks in (
                ("The run", (_tell_run(run),)),
                ("How it was made sure", tuple(_tell_precautions(migrated))),
                *((f"Revision {one.revision}", tuple(_tell_revision(one))) for one in run.revisions),
                ("The application afterwards", list_endpoints(answers) if answers else ()),
                ("What is not known", tuple(_list_unknown(run))),
            )
            if blocks
        ),
    )


def _judge(run: Run, answers: Answers | None) -> Iterator[Sentence]:
    done = f"{count_of(len(run.revisions), 'revision')} in {say_took(run)}"
    error = f": {run.error}" if run.error else ""
    yield Sentence(tone=RESULT_TONES[run.result], word=run.result.capitalize(), text=f"{done}{error}")
    if run.is_validated:
        text = "the schema was read back, and is as declared"
        yield Sentence(tone="good", word="Validated", text=text)
    yield tell_answers("The application afterwards", answers)


def _tell_run(run: Run) -> Facts:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    pairs = (
        ("Run", run.id),
        ("Command", run.command),
        ("By", run.actor),
        ("Began", say_moment(run.started_at)),
        ("Ended", say_moment(run.finished_at)),
        ("Server", run.server_version or ""),
        ("Project", f"commit {run.git_commit}" if run.git_commit else ""),
        ("With", versions),
        ("Plan", f"reviewed, digest {run.plan_digest[:12]}" if run.plan_digest else "made for this run"),
        ("Waited for locks", name_duration(run.waited_seconds) if run.waited_seconds else "not at all"),
    )
    return Facts(pairs=tuple(pair for pair in pairs if pair[1]))


def _tell_precautions(migrated: Migrated) -> Iterator[Block]:
    run = migrated.run
    if run.rehearsal:
        copy = _COPIES.get(run.rehearsal, run.rehearsal)
        yield Sentence(tone="good", word="Rehearsed", text=f"on {copy} first")
    if run.allowed:
        text = f"by name, before it ran: {', '.join(run.allowed)}"
        yield Sentence(tone="notice", word="Losses allowed", text=text)
    elif run.rehearsal:
        yield Sentence(tone="good", word="No loss", text="was seen on that copy")
    if run.backup is None:
        yield Sentence(tone="notice", word="No backup", text="was taken before")
    else:
        yield list_backups([(run.backup, migrated.backup)], "The backup before.")


def _tell_revision(revision: AppliedRevision) -> Iterator[Block]:
    yield Facts(
        pairs=(("Took", name_duration(revision.seconds)), ("File", f"sha256 {revision.checksum[:12]}"))
    )
    shown = revision.statements[:_MOST_STATEMENTS]
    left = len(revision.statements) - len(shown)
    if shown:
        yield Table(
            titles=("Statement", "Took", "Locks, as seen on the copy"),
            rows=tuple(
                (
                    Cell(text=_shorten(one.sql), is_code=True),
                    Cell(text=name_duration(one.seconds), is_number=True),
                    Cell(text=", ".join(one.locks)),
                )
                for one in shown
            ),
            caption=f"The first; {left} more are left out." if left else "",
        )


def _shorten(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _list_unknown(run: Run) -> Iterator[Sentence]:
    unknown = []
    if run.rehearsal is None:
        unknown.append("what its statements lock and lose: it was not rehearsed, or by an older release")
    if run.finished_at is None:
        unknown.append("how it ended: nobody was there to write it down")
    if run.revisions and not any(revision.statements for revision in run.revisions):
        unknown.append("its statements: an older release kept none")
    for text in unknown:
        yield Sentence(tone="notice", word="Not known", text=text)
