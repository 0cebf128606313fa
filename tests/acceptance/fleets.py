"""A project with many databases: copies of one that was migrated, on the test server and as files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govern.database.url import DatabaseUrl
from tests.acceptance.program import Project

TEMPLATE = "fleet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The project, and its databases by their names."""

    project: Project
    databases: Mapping[str, DatabaseUrl]

    def write_targets(self, *, also: Iterable[Mapping[str, Any]] = ()) -> None:
        """``targets.yaml``; what is in ``also`` comes last."""
        entries = [
            {"name": name, "url": url.text, "labels": {"engine": url.dialect}}
            for name, url in self.databases.items()
        ]
        lines = [f"  - {json.dumps(entry)}" for entry in (*entries, *also)]
        self.project.write({"targets.yaml": "\n".join(["targets:", *lines, ""])})

    def read_states(self) -> Iterator[str]:
        """The text of every run's state."""
        for file in sorted((self.project.root / ".govern" / "fleet").glob("*.jsonl")):
            yield file.read_text(encoding="utf-8")


def prepare_fleet(project: Project) -> None:
    """A lock, a PostgreSQL database and a SQLite file at the newest revision, to be copied."""
    project.succeed("lock")
    project.succeed("migrate", "--backup", "off")
    file = project.root / "template.sqlite"
    project.with_url(f"sqlite:///{file}").succeed("migrate", "--backup", "off", "--rehearse", "off")


def copy_file(project: Project, name: str) -> DatabaseUrl:
    """One more SQLite file of the fleet."""
    file: Path = project.root / f"{name}.sqlite"
    shutil.copy(project.root / "template.sqlite", file)
    return DatabaseUrl.parse(f"sqlite:///{file}")
