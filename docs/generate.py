"""Writes the pages that repeat what the code says: cli.md, rules.md, guards.md, a page for each rule that has
examples with these, the key table of configuration.md, and the manifest's JSON Schema.

``python docs/generate.py`` writes them, ``--check`` only says what would change and exits 1 if anything would.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path

import click
import http_page
import json_page
import manifest_page
import python_page
import rule_pages
import site_navigation

from govern.checks.drift import KINDS
from govern.checks.registry import all_rules
from govern.cli.options import Command, GlobalOption, import_commands
from govern.cli.root import root
from govern.config.declared import Declared
from govern.core import report
from govern.core.finding import Rule
from govern.core.guard import GUARDS, Guard
from govern.source.manifest.json_schema import render_file

DOCS = Path(__file__).resolve().parent
_NOTICE = rule_pages.NOTICE
_DIFF_LINES = 40


def main(arguments: list[str]) -> int:
    """Writes the pages, or with ``--check`` compares them. Returns the exit code."""
    outdated = dict(find_outdated(DOCS))
    if "--check" in arguments:
        for name, text in outdated.items():
            sys.stderr.write(_summarise(name, _read(DOCS / name), text))
        return 1 if outdated else 0
    for name, text in outdated.items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote docs/{name}\n")
    return 0


def find_outdated(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and right text of each page in ``folder`` whose text is not what the code says."""
    for name, render in _PAGES.items():
        current = _read(folder / name)
        wanted = render(current)
        if wanted != current:
            yield name, wanted


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8") if page.exists() else ""


def _summarise(name: str, current: str, wanted: str) -> str:
    lines = list(
        difflib.unified_diff(current.splitlines(), wanted.splitlines(), name, "the code", lineterm="", n=1)
    )
    shown = lines[:_DIFF_LINES]
    more = [f"… and {len(lines) - len(shown)} lines more"] if len(lines) > len(shown) else []
    return "\n".join([f"docs/{name} is out of date: run make docs", *shown, *more, ""])


# --- the command line -------------------------------------------------------------------------------------

_EXIT_CODES: Mapping[int, str] = {
    report.EXIT_CLEAN: "clean, or done",
    report.EXIT_FOUND: "there are findings at or above `--fail-on`",
    report.EXIT_USAGE: "the command line, the configuration or the manifest is wrong",
    report.EXIT_UNDECIDED: "could not check or do it: unreachable, not permitted, a program missing, a crash",
    report.EXIT_REFUSED: "a guard refused; nothing was changed",
    report.EXIT_FAILED: "failed midway; the report says where the database stands",
    report.EXIT_INTERRUPTED: "interrupted",
}


def render_cli(_current: str) -> str:
    """cli.md: every command, what it takes, and how it ends."""
    import_commands()
    commands = dict(_leaves(root, "govern"))
    looking = {path: command for path, command in commands.items() if command.changes == "nothing"}
    acting = {path: command for path, command in commands.items() if command.changes != "nothing"}
    lines = [
        "# Command line",
        "",
        _NOTICE,
        "",
        "The report goes to stdout, progress and errors to stderr. `govern --version` says the version,",
        "`--help` after any command what it takes.",
        "",
        "## Commands that look",
        "",
        *_index(looking),
        "",
        "## Commands that change a database or a file",
        "",
        *_index(acting),
        "",
        "## Exit codes",
        "",
        "| code | means |",
        "|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in sorted(_EXIT_CODES.items())),
        "",
        "## Global options",
        "",
        "Accepted before and after every command.",
        "",
        *(_option(option) for option in _options(root, of_all=True)),
    ]
    for path, command in commands.items():
        lines += ["", *_command(path, command)]
    return "\n".join(lines) + "\n"


def _leaves(group: click.Group, path: str) -> Iterator[tuple[str, Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{path} {name}")
        elif isinstance(command, Command):
            yield f"{path} {name}", command


def _index(commands: Mapping[str, Command]) -> Iterator[str]:
    for path, command in commands.items():
        yield f"* [`{path}`](#{slug(path)}): {command.get_short_help_str(200)}"


def _command(path: str, command: Command) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    usage = " ".join([path, *(_argument(argument) for argument in arguments)])
    yield f"## {path}"
    if arguments:
        yield from ("", f"`{usage}`")
    for paragraph in _paragraphs(command.help or ""):
        yield from ("", paragraph)
    if options := list(_options(command)):
        yield ""
        yield from map(_option, options)


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _paragraphs(text: str) -> Iterator[str]:
    """Click's help text as Markdown: what it keeps as it is (after a backspace) becomes code."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        title, *lines = (line.strip() for line in paragraph.strip().splitlines())
        if title != "\b":
            yield " ".join((title, *lines))
        else:
            yield "\n".join((lines[0], "", "```text", *lines[1:], "```"))


def _options(command: click.Command, *, of_all: bool = False) -> Iterator[click.Option]:
    """Its own options, or with ``of_all`` those that every command has."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and isinstance(parameter, GlobalOption) is of_all:
            yield parameter


def _option(option: click.Option) -> str:
    names = ", ".join(option.opts)
    value = "" if option.is_flag else f" {_placeholder(option)}"
    default = f" Default: `{option.default}`." if option.show_default else ""
    return f"* `{names}{value}`: {(option.help or '').strip()}{default}"


def _placeholder(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return (option.name or "").upper()


# --- the rules --------------------------------------------------------------------------------------------

_FAMILIES: Mapping[str, str] = {
    "chain": "the revision files, and the database's place among them",
    "lint": "what pending revisions would do to a busy database",
    "scan": "whether an application's code fits the declared schema",
    "drift": "a schema that is not the declared one",
    "integrity": "what the manifest says of critical tables",
    "probe": "whether the running application works; see [probes](probes.md)",
    "startup": "whether an application may start, and what `govern doctor` looks at",
    "backup": "backups that are damaged or do not restore",
    "guard": "what keeps `govern migrate` from beginning; see [guards](guards.md)",
}
"""The families there are rules of, in the order of the page."""


def render_rules(_current: str) -> str:
    """rules.md: what each rule means and what to do about it, by family."""
    rules = all_rules()
    if unknown := {rule.family for rule in rules.values()} - _FAMILIES.keys():
        raise SystemExit(f"docs/generate.py has no title for the rule families {', '.join(sorted(unknown))}")
    lines = [
        "# Rules",
        "",
        _NOTICE,
        "",
        "Every finding names its rule. `govern explain RULE` prints what stands here.",
        "",
        *(f"* [{family}](#{family}): {title}" for family, title in _FAMILIES.items()),
    ]
    for family, title in _FAMILIES.items():
        members = [rule for rule in rules.values() if rule.family == family]
        lines += ["", f"## {family}", "", f"{rule_pages.sentence(title)}."]
        if family == "drift":
            lines += ["", *_drift_table(rules)]
            members = [rule for rule in members if rule.id not in rule_pages.drift_ids()]
        for rule in members:
            lines += ["", *_rule(rule)]
    return "\n".join(lines) + "\n"


def _rule(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id}"
    yield ""
    yield f"{rule_pages.sentence(rule.name)} · **{rule.severity.label}**"
    yield ""
    yield from rule_pages.describe_rule(rule)
    if page := rule_pages.page_of(rule):
        yield f"* examples: [a bad and a good one]({page})"


def _drift_table(rules: Mapping[str, Rule]) -> Iterator[str]:
    """Rules that differ in the kind of object alone, as one table: kinds down, what is true of all above."""
    (severity,) = {rules[rule_id].severity.label for rule_id in rule_pages.drift_ids()}
    yield "One rule for each kind of object and each way to differ: `drift.KIND-added`, `drift.KIND-removed`,"
    yield f"`drift.KIND-changed`. All are **{severity}**, and **critical** on a critical table of the manifest."
    yield ""
    yield "| rule | when | remedy |"
    yield "|---|---|---|"
    for action in rule_pages.ACTIONS:
        rule = rules[f"drift.view-{action}"]
        condition = rule.condition.replace("view", "object")
        yield f"| `drift.KIND-{action}` | {condition} | {rule.remedy} |"
    yield ""
    yield "| kind | effect |"
    yield "|---|---|"
    for kind, effect in KINDS.items():
        yield f"| [{kind}](rules/drift/{kind}.md) | {effect} |"


# --- the guards -------------------------------------------------------------------------------------------


def render_guards(_current: str) -> str:
    """guards.md: what each guard of a migration asks, and what lets it pass."""
    lines = [
        "# Guards",
        "",
        _NOTICE,
        "",
        "What `govern migrate` and `govern downgrade` ask, in this order, before the first statement runs. A guard",
        "that says no refuses: exit code 4, and nothing was changed. Its answer is the entry of its name in the",
        "report. `govern plan` and `--dry-run` ask all that only read, and tell every answer. `govern migrate",
        "--list-guards` prints this list, with `--format json` for machines, and asks no database.",
        "",
        "Nothing is forced: each guard has its own way to pass. With `--rehearse off` nobody sees what the revisions",
        "do: what they lose is then known from a saved plan, or from their text alone, which does not tell all.",
        "",
        "| guard | on | `govern plan` |",
        "|---|---|---|",
        *(_guard_row(guard) for guard in GUARDS),
    ]
    for guard in GUARDS:
        lines += ["", f"## {guard.name}", "", rule_pages.sentence(guard.asks), "", f"If not: {guard.passes}."]
    return "\n".join(lines) + "\n"


def _guard_row(guard: Guard) -> str:
    where = ", ".join(filter(None, ("PostgreSQL" if guard.needs_server else "", guard.when))) or "every run"
    return f"| [{guard.name}](#{slug(guard.name)}) | {where} | {'asks' if guard.is_asked_by_plan else 'does not ask'} |"


# --- the configuration ------------------------------------------------------------------------------------

_KEYS: Mapping[str, str] = {
    "url": "the database; see [where the URL comes from](#where-the-url-comes-from)",
    "url_env": "the environment variable that holds the URL: the place for one with a password",
    "scratch_url": "a PostgreSQL server of the same major version on which scratch databases are made, and no "
    "other; without it the target's own server, else the embedded one, else a container",
    "models": '`"package.module:Base.metadata"`; without it, the metadata that env.py gives to Alembic',
    "sql": "folder of .sql files with what models cannot say; run in name order after the models' tables exist",
    "manifest": "the [manifest](#the-manifest); may be missing",
    "lock": "the declared schema as text, written by `govern lock`",
    "backups": "the folder of [backups](backups.md)",
    "offsite": "a folder in an object store that gets [a copy of every backup](backups.md#copies-elsewhere): "
    "`s3://bucket/folder`, `gs://…`, `az://…`, `file:///mnt/…`",
    "backup_recipients": "public keys of [age](https://age-encryption.org) that backups are "
    "[encrypted](backups.md#encrypted) for: `age1…`, `ssh-ed25519 …`",
    "backup_identity": "the file with the private key that reads them; `GOVERN_BACKUP_IDENTITY` counts more",
    "backup_jobs": "how many tables are backed up, restored and compared at once, at most; 0: as many as there are "
    "processors, and no more than 4. Half of the server's free connections stay free",
    "alembic_config": "alembic.ini, wherever it is; without it, `alembic.ini`, `migrations/alembic.ini` or "
    "`[tool.alembic]` in pyproject.toml",
    "alembic_section": "its section in alembic.ini",
    "script_location": "the folder of env.py, where no ini says it: a path, or `package:folder` as Alembic writes it; "
    "without it, the folder of alembic.ini if env.py lies there, else `migrations`",
    "since": "the newest revisions that were there before govern: neither they nor what came before them is linted, or "
    "taken back and applied again, by `govern check`",
    "version_locations": "folders of revisions, where env.py works them out; `{dialect}` in them becomes `postgresql` "
    "or `sqlite`",
    "hook": '`"package.module:function"` of yours that [prepares Alembic](#projects-with-ways-of-their-own)',
    "version_table": "Alembic's version table",
    "version_table_schema": "the PostgreSQL schema it is in, if env.py sets one",
    "python": "the project's interpreter, if govern is installed elsewhere; Alembic runs in it",
    "lock_wait_seconds": "how long a command that changes the database waits for the migration lock",
    "lock_timeout_seconds": "PostgreSQL: how long a revision's statement waits for a table's lock before the "
    "revision is taken back and [tried again](#waiting-for-locks); 0: as the server has it",
    "lock_retry_seconds": "for how long it is tried again",
    "statement_timeout_seconds": "PostgreSQL: how long a revision's statement may run; 0: as the server has it",
    "long_transaction_seconds": "PostgreSQL: from when on another session's open transaction is long, see "
    "[guards](guards.md)",
    "replica_lag_seconds": "PostgreSQL: from when on a replica is behind",
    "calm_wait_seconds": "PostgreSQL: how long `govern migrate` waits for long transactions and replicas that are "
    "behind before it refuses; 0: it only warns",
    "read_back_seconds": "how long a server that went away during a migration is waited for, to "
    "[read back](#when-the-server-goes-away) what it has done",
    "targets": "more databases, for `--target NAME`: each a table with `url` or `url_env`, and maybe the `schema` "
    "that is [a tenant](fleets.md#tenants-that-are-schemas)",
}


def render_configuration(current: str) -> str:
    """configuration.md with its key table between the markers; the prose around it is written by hand."""
    known = {field.name: field for field in fields(Declared)}
    if known.keys() != _KEYS.keys():
        raise SystemExit(
            f"docs/generate.py does not describe exactly the keys: {known.keys() ^ _KEYS.keys()}"
        )
    rows = (
        f"| `{name}` | {_type(field)} | {_default(field)} | {_KEYS[name]} |" for name, field in known.items()
    )
    return _replace_part(
        current, "keys", ["| key | value | default | what it says |", "|---|---|---|---|", *rows]
    )


def _type(field: Field[object]) -> str:
    annotation = str(field.type)
    names = {"str": "text", "float": "number", "int": "whole number", "Sequence[str]": "list"}
    return names.get(annotation.removesuffix(" | None"), "table")


def _default(field: Field[object]) -> str:
    if field.default is None or field.default is MISSING:
        return ""
    value = f'"{field.default}"' if isinstance(field.default, str) else f"{field.default:g}"
    return f"`{value}`"


def _replace_part(page: str, name: str, lines: Iterable[str]) -> str:
    start, end = f"<!-- {name}: {_NOTICE.removeprefix('<!-- ')}", f"<!-- end of {name} -->"
    pattern = re.compile(rf"<!-- {name}: .*?{re.escape(end)}", re.DOTALL)
    text = "\n".join((start, *lines, end))
    if not pattern.search(page):
        raise SystemExit(f"a page has no markers <!-- {name}: … --> and {end}")
    return pattern.sub(lambda _: text, page, count=1)


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and Markdown processors make it."""
    kept = re.sub(r"[^\w\s-]", "", heading.strip().lower())
    return re.sub(r"\s", "-", kept)


_PAGES: Mapping[str, Callable[[str], str]] = {
    "cli.md": render_cli,
    "rules.md": render_rules,
    "configuration.md": render_configuration,
    "guards.md": render_guards,
    "http.md": http_page.render_http,
    "python.md": python_page.render_python,
    "json.md": json_page.render_json_report,
    "manifest.md": manifest_page.render_manifest,
    "governance.schema.json": lambda _current: render_file(),
    "../zensical.toml": site_navigation.render_navigation,
    **{name: lambda _current, name=name: rule_pages.pages()[name] for name in rule_pages.pages()},
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
