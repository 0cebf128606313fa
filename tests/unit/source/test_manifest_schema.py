"""The published JSON Schema takes what govern takes, and refuses what an editor can see is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from govern.errors import ConfigurationError
from govern.source.manifest import parse_manifest
from govern.source.manifest.document import parse_document
from govern.source.manifest.json_schema import render_json_schema
from tests.unit.source.test_manifest import DRIFT, GOOD

ROOT = Path(__file__).parents[3]
SAMPLE = (ROOT / "schema/governance.yaml").read_text(encoding="utf-8")
REST = """\
critical_tables:
  - {name: users, unique: [email, [tenant_id, slug]], severity: critical}
relationships:
  - {from: files.owner_id, to: users.id, when: {owner_type: user}}
lint: {small_table_rows: 5, slow_seconds: 0.5}
allow:
  - {hazard: drops-column, subject: users.nick, reason: unused, owner: identity, expires: 2031-12-31}
repairs:
  - {name: old, kind: delete_where, table: notes, where: id < 9, allow: ["fires-trigger:notes.t"], reason: r, owner: o}
backups:
  keep: {newest: 3, daily: 7}
  max_age: 26 h
  schedule: {verify_every: 7 d}
"""
WRONG = {
    "unknown key": "critical_table: []",
    "unknown key of a table": "critical_tables: [{name: users, rows: 3}]",
    "no name": "critical_tables: [{min_rows: 3}]",
    "a text for a number": "critical_tables: [{name: users, min_rows: three}]",
    "a negative number": "critical_tables: [{name: users, min_rows: -1}]",
    "an unknown severity": "critical_tables: [{name: users, severity: bad}]",
    "a list for a value": "invariants: [{name: n, sql: SELECT 1, expect: [1]}]",
    "a reference without a target": "relationships: [{from: a.b}]",
    "a span without a unit": "backups: {max_age: 26}",
    "a repair without a reason": "repairs: [{name: a, kind: delete_where, table: b, where: c, owner: d}]",
    "an unknown kind of repair": "repairs: [{name: a, kind: drop, table: b, reason: c, owner: d}]",
    "a single hazard": "repairs: [{name: a, kind: set_null, of: b, reason: c, owner: d, allow: fires-trigger:e.f}]",
    "ignored for ever": "drift: {ignore: [{name: t, reason: r, owner: o}]}",
}


@pytest.fixture(scope="module")
def editor() -> Validator:
    """What has read the schema once, and holds documents against it; SchemaError if it is none."""
    schema = render_json_schema()
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def as_json(text: str) -> object:
    """What an editor holds against the schema."""
    return json.loads(json.dumps(parse_document(text).values))


@pytest.mark.parametrize("text", [SAMPLE, GOOD, DRIFT, REST], ids=["sample", "good", "drift", "rest"])
def test_it_takes_what_govern_takes(text: str, editor: Validator) -> None:
    parse_manifest(text, Path("governance.yaml"))
    editor.validate(as_json(text))


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_it_refuses_what_govern_refuses(text: str, editor: Validator) -> None:
    with pytest.raises(ConfigurationError):
        parse_manifest(text, Path("governance.yaml"))
    with pytest.raises(jsonschema.ValidationError):
        editor.validate(as_json(text))


def test_the_sample_names_the_published_one_for_editors() -> None:
    line = SAMPLE.splitlines()[0]
    named = ROOT / "schema" / line.removeprefix("# yaml-language-server: $schema=")
    assert json.loads(named.read_text(encoding="utf-8")) == render_json_schema()


def test_defaults_stand_as_a_person_writes_them() -> None:
    tables = render_json_schema()["$defs"]["CriticalTable"]["properties"]
    assert tables["severity"]["default"] == "critical"
    assert tables["min_rows"]["default"] == 0
