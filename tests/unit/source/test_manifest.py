"""The manifest: what it says, and everything wrong with it at once."""

from __future__ import annotations

import time
from datetime import date, timedelta
from datetime import time as time_of_day
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from govern.core.finding import Severity
from govern.core.fixing import Hours
from govern.core.hazard import Hazard
from govern.errors import ConfigurationError
from govern.source.allowances import allowed_hazards
from govern.source.manifest import Manifest, load_manifest, parse_manifest, split_column, split_table

PATH = Path("schema/governance.yaml")

GOOD = """\
critical_tables:
  - name: users
    required_columns: [id, email]
    min_rows: 1
    never_empty:
      - email
    owner: identity
  - name: audit.log
    severity: error
    required_columns:
      id: bigint
      body:
relationships:
  - from: notes.user_id
    to: public.users.id
    note: no foreign key yet
invariants:
  - name: no orphans
    sql: SELECT count(*) FROM notes
    expect: 0
"""


DRIFT = """\
drift:
  baseline: schema/drift.baseline
  ignore:
    - kind: index
      name: public.tmp_*
      reason: the reporting team tries indexes out
      owner: reporting
      until: 2031-12-31
    - name: users
      fact: storage
      reason: set by the host
      owner: platform
      until: "2031-06-30"
  severity:
    - kind: comment
      severity: info
"""


def parse(text: str) -> Manifest:
    return parse_manifest(dedent(text), PATH)


def problems(text: str) -> list[str]:
    """``line:column: message`` of each."""
    with pytest.raises(ConfigurationError) as refused:
        parse(text)
    lines = (refused.value.why or refused.value.what).split("\n")
    return [line.strip().removeprefix(f"{PATH}:") for line in lines]


ALLOW = """\
lint: {small_table_rows: 500, slow_seconds: 2}
allow:
  - {hazard: drops-column, subject: users.nick, reason: nobody reads it, owner: accounts, expires: 2031-06-30}
  - rule: lint.index-not-concurrent
    subject: ix_users_email
    reason: the table is new
    owner: accounts
    expires: 2020-01-01
"""


def test_what_is_allowed_is_read_with_its_lines() -> None:
    manifest = parse(ALLOW)
    assert (manifest.lint.small_table_rows, manifest.lint.slow_seconds) == (500, 2)
    hazard, rule = manifest.allow
    assert (hazard.hazard, hazard.rule, hazard.subject, hazard.line) == (
        "drops-column",
        None,
        "users.nick",
        3,
    )
    assert (rule.rule, rule.hazard, rule.expires, rule.line) == (
        "lint.index-not-concurrent",
        None,
        date(2020, 1, 1),
        4,
    )
    assert parse("lint:\nallow:\n").allow == ()


def test_the_monitor_is_told_how_often_what_and_when() -> None:
    manifest = parse("""\
        critical_tables: [{name: users}]
        monitor:
          every: 10 min
          fixes:
            mode: apply
            allow: [{kind: recreate_missing, tables: [users]}]
            hours: 22:00-06:00
            time_zone: Europe/Berlin
          notify:
            - {webhook_env: SLACK_URL}
            - {command: [page, dba], severity: error}
        """)
    fixes = manifest.monitor.fixes
    assert (manifest.monitor.every, fixes.mode, fixes.most_per_hour) == (timedelta(minutes=10), "apply", 3)
    assert fixes.part_of_day == Hours(
        begin=time_of_day(22), end=time_of_day(6), zone=ZoneInfo("Europe/Berlin")
    )
    assert [one.severity for one in manifest.monitor.notify] == [Severity.CRITICAL, Severity.ERROR]
    assert parse("monitor:\n").monitor.fixes.mode == "dry-run"


def test_a_hazard_is_allowed_until_its_last_day() -> None:
    manifest = parse(ALLOW)
    hazard = Hazard("drops-column", "users.nick")
    assert allowed_hazards(manifest, date(2031, 6, 30)) == {hazard}
    assert allowed_hazards(manifest, date(2031, 7, 1)) == frozenset()
    assert allowed_hazards(None, date(2031, 6, 30)) == frozenset()


@pytest.mark.parametrize("named", ["", "rule: lint.x, hazard: drops-table, "])
def test_an_allowance_names_one_thing(named: str) -> None:
    entry = f"{{{named}subject: users, reason: r, owner: o, expires: 2031-01-01}}"
    assert problems(f"allow:\n- {entry}\n") == ["2:3: allow[0] must name either a rule or a hazard"]


@pytest.mark.parametrize("missing", ["subject", "reason", "owner", "expires"])
def test_nothing_is_allowed_without_a_name_behind_it_and_an_end(missing: str) -> None:
    entry = {
        "hazard": "drops-table",
        "subject": "users",
        "reason": "r",
        "owner": "o",
        "expires": "2031-01-01",
    }
    del entry[missing]
    (told,) = problems(yaml.safe_dump({"allow": [entry]}))
    assert f"the key '{missing}' is missing" in told


def test_what_is_decided_about_drift_is_read() -> None:
    drift = parse(DRIFT).drift
    index, users = drift.ignore
    assert (index.kind, index.name, index.fact, index.line) == ("index", "public.tmp_*", None, 4)
    assert (index.reason, index.owner) == ("the reporting team tries indexes out", "reporting")
    assert (index.until, users.until) == (date(2031, 12, 31), date(2031, 6, 30))
    assert (users.kind, users.fact) == ("*", "storage")
    assert [(entry.kind, entry.name, entry.severity) for entry in drift.severity] == [
        ("comment", "*", Severity.INFO)
    ]
    assert drift.baseline == "schema/drift.baseline"
    assert parse("drift:\n").drift == parse("").drift


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("reason: b, owner: c, until: 2031-12-31", "4: the key 'name' is missing"),
        ("name: a, owner: c, until: 2031-12-31", "4: the key 'reason' is missing"),
        ("name: a, reason: b, until: 2031-12-31", "4: the key 'owner' is missing"),
        ("name: a, reason: b, owner: c", "4: the key 'until' is missing"),
        ("name: a, reason: b, owner: c, until: never", "must be a day, written as 2031-12-31"),
        ("name: a, reason: '', owner: c, until: 2031-12-31", "should have at least 1 character"),
        (
            "name: a, reason: b, owner: c, until: 2031-12-31, unitl: 1",
            "unknown key 'unitl'; did you mean 'until'?",
        ),
    ],
)
def test_an_ignored_difference_has_a_reason_an_owner_and_a_day(entry: str, problem: str) -> None:
    (told,) = problems(f"drift:\n  ignore:\n  - {{{entry}}}\n")
    assert told.startswith("3:")
    assert problem.removeprefix("4: ") in told


def test_a_manifest_is_read_with_defaults_and_lines() -> None:
    manifest = parse(GOOD)
    users, log = manifest.critical_tables
    assert (users.namespace, users.table, users.min_rows, users.owner) == (None, "users", 1, "identity")
    assert users.required_columns == {"id": None, "email": None}
    assert users.never_empty == ("email",)
    assert users.severity is Severity.CRITICAL
    assert (log.namespace, log.table, log.severity, log.min_rows) == ("audit", "log", Severity.ERROR, 0)
    assert log.required_columns == {"id": "bigint", "body": None}
    (reference,) = manifest.relationships
    assert (reference.source, reference.target) == ("notes.user_id", "public.users.id")
    (invariant,) = manifest.invariants
    assert (invariant.expect, invariant.severity) == (0, Severity.ERROR)
    assert [entry.line for entry in (users, log, reference, invariant)] == [2, 8, 14, 18]
    assert manifest.path == PATH


def test_columns_are_found_by_name_however_they_were_written() -> None:
    manifest = parse(GOOD)
    assert manifest.line_of("critical_tables", 0, "required_columns", "email") == 3
    assert manifest.line_of("critical_tables", 0, "never_empty", "email") == 6
    assert manifest.line_of("critical_tables", 1, "required_columns", "id") == 11
    assert manifest.line_of("critical_tables", 1, "never_empty", "nothing") == 8


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "critical_tables:\n", "critical_tables: []\nrepairs: []\n"]
)
def test_a_manifest_may_say_nothing(text: str) -> None:
    manifest = parse(text)
    assert (manifest.critical_tables, manifest.relationships, manifest.invariants) == ((), (), ())


def test_a_byte_order_mark_and_windows_line_endings_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "governance.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_manifest(path).critical_tables == parse(GOOD).critical_tables


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2024-01-31", "2024-01-31"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("'0'", "0"),
        ("!!str 12", "12"),
        ("0", 0),
        ("-7", -7),
        ("010", 10),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_only_true_and_false_are_booleans_and_only_numbers_are_numbers(written: str, value: object) -> None:
    (invariant,) = parse(f"invariants: [{{name: a, sql: b, expect: {written}}}]").invariants
    assert invariant.expect == value
    assert type(invariant.expect) is type(value)


def test_everything_wrong_is_said_at_once_each_with_its_place() -> None:
    assert problems(
        """\
        critical_tables:
          - name: users
            min_row: 3
            severity: fatal
          - required_columns: [id, 5]
            min_rows: -1
            never_empty: email
          - name: a.b.c
            min_rows: "3"
        relations: []
        invariants:
          - name: 12
            sql: select 1
        """
    ) == [
        "3:5: unknown key 'min_row'; did you mean 'min_rows'?",
        "4:15: critical_tables[0].severity must be one of info, warning, error, critical",
        "5:5: the key 'name' is missing",
        "5:23: critical_tables[1].required_columns must be a list of column names, or a mapping of name to type; "
        "5 is no name",
        "6:15: critical_tables[1].min_rows should be greater than or equal to 0",
        "7:18: critical_tables[1].never_empty should be a valid list",
        "8:11: critical_tables[2].name must be written as table or schema.table",
        "9:15: critical_tables[2].min_rows should be a valid integer",
        "10:1: unknown key 'relations'; did you mean 'relationships'?",
        "12:5: the key 'expect' is missing",
        "12:11: invariants[0].name must be a text, write it in quotes: '12'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n", "1:1: the top level must be a mapping of keys, it is a list"),
        ("users\n", "1:1: the top level must be a mapping of keys, it is a single value"),
        ("a: b: c\n", "1:5: mapping values are not allowed in this context"),
        ("critical_tables: [\n", "2:1: while parsing a flow node, did not find expected node content"),
        (
            "critical_tables: []\ninvariants: []\ncritical_tables: []\n",
            "3:1: the key 'critical_tables' is already on line 1",
        ),
        ("critical_tables:\n- name: a\n  name: b\n", "3:3: the key 'name' is already on line 2"),
        ("critical_tables:\n- name: a\n- name: a\n", "3:9: 'a' is already in critical_tables on line 2"),
        (
            "critical_tables: !!python/object/apply:os.system [x]\n",
            "1:18: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
        ),
        ("critical_tables: !secret x\n", "1:18: the tag '!secret' is not allowed"),
        ("critical_tables: !!int x\n", "1:18: 'x' is no usable int"),
        ("critical_tables: !!bool x\n", "1:18: 'x' is no usable bool"),
        ("critical_tables: !!set {a}\n", "1:18: the tag 'tag:yaml.org,2002:set' is not allowed"),
        ("? [a]\n: b\n", "1:3: a key must be a text"),
        ("a: 1\n---\nb: 2\n", "2:1: expected a single document in the stream, but found another document"),
        ("critical_tables: &a\n- *a\n", "1:18: an alias refers to what it is part of"),
        ("critical_tables: *b\n", "1:18: found undefined alias"),
        ("a: \x07\n", "1:4: the character U+0007 is not allowed in YAML"),
        ("a: \0\n", "1:4: the character U+0000 is not allowed in YAML"),
        ("%YAML 3.0\n---\na: b\n", "1:1: found incompatible YAML document"),
        ("repairs: [x]\n", "1:11: repairs[0] must be a mapping of keys"),
        (
            "repairs: [{name: schema, kind: set_null, of: a, reason: b, owner: c}]\n",
            "1:18: repairs[0].name is the name of the repair of drift; it must not be 'schema'",
        ),
        (
            "repairs:\n  - {name: a, kind: delete_where, table: b, reason: c, owner: d}\n",
            "2:5: repairs[0] is a delete_where: it must say table and where, "
            "and nothing else of of, table, where, select, column",
        ),
        (
            "repairs:\n  - {name: a, kind: set_null, of: b, where: c, reason: c, owner: d}\n",
            "2:5: repairs[0] is a set_null: it must say of, or where and column, "
            "and nothing else of of, table, where, select, column",
        ),
        (
            "repairs:\n  - {name: a, kind: drop_table, table: b, reason: c, owner: d}\n",
            "2:21: repairs[0].kind should be 'delete_orphans', 'delete_where', 'insert_missing', 'set_null' "
            "or 'move_sequence'",
        ),
        (
            "repairs:\n  - {name: a, kind: set_null, of: b -> c.d, reason: c, owner: d}\n",
            "2:35: repairs[0].of must be a foreign key's name, or written as child.column -> parent.column",
        ),
        ("repairs: [{name: a, kind: set_null, of: b, owner: c}]\n", "1:11: the key 'reason' is missing"),
        (
            "repairs:\n  - &a {name: a, kind: set_null, of: b, reason: c, owner: d}\n  - *a\n",
            "2:15: 'a' is already in repairs on line 2",
        ),
        (
            "probes:\n  a: 1\n",
            "2:3: unknown key 'a'; known keys: base_url, after, wait_seconds, ready, timeout_seconds, log_in_page, "
            "use_proxy, ca_file, variables, secrets, sequences",
        ),
        (
            "monitor: {fixes: {hours: 9-5}}\n",
            "1:26: monitor.fixes.hours must be a part of the day, written as 22:00-06:00",
        ),
        (
            "monitor: {fixes: {time_zone: Mars}}\n",
            "1:30: monitor.fixes.time_zone must be a time zone that this machine knows, as Europe/Berlin",
        ),
        ("monitor: {evry: 5 min}\n", "1:11: unknown key 'evry'; did you mean 'every'?"),
        ("monitor: {notify: [{}]}\n", "1:20: monitor.notify[0] must name either webhook_env or a command"),
        (
            "monitor: {fixes: {allow: [{kind: recreate_missing, tables: [users]}]}}\n",
            "1:1: the manifest may not have the monitor fix 'users': it is none of its critical_tables",
        ),
        ("critical_tables: {a: b}\n", "1:18: critical_tables should be a valid list"),
        (
            "critical_tables: [users]\n",
            "1:19: critical_tables[0] must be a mapping of keys",
        ),
        (
            "critical_tables: [{name: a, required_columns: {id: 5}}]\n",
            "1:52: critical_tables[0].required_columns.id must be a text, write it in quotes: '5'",
        ),
        (
            "critical_tables: [{name: a, min_rows: true}]\n",
            "1:39: critical_tables[0].min_rows should be a valid integer",
        ),
        (
            "critical_tables: [{name: a, min_rows: 99999999999999999999}]\n",
            "1:39: critical_tables[0].min_rows should be less than 9223372036854775808",
        ),
        (
            "critical_tables: [{name: a, line: 3}]\n",
            "1:29: unknown key 'line'; known keys: name, required_columns, min_rows, never_empty, unique, owner, "
            "severity",
        ),
        (
            "critical_tables: [{name: ''}]\n",
            "1:26: critical_tables[0].name must be written as table or schema.table",
        ),
        (
            "relationships: [{from: a, to: b.c}]\n",
            "1:24: relationships[0].from must be written as table.column or schema.table.column",
        ),
        ("relationships: [{source: a.b, to: b.c}]\n", "1:17: the key 'from' is missing"),
        (
            "invariants: [{name: a, sql: b, expect: [1]}]\n",
            "1:40: invariants[0].expect must be a single value",
        ),
        ("invariants: [{name: a, sql: b, expect: 1e999}]\n", "1:40: '1e999' is no usable float"),
        (
            "<<: {a: b}\n",
            "1:1: unknown key '<<'; known keys: critical_tables, relationships, invariants, repairs, drift, lint, "
            "allow, backups, monitor, probes",
        ),
    ],
)
def test_what_is_wrong_is_named_with_line_and_column(text: str, problem: str) -> None:
    assert problem in problems(text)


def test_a_bomb_of_aliases_is_refused_in_no_time() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    begun = time.monotonic()
    assert "more than 100,000 values" in problems("\n".join(levels))[0]
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "a: " + "[" * 51])
def test_a_document_without_bottom_is_refused(text: str) -> None:
    assert any("nested deeper" in problem or "not allowed" in problem for problem in problems(text))


def test_an_integer_longer_than_python_reads_is_refused() -> None:
    assert "is no usable int" in problems(f"critical_tables: [{{name: a, min_rows: {'9' * 5000}}}]")[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: \xff\n", ":1:4: not UTF-8"),
        (b"ok: 1\n\xc3(", ":2:1: not UTF-8"),
        (b"#" * 1_000_001, "larger than 1,000,000 bytes"),
        (b"a: b\n" * 2_500_000, "larger than 1,000,000 bytes"),
        ("critical_tables: []\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "governance.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        load_manifest(path)
    assert words in str(refused.value)


def test_a_manifest_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_manifest(tmp_path)


def test_fifty_problems_are_shown_and_the_rest_counted() -> None:
    found = problems("\n".join(f"key{number}: 1" for number in range(60)))
    assert len(found) == 51
    assert found[-1] == "and 10 more"


@pytest.mark.parametrize(
    ("name", "parts"), [("users", (None, "users")), ("public.users", ("public", "users"))]
)
def test_a_table_name_has_one_part_or_two(name: str, parts: tuple[str | None, str]) -> None:
    assert split_table(name) == parts
    assert split_column(f"{name}.id") == (*parts, "id")


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(("name", "sql", "from", "to", "expect", "min_rows", "x")), inner, max_size=4
        )
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(("critical_tables", "relationships", "invariants", "repairs", "probes", "y"))


def accept_or_refuse(text: str) -> None:
    """Nothing but the documented error."""
    try:
        parse_manifest(text, PATH)
    except ConfigurationError as error:
        refusal = str(error)
    else:
        return
    assert f"{PATH}:" in refusal


@settings(max_examples=2_000, deadline=None)
@given(st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_no_value_in_any_place_ends_in_a_traceback(values: dict[str, object]) -> None:
    accept_or_refuse(yaml.safe_dump(values, allow_unicode=True))


@settings(max_examples=2_000, deadline=None)
@given(st.text(st.sampled_from("abn:-[]{}&*!|>'\"#%@`?,\n\t <=~\0\x85\ufeff\u2028é1"), max_size=60))
@example("a: &a [*a]")
@example("!!binary x: 1")
@example("? - a\n: 1")
def test_no_text_ends_in_a_traceback(text: str) -> None:
    accept_or_refuse(text)


@settings(max_examples=2_000, deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 30), st.text(max_size=4))
def test_no_damage_to_a_good_manifest_ends_in_a_traceback(place: int, length: int, other: str) -> None:
    accept_or_refuse(GOOD[:place] + other + GOOD[place + length :])
