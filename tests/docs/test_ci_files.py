"""The ready files under ``ci/`` are what their readers take, and the commands in them exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

from tests.docs.markdown import DOCS, ROOT, read_blocks
from tests.docs.test_documentation import find_unknown

CI = ROOT / "ci"
ACTION = CI / "github" / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def read_documented() -> dict[str, Any]:
    """The files of the page, by the paths they have in a project."""
    blocks = [block for block in read_blocks(DOCS / "ci.md") if block.language == "yaml"]
    return {str(block.title): yaml.safe_load(block.text.replace("\non:", "\n'on':")) for block in blocks}


def check(document: Any, schema: str) -> None:
    """The schemas are those of schemastore.org and GitLab, as check-jsonschema ships them."""
    vendored = files("check_jsonschema").joinpath(f"builtin_schemas/vendor/{schema}.json")
    rules = json.loads(vendored.read_text(encoding="utf-8"))
    validator_for(rules)(rules).validate(document)


def read_yaml(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("path", "schema"), [(ACTION, "github-actions"), (CI / "gitlab" / "govern.gitlab-ci.yml", "gitlab-ci")]
)
def test_it_is_what_the_schema_of_its_reader_takes(path: Path, schema: str) -> None:
    [document] = read_yaml(path)
    check(document, schema)


def test_the_page_shows_files_that_their_readers_take() -> None:
    documented = read_documented()
    assert list(documented) == [
        ".github/workflows/schema.yml", ".github/workflows/check.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"
    ]  # fmt: skip
    [schema, workflow, gitlab, hooks] = documented.values()
    check(schema, "github-workflows")
    check(workflow, "github-workflows")
    check(gitlab, "gitlab-ci")
    [action] = read_yaml(ACTION)
    used = schema["jobs"]["review"]["steps"][-1]
    assert used["uses"] == "./.github/actions/govern"
    assert used["with"].keys() <= action["inputs"].keys()
    assert workflow["jobs"]["check"]["steps"][-1]["run"].startswith("govern check")
    [template] = read_yaml(CI / "gitlab" / "govern.gitlab-ci.yml")
    assert gitlab["govern"]["variables"].keys() <= template["govern"]["variables"].keys()
    [known] = read_yaml(HOOKS)
    assert [hook["id"] for hook in hooks["repos"][0]["hooks"]] == [hook["id"] for hook in known]


def test_hooks_are_whole() -> None:
    """pre-commit.com, "Creating new hooks"."""
    [hooks] = read_yaml(HOOKS)
    assert [hook["id"] for hook in hooks] == ["govern-chain", "govern-lock", "govern-check"]
    known = {"id", "name", "description", "entry", "language", "pass_filenames", "files", "stages"}
    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= hook.keys() <= known
        assert hook["language"] in ("python", "system")
        re.compile(hook.get("files", ""))
    assert re.search(hooks[0]["files"], "backend/migrations/versions/r1_users.py")
    assert not re.search(hooks[0]["files"], "app/models.py")


def test_manifests_name_what_they_are() -> None:
    kinds = [
        (document["apiVersion"], document["kind"], document["metadata"]["name"])
        for path in sorted((CI / "kubernetes").glob("*.yaml"))
        for document in read_yaml(path)
    ]
    assert kinds == [("apps/v1", "Deployment", "app"), ("batch/v1", "Job", "app-migrate-release")]


def test_the_image_is_made_of_files_that_exist() -> None:
    lines = (CI / "docker" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    instructions = [line.split() for line in lines if line and not line.startswith("#")]
    assert {words[0] for words in instructions} <= {
        "FROM", "ARG", "RUN", "COPY", "USER", "WORKDIR", "ENTRYPOINT", "CMD"
    }  # fmt: skip
    copied = [word for words in instructions if words[0] == "COPY" for word in words[1:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    [extras] = [words[1].partition("=")[2].split(",") for words in instructions if words[0] == "ARG"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert [extra for extra in extras if f"\n{extra} = [" not in project] == []


def test_every_command_exists() -> None:
    paths = [HOOKS, *(path for path in sorted(CI.rglob("*")) if path.suffix in (".yml", ".yaml"))]
    called = [line for path in paths for document in read_yaml(path) for line in read_calls(document)]
    assert len(called) == 9
    assert [unknown for line in called if (unknown := find_unknown(line))] == []


def read_calls(value: object) -> Iterator[str]:
    """Lines of shells, and commands as lists, that call govern."""
    match value:
        case ["govern", *words]:
            yield " ".join(["govern", *map(str, words)])
        case str() if "govern " in value:
            lines = value.replace("\\\n", " ").splitlines()
            yield from (re.sub(r"\$\{\w+:\+(.*?)\}", r"\1", line) for line in lines if "govern " in line)
        case list():
            for item in value:
                yield from read_calls(item)
        case dict():
            for key, item in value.items():
                if key not in ("name", "description"):
                    yield from read_calls(item)
