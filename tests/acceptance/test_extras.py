"""With the package alone every command runs, or says which extra it needs, as the line that installs it."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

import click
import pytest

import govern.cli.main  # noqa: F401  (it registers the commands)
from govern.cli.options import import_commands
from govern.cli.root import root
from tests.acceptance.program import Done, Project
from tests.fixtures.children import find_server
from tests.fixtures.extras import ROOT, TRIALS, Trial, read_extras

GovernWithout = Callable[[Project, Sequence[str]], Done]
"""Runs a command of a project where none of the extras is installed."""

NEEDED = [trial for trial in TRIALS if trial.extra]
INSTALL_LINE = re.compile(r"pip install 'govern\[(\w+)\]'")
ARGUMENTS = {
    "against_ref": "HEAD",
    "because": "of an audit",
    "file": "app/models.py",
    "message": "nothing",
    "paths": "app",
    "path": "app",
    "revision": "r1",
    "shell": "bash",
}
"""For what a command has to be given, by its name; any other gets a word that means nothing."""
OPTIONS = {"monitor run": ["--once"]}


@pytest.fixture(scope="module")
def govern_without_extras() -> Iterator[GovernWithout]:
    """A process of its own: here everything is imported already."""
    command = (sys.executable, "-m", "tests.fixtures.without", find_server(), *optional_modules())
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(project: Project, arguments: Sequence[str]) -> Done:
            request = {
                "folder": str(project.root), "environment": project.variables, "arguments": arguments
            }  # fmt: skip
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            done = Done(**json.loads(process.stdout.readline()))
            assert "Traceback" not in done.out + done.err, done
            assert "a bug in govern" not in done.out + done.err, done
            return done

        yield run


def optional_modules() -> list[str]:
    distributions = frozenset[str]().union(*read_extras().values())
    return [
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if distributions & {owner.lower().replace("_", "-") for owner in owners}
    ]


@pytest.mark.parametrize(
    ("trial", "governed"),
    [
        pytest.param(trial, "postgresql" if trial.database == "postgresql" else "sqlite", id=trial.extra)
        for trial in NEEDED
    ],
    indirect=["governed"],
)
def test_what_needs_an_extra_says_the_line_that_installs_it(
    trial: Trial, governed: Project, govern_without_extras: GovernWithout
) -> None:
    project = governed.with_environment(HOOK="http://127.0.0.1:9")
    if trial.database == "embedded":
        project = project.with_url(None)
    done = govern_without_extras(project, trial.prepare(project.root, address="http://127.0.0.1:9"))
    assert done.exit_code == trial.exit_code_without, done
    assert trial.install_line in done.out + done.err, done


def test_each_extra_has_a_command_that_needs_it() -> None:
    assert {trial.extra for trial in NEEDED} == set(read_extras())


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_no_command_breaks_without_extras(governed: Project, govern_without_extras: GovernWithout) -> None:
    names = set(read_extras())
    for line in list_command_lines(root, ()):
        done = govern_without_extras(governed, line)
        assert done.exit_code in (0, 1, 2, 3, 4), (line, done)
        assert set(INSTALL_LINE.findall(done.out + done.err)) <= names, (line, done)


def list_command_lines(command: click.Command, names: tuple[str, ...]) -> Iterator[list[str]]:
    """A line for each command there is."""
    import_commands()
    if isinstance(command, click.Group):
        for name, below in sorted(command.commands.items()):
            yield from list_command_lines(below, (*names, name))
        return
    yield [*names, *OPTIONS.get(" ".join(names), ()), *give_arguments(command)]


def give_arguments(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        if parameter.required and parameter.name:
            if isinstance(parameter, click.Option):
                yield parameter.opts[0]
            yield ARGUMENTS.get(parameter.name, "x")
