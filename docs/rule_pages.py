"""Pages of single rules: what is true of each, with a bad and a good example that tests run.

A rule's examples lie in ``docs/rules/<family>/<rule>/``. Those of drift are the corpus of ``tests/cases/drift``: one
page a kind of object, for its three rules differ in the direction alone.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from govern.checks.drift import KINDS, rule_of
from govern.checks.registry import all_rules
from govern.core.finding import Rule
from govern.database.postgresql.catalog.coverage import CatalogColumn, read_coverage, read_ledger

DOCS = Path(__file__).resolve().parent
CASES = DOCS.parent / "tests" / "cases" / "drift"
NOTICE = "<!-- written by docs/generate.py: change the code, then run `make docs` -->"
ACTIONS = ("added", "removed", "changed")

_RUN: Mapping[str, str] = {
    "lint": "Both are run on a real database with [these tables](schema.sql)",
    "chain": "Both are applied, taken back and applied again on a real database with "
    "[these tables](../lint/schema.sql)",
    "scan": "Both are held against a real database with [this schema](schema.sql)",
    "probe": "Both are what an application answers on a real socket to [this step](steps.yaml)",
    "startup": "Both are run on a migrated database of two revisions, r1 and r2, before an application starts on it",
    "integrity": "Both are tried on a real database with [these tables](schema.sql), SQL with "
    "[this manifest](governance.yaml)",
}
"""What the tests do with them: tests/dialects/test_lint_examples.py, and its like for each family."""
_ONLY_READ: frozenset[str] = frozenset(
    f"chain.{name}"
    for name in (
        "cycle",
        "empty-upgrade",
        "missing-downgrade",
        "missing-parent",
        "multiple-bases",
        "placeholder-parent",
    )
)
"""Rules of the chain whose examples are read, and not run."""

_READ = "Both are read beside a first revision, called `first`"

_LANGUAGES: Mapping[str, str] = {
    ".py": "python",
    ".http": "http",
    ".sql": "sql",
    ".ts": "typescript",
    ".yaml": "yaml",
}


@functools.cache
def _rules() -> Mapping[str, Rule]:
    return all_rules()


# --- rules with examples of their own ---------------------------------------------------------------------


def examples_of(rule: Rule) -> list[Path]:
    """The bad one, then the good ones in the order in which they run; nothing where it has none."""
    folder = DOCS / "rules" / Path(*rule.id.split("."))
    return [*folder.glob("bad.*"), *sorted(folder.glob("good*.*"))] if folder.is_dir() else []


def page_of(rule: Rule) -> str | None:
    """The page with the rule's examples, below docs; None where it has none."""
    if kind := _kind_of(rule):
        return f"rules/drift/{kind}.md"
    return f"rules/{rule.id.replace('.', '/')}.md" if examples_of(rule) else None


def render_rule(rule: Rule) -> str:
    """The rule, and its examples as the tests run them."""
    bad, *good = examples_of(rule)
    lines = [
        f"# {rule.id}",
        "",
        NOTICE,
        "",
        f"{sentence(rule.name)} · **{rule.severity.label}** · [all rules](../../rules.md#{rule.id.replace('.', '')})",
        "",
        *describe_rule(rule),
        "",
        "## Bad",
        "",
        *_code(bad),
        "",
        "## Good",
    ]
    for number, example in enumerate(good):
        lines += ["", *(("And in a revision after it:", "") if number else ()), *_code(example)]
    lines += [
        "",
        f"{_say_proof(rule)}; the bad one has exactly this finding, the good one has none.",
    ]
    return "\n".join(lines) + "\n"


def _say_proof(rule: Rule) -> str:
    return _READ if rule.id in _ONLY_READ else _RUN[rule.family]


def describe_rule(rule: Rule) -> Iterator[str]:
    """When it speaks, what happens then, and what to do."""
    yield f"* when: {rule.condition}"
    yield f"* effect: {rule.effect}"
    yield f"* remedy: {rule.remedy}"


def sentence(text: str) -> str:
    """With a capital, but for a file's name in front."""
    return text if "." in text.partition(" ")[0] else text[0].upper() + text[1:]


def _code(file: Path) -> Iterator[str]:
    yield f"```{_LANGUAGES[file.suffix]}"
    yield file.read_text(encoding="utf-8").rstrip()
    yield "```"


# --- drift, by kind of object -----------------------------------------------------------------------------


@functools.cache
def drift_ids() -> frozenset[str]:
    """The rules that differ in the kind of object and the direction alone."""
    return frozenset(f"drift.{kind}-{action}" for kind in KINDS for action in ACTIONS)


def render_kind(kind: str) -> str:
    """What is compared of a kind of object, its three rules, and an example of each in the corpus."""
    title = kind.replace("-", " ")
    severity = rule_of(kind, "added").severity.label
    lines = [
        f"# drift: {title}",
        "",
        NOTICE,
        "",
        f"{sentence(KINDS[kind])}. **{sentence(severity)}**, and critical on a critical table of the manifest"
        " · [all rules](../../rules.md#drift) · [what drift sees](../../what-drift-sees.md)",
        "",
        "## Rules",
        "",
        "| rule | when | remedy |",
        "|---|---|---|",
        *(_rule_row(kind, action) for action in ACTIONS),
        "",
        "## What is compared",
        "",
        *_compared(kind),
    ]
    for heading, case, is_reversed in _shown_cases(kind):
        lines += ["", f"## {heading}", "", *_case(case, is_reversed)]
    lines += ["", *_corpus_of(kind)]
    return "\n".join(lines).rstrip() + "\n"


def _rule_row(kind: str, action: str) -> str:
    rule = _rules()[f"drift.{kind}-{action}"]
    return f"| `{rule.id}` | {rule.condition} | {rule.remedy} |"


def _compared(kind: str) -> Iterator[str]:
    """The columns of PostgreSQL's catalog that make up the kind, by table."""
    definitions = _definitions_of(kind)
    if not definitions:
        yield _NOT_BY_ITSELF
        return
    yield "On PostgreSQL, these columns of its catalog; what they refer to is compared by name, never by number."
    yield ""
    yield "| catalog | columns |"
    yield "|---|---|"
    for table, columns in groupby(definitions, key=lambda column: column.table):
        yield f"| `{table}` | {', '.join(map(_name_column, columns))} |"


_NOT_BY_ITSELF = "No engine tells of it by itself: what is declared of it is a fact of its [table](table.md)."


@functools.cache
def _definitions_of(kind: str) -> tuple[CatalogColumn, ...]:
    return tuple(column for column in read_ledger() if kind in column.kinds)


def _name_column(column: CatalogColumn) -> str:
    since = f" ({column.first_major} and later)" if column.first_major > 13 else ""
    return f"`{column.name}`{since}"


def _shown_cases(kind: str) -> Iterator[tuple[str, Path, bool]]:
    """The smallest case of each direction, with its heading, and whether it is told backwards."""
    if case := _smallest(kind, "added"):
        yield "Added", case, False
        yield "Removed", case, True
    elif case := _smallest(kind, "removed"):
        yield "Added", case, True
        yield "Removed", case, False
    if case := _smallest(kind, "changed"):
        yield "Changed", case, False


@functools.cache
def _smallest(kind: str, action: str) -> Path | None:
    """The shortest case with this one difference and no other."""
    cases = [case for case in _cases_of(kind) if _changes_of(case) == [f"{kind}-{action}"]]
    return min(cases, key=lambda case: (_length(case), case.name), default=None)


@functools.cache
def _cases_of(kind: str) -> tuple[Path, ...]:
    """All cases where something of the kind differs, wherever they lie."""
    return [
        case for case in sorted(file.parent for file in CASES.glob("*/*/expected.json")) if _has(case, kind)
    ]


def _has(case: Path, kind: str) -> bool:
    return any(change.rpartition("-")[0] == kind for change in _changes_of(case))


@functools.cache
def _changes_of(case: Path) -> list[str]:
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    return [rule for rule, *_ in expected["changes"]]


def _length(case: Path) -> int:
    return sum((case / name).stat().st_size for name in ("a.sql", "b.sql"))


def _sides(case: Path, is_reversed: bool) -> tuple[str, str]:
    """The declared schema and the live one, as SQL."""
    a, b = ((case / name).read_text(encoding="utf-8").rstrip() for name in ("a.sql", "b.sql"))
    return (b, a) if is_reversed else (a, b)


def _case(case: Path, is_reversed: bool) -> Iterator[str]:
    declared, live = _sides(case, is_reversed)
    yield from ("Declared:", "", "```sql", declared or "-- nothing", "```")
    yield from ("", "Live:", "", "```sql", live or "-- nothing", "```")


def _corpus_of(kind: str) -> Iterator[str]:
    count = len(_cases_of(kind))
    if count:
        yield f"Such differences in `tests/cases/drift`: {count}. The cases run on"
        yield "real servers in both directions: each is reported exactly, what both sides have is not reported,"
        yield "and the repair is proven on a copy where a statement can do it."
    elif _definitions_of(kind):
        yield "It has a test of its own: `tests/dialects/test_drift_kinds.py`."


def _kind_of(rule: Rule) -> str | None:
    """The kind of object, where the rule is one of the three of a kind."""
    kind, _, _ = rule.id.removeprefix("drift.").rpartition("-")
    return kind if rule.id in drift_ids() else None


# --- what drift sees --------------------------------------------------------------------------------------


def render_what_drift_sees() -> str:
    """what-drift-sees.md: the kinds of objects that are compared, those that are not, and what is left out of both."""
    kinds = read_coverage()
    lines = [
        "# What drift sees",
        "",
        NOTICE,
        "",
        "A difference is one of the facts that define a schema. On PostgreSQL, every column of every table of",
        "`pg_catalog` in versions 13 to 18 is classified: as a part of a definition, as following from other columns,",
        "as a matter of one database's day (numbers, files, statistics, rows), or as the server's. A test holds that",
        "list against the catalogs of real servers and fails on a column that nobody classified.",
        "",
        "## Compared",
        "",
        "| kind | a difference means | read from | cases |",
        "|---|---|---|---|",
    ]
    sources = {kind.kind: kind.sources for kind in kinds}
    for kind, effect in KINDS.items():
        tables = ", ".join(f"`{table}`" for table in sources.get(kind, ())) or "with its table"
        lines.append(
            f"| [{kind}](rules/drift/{kind}.md) | {effect} | {tables} | {len(_cases_of(kind)) or ''} |"
        )
    lines += [
        "",
        "The cases are pairs of schemas, a declared one and a live one, each reported exactly and undone in both",
        "directions on a real server.",
        "",
        "## Not compared",
        "",
        "A report says so where the database has any of the first; the others are the server's, not the database's.",
        "",
        "| what | where | why |",
        "|---|---|---|",
        *(
            f"| {kind.kind} | {', '.join(f'`{table}`' for table in kind.sources)} | {kind.why} |"
            for kind in kinds
            if not kind.is_covered
        ),
        "",
        "## What is no difference",
        "",
        *_left_out(),
        "",
        "On SQLite tables, columns, constraints, indexes, views and triggers are compared, as its own parser and",
        "`sqlite_master` tell them. What a project leaves out on purpose stands in the manifest's `drift`: see",
        "[configuration](configuration.md#the-manifest).",
    ]
    return "\n".join(lines) + "\n"


def _left_out() -> Iterator[str]:
    """Columns of the catalog that no two databases of one schema need to share, by why."""
    why: dict[str, int] = {}
    for column in read_ledger():
        if column.role in ("runtime", "derived"):
            why[column.role] = why.get(column.role, 0) + 1
    yield f"* {why['runtime']} columns of the catalog that are of one database's day: numbers, files, rows."
    yield f"* {why['derived']} columns that follow from others, which are compared."
    yield "* Two spellings of one expression: a scratch database of the same major version brings them to one form."


# --- what govern explain shows ----------------------------------------------------------------------------


def render_examples() -> str:
    """The examples by rule, as the package ships them: ``{"lint.drops-column": [["Bad", "…"], ["Good", "…"]]}``."""
    shown = {rule.id: list(_told(rule)) for rule in _rules().values() if page_of(rule)}
    return json.dumps({id_: told for id_, told in shown.items() if told}, indent=1, ensure_ascii=False) + "\n"


def _told(rule: Rule) -> Iterator[tuple[str, str]]:
    if kind := _kind_of(rule):
        action = rule.id.rpartition("-")[2]
        for heading, case, is_reversed in _shown_cases(kind):
            if heading.lower() == action:
                declared, live = _sides(case, is_reversed)
                yield "declared", declared or "-- nothing"
                yield "live", live or "-- nothing"
        return
    for file in examples_of(rule):
        yield file.stem.rstrip("0123456789"), file.read_text(encoding="utf-8").rstrip()


@functools.cache
def pages() -> Mapping[str, str]:
    """Every page of rules by its name below docs."""
    rules = (rule for rule in _rules().values() if examples_of(rule))
    return {
        **{f"rules/{rule.id.replace('.', '/')}.md": render_rule(rule) for rule in rules},
        **{f"rules/drift/{kind}.md": render_kind(kind) for kind in KINDS},
        "what-drift-sees.md": render_what_drift_sees(),
        "../src/govern/checks/examples.json": render_examples(),
    }
