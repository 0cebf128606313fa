"""The section about mounting the monitor's page says what the modules take and what the examples do."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from govern.integrations.options import DashboardOptions
from tests.docs.markdown import DOCS

ROOT = DOCS.parent
SECTION = (
    (DOCS / "frameworks.md")
    .read_text(encoding="utf-8")
    .partition("\n## Dashboard\n")[2]
    .partition("\n## ")[0]
)
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("|").split("|")]
    for line in SECTION.splitlines()
    if line.startswith("| ")
]
FRAMEWORKS = {row[0]: row for row in ROWS if row[-1].startswith("examples/")}
OPTIONS = {row[0]: row for row in ROWS if row[0].islower() and row[0] not in ("framework", "option")}


def test_every_framework_has_its_line() -> None:
    assert set(FRAMEWORKS) == {"FastAPI", "Starlette", "Litestar", "Flask", "Django"}


def test_every_option_is_told_with_its_name_in_django() -> None:
    from govern.integrations.django.setting import _KEYS

    assert set(OPTIONS) == set(DashboardOptions.__annotations__)
    named = {row[1].strip("`") for row in OPTIONS.values()}
    assert named - {"SECRET_KEY"} <= set(_KEYS)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_line_is_that_of_the_example_and_of_the_module(framework: str) -> None:
    _, line, example = FRAMEWORKS[framework]
    code = (ROOT / example).read_text(encoding="utf-8")
    if framework == "Django":
        assert line in code
        return
    takes = inspect.signature(import_module(f"govern.integrations.{framework.lower()}").dashboard).parameters
    call = line[line.index("dashboard(") :]
    assert set(re.findall(r"(\w+)=", call)) <= takes.keys()
    assert re.search(r"\bdashboard\((app|engine)", code)


def test_the_paths_are_those_of_the_page_and_the_api() -> None:
    from govern.web.dashboard import Dashboard
    from govern.web.monitor import MonitorApi

    assert f"`/internal{Dashboard.prefix}`" in SECTION
    assert f"`/internal{MonitorApi.prefix}`" in SECTION
    assert all((ROOT / Path(row[-1])).exists() for row in FRAMEWORKS.values())
