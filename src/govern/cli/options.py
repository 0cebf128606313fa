"""The global options, accepted before and after every command, and the command classes that carry them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from govern.cli.correcting import MissingCommand, NoSuchCommand
from govern.cli.failures import Changes
from govern.cli.logs import set_up_logs
from govern.cli.narration import narration
from govern.cli.publish import style_of
from govern.cli.session import Session
from govern.cli.values import complete_target
from govern.core.finding import Severity
from govern.reports.formats import FORMATS


class GlobalOption(click.Option):
    """An option that fills the field of its name in the Session; the innermost one given wins."""

    def __init__(
        self, *declarations: str, check: Callable[[Any], None] | None = None, **attributes: Any
    ) -> None:
        def remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
            if value is None or value is False:
                return
            if check is not None:
                check(value)
            setattr(context.ensure_object(Session), str(parameter.name), value)

        super().__init__(list(declarations), expose_value=False, callback=remember, **attributes)


def _is_given(url: str) -> None:
    if not url.strip():
        # an unset shell variable must not lead to another database than the one that was meant
        raise click.BadParameter("the URL is empty")


def _has_folder(file: Path) -> None:
    """Asked before anything runs: after a migration is too late to learn that the report has no place."""
    if not file.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {file.parent}")


if TYPE_CHECKING:
    _Words = click.Choice[str]
else:
    _Words = click.Choice  # before click 8.2 it could not be subscripted


class _Severity(_Words):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if isinstance(value, Severity) else Severity.parse(super().convert(value, param, ctx))


def global_options() -> list[click.Parameter]:
    """A fresh set for one command."""
    file = click.Path(dir_okay=False, path_type=Path)
    severities = _Severity([severity.label for severity in Severity])
    return [
        GlobalOption(
            "--config", type=file, metavar="FILE", help="The configuration: govern.toml or pyproject.toml."
        ),
        GlobalOption(
            "--url",
            metavar="URL",
            check=_is_given,
            help="The database. Better set DATABASE_URL: a password here is seen in the list of processes.",
        ),
        GlobalOption(
            "--target",
            metavar="NAME",
            shell_complete=complete_target,
            help="A database named in the configuration.",
        ),
        GlobalOption(
            "--format", type=click.Choice(FORMATS), help="How the report is written; text by default."
        ),
        GlobalOption(
            "--output", type=file, metavar="FILE", check=_has_folder, help="Write the report there."
        ),
        GlobalOption(
            "--fail-on",
            type=severities,
            help="The least severity that gives exit code 1; error by default.",
        ),
        GlobalOption("--quiet", is_flag=True, help="No progress: only the report and errors."),
        GlobalOption("-v", "verbose", is_flag=True, help="Log everything; show where a crash happened."),
    ]


class _WithGlobalOptions(click.Command):
    """Adds the global options and shows them in a section of their own."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params += global_options()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Global options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and record[1]:  # of an argument the usage says all there is
                kind = "Global options" if isinstance(parameter, GlobalOption) else "Options"
                sections[kind].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The whole first sentence: cut off it says nothing."""
        return super().get_short_help_str(max(limit, 200))


class _Span(click.ParamType):  # type: ignore[type-arg]  # a class of parameters in the newest click alone
    """A span of time, as the manifest writes it."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from govern.source.manifest.values import parse_span

        try:
            return parse_span(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


SPAN = _Span()


class _Number(click.ParamType):  # type: ignore[type-arg]  # a class of parameters in the newest click alone
    """A whole number of at least ``least``."""

    name = "number"

    def __init__(self, least: int, most: int | None) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        wanted = f"from {self._least} on" if self._most is None else f"from {self._least} to {self._most}"
        try:
            number = int(value)
        except ValueError:
            number = self._least - 1
        if number < self._least or (self._most is not None and number > self._most):
            self.fail(f"{value!r} is no whole number {wanted}", param, ctx)
        return number


def number(least: int, most: int | None = None) -> click.ParamType:  # type: ignore[type-arg]  # as above
    """The type of an option that takes a whole number."""
    return _Number(least, most)


no_backups = click.option(
    "--no-backups", is_flag=True, help="What backups say does not count: they are another machine's affair."
)


class Command(_WithGlobalOptions):
    """A command: takes the Session first and returns a Report."""

    def __init__(self, *arguments: Any, changes: Changes = "nothing", **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.changes = changes

    def invoke(self, ctx: click.Context) -> Any:
        session = ctx.ensure_object(Session)
        session.command = command_name(ctx)
        session.changes = self.changes
        style = style_of(sys.stderr)
        with narration(quiet=session.quiet, style=style) as session.narrate:
            set_up_logs(verbose=session.verbose, color=style.color)
            return super().invoke(ctx)


_HOMES = (
    *("inspecting", "changing", "backups", "application", "monitoring", "reporting", "drawing", "fleets"),
    *("explaining", "completing"),
)
"""The modules of commands, those first that are asked most."""


def import_commands(*, until: Callable[[], bool] = lambda: False) -> None:
    """Lets modules register their commands, one after another: to import all takes longer than many a command."""
    for home in _HOMES:
        if until():
            return
        importlib.import_module(f"govern.cli.{home}")


class Group(_WithGlobalOptions, click.Group):
    """A family of commands, imported when they are asked for."""

    command_class = Command

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        import_commands(until=lambda: cmd_name in self.commands)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        import_commands()
        return super().list_commands(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            raise MissingCommand(ctx, known=self.list_commands(ctx))
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_word = bool(args) and not args[0].startswith("-")
        if is_word and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise NoSuchCommand(args[0], known=self.commands, context=ctx)
        return super().resolve_command(ctx, args)

    def inspecting(self, name: str | None = None) -> Callable[[Callable[..., Any]], click.Command]:
        """Registers a command that changes nothing."""
        return self._register(name, changes="nothing")

    def changing(
        self, name: str | None = None, *, what: Changes = "database", **attributes: Any
    ) -> Callable[[Callable[..., Any]], click.Command]:
        """Registers a command that may change ``what``; ``attributes`` are click's."""
        return self._register(name, changes=what, **attributes)

    def _register(
        self, name: str | None, *, changes: Changes, **attributes: Any
    ) -> Callable[[Callable[..., Any]], click.Command]:
        def register(function: Callable[..., Any]) -> click.Command:
            return self.command(name, changes=changes, **attributes)(click.pass_obj(function))

        return register


def command_name(context: click.Context) -> str:
    """``backup create``: the path without the program's name."""
    return context.command_path.partition(" ")[2]
