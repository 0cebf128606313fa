"""Completion in shells: the script that a shell reads once, and the answer each time that it asks."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class, shell_complete

from govern.cli.root import root
from govern.cli.session import Session
from govern.config import COMPLETION_VARIABLE, find_completion
from govern.core.report import Entry, Report

_PROGRAM = "govern"
_SHELLS = ("bash", "fish", "zsh")


@root.inspecting("completion")
@click.argument("shell", type=click.Choice(_SHELLS), metavar="SHELL")
def completion(session: Session, *, shell: str) -> Report:
    """Print what makes a shell complete commands, options and their values.

    \b
    Examples:
      eval "$(govern completion bash)"     as a line of ~/.bashrc
      eval "$(govern completion zsh)"      as a line of ~/.zshrc, after compinit
      govern completion fish > ~/.config/fish/completions/govern.fish
    """
    writer = get_completion_class(shell)
    if writer is None:
        raise click.UsageError(f"this release of click completes nothing in {shell}")
    script = writer(root, {}, _PROGRAM, COMPLETION_VARIABLE).source()
    return session.report(entries=(Entry.of("completion", (), shell),), completion=script)


def answer_shell() -> int | None:
    """Prints what fits what was typed, and returns the exit code; None where no shell asks."""
    asked = find_completion()
    return None if asked is None else shell_complete(root, {}, _PROGRAM, COMPLETION_VARIABLE, asked)
