"""Brings a report to where it was asked for: stdout or a file, and its problem to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TextIO

from govern.cli.narration import write
from govern.cli.session import Session
from govern.config import wants_color
from govern.core.report import EXIT_CLEAN, EXIT_UNDECIDED, Problem, Report
from govern.errors import NOTHING_CHANGED, CouldNotCheck
from govern.reports import text
from govern.reports.formats import Document, render_document
from govern.reports.places import find_places
from govern.reports.style import Style


def publish(report: Report, session: Session) -> int:
    """Writes the report and returns the exit code of the process."""
    exit_code = report.exit_code(session.fail_on)
    failure = _write_file(report, session) if session.output else _print(report, session)
    for problem in filter(None, (report.problem, failure)):
        write(text.render_problem(problem, style_of(sys.stderr)), sys.stderr)
    # the worse news wins: a report that got lost does not turn a failure into something milder
    return EXIT_UNDECIDED if failure and exit_code == EXIT_CLEAN else exit_code


def style_of(stream: TextIO) -> Style:
    """How text has to look on ``stream``."""
    is_terminal = stream.isatty()
    encoding = (stream.encoding or "ascii").lower().replace("-", "")
    return Style(
        color=wants_color(is_terminal=is_terminal),
        unicode=encoding in ("utf8", "utf16", "utf32"),
        width=shutil.get_terminal_size().columns if is_terminal else None,
    )


def _print(report: Report, session: Session) -> Problem | None:
    try:
        sys.stdout.write(_render(report, session, style_of(sys.stdout)))
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader has seen enough (`govern check | head`); the interpreter would complain at its exit
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        return _unwritten("stdout", error)
    return None


def _render(report: Report, session: Session, style: Style) -> str:
    if session.format != "text":
        return _render_document(report, session.format, session)
    has_content = report.problem is None or report.entries or report.data
    return text.render(report, style, fail_on=session.fail_on) if has_content else ""


def _render_document(report: Report, form: Document, session: Session) -> str:
    return render_document(
        report,
        form,
        find_places=lambda: find_places(session.known_settings),
        fail_on=session.fail_on,
    )


def write_document(report: Report, form: Document, file: Path, session: Session) -> None:
    """Writes the report in one more form. Raises CouldNotCheck where that cannot be."""
    try:
        write_atomically(file, _render_document(report, form, session))
    except OSError as error:
        problem = _unwritten(str(file), error)
        raise CouldNotCheck(problem.what, why=problem.why, next=problem.next) from error


def _write_file(report: Report, session: Session) -> Problem | None:
    content = _render(report, session, Style())
    if session.format == "text" and report.problem:
        content += "\n" * bool(content) + text.render_problem(report.problem)
    try:
        write_atomically(session.output or Path(), content)
    except OSError as error:
        return _unwritten(str(session.output), error)
    return None


def write_atomically(file: Path, content: str) -> None:
    """Replaces the file's content at once: a reader sees the old or the new report, never half of one."""
    file = file.resolve()
    if file.exists() and not file.is_file():
        file.write_text(content, encoding="utf-8")  # a device or a pipe cannot be replaced
        return
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        partial.write_text(content, encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def silence(stream: TextIO) -> None:
    """Sends what is still buffered nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _unwritten(place: str, error: OSError) -> Problem:
    return Problem(
        what=f"the report could not be written to {place}",
        why=error.strerror or str(error),
        next="make room or give another place: --output FILE",
        state=f"what the command did stands; {NOTHING_CHANGED} by writing",
        exit_code=EXIT_UNDECIDED,
    )
