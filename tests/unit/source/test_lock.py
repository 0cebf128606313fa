"""The lock's text: exact in both directions, and clear about what is wrong with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.core.snapshot import ObjectKey, Snapshot
from govern.errors import ConfigurationError
from govern.source.lock import parse_lock, read_lock, render_lock

PATH = Path("schema/schema.lock")

SCHEMA = Snapshot(
    dialect="postgresql",
    server_version="18.4",
    objects={
        ObjectKey("schema", "", "public"): {},
        ObjectKey("table", "public", "users"): {},
        ObjectKey("column", "public", "users.email"): {"type": "character varying(320)", "nullable": False},
        ObjectKey("comment", "public", "column users.email"): {"text": "Where to write"},
        ObjectKey("enum", "public", "mood"): {"labels": ("sad", "happy")},
        ObjectKey("function", "public", "touch(integer, public.mood)"): {
            "definition": "CREATE FUNCTION …\n\n\tBEGIN  \n\rEND\n"
        },
    },
    unmodelled=("cast",),
)

TEXT = r"""# A schema, one fact a line. As schema.lock: written by `govern lock`, reviewed with every change.
format: 1
dialect: "postgresql"
server: 18
heads: ["3f2a", "9b1c"]
namespaces: true
unmodelled: ["cast"]

schema public

enum public.mood
  labels:
    - "sad"
    - "happy"

table public.users
column public.users.email
  nullable: false
  type: "character varying(320)"
comment public.column users.email
  text: "Where to write"

function public.touch(integer, public.mood)
  definition:
    | CREATE FUNCTION …
    |
    @
    "\rEND"
    |
""".replace("@", r'"\tBEGIN  "')


def test_the_text_is_what_people_review() -> None:
    assert render_lock(SCHEMA, ("9b1c", "3f2a")) == TEXT


def test_what_was_written_is_read_back() -> None:
    lock = parse_lock(TEXT, PATH)
    assert lock.snapshot == replace(SCHEMA, server_version="18")
    assert lock.heads == ("3f2a", "9b1c")
    assert len(lock.digest) == 64


def test_critical_tables_stand_in_the_header_in_order_where_there_are_some() -> None:
    text = render_lock(SCHEMA, ("3f2a", "9b1c"), {"public.users": 0, "public.roles": 3})
    line = 'critical_tables: {"public.roles": 3, "public.users": 0}\n'
    assert text == TEXT.replace("\n\nschema public", f"\n{line}\nschema public")
    assert parse_lock(text, PATH).critical_tables == {"public.users": 0, "public.roles": 3}
    assert parse_lock(text, PATH).snapshot == parse_lock(TEXT, PATH).snapshot


def test_a_lock_that_says_nothing_of_critical_tables_has_none() -> None:
    assert parse_lock(TEXT, PATH).critical_tables == {}


def test_line_ends_and_a_byte_order_mark_change_neither_content_nor_digest() -> None:
    assert parse_lock("\ufeff" + TEXT.replace("\n", "\r\n"), PATH) == parse_lock(TEXT, PATH)


def test_another_fact_is_another_digest() -> None:
    assert parse_lock(TEXT.replace("320", "321"), PATH).digest != parse_lock(TEXT, PATH).digest


def test_a_lock_speaks_of_its_engine_and_major_version_only() -> None:
    lock = parse_lock(TEXT, PATH)
    assert lock.speaks_of(replace(SCHEMA, server_version="18.9"))
    assert not lock.speaks_of(replace(SCHEMA, server_version="17.1"))
    assert not lock.speaks_of(replace(SCHEMA, dialect="sqlite"))


def test_without_namespaces_names_stand_alone() -> None:
    schema = Snapshot(
        dialect="sqlite",
        server_version="3.45.1",
        objects={
            ObjectKey("table", "", "users"): {},
            ObjectKey("column", "", "users.id"): {"type": "INTEGER"},
        },
    )
    text = render_lock(schema, ())
    assert "\ncolumn users.id\n" in text
    assert parse_lock(text, PATH).snapshot == replace(schema, server_version="3")


hostile = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "a.b",
        'a"b',
        "[x",
        "x to y",
        "| x",
        "- x",
        "# x",
        "line\n",
        " ",
        "a\r\nb",
        "\u2028",
        "\u202e",
        "users.",
        "",
    ]
)
facts = st.dictionaries(
    st.sampled_from(["type", "default", "labels", "definition", "nullable"]),
    hostile | st.integers() | st.booleans() | st.none() | st.lists(hostile, max_size=3).map(tuple),
)
kinds = st.sampled_from(["table", "column", "comment", "grant", "function", "event-trigger", "index"])
snapshots = st.builds(
    Snapshot,
    dialect=st.sampled_from(["postgresql", "sqlite"]),
    server_version=st.just("18"),
    objects=st.dictionaries(st.builds(ObjectKey, kinds, hostile, hostile), facts, max_size=6),
    unmodelled=st.lists(hostile, max_size=2).map(tuple),
)


@given(snapshots, st.lists(hostile, max_size=2))
def test_any_snapshot_comes_back_exactly(snapshot: Snapshot, heads: list[str]) -> None:
    text = render_lock(snapshot, tuple(heads))
    lock = parse_lock(text, PATH)
    assert lock.snapshot == snapshot
    assert lock.heads == tuple(sorted(heads))
    assert render_lock(lock.snapshot, lock.heads) == text


@given(snapshots)
def test_no_line_has_anything_that_an_editor_would_spoil(snapshot: Snapshot) -> None:
    for line in render_lock(snapshot, ()).split("\n"):
        assert line == line.rstrip()
        assert line.isprintable()


@given(snapshots)
def test_the_order_of_reading_does_not_matter(snapshot: Snapshot) -> None:
    other = replace(snapshot, objects=dict(reversed(snapshot.objects.items())))
    assert render_lock(other, ()) == render_lock(snapshot, ())


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (("  nullable: false", "<<<<<<< HEAD\n  nullable: false"), 18, "merge conflict"),
        (("  nullable: false", "  nullable: no"), 18, "not a JSON value"),
        (("  nullable: false", "  nullable: 1.5"), 18, "a fact is"),
        (("  nullable: false", "  nullable: {}"), 18, "a fact is"),
        (("  nullable: false", "  nullable false"), 18, "a fact was expected"),
        (("  nullable: false", '  type: "text"'), 19, "there twice"),
        (("  nullable: false", "  nullable:"), 18, "no value"),
        (("column public.users.email", "table public.users"), 17, "there twice"),
        (("column public.users.email", "column"), 17, "an object was expected"),
        (("column public.users.email", "column [1"), 17, "name cannot be read"),
        (("column public.users.email", "column [1, 2, 3]"), 17, "name cannot be read"),
        (('    - "sad"', "    - sad"), 13, "not a JSON value"),
        (('    - "sad"', "    - 5"), 13, "not of the type str"),
        (("format: 1", "format: 2"), 2, "another release"),
        (("format: 1", "form: 1"), 2, "not a line of the header"),
        (("server: 18", 'server: "x"'), 4, "not of the type int"),
        (('unmodelled: ["cast"]', 'unmodelled: []\ncritical_tables: ["users"]'), 8, "not of the type dict"),
        (('unmodelled: ["cast"]', 'unmodelled: []\ncritical_tables: {"users": "1"}'), 8, "number of rows"),
        (("server: 18\n", ""), 6, "the header lacks server"),
        ((TEXT, ""), 1, "the header lacks"),
        ((TEXT, "not a lock at all"), 1, "not a line of the header"),
    ],
)
def test_a_spoilt_lock_names_line_and_cause(change: tuple[str, str], line: int, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_lock(TEXT.replace(*change), PATH)
    assert f"{PATH}:{line}: " in caught.value.what
    assert why in caught.value.why
    assert "govern lock" in caught.value.next


@given(st.text())
def test_no_text_whatever_is_more_than_a_configuration_error(text: str) -> None:
    for spoilt in (text, TEXT + text, TEXT[: len(text) * 7] + text):
        with suppress(ConfigurationError):
            parse_lock(spoilt, PATH)


def test_no_file_is_no_lock(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "schema.lock") is None


def test_a_file_that_is_no_text_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "schema.lock").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError):
        read_lock(tmp_path / "schema.lock")
    with pytest.raises(ConfigurationError):
        read_lock(tmp_path)


def test_a_lock_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "schema.lock").write_text(TEXT, encoding="utf-8")
    assert read_lock(tmp_path / "schema.lock") == parse_lock(TEXT, PATH)


def test_a_lock_that_is_not_read_at_once_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "schema.lock").write_text(TEXT, encoding="utf-8")
    late = read_lock(tmp_path / "schema.lock", at_once=False)
    assert late == parse_lock(TEXT, PATH)
    assert late is not None
    assert late.snapshot == parse_lock(TEXT, PATH).snapshot


def test_a_spoilt_lock_that_is_not_read_at_once_is_refused_whenever_it_is_asked_for() -> None:
    lock = parse_lock(TEXT.replace("  nullable: false", "  nullable: no"), PATH, at_once=False)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=f"{PATH}:18: "):
            _ = lock.snapshot


def test_equal_facts_below_two_objects_are_read_alike() -> None:
    column = 'column public.users.email\n  nullable: false\n  type: "character varying(320)"\n'
    assert column in TEXT
    text = TEXT.replace(
        column, column + column.replace("email", '"e mail"') + column.replace("email", "name")
    )
    objects = parse_lock(text, PATH).snapshot.objects
    facts = objects[ObjectKey("column", "public", "users.email")]
    assert objects[ObjectKey("column", "public", 'users."e mail"')] == facts
    assert objects[ObjectKey("column", "public", "users.name")] == facts
