"""How pages for people word moments, runs, findings and backups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from govern.core.backup import BackupManifest
from govern.core.document import Block, Cell, Sentence, Table, Tone
from govern.core.finding import Finding
from govern.core.report import Report
from govern.core.run import Run
from govern.core.wording import count_of, name_bytes, name_duration, name_moment, name_revisions
from govern.reports.tones import SEVERITY_TONES, STATUS_TONES

_MOST_FINDINGS = 50
RESULT_TONES: dict[str, Tone] = {
    "applied": "good",
    "restored": "notice",
    "started": "notice",
    "unhealthy": "bad",
    "failed": "bad",
    "interrupted": "bad",
}


def say_moment(moment: datetime | None) -> str:
    """``2031-01-02 12:00:00 UTC``; nothing for none."""
    return name_moment(moment) if moment else ""


def say_time(moment: datetime | None) -> str:
    """The same in a table, below a page that says that times are UTC."""
    return say_moment(moment).removesuffix(" UTC")


def say_status(status: str) -> Cell:
    """``status`` is an entry's, as somebody wrote it down."""
    return Cell(text=status, tone=STATUS_TONES.get(status, "quiet"))


def say_took(run: Run) -> str:
    if run.finished_at is None:
        return "did not end"
    return name_duration((run.finished_at - run.started_at).total_seconds())


def describe_run(run: Run) -> str:
    """What it did, in a line."""
    said = []
    if run.restored_from and run.kept_as:
        said.append(f"put the backup {run.restored_from} in the database's place")
    elif run.restored_from:
        said.append(f"restored from the backup {run.restored_from}")
    if run.repairs:
        said.append(", ".join(run.repairs))
    if run.rows:
        said.append(", ".join(f"{what}: {count_of(rows, 'row')}" for what, rows in run.rows.items()))
    if run.revisions:
        said.append(f"{count_of(len(run.revisions), 'revision')}, to {name_revisions(run.to_revision)}")
    if run.undoes:
        said.append(f"took back the run {run.undoes}")
    if run.kept_as:
        said.append(f"the database before is kept as {run.kept_as}")
    if run.statements:
        said.append(count_of(len(run.statements), "statement"))
    if run.error:
        said.append(run.error)
    return "; ".join(said) or "nothing more is written down"


def tell_look(name: str, report: Report | None) -> Sentence:
    """How one family of checks ended."""
    if report is None:
        return Sentence(tone="notice", word="Not looked at", text=name)
    if report.problem is not None:
        why = f": {report.problem.why}" if report.problem.why else ""
        return Sentence(tone="notice", word="Not known", text=f"{name}: {report.problem.what}{why}")
    findings = tuple(report.findings)
    undecided = [f"{entry.name}: {entry.reason}" for entry in report.entries if entry.is_undecided]
    if findings:
        gravest = max(finding.severity for finding in findings)
        text = f"{name}: {count_of(len(findings), 'finding')}"
        return Sentence(tone=SEVERITY_TONES[gravest], word=gravest.label.capitalize(), text=text)
    if undecided:
        return Sentence(tone="notice", word="Not decided", text=f"{name}: {'; '.join(undecided)}")
    checks = count_of(len(report.entries), "check")
    return Sentence(tone="good", word="Good", text=f"{name}: {checks}, and nothing found")


def list_findings(findings: Iterable[Finding]) -> tuple[Block, ...]:
    """A table of them, the gravest first; nothing where there are none."""
    ordered = sorted(findings, key=lambda finding: (-finding.severity, finding.rule.id, str(finding.subject)))
    if not ordered:
        return ()
    left = len(ordered) - _MOST_FINDINGS
    table = Table(
        titles=("Severity", "What", "Found", "Next"),
        rows=tuple(_list_finding(finding) for finding in ordered[:_MOST_FINDINGS]),
        caption=f"The gravest; {left} more are left out." if left > 0 else "",
    )
    return (table,)


def _list_finding(finding: Finding) -> tuple[Cell, ...]:
    return (
        Cell(text=finding.severity.label, tone=SEVERITY_TONES[finding.severity]),
        Cell(text=str(finding.subject), is_code=True),
        Cell(text=finding.message),
        Cell(text=finding.remedy),
    )


def list_backups(backups: Sequence[tuple[str, BackupManifest | None]], caption: str = "") -> Table:
    """Each with its proof; one that is not on this machine is said to be so."""
    return Table(
        titles=("Backup", "Made", "At revision", "Size", "Proven"),
        rows=tuple(_list_backup(name, manifest) for name, manifest in backups),
        caption=caption,
    )


def _list_backup(name: str, manifest: BackupManifest | None) -> tuple[Cell, ...]:
    if manifest is None:
        missing = Cell(text="it is not on this machine", tone="notice")
        return Cell(text=name, is_code=True), Cell(text=""), Cell(text=""), Cell(text=""), missing
    return (
        Cell(text=name, is_code=True),
        Cell(text=say_time(manifest.created_at)),
        Cell(text=name_revisions(manifest.revision or ()) if manifest.revision is not None else "none"),
        Cell(text=name_bytes(manifest.bytes), is_number=True),
        _say_proof(manifest),
    )


def _say_proof(manifest: BackupManifest) -> Cell:
    if manifest.unfit is not None:
        return Cell(text=f"unfit since {say_moment(manifest.unfit.at)}: {manifest.unfit.why}", tone="bad")
    if manifest.verified is None:
        return Cell(text="never", tone="notice")
    said = f"{say_time(manifest.verified.at)}: {manifest.verified.described()}"
    return Cell(text=said, tone="good" if manifest.is_proven else "notice")
