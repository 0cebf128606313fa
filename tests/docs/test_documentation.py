"""What the pages name exists: commands, options, rules, files, anchors, messages; generated pages are current."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import shlex
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import click
import pytest

import govern
from govern import config
from govern.checks.registry import all_rules
from govern.cli.main import run
from govern.cli.options import import_commands
from govern.cli.root import root
from govern.source.manifest import load_manifest
from tests.docs.markdown import (
    DOCS,
    PAGES,
    ROOT,
    name_of,
    read_blocks,
    read_command_lines,
    read_headings,
    read_links,
    read_spans,
)
from tests.docs.transcript import write_file

import_commands()
every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@cache
def generator() -> ModuleType:
    specification = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))  # as for a program that is run there
        specification.loader.exec_module(module)
    return module


# --- generated pages --------------------------------------------------------------------------------------


def test_generated_pages_are_what_the_code_says() -> None:
    assert [name for name, _ in generator().find_outdated(DOCS)] == [], "run: make docs"


def test_an_outdated_page_is_named_with_its_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("cli.md", "guards.md"):
        shutil.copy(DOCS / name, tmp_path / "docs")
    page = tmp_path / "docs" / "cli.md"
    page.write_text(page.read_text(encoding="utf-8").replace("--dry-run", "--dryrun"), encoding="utf-8")
    monkeypatch.setattr(generator(), "DOCS", tmp_path / "docs")
    pages = {name: render for name, render in generator()._PAGES.items() if name in ("cli.md", "guards.md")}
    monkeypatch.setattr(generator(), "_PAGES", pages)  # all of them take seconds, three times
    assert generator().main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "docs/cli.md is out of date: run make docs" in said
    assert "-* `--dryrun`" in said
    assert "+* `--dry-run`" in said
    assert generator().main([]) == 0
    assert generator().main(["--check"]) == 0


def test_a_page_that_lost_its_markers_is_refused() -> None:
    with pytest.raises(SystemExit, match="no markers"):
        generator().render_configuration("# Configuration\n")


# --- commands ---------------------------------------------------------------------------------------------

_CALL = re.compile(r"(?:^|[\s($])govern (?P<rest>[a-z-].*)")
_SHELL_SIGNS = re.compile(r"[;|&>]|\s#|…|\)")


def find_unknown(line: str) -> str | None:
    """What a line that calls govern says and the command line does not know."""
    call = _CALL.search(line)
    if call is None:
        return None
    command: click.Command = root
    words = iter(shlex.split(_SHELL_SIGNS.split(call["rest"])[0]))
    for word in words:
        if word.startswith("-") and not word[1:].isdecimal():  # downgrade -1
            name, equals, _ = word.partition("=")
            if name not in (options := _options(command)):
                return f"{command.name} has no option {name}"
            if not options[name].is_flag and not equals:
                next(words, None)  # its value
        elif isinstance(command, click.Group):
            if word not in command.commands:
                return f"there is no command {word}"
            command = command.commands[word]
    return None


def _options(command: click.Command) -> dict[str, click.Option]:
    parameters = command.get_params(click.Context(command))
    return {name: option for option in parameters if isinstance(option, click.Option) for name in option.opts}


@every_page
def test_every_command_and_option_exists(page: Path) -> None:
    assert [unknown for line in read_command_lines(page) if (unknown := find_unknown(line))] == []


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("$ govern migrat", "there is no command migrat"),
        ("govern backup restore latest", "there is no command restore"),
        ("- run: govern check --fast", "check has no option --fast"),
        ("DATABASE_URL=sqlite:///a.db govern --format json drift --sql x.sql  # exit 1", None),
        ("GRANT USAGE ON SCHEMA govern TO app;", None),
    ],
)
def test_a_command_that_does_not_exist_would_be_noticed(line: str, unknown: str | None) -> None:
    assert find_unknown(line) == unknown


def test_every_command_is_documented() -> None:
    headings = read_headings(DOCS / "cli.md")
    assert [path for path in _command_paths(root, "govern") if path not in headings] == []


def _command_paths(command: click.Command, path: str) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield path
        return
    for name, below in command.commands.items():
        yield from _command_paths(below, f"{path} {name}")


@pytest.mark.parametrize("path", sorted(_command_paths(root, "govern")))
def test_every_help_has_an_example_that_the_command_line_knows(path: str) -> None:
    command: click.Command = root
    for word in path.split()[1:]:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    _, title, below = (command.help or "").partition("Example")
    assert title, "its help has no example"
    examples = [line for line in below.splitlines() if path in line]
    assert examples
    assert [unknown for line in examples if (unknown := find_unknown(line.strip().split("   ")[0]))] == []


@every_page
def test_every_make_target_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    called = {found[1] for line in read_command_lines(page) if (found := re.match(r"\$? ?make (\w+)", line))}
    assert [name for name in called if not re.search(rf"^{name}:", makefile, re.M)] == []


# --- names ------------------------------------------------------------------------------------------------

_RULE = re.compile(r"\b(?:chain|lint|drift|integrity|scan|probe|startup|backup|guard)\.[a-z][a-z-]+")
_FILE_ENDINGS = (".py", ".md", ".sql", ".svg", ".toml", ".json", ".lock", ".yaml")


@every_page
def test_every_rule_that_is_named_exists(page: Path) -> None:
    assert find_unknown_rules(page.read_text(encoding="utf-8")) == set()


def test_a_rule_that_does_not_exist_would_be_noticed() -> None:
    assert find_unknown_rules("`startup.behind`, see startup.md and startup.py") == set()
    assert find_unknown_rules("`startup.below`") == {"startup.below"}


def find_unknown_rules(text: str) -> set[str]:
    named = {name for name in _RULE.findall(text) if not name.endswith(_FILE_ENDINGS)}
    return named - all_rules().keys()


def test_every_rule_is_documented() -> None:
    documented = set(_RULE.findall((DOCS / "rules.md").read_text(encoding="utf-8")))
    by_kind = {
        f"drift.{kind}-{action}" for kind in _drift_kinds() for action in ("added", "removed", "changed")
    }
    assert all_rules().keys() - documented - by_kind == set()


def _drift_kinds() -> set[str]:
    return set(re.findall(r"^\| \[([a-z-]+)\]", (DOCS / "rules.md").read_text(encoding="utf-8"), re.M))


@every_page
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    assert [target for target in read_links(page) if not _resolves(page, target)] == []


def _resolves(page: Path, target: str) -> bool:
    if target.startswith(("https://", "mailto:")):
        return True
    path, _, anchor = target.partition("#")
    file = page.parent / path if path else page
    anchors = {generator().slug(heading) for heading in read_headings(file)} if anchor else {""}
    return file.exists() and anchor in anchors


def test_a_broken_link_would_be_noticed() -> None:
    page = DOCS / "index.md"
    assert _resolves(page, "cli.md#exit-codes")
    assert not _resolves(page, "cli.md#exit-code")
    assert not _resolves(page, "cil.md")


def test_every_test_that_proves_what_is_said_of_safety_exists() -> None:
    named = {code for code in read_spans(DOCS / "safety.md") if re.fullmatch(r"[\w/]*test_\w+\.py", code)}
    assert len(named) > 20
    assert [path for path in named if not any((ROOT / "tests").rglob(path))] == []


@pytest.mark.parametrize(
    "page", [DOCS / "architecture.md", *sorted(DOCS.glob("decisions/*.md"))], ids=name_of
)
def test_every_file_the_architecture_names_exists(page: Path) -> None:
    named = [code for code in read_spans(page) if re.fullmatch(r"[\w./]+(?:/|\.py)", code)]
    places = (ROOT / "src" / "govern", ROOT, ROOT / "migrations")
    assert [path for path in named if not any((place / path).exists() for place in places)] == []


# --- messages and examples --------------------------------------------------------------------------------


@cache
def messages() -> frozenset[str]:
    """Every text in the sources, with ``…`` for what is filled in."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "src").rglob("*.py"))
    texts = (ast.JoinedStr, ast.Constant)
    return frozenset(
        _fill(_text(node)) for tree in trees for node in ast.walk(tree) if isinstance(node, texts)
    )


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return "…"


def _fill(text: str) -> str:
    return re.sub("…+", "…", text)


def test_every_message_of_the_night_is_one_that_govern_says() -> None:
    said = [code for heading in read_headings(DOCS / "at-3-am.md") for code in re.findall("`(.+)`", heading)]
    assert len(said) > 5
    assert [message for message in said if message not in messages()] == []
    assert "the migration lock is held by another planet" not in messages()


def test_the_arguments_of_validate_on_startup_are_the_documented_ones() -> None:
    page = (DOCS / "startup.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)=(.+?)` \|", page, re.M)
    documented = {name: ast.literal_eval(default) for name, default in rows}
    parameters = inspect.signature(govern.validate_on_startup).parameters.values()
    # clock and sleep are for tests
    public = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and not callable(p.default)}
    assert documented == public


@every_page
def test_python_examples_import_what_there_is(page: Path) -> None:
    for block in read_blocks(page):
        if block.language != "python":
            continue
        for node in ast.walk(ast.parse(block.text, filename=f"{name_of(page)}:{block.line}")):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("govern"):
                assert [name.name for name in node.names if not _has(node.module or "", name.name)] == []


def _has(module: str, name: str) -> bool:
    is_submodule = importlib.util.find_spec(f"{module}.{name}") if module == "govern.integrations" else None
    return is_submodule is not None or hasattr(importlib.import_module(module), name)


def test_the_example_configuration_is_read(tmp_path: Path) -> None:
    for block in read_blocks(DOCS / "configuration.md"):
        if block.title:
            write_file(block, tmp_path)
    settings = config.load(
        start=tmp_path, target="staging", environ={"STAGING_DATABASE_URL": "sqlite:///s.db"}
    )
    assert settings.url == "sqlite:///s.db"
    assert settings.models == "app.models:Base.metadata"
    assert settings.manifest is not None
    manifest = load_manifest(settings.manifest)
    assert [table.name for table in manifest.critical_tables] == ["users"]
    assert len(manifest.relationships) == len(manifest.invariants) == 1


def test_the_documented_exit_code_of_no_command_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["no-such-command"]) == 2
    assert "| 2 | the command line," in (DOCS / "cli.md").read_text(encoding="utf-8")


# --- the environment, and what is written -----------------------------------------------------------------

_VARIABLE = re.compile(r"\bGOVERN_[A-Z_]*[A-Z]\b")


def test_every_environment_variable_is_documented() -> None:
    read = set(_VARIABLE.findall("\n".join(messages())))
    section = (DOCS / "configuration.md").read_text(encoding="utf-8").partition("\n## Environment\n")[2]
    documented = set(_VARIABLE.findall(section.partition("\n## ")[0]))
    assert {name.removesuffix("_FILE") for name in read} == documented


def test_every_file_and_table_that_is_listed_is_named_in_the_sources() -> None:
    listed = re.findall(
        r"^\| `(?:[\w~.]+/)*([\w.-]+?)/?`", (DOCS / "files.md").read_text(encoding="utf-8"), re.M
    )
    assert len(listed) > 15
    sources = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))
    parts = [re.sub(r"^app\.db|\d+$", "", name) for name in listed]
    # the ledger's schema is filled in where a statement is made
    in_ledger = [re.sub(r"^govern(?:_of_SCHEMA)?\.", "{ledger}.", part) for part in parts]
    unknown = [
        part
        for part, filled in zip(parts, in_ledger, strict=True)
        if part not in sources and filled not in sources
    ]
    assert unknown == []
