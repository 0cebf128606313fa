"""The manifest's names against a declared schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.checks.manifest import check_manifest
from govern.core.finding import Finding
from govern.core.snapshot import Facts, ObjectKey, Snapshot
from govern.source.manifest import parse_manifest


def schema(dialect: str = "postgresql", type_: str = "text") -> Snapshot:
    """users(id, email), audit.log(id), and a view of users."""
    home = "public" if dialect == "postgresql" else ""
    objects: dict[ObjectKey, Facts] = {
        ObjectKey("table", home, "users"): {},
        ObjectKey("column", home, "users.id"): {"type": "bigint"},
        ObjectKey("column", home, "users.email"): {"type": type_},
        ObjectKey("view", home, "members"): {},
        ObjectKey("column", home, "members.id"): {"type": "bigint"},
        ObjectKey("table", "audit", "log"): {},
        ObjectKey("column", "audit", "log.id"): {"type": "bigint"},
        ObjectKey("table", home, "odd.name"): {},
        ObjectKey("column", home, "odd.name.id"): {"type": "bigint"},
        ObjectKey("constraint", home, "users.users_log_fkey"): {"type": "foreign key"},
        ObjectKey("constraint", home, "users.users_pkey"): {"type": "primary key"},
    }
    return Snapshot(dialect=dialect, server_version="18.4", objects=objects)


def check(text: str, declared: Snapshot | None = None) -> tuple[Finding, ...]:
    manifest = parse_manifest(text, Path("governance.yaml"))
    return check_manifest(manifest, declared or schema(), path="schema/governance.yaml")


GOOD = """\
critical_tables:
- {name: users, required_columns: [id, email], never_empty: [email]}
- {name: audit.log, required_columns: {id: bigint}}
relationships:
- {from: audit.log.id, to: members.id}
- {from: users.id, to: public.users.id}
repairs:
- {name: a, kind: delete_orphans, of: users.users_log_fkey, reason: x, owner: y}
- {name: b, kind: set_null, of: users.id -> audit.log.id, reason: x, owner: y}
- {name: c, kind: set_null, column: users.email, where: email = '', reason: x, owner: y}
- {name: d, kind: delete_where, table: audit.log, where: id < 5, reason: x, owner: y}
"""


def test_a_manifest_that_speaks_of_what_there_is_has_no_finding() -> None:
    assert check(GOOD) == ()


def test_on_sqlite_tables_have_no_namespace() -> None:
    assert check("critical_tables: [{name: users, required_columns: [email]}]", schema("sqlite")) == ()


def test_an_unknown_table_is_found_once_with_what_was_meant() -> None:
    (found,) = check("critical_tables:\n- min_rows: 1\n  name: user\n  required_columns: [id]\n")
    assert (found.rule.id, found.subject.location) == ("integrity.unknown-table", "schema/governance.yaml:3")
    assert found.remedy == "did you mean users?"


def test_a_table_of_another_namespace_is_unknown_without_it() -> None:
    (found,) = check("critical_tables: [{name: log}]")
    assert found.rule.id == "integrity.unknown-table"


def test_unknown_columns_are_found_at_their_lines() -> None:
    found = check(
        "critical_tables:\n- name: users\n  required_columns:\n    - id\n    - mail\n  never_empty:\n    - emial\n"
    )
    assert [(each.rule.id, each.subject.name, each.subject.line, each.remedy) for each in found] == [
        ("integrity.unknown-column", "users.mail", 5, "did you mean email?"),
        ("integrity.unknown-column", "users.emial", 7, "did you mean email?"),
    ]


def test_names_in_repairs_are_looked_at() -> None:
    repairs = """\
repairs:
- {name: a, kind: delete_orphans, of: users_pkey, reason: x, owner: y}
- {name: b, kind: set_null, of: user.id -> audit.log.idd, reason: x, owner: y}
- {name: c, kind: set_null, column: users.mail, where: "true", reason: x, owner: y}
- {name: d, kind: delete_where, table: log, where: id < 5, reason: x, owner: y}
"""
    found = [(one.rule.id.removeprefix("integrity.unknown-"), one.subject.location) for one in check(repairs)]
    path = "schema/governance.yaml"
    assert found == [
        ("reference", f"{path}:2"),
        ("table", f"{path}:3"),
        ("column", f"{path}:3"),
        ("column", f"{path}:4"),
        ("table", f"{path}:5"),
    ]


MENDED: dict[ObjectKey, Facts] = {
    ObjectKey("constraint", "public", "members.members_user_fkey"): {
        "type": "foreign key",
        "definition": "FOREIGN KEY (id) REFERENCES users(id) ON DELETE CASCADE",
    },
    ObjectKey("index", "public", "users.users_email_idx"): {
        "definition": "CREATE INDEX users_email_idx ON public.users USING btree (email)"
    },
    ObjectKey("trigger", "public", "users.users_audit"): {},
}
GOOD_MENDS = """\
repairs:
- {name: a, kind: convert_type, column: users.id, to: int8, reason: x, owner: y}
- {name: b, kind: add_foreign_key, of: members.id -> users.id, on_delete: cascade, reason: x, owner: y}
- {name: c, kind: create_index_concurrently, table: users, columns: [email], reason: x, owner: y}
- {name: d, kind: rebuild_invalid_index, index: users_email_idx, reason: x, owner: y}
- {name: e, kind: rebuild_invalid_index, reason: x, owner: y}
- {name: f, kind: recreate_missing, object: trigger users_audit, reason: x, owner: y}
- {name: g, kind: recreate_missing, table: users, reason: x, owner: y}
"""


def test_repairs_of_the_schema_bring_back_what_is_declared() -> None:
    known = schema()
    declared = Snapshot(dialect="postgresql", server_version="18.4", objects={**known.objects, **MENDED})
    assert check(GOOD_MENDS, declared) == ()
    bad = (
        GOOD_MENDS.replace("int8", "integer")
        .replace("cascade", "restrict")
        .replace("[email]", "[email, id]")
        .replace("index: users_email_idx", "index: users_mail_idx")
        .replace("users_audit", "users_audits")
    )
    found = [(one.rule.id.removeprefix("integrity."), one.subject.line) for one in check(bad, declared)]
    assert found == [
        ("required-type", 2),
        ("unknown-reference", 3),
        ("unknown-object", 4),
        ("unknown-object", 5),
        ("unknown-object", 7),
    ]
    (close,) = [one for one in check(bad, declared) if one.subject.line == 5]
    assert close.remedy == "did you mean users_email_idx?"


def test_both_ends_of_a_relationship_are_looked_at() -> None:
    found = check("relationships:\n- from: userz.id\n  to: users.idd\n")
    assert [(each.rule.id, each.subject.line) for each in found] == [
        ("integrity.unknown-table", 2),
        ("integrity.unknown-column", 3),
    ]


@pytest.mark.parametrize(
    ("required", "declared", "is_same"),
    [
        ("text", "text", True),
        ("TEXT", "text", True),
        ("varchar(320)", "character varying(320)", True),
        ("varchar(320)", "character varying(300)", False),
        ("varchar[]", "character varying[]", True),
        ("int", "integer", True),
        ("int", "bigint", False),
        ("decimal(12, 2)", "numeric(12,2)", True),
        ("timestamptz", "timestamp with time zone", True),
        ("timestamptz(3)", "timestamp(3) with time zone", True),
        ("timestamptz(3)[]", "timestamp(3) with time zone[]", True),
        ("timestamp", "timestamp without time zone", True),
        ("timestamp", "timestamp with time zone", False),
        ("timestamp(3) with time zone", "timestamp(3) with time zone", True),
        ("user_status", "public.user_status", True),
        ("public.user_status", "public.user_status", True),
        ("audit.user_status", "public.user_status", False),
        ("double precision", "double precision", True),
    ],
)
def test_a_required_type_is_compared_by_its_meaning(required: str, declared: str, is_same: bool) -> None:
    text = f"critical_tables: [{{name: users, required_columns: {{email: '{required}'}}}}]"
    found = check(text, schema(type_=declared))
    assert [each.rule.id for each in found] == ([] if is_same else ["integrity.required-type"])
