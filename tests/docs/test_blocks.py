"""Every block of every page is run, read by the program it is for, or says why it is not run."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from govern import config
from govern.fleet.targets_file import TargetsFile, read_targets_file
from govern.source.manifest import load_manifest
from tests.docs.markdown import DOCS, PAGES, ROOT, Block, name_of, read_blocks
from tests.docs.test_ci_files import check
from tests.docs.test_documentation import find_unknown
from tests.docs.test_examples import MARK, PAGES_THAT_ARE_RUN

RUN_WHOLE = ("docs/getting-started.md", "docs/incident-drill.md")
_REASON = re.compile(r"<!-- not run: (?P<reason>.+) -->")
_TEST = re.compile(r"\btests/[\w/]+\.py")
_SEQUENCES = [{"name": name, "steps": [{"anonymous": ["/"]}]} for name in ("pages", "accounts")]
_REPAIR = {"kind": "delete_where", "table": "t", "where": "true", "reason": "none", "owner": "nobody"}
_KUBERNETES = {"Deployment", "Job", "CronJob"}
_CONTAINER = {"startupProbe", "readinessProbe", "livenessProbe"}
_DOCKER = {"FROM", "RUN", "COPY", "WORKDIR", "USER", "CMD", "HEALTHCHECK"}
_SECTIONS = {"Unit", "Service", "Install"}


def find_mistake(block: Block, folder: Path) -> str | None:
    """Why a block is not what its language says, or not what reads it takes; None where all is well."""
    if block.language in ("", *_NEVER_READ):
        return None if block.language else "it does not say what it is"
    read = _READERS.get(block.language)
    if read is None:
        return f"nobody reads {block.language}"
    try:
        read(block, folder)
    except Exception as error:  # whatever its reader says of it
        return f"{type(error).__name__}: {error}"
    return None


def why_not_run(block: Block, page: str) -> str | None:
    """What is missing where nobody runs a block of commands: a mark, or a reason."""
    if page in RUN_WHOLE or (block.comment == MARK and page.removeprefix("docs/") in PAGES_THAT_ARE_RUN):
        return None
    if block.comment == MARK:
        return "it is marked to be run, but its page is not among those that are"
    reason = _REASON.fullmatch(block.comment)
    if reason is None:
        return "it is neither marked to be run nor says why it is not"
    missing = [name for name in _TEST.findall(reason["reason"]) if not (ROOT / name).exists()]
    return f"there is no {missing[0]}" if missing else None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_is_taken_by_what_reads_it(page: Path, tmp_path: Path) -> None:
    is_of_rule = page.is_relative_to(
        DOCS / "rules"
    )  # whose SQL is run by the tests of the rules, on its engine
    blocks = [block for block in read_blocks(page) if not (is_of_rule and block.language == "sql")]
    found = [(block.line, find_mistake(block, tmp_path)) for block in blocks]
    assert [(line, mistake) for line, mistake in found if mistake] == []


def test_every_command_is_run_or_says_why_not() -> None:
    commands = [
        (name_of(page), block)
        for page in PAGES
        for block in read_blocks(page)
        if block.language in ("console", "sh")
    ]
    assert len(commands) > 70
    found = [(page, block.line, why_not_run(block, page)) for page, block in commands]
    assert [one for one in found if one[2]] == []
    run = [block for _, block in commands if not _REASON.fullmatch(block.comment)]
    assert len(run) / len(commands) > 0.7


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("", "text"),
        ("cobol", "DISPLAY"),
        ("yaml", "critical_tables:\n  - nam: users\n"),
        ("yaml", "somewhere: else\n"),
        ("yaml", "targets: [{name: a, ulr: x}]\n"),
        ("yaml", "services: {app: {imag: app}}\n"),
        ("yaml", "a: [1\n"),
        ("toml", 'model = "app.models:Base"\n'),
        ("python", "def f(:\n"),
        ("json", "{,}"),
        ("ini", "[Unit\n"),
        ("ini", "[Service]\nExecStart=govern migrat\n"),
        ("dockerfile", "FORM python\n"),
        ("sql", "GRANT SELECT ON TO app;"),
    ],
)
def test_a_block_that_is_wrong_would_be_noticed(language: str, text: str, tmp_path: Path) -> None:
    assert find_mistake(make_block(language, text), tmp_path) is not None


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "<!-- run in the project of another page -->",
        "<!-- not run: tests/acceptance/test_none.py does -->",
        MARK,
    ],
)
def test_a_command_that_nobody_runs_would_be_noticed(comment: str) -> None:
    block = make_block("console", "$ govern check\n", comment)
    assert why_not_run(block, "docs/architecture.md") is not None
    assert why_not_run(block, RUN_WHOLE[0]) is None
    assert why_not_run(make_block("console", "", "<!-- not run: needs a cluster -->"), "docs/ci.md") is None


def make_block(language: str, text: str, comment: str = "") -> Block:
    return Block(language=language, title=None, text=text, comment=comment, line=1)


# --- what reads them --------------------------------------------------------------------------------------


def read_yaml(block: Block, folder: Path) -> None:
    """A manifest or a part of one, a fleet, a workflow, a composition, or what Kubernetes takes."""
    document = yaml.safe_load(block.text.replace("\non:", "\n'on':"))
    keys = document.keys() if isinstance(document, dict) else set()
    if "services" in keys:
        check(document, "compose-spec")
    elif "apiVersion" in keys:
        assert document["kind"] in _KUBERNETES
        assert document["metadata"]["name"]
    elif "jobs" in keys:
        check(document, "github-workflows")
    elif keys and keys <= TargetsFile.model_fields.keys():
        file = folder / "targets.yaml"
        file.write_text(block.text, encoding="utf-8")
        read_targets_file(file)
    elif "govern" in keys:
        check(document, "gitlab-ci")
    elif keys and keys <= _CONTAINER | {"metadata", "repos"}:
        return  # parts of files: ci/ has them whole
    else:
        file = folder / "governance.yaml"
        file.write_text(yaml.safe_dump(make_manifest(document), sort_keys=False), encoding="utf-8")
        load_manifest(file)


def make_manifest(part: Any) -> Mapping[str, Any]:
    """A manifest that has the part in its place, and what the part refers to."""
    if isinstance(part, list):
        part = (
            {"repairs": part}
            if "kind" in part[0]
            else {"probes": {"sequences": [{"name": "steps", "steps": part}]}}
        )
    elif part.keys() <= {"secrets", "variables"}:
        part = {"probes": part}
    probes = {"sequences": _SEQUENCES, "variables": {"email": "eve@example.org"}, **part.get("probes", {})}
    fixes = part.get("monitor", {}).get("fixes", {}).get("allow", [])
    tables = [{"name": name} for fix in fixes for name in fix.get("tables", ())]
    repairs = [{**_REPAIR, "name": fix["repair"]} for fix in fixes if "repair" in fix]
    return {"critical_tables": tables, "repairs": repairs, **part, "probes": probes}


def read_toml(block: Block, folder: Path) -> None:
    """Keys of govern.toml, or with their table as in pyproject.toml."""
    name = "pyproject.toml" if "tool" in tomllib.loads(block.text) else "govern.toml"
    file = folder / name
    file.write_text(block.text, encoding="utf-8")
    config.load(config=file, environ={"APP_DATABASE_URL": "sqlite:///a.db"})


def read_ini(block: Block, _folder: Path) -> None:
    """A unit of systemd, whose commands exist, or an ini file."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # as the standard library documents it
    parser.read_string(block.text)
    if _SECTIONS & set(parser.sections()):
        assert set(parser.sections()) <= _SECTIONS
        unknown = find_unknown(parser["Service"]["ExecStart"].replace("/srv/app/.venv/bin/", ""))
        assert unknown is None, unknown


def read_dockerfile(block: Block, _folder: Path) -> None:
    unknown = {line.split()[0] for line in block.text.splitlines() if line} - _DOCKER
    assert not unknown, unknown


def read_sql(block: Block, _folder: Path) -> None:
    import pglast

    pglast.parse_sql(block.text)


def read_python(block: Block, _folder: Path) -> None:
    compile(block.text, f"line {block.line}", "exec", dont_inherit=True)


_READERS: Mapping[str, Callable[[Block, Path], None]] = {
    "yaml": read_yaml,
    "toml": read_toml,
    "ini": read_ini,
    "python": read_python,
    "json": lambda block, _folder: json.loads(block.text),
    "dockerfile": read_dockerfile,
    "sql": read_sql,
}
_NEVER_READ = ("console", "sh", "text", "py", "mermaid", "http", "typescript")
"""Commands are run, text, signatures and pictures are read by people; tests of the rules send the HTTP messages."""
