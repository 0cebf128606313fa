"""The program as a whole: what is printed where, and which exit code it ends with.

``govern.api`` is replaced by one that records its calls: what the commands do is tested elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

import govern
from govern.actions import record
from govern.cli.main import run, signals_as_interrupts
from govern.cli.root import root
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.report import Entry, Report
from govern.errors import ConfigurationError, FailedMidway, NoSuchName, Refused, Unreachable

RULE = Rule(id="chain.cycle", name="a cycle", severity=Severity.ERROR, condition="", effect="e", remedy="r")
CLEAN = Report(
    command="check",
    started_at=datetime(2026, 1, 31, tzinfo=UTC),
    duration_ms=5,
    entries=(Entry.of("chain", (), "3 revisions"),),
)
PASSWORD = "p4ss%40word"


def report_with(severity: Severity) -> Report:
    finding = Finding.of(RULE, Subject(kind="revision", name="a"), "a is its own parent", severity=severity)
    return replace(CLEAN, entries=(Entry.of("chain", (finding,)),))


class FakeApi(ModuleType):
    """Answers every call with ``answer``: a report, or an error to raise."""

    def __init__(self) -> None:
        super().__init__("govern.api")
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.answer: Report | BaseException = CLEAN
        self.says: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Callable[..., Report]:
        def call(*arguments: Any, **options: Any) -> Report:
            self.calls.append((name, arguments, options))
            for sentence in self.says:
                options["narrate"](sentence)
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer

        return call


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeApi:
    fake = FakeApi()
    monkeypatch.setitem(sys.modules, "govern.api", fake)
    monkeypatch.setattr(govern, "api", fake, raising=False)
    # a command has its process to itself: runs that other tests began in this one are not its own
    monkeypatch.setattr(record, "_begun", threading.Event())
    monkeypatch.chdir(tmp_path)
    return fake


Captured = pytest.CaptureFixture[str]


def test_the_report_is_on_stdout_and_progress_on_stderr(api: FakeApi, capsys: Captured) -> None:
    api.says = ("replaying the revisions",)
    assert run(["check"]) == 0
    out, err = capsys.readouterr()
    assert "✓ chain  3 revisions" in out or "+ chain" in out
    assert err == "replaying the revisions\n"


def test_quiet_leaves_the_report_alone(api: FakeApi, capsys: Captured) -> None:
    api.says = ("replaying the revisions",)
    assert run(["check", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "json", "backup", "list"],
        ["backup", "--format", "json", "list"],
        ["backup", "list", "--format", "json"],
        ["backup", "list", "--format=json"],
    ],
)
def test_a_global_option_may_stand_anywhere(api: FakeApi, capsys: Captured, arguments: list[str]) -> None:
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "clean"


def test_the_innermost_option_wins(api: FakeApi, capsys: Captured) -> None:
    run(["--format", "json", "check", "--format", "text"])
    assert capsys.readouterr().out.startswith("govern check")


def test_global_options_reach_the_settings(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "govern.toml").write_text('[targets.staging]\nurl = "sqlite:///staging.db"\n')
    run(["--target", "staging", "plan", "--to", "3f2a", "--config", "govern.toml"])
    [(name, (settings,), options)] = api.calls
    assert (name, settings.url, settings.target) == ("plan", "sqlite:///staging.db", "staging")
    assert options["to"] == "3f2a"


@pytest.mark.parametrize(
    ("arguments", "name", "given"),
    [
        (["migrate"], "migrate", {"to": "heads", "backup": "auto", "dry_run": False}),
        (["migrate"], "migrate", {"rehearse": None, "allow": (), "plan": None}),
        (["migrate", "--rehearse", "data", "--allow", "drops-table:a"], "migrate", {"rehearse": "data"}),
        (["plan", "--out", "plan.json"], "plan", {"to": "heads", "out": Path("plan.json")}),
        (["migrate", "--backup", "off", "--dry-run"], "migrate", {"backup": "off", "dry_run": True}),
        (["drift", "--sql", "r.sql"], "drift", {"against": "revision", "sql_file": Path("r.sql")}),
        (["history", "--limit", "3"], "history", {"limit": 3}),
        (["doctor", "--locks"], "doctor", {"locks": True}),
        (["repair", "apply"], "repair_apply", {"names": (), "batch": None, "backup": "auto"}),
        (["repair", "apply", "a", "b", "--batch", "5"], "repair_apply", {"names": ("a", "b"), "batch": 5}),
        (["repair", "plan", "--all"], "repair_plan", {"names": (), "every": True}),
        (["repair", "rollback", "r1", "--allow", "x:y"], "repair_rollback", {"allow": ("x:y",)}),
        (["embedded", "stop"], "embedded_stop", {}),
    ],
)
def test_commands_hand_their_options_on(
    api: FakeApi, arguments: list[str], name: str, given: dict[str, object]
) -> None:
    assert run(arguments) == 0
    [(called, _, options)] = api.calls
    assert called == name
    assert {key: options[key] for key in given} == given


@pytest.mark.parametrize(
    ("arguments", "name", "given"),
    [
        (["stamp", "3f2a"], "stamp", "3f2a"),
        (["downgrade", "-1"], "downgrade", "-1"),
        (["downgrade", "--quiet", "billing@-1", "--dry-run"], "downgrade", "billing@-1"),
        (["revision", "-m", "add users"], "revision", "add users"),
        (["backup", "show", "b1"], "backup_show", "b1"),
        (["backup", "verify", "b1"], "backup_verify", "b1"),
    ],
)
def test_commands_hand_their_arguments_on(api: FakeApi, arguments: list[str], name: str, given: str) -> None:
    assert run(arguments) == 0
    assert [(called, values[1:]) for called, values, _ in api.calls] == [(name, (given,))]


@pytest.mark.parametrize("option", ["-x", "--bakup"])
def test_an_option_there_is_not_is_no_revision_to_go_back_to(
    api: FakeApi, capsys: Captured, option: str
) -> None:
    assert run(["downgrade", option]) == 2
    assert f"no such option '{option}'" in capsys.readouterr().err
    assert api.calls == []


@pytest.mark.parametrize(
    ("severity", "fail_on", "exit_code"),
    [
        (Severity.ERROR, None, 1),
        (Severity.WARNING, None, 0),
        (Severity.WARNING, "warning", 1),
        (Severity.ERROR, "critical", 0),
        (Severity.INFO, "info", 1),
    ],
)
def test_findings_fail_from_the_severity_that_was_asked_for(
    api: FakeApi, severity: Severity, fail_on: str | None, exit_code: int
) -> None:
    api.answer = report_with(severity)
    assert run(["check", *(["--fail-on", fail_on] if fail_on else [])]) == exit_code


@pytest.mark.parametrize(
    ("error", "exit_code", "status"),
    [
        (ConfigurationError("what", why="w", next="n"), 2, "undecided"),
        (Unreachable("what", why="w", next="n"), 3, "undecided"),
        (Refused("what", why="w", next="n"), 4, "refused"),
        (FailedMidway("what", why="w", next="n", state="half done"), 5, "failed"),
        (RuntimeError("a bug"), 3, "undecided"),
        (SystemExit(1), 3, "undecided"),
        (KeyboardInterrupt(), 130, "undecided"),
    ],
)
def test_every_failure_is_one_json_document(
    api: FakeApi, capsys: Captured, error: BaseException, exit_code: int, status: str
) -> None:
    api.answer = error
    assert run(["migrate", "--format", "json"]) == exit_code
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["status"]) == ("migrate", status)
    assert document["problem"]["exit_code"] == exit_code


def test_an_error_is_four_sentences_on_stderr_and_nothing_on_stdout(api: FakeApi, capsys: Captured) -> None:
    api.answer = Refused("the lock is held", why="pid 1 has it", next="wait")
    assert run(["migrate"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error: the lock is held\n  why:   pid 1 has it\n  next:  wait\n  state: nothing was changed\n"
    )


def test_what_was_done_before_an_error_is_reported(api: FakeApi, capsys: Captured) -> None:
    error = FailedMidway("the upgrade broke", state="as it was")
    error.report = replace(CLEAN, command="migrate", entries=(Entry.of("backup", (), "b1"),))
    api.answer = error
    assert run(["migrate"]) == 5
    out, err = capsys.readouterr()
    assert "backup  b1" in out
    assert err.startswith("error: the upgrade broke\n")


def test_a_usage_error_names_the_help_to_read(api: FakeApi, capsys: Captured) -> None:
    assert run(["backup", "list", "--bogus"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: no such option")
    assert "next:  govern backup list --help\n" in err
    assert not api.calls


def test_a_usage_error_is_a_json_document_where_json_was_asked_for(api: FakeApi, capsys: Captured) -> None:
    assert run(["check", "--bogus", "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["problem"]["exit_code"] == 2


@pytest.mark.parametrize(
    ("arguments", "next_"),
    [
        (["chek"], "did you mean check? govern check"),
        (["--quiet", "backup", "verfy", "x y"], "did you mean verify? govern --quiet backup verify 'x y'"),
        (["migrate", "--bakup", "off"], "did you mean --backup? govern migrate --backup off"),
        (["migrate", "--bakup=off"], "did you mean --backup? govern migrate --backup=off"),
        (["check", "--format", "jsn"], "did you mean json? govern check --format json"),
        (["check", "--fail-on=eror"], "did you mean error? govern check --fail-on=error"),
        (["completion", "zhs"], "did you mean zsh? govern completion zsh"),
        (["backup"], "govern backup --help"),
        (["backup", "prune", "--keep", "x"], "govern backup prune --help"),
        (["history", "--limit", "many"], "govern history --help"),
        (["migrate", "--url", "postgresql://a:b@c/d", "--bakup", "off"], "did you mean --backup?"),
    ],
)
def test_a_mistyped_command_line_is_told_as_it_was_meant(
    arguments: list[str], next_: str, api: FakeApi, capsys: Captured
) -> None:
    assert run(arguments) == 2
    assert f"  next:  {next_}\n" in capsys.readouterr().err
    assert api.calls == []


def test_a_name_that_there_is_not_is_told_as_it_was_meant(api: FakeApi, capsys: Captured) -> None:
    for known, next_ in (("1f3a", "did you mean 1f3a? govern migrate --to 1f3a"), ("9", "govern chain")):
        api.answer = NoSuchName(
            "there is no revision '1fa'", wanted="1fa", known=[known], next="govern chain"
        )
        assert run(["migrate", "--to", "1fa"]) == 2
        assert f"  next:  {next_}\n" in capsys.readouterr().err


def test_every_command_has_examples_that_fit_a_terminal() -> None:
    commands = list(_walk(root, "govern"))
    without = [name for name, text in commands if "\nexample" not in text.casefold()]
    wide = [
        line for _, text in commands for line in text.splitlines() if len(line) > 80 and "  " in line.strip()
    ]
    assert len(commands) > 40
    assert (without, wide) == ([], [])


def _walk(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    with click.Context(command, info_name=name, terminal_width=80) as context:
        yield name, command.get_help(context).replace("\n  ", "\n")
    for inner in getattr(command, "commands", {}).values():
        yield from _walk(inner, f"{name} {inner.name}")


def test_no_arguments_show_the_help_and_are_a_usage_error(api: FakeApi, capsys: Captured) -> None:
    assert run([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Commands:" in err


def test_help_and_version_succeed(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    assert run(["backup", "create", "--help"]) == 0
    assert run(["--version"]) == 0
    assert f"govern {govern.__version__}" in capsys.readouterr().out


def test_an_empty_url_is_refused(api: FakeApi, capsys: Captured) -> None:
    assert run(["migrate", "--url", ""]) == 2
    assert "the URL is empty" in capsys.readouterr().err
    assert not api.calls


def test_a_password_on_the_command_line_is_not_repeated(api: FakeApi, capsys: Captured) -> None:
    assert run(["migrate", f"postgresql://app:{PASSWORD}@db/app", "--format", "json"]) == 2
    out, err = capsys.readouterr()
    assert PASSWORD not in out + err
    assert "postgresql://app:***@db/app" in out


def test_a_crash_is_a_bug_report_without_traceback(api: FakeApi, capsys: Captured) -> None:
    api.answer = RuntimeError("something odd")
    assert run(["migrate"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: govern migrate crashed: RuntimeError: something odd\n")
    assert "run it again with -v" in err
    assert "may have changed something" in err
    assert "Traceback" not in err


def test_a_crash_shows_its_traceback_with_v(api: FakeApi, capsys: Captured) -> None:
    api.answer = RuntimeError("something odd")
    assert run(["check", "-v"]) == 3
    out, err = capsys.readouterr()
    assert "Traceback (most recent call last)" in err
    assert "Traceback" not in out


@pytest.mark.parametrize("text", [f"bad: postgresql://app:{PASSWORD}@db/app", "FATAL: p4ss@word", PASSWORD])
def test_a_crash_does_not_tell_the_password(api: FakeApi, capsys: Captured, text: str) -> None:
    api.answer = RuntimeError(text)
    assert run(["check", "-v", "--format", "json", "--url", f"postgresql://app:{PASSWORD}@db/app"]) == 3
    out, err = capsys.readouterr()
    assert PASSWORD not in out + err
    assert "p4ss@word" not in out + err


def test_an_interruption_tells_the_state_it_left(api: FakeApi, capsys: Captured) -> None:
    api.answer = KeyboardInterrupt("SIGTERM")
    api.answer.add_note("the database is as it was")
    assert run(["migrate"]) == 130
    assert capsys.readouterr().err == (
        "error: govern migrate was interrupted\n"
        "  why:   SIGTERM\n"
        "  next:  run it again\n"
        "  state: the database is as it was\n"
    )


def test_an_interruption_after_a_run_began_may_have_changed_something(
    api: FakeApi, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.answer = KeyboardInterrupt()
    assert run(["repair", "apply"]) == 130
    assert "state: nothing was changed" in capsys.readouterr().err
    monkeypatch.setattr(record, "has_begun_run", lambda: True)
    assert run(["repair", "apply"]) == 130
    told = capsys.readouterr().err
    assert "next:  see what was done: govern history" in told
    assert "state: not known" in told
    assert run(["check"]) == 130
    assert "state: nothing was changed" in capsys.readouterr().err


def test_an_interrupt_that_python_swallowed_comes_once_more() -> None:
    class CleanedUp:
        def __del__(self) -> None:
            raise KeyboardInterrupt

    def work() -> None:
        with signals_as_interrupts():
            CleanedUp()
            time.sleep(10)

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        work()
    assert time.monotonic() - begun < 5


def test_an_interrupted_look_changed_nothing(api: FakeApi, capsys: Captured) -> None:
    api.answer = KeyboardInterrupt()
    assert run(["plan"]) == 130
    assert "state: nothing was changed" in capsys.readouterr().err


def test_the_report_of_an_error_names_its_target_without_password(api: FakeApi, capsys: Captured) -> None:
    def refuse(settings: Any, **_: Any) -> Report:
        assert settings.url
        raise Refused("no")

    vars(api)["migrate"] = refuse
    run(["migrate", "--format", "json", "--url", f"postgresql://app:{PASSWORD}@db/app"])
    target = json.loads(capsys.readouterr().out)["target"]
    assert target["url"] == "postgresql://app:***@db/app"


def test_a_configuration_error_ends_before_the_command(api: FakeApi, capsys: Captured) -> None:
    assert run(["migrate", "--config", "nowhere.toml"]) == 2
    assert "nowhere.toml" in capsys.readouterr().err
    assert not api.calls


# --- --output ---------------------------------------------------------------------------------------------


def test_output_writes_the_whole_report_and_leaves_stdout_empty(
    api: FakeApi, capsys: Captured, tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    file.write_text("an older report")
    assert run(["check", "--format", "json", "--output", str(file)]) == 0
    assert json.loads(file.read_text())["command"] == "check"
    assert capsys.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_output_in_text_has_the_error_too(api: FakeApi, tmp_path: Path) -> None:
    api.answer = Refused("the lock is held")
    assert run(["migrate", "--output", "report.txt"]) == 4
    assert (tmp_path / "report.txt").read_text().startswith("error: the lock is held\n")


def test_output_into_a_missing_folder_is_noticed_before_anything_runs(api: FakeApi, capsys: Captured) -> None:
    assert run(["migrate", "--output", "nowhere/report.json"]) == 2
    assert "there is no folder nowhere" in capsys.readouterr().err
    assert not api.calls


def test_a_usage_error_replaces_an_older_report(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("an older report")
    assert run(["check", "--bogus", "--format=json", "--output=report.json"]) == 2
    assert json.loads((tmp_path / "report.json").read_text())["problem"]["exit_code"] == 2


def test_output_to_a_device_does_not_replace_it(api: FakeApi) -> None:
    assert run(["check", "--output", os.devnull]) == 0
    assert not Path(os.devnull).is_file()


def test_output_follows_a_link_instead_of_replacing_it(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert run(["check", "--output", "link"]) == 0
    assert (tmp_path / "link").is_symlink()
    assert "govern check" in (tmp_path / "real").read_text()


# --- explain ----------------------------------------------------------------------------------------------


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    registry = ModuleType("govern.checks.registry")
    registry.all_rules = lambda: {RULE.id: RULE}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "govern.checks.registry", registry)
    monkeypatch.chdir(tmp_path)


def test_explain_says_what_a_rule_means(rules: None, capsys: Captured) -> None:
    assert run(["explain", "chain.cycle", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rule"]["remedy"] == "r"


def test_explain_shows_the_examples_of_the_rules_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["explain", "chain.placeholder-parent"]) == 0
    said = capsys.readouterr().out
    assert "\nbad:\n" in said
    assert '    down_revision = "previous_revision_id"\n' in said
    assert run(["explain", "drift.enum-added", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["examples"]
    assert [example["title"] for example in told] == ["declared", "live"]
    assert run(["explain", "backup.stale"]) == 0
    assert "bad:" not in capsys.readouterr().out


def test_explain_without_a_rule_lists_them(rules: None, capsys: Captured) -> None:
    assert run(["explain"]) == 0
    assert "chain.cycle" in capsys.readouterr().out


def test_explain_suggests_the_rule_that_was_meant(rules: None, capsys: Captured) -> None:
    assert run(["explain", "chain.cycl"]) == 2
    assert "did you mean chain.cycle?" in capsys.readouterr().err
