"""The program: runs one command, publishes its report, and turns every way to fail into an exit code."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from govern.cli.completing import answer_shell
from govern.cli.correcting import correct_name, correct_usage
from govern.cli.failures import crash_problem, format_traceback, interruption_problem, usage_problem
from govern.cli.narration import write
from govern.cli.publish import publish, silence
from govern.cli.root import root
from govern.cli.session import Session
from govern.core.report import EXIT_INTERRUPTED, EXIT_USAGE, Report
from govern.errors import GovernError
from govern.reports.formats import is_format

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SECONDS_OF_CLEANING_UP = 0.05
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""A snapshot is made of as many, none of them garbage: looking through them takes longer than making them."""


def main() -> NoReturn:
    """The console script ``govern``."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)
    try:
        with signals_as_interrupts():
            exit_code = run(sys.argv[1:])
    except KeyboardInterrupt:  # a second one, while the first was being reported
        exit_code = EXIT_INTERRUPTED
    _flush()
    gc.freeze()  # what is left goes with the process: nobody needs to look through it
    sys.exit(exit_code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns the exit code; the report is on stdout or in its file."""
    if (answered := answer_shell()) is not None:
        return answered
    if not arguments:
        write(root.get_help(click.Context(root, info_name="govern")) + "\n", sys.stderr)
        return EXIT_USAGE
    session = Session()
    try:
        report = _execute(arguments, session)
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code
    return publish(report, session)


def _execute(arguments: Sequence[str], session: Session) -> Report:
    """The report of the command, or of the way it failed."""
    try:
        with root.make_context("govern", list(arguments), obj=session) as context:
            report: Report = root.invoke(context)
            return report
    except click.exceptions.Exit:
        raise
    except click.ClickException as error:
        _take_hints(arguments, session)
        return session.report(usage_problem(error, next=correct_usage(error, arguments)))
    except GovernError as error:
        problem = replace(error.problem, next=correct_name(error, arguments) or error.next)
        if error.report is not None:
            return replace(error.report, problem=problem)
        return session.report(problem, entries=error.entries)
    except KeyboardInterrupt as error:
        changes = session.changes if _may_have_changed(session) else "nothing"
        return session.report(interruption_problem(error, command=session.command, changes=changes))
    except (Exception, SystemExit) as error:
        if session.verbose:
            write(format_traceback(error, secrets=session.secrets), sys.stderr)
        return session.report(
            crash_problem(error, command=session.command, changes=session.changes, secrets=session.secrets)
        )


def _may_have_changed(session: Session) -> bool:
    """Whether an interrupted command had come so far. Nothing is imported to find out."""
    record = sys.modules.get("govern.actions.record")
    return session.changes != "database" or (record is not None and record.has_begun_run())


def _take_hints(arguments: Sequence[str], session: Session) -> None:
    """What a command line that could not be parsed says of where its report should go."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if not equals:
            value = arguments[position + 1] if position + 1 < len(arguments) else ""
        if name == "--format" and is_format(value):
            session.format = value
        elif name == "--output" and value and _can_be_written(Path(value)):
            session.output = Path(value)


def _can_be_written(file: Path) -> bool:
    return file.absolute().parent.is_dir() and not file.is_dir()


@contextlib.contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """SIGTERM, and a terminal that closes, end a command as Ctrl-C does: in order, and saying the state."""

    def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(signal.Signals(number).name)

    ours = [
        number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in ours:
        signal.signal(number, interrupt)
    hook, sys.unraisablehook = sys.unraisablehook, _interrupt_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _interrupt_again(lost: UnraisableHookArgs) -> None:
    """An interrupt that came while Python cleaned something up is not raised by it: it comes once more, a moment later.

    See the manual of signal, Note on Signal Handlers and Exceptions.
    """
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    number = signal.Signals[str(lost.exc_value) or "SIGINT"]
    main_thread = threading.main_thread().ident or 0
    threading.Timer(_SECONDS_OF_CLEANING_UP, signal.pthread_kill, (main_thread, number)).start()


def _never_fail_to_encode(stream: TextIO) -> None:
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="backslashreplace")


def _flush() -> None:
    """The interpreter would exit with 120 for what it cannot write at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            silence(stream)
