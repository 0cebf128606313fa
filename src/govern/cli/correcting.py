"""What to type instead of a command line with a word in it that there is not: the same one, with what was meant."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import click

from govern.cli.failures import redact
from govern.core.closeness import find_close
from govern.errors import GovernError, NoSuchName


class NoSuchCommand(click.UsageError):
    """A word where a command should stand."""

    def __init__(self, name: str, *, known: Iterable[str], context: click.Context) -> None:
        super().__init__(f"no such command {name!r}", context)
        self.name = name
        self.known = known


class MissingCommand(click.UsageError):
    """A family of commands, and none of them."""

    def __init__(self, context: click.Context, *, known: Iterable[str]) -> None:
        super().__init__(f"{context.command_path} needs a command: {', '.join(sorted(known))}", context)


class _Mistake(NamedTuple):
    wrong: str
    known: Iterable[str]
    """What may stand in its place."""


def correct_usage(error: click.ClickException, arguments: Sequence[str]) -> str | None:
    """The next step after a command line that click refused; None where nothing like it would have been right."""
    mistake = _find_mistake(error, arguments)
    close = find_close(mistake.wrong, mistake.known) if mistake else ()
    if mistake is None or not close:
        return None
    meant = f"did you mean {' or '.join(close)}?"
    return f"{meant} {_correct(arguments, mistake.wrong, close[0]) or ''}".rstrip()


def correct_name(error: GovernError, arguments: Sequence[str]) -> str | None:
    """The next step after a name that there is not; None where it is no such error, or nothing is called nearly so."""
    if not isinstance(error, NoSuchName) or not error.meant:
        return None
    corrected = _correct(arguments, error.wanted, error.meant[0])
    return f"{error.next} {corrected}" if corrected else None


def _find_mistake(error: click.ClickException, arguments: Sequence[str]) -> _Mistake | None:
    if isinstance(error, NoSuchCommand):
        return _Mistake(error.name, error.known)
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        return _Mistake(error.option_name, list(_list_options(error.ctx.command)))
    if isinstance(error, click.BadParameter) and error.param is not None:
        choices = [str(choice) for choice in getattr(error.param.type, "choices", ())]
        values = _list_values(error.param, arguments, error.ctx)
        wrong = next((one for one in values if one not in choices), None)
        return _Mistake(wrong, choices) if wrong and choices else None
    return None


def _list_options(command: click.Command) -> Iterable[str]:
    return (name for one in command.params for name in one.opts if name.startswith("--"))


def _list_values(
    parameter: click.Parameter, arguments: Sequence[str], context: click.Context | None
) -> Iterable[str]:
    """All that may have been given for it."""
    if isinstance(parameter, click.Argument):
        names = context.command_path.split() if context else ()
        return [one for one in arguments if not one.startswith("-") and one not in names]
    apart = pairwise(arguments)
    joined = (one.partition("=")[::2] for one in arguments)
    return [value for name, value in (*apart, *joined) if name in parameter.opts]


def _correct(arguments: Sequence[str], wrong: str, right: str) -> str | None:
    """The command line to paste; None where it is not in there as one word, or has a password."""
    words = list(arguments)
    for place in reversed(range(len(words))):
        name, equals, value = words[place].partition("=")
        if words[place] == wrong:
            words[place] = right
        elif equals and name == wrong:
            words[place] = f"{right}={value}"
        elif equals and value == wrong:
            words[place] = f"{name}={right}"
        else:
            continue
        line = shlex.join(("govern", *words))
        return line if redact(line) == line else None
    return None
