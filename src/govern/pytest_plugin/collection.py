"""Adds the tests to a run: items below the project's configuration file, after all others."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest

from govern.core.finding import Finding, Severity
from govern.database.scratch import scratch_folder
from govern.errors import GovernError
from govern.pytest_plugin.drift import WATCH, DriftWatch
from govern.pytest_plugin.shared import Shared
from govern.pytest_plugin.suite import (
    CHECKS,
    NAMES,
    NO_DRIFT,
    UP_DOWN_UP,
    Check,
    NotTried,
    prove,
    why_no_way_back,
)
from govern.pytest_plugin.telling import Found, tell_error, tell_findings
from govern.pytest_plugin.workbench import Workbench, open_workbench
from govern.reports.style import Style
from govern.revisions.graph import Chain, RevisionFile

_ALL = ("all", "true", "yes", "on", "1")
_LONGEST_TITLE = 50
_WORKER_FOLDER = "govern_folder"


def choose_tests(names: Sequence[str]) -> tuple[str, ...]:
    """Those of ``govern_tests``; none named are all. Raises pytest.UsageError for a name that is none."""
    if not names or any(name.lower() in _ALL for name in names):
        return NAMES
    for name in names:
        if name not in NAMES:
            close = difflib.get_close_matches(name, NAMES, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: all, {', '.join(NAMES)}"
            raise pytest.UsageError(f"govern_tests: there is no test {name!r}; {hint}")
    return tuple(name for name in NAMES if name in names)


class Collection:
    """The part of the plugin that is there only where tests are wanted."""

    def __init__(self, config: pytest.Config, names: tuple[str, ...]) -> None:
        self.names = names
        self._config = config
        self._closing = ExitStack()
        self._folder: Path | None = None
        config.add_cleanup(self._closing.close)

    @cached_property
    def bench(self) -> Workbench:
        """Raises pytest.UsageError for a configuration that is wrong."""
        try:
            return open_workbench(self._config)
        except GovernError as error:
            raise pytest.UsageError(str(error)) from error

    @cached_property
    def home(self) -> Path:
        """The file that the tests are shown below. Raises pytest.UsageError where there is no project."""
        settings = self.bench.settings
        home = settings.file or settings.alembic.file
        if home is None:
            raise pytest.UsageError(
                f"govern's tests are asked for, and {settings.root} has neither govern.toml nor alembic.ini; "
                "set govern_config, or write one: govern init"
            )
        root = self._config.rootpath
        real = root.resolve()  # pytest does not look behind links, govern does
        return root / home.relative_to(real) if home.is_relative_to(real) else home

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """xdist's, before it starts a worker: all of them get one folder."""
        if self._folder is None:
            self._folder = self._closing.enter_context(scratch_folder("pytest"))
        node.workerinput[_WORKER_FOLDER] = str(self._folder)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Where the whole of the tests is run, these are, too; a single file or test is run alone."""
        config = session.config
        is_wanted = config.getoption("govern") or any(_is_whole(one, config) for one in config.args)
        if is_wanted and str(self.home) not in config.args:
            config.args.append(str(self.home))

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path != self.home:
            return None
        file: pytest.Collector = ProjectFile.from_parent(parent, path=file_path, collection=self)
        return file

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Last come these, and last of them the one that looks back."""
        ours = [item for item in items if isinstance(item, SchemaTest)]
        others = [item for item in items if not isinstance(item, SchemaTest)]
        items[:] = [*others, *sorted(ours, key=lambda item: item.name == NO_DRIFT)]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if any(isinstance(item, SchemaTest) and item.name == NO_DRIFT for item in session.items):
            self._config.stash[WATCH] = DriftWatch(self.bench, self.shared)

    @cached_property
    def shared(self) -> Shared:
        folder = getattr(self._config, "workerinput", {}).get(_WORKER_FOLDER)
        return Shared(Path(folder) if folder else None)


def _is_whole(argument: str, config: pytest.Config) -> bool:
    """Whether the argument is the project, a folder right below it, or one of ``testpaths`` or above."""
    path = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
    root = config.rootpath.resolve()
    homes = [(root / home).resolve() for home in config.getini("testpaths")]
    return path.is_dir() and (root in (path, path.parent) or any(home.is_relative_to(path) for home in homes))


class ProjectFile(pytest.File):
    """The configuration file."""

    def __init__(self, *, collection: Collection, **facts: Any) -> None:
        super().__init__(**facts)
        self._collection = collection

    def collect(self) -> Iterator[pytest.Collector]:
        yield SchemaTests.from_parent(self, name="govern", collection=self._collection)


class SchemaTests(pytest.Collector):
    """``govern``, below the file: other plugins may have tests of that file, too."""

    def __init__(self, *, collection: Collection, **facts: Any) -> None:
        super().__init__(**facts)
        self._collection = collection

    def collect(self) -> Iterator[pytest.Item]:
        names = self._collection.names
        for name in names:
            if name in CHECKS:
                yield self._make(name, partial(self._run, CHECKS[name]))
            elif name == UP_DOWN_UP:
                yield from self._make_each()
            else:
                yield self._make(name, self._look_back)

    def _run(self, check: Check) -> tuple[Finding, ...]:
        return check(self._collection.bench)

    def _make(self, name: str, check: Callable[[], tuple[Finding, ...]]) -> SchemaTest:
        item: SchemaTest = SchemaTest.from_parent(self, name=name, check=check)
        return item

    def _make_each(self) -> Iterator[pytest.Item]:
        for file in _in_order(self._collection.bench.project.chain):
            item: RoundTrip = RoundTrip.from_parent(
                self,
                name=f"{UP_DOWN_UP}[{_title(file)}]",
                check=partial(self._go_up_down_up, file),
                revision=file.revision,
            )
            yield item

    def _go_up_down_up(self, file: RevisionFile) -> tuple[Finding, ...]:
        if (reason := why_no_way_back(file)) is not None:
            raise NotTried(reason)
        asked = {item.revision for item in self.session.items if isinstance(item, RoundTrip)}
        ways = self._collection.shared.once("ways", lambda: prove(self._collection.bench, asked))
        if file.revision in ways.unproven:
            raise NotTried(f"not proven: {ways.unproven[file.revision]}")
        return ways.findings.get(file.revision, ())

    def _look_back(self) -> tuple[Finding, ...]:
        findings = self.config.stash[WATCH].find_all()
        if findings is None:
            raise NotTried("no test of this run has used govern_database")
        return findings


class SchemaTest(pytest.Item):
    """One test. It has no fixtures: those of the project are for its own tests."""

    fails_from = Severity.ERROR
    """As ``govern check``; what is less is shown with ``-rP``."""

    def __init__(self, *, check: Callable[[], tuple[Finding, ...]], **facts: Any) -> None:
        super().__init__(**facts)
        self._check = check
        self.add_marker("govern")

    def runtest(self) -> None:
        try:
            findings = self._check()
        except NotTried as reason:
            pytest.skip(str(reason))
        if any(finding.severity >= self.fails_from for finding in findings):
            raise Found(findings)
        if findings:
            self.add_report_section("call", "govern", tell_findings(findings))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any, **__: Any) -> Any:
        style = Style(color=self.config.get_terminal_writer().hasmarkup)
        if isinstance(excinfo.value, Found):
            return tell_findings(excinfo.value.findings, style)
        if isinstance(excinfo.value, GovernError):
            return tell_error(excinfo.value, style)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class RoundTrip(SchemaTest):
    """One revision, up, down and up again."""

    fails_from = Severity.WARNING
    """What it leaves behind does not stop a migration, and is what this test is about."""

    def __init__(self, *, revision: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.revision = revision


def _in_order(chain: Chain) -> Iterable[RevisionFile]:
    """The revisions as they are applied, but for merges, which do nothing."""
    files = sorted(chain.revisions.values(), key=lambda file: chain.position[file.revision])
    return (file for file in files if not file.is_merge)


def _title(file: RevisionFile) -> str:
    """``3f2a add users``"""
    words = "".join(sign if sign.isprintable() else " " for sign in f"{file.revision} {file.doc}").strip()
    return words if len(words) <= _LONGEST_TITLE else words[: _LONGEST_TITLE - 1] + "…"
