"""json.md: the JSON form of a report, from its schema, which a test holds against real reports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rule_pages import NOTICE

_SCHEMA = Path(__file__).resolve().parent / "report.schema.json"


def render_json_report(_current: str) -> str:
    """The whole page."""
    return "\n".join(_lines(json.loads(_SCHEMA.read_text(encoding="utf-8")))) + "\n"


def _lines(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from ("# JSON report", "", NOTICE, "")
    yield "`--format json` prints exactly one document of this form, in ASCII, also when the command fails. [Its JSON"
    yield "Schema](report.schema.json) says the same to a program. Keys are added, never renamed or removed, as long as"
    yield "`schema_version` is the same."
    yield ""
    yield "What a command was asked to list stands beside these keys: `backups` of `govern backup list`, `runs` of"
    yield "`govern history`. Decide by the [exit code](cli.md#exit-codes) or `status`, and by `rule` and `severity`;"
    yield "texts are for people and change."
    yield from ("", "## The document", "", *_table(schema))
    for name, model in schema["$defs"].items():
        yield from ("", f"## {name}", "", model["description"], "", *_table(model))


def _table(model: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | value | |"
    yield "|---|---|---|"
    for name, value in model["properties"].items():
        always = "" if name in model["required"] else "not always there; "
        said = value.get("description", "")
        yield f"| `{name}` | {_name_value(value)} | {always}{said} |"


def _name_value(value: Mapping[str, Any]) -> str:
    if reference := value.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_name_value(one) for one in value["anyOf"])
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    kinds = [value["type"]] if isinstance(value["type"], str) else value["type"]
    return " or ".join(_name_kind(kind, value) for kind in kinds)


def _name_kind(kind: str, value: Mapping[str, Any]) -> str:
    match kind:
        case "array":
            return f"list of {_name_value(value['items'])}"
        case "string" if value.get("format") == "date-time":
            return "moment, as `2026-01-31T12:00:00.000Z`"
        case "null":
            return "`null`"
    return kind
