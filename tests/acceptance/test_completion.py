"""A shell completes commands, options, their values and rules, by the script that govern prints."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from govern.cli.main import run
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN

ASK = """
PATH={folder}:$PATH
eval "$(govern completion bash)"
COMP_WORDS=({words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_govern_completion govern
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def complete(*words: str, folder: Path | None = None) -> list[str]:
    """What bash offers for the last word."""
    bash = shutil.which("bash")
    assert bash is not None
    script = ASK.format(folder=shlex.quote(str(GOVERN.parent)), words=" ".join(map(shlex.quote, words)))
    done = subprocess.run(
        [bash, "--norc", "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=folder
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("govern", "dia"), ["diagram"]),
        (("govern", "--quiet", "backup", "pr"), ["prune"]),
        (("govern", "diagram", "--as", ""), ["dot", "mermaid", "svg"]),
        (("govern", "--output", "/no/such/folder/x", "diagram", "--col"), ["--columns"]),
        (("govern", "explain", "chain.c"), ["chain.config-error", "chain.cycle"]),
    ],
)
def test_bash_completes_what_was_begun(words: tuple[str, ...], offered: list[str]) -> None:
    assert sorted(complete(*words)) == sorted(offered)


def test_other_shells_get_a_script_of_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    for shell, said in (("zsh", "compdef"), ("fish", "complete --no-files --command govern")):
        assert run(["completion", shell]) == 0
        assert said in capsys.readouterr().out
    assert run(["completion", "tcsh"]) == 2


def test_bash_completes_what_the_project_has(make_project: MakeProject) -> None:
    project = make_project("plain", files={"govern.toml": '[targets.staging]\nurl = "sqlite:///s.db"\n'})
    assert complete("govern", "migrate", "--to", "r", folder=project.root) == ["r1", "r2"]
    assert complete("govern", "--target", "st", folder=project.root) == ["staging"]
    assert complete("govern", "backup", "show", "l", folder=project.root) == ["latest"]
    project.write({"govern.toml": "no TOML"})
    assert complete("govern", "migrate", "--to", "r", folder=project.root) == []
