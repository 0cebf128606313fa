"""The manifest's JSON Schema, for editors: made from the model, so that it says what ``load_manifest`` takes.

It says less: that an invariant's SQL is one SELECT, or a repair's table is declared, no JSON Schema can tell.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from govern.core.finding import Severity
from govern.source.manifest.model import Manifest

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


FILE_NAME = "governance.schema.json"
"""Of the copy beside a project's manifest, which the manifest's first line names: no network is needed to read it."""


def render_file() -> str:
    """The text of that copy."""
    return json.dumps(render_json_schema(), indent=2) + "\n"


def render_json_schema() -> dict[str, Any]:
    """As a JSON value (draft 2020-12)."""
    return {"$schema": _DIALECT, **Manifest.model_json_schema(schema_generator=_ForEditors)}


class _ForEditors(GenerateJsonSchema):
    """Without titles, which repeat the keys; with defaults as a person writes them, and fields' docstrings."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        fields = schema["cls"].model_fields
        for name, text in _docstrings(schema["cls"]):
            key = fields[name].alias or name
            made["properties"][key] = {"description": text} | made["properties"][key]
        return made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        if isinstance(default, Severity):
            return {**inner, "default": default.label}
        if isinstance(default, timedelta):
            return {**inner, "default": _write_span(default)}
        is_plain = type(default) in (bool, int, float, str)
        return {**inner, "default": default} if is_plain else inner

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def _write_span(span: timedelta) -> str:
    """In the largest unit, up to days, that makes a whole number of it."""
    minutes = int(span.total_seconds()) // 60
    size, unit = next(
        (size, unit) for size, unit in ((1440, "d"), (60, "h"), (1, "min")) if minutes % size == 0
    )
    return f"{minutes // size} {unit}"


def _docstrings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Those of fields. Read here, and not by pydantic whenever a command is started that reads a manifest."""
    for base in reversed(model.__mro__):
        if not issubclass(base, BaseModel) or base is BaseModel:
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)  # noqa: S101 - the source of a class
        for field, text in itertools.pairwise(definition.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                    value=ast.Constant(value=str() as said)
                ):
                    if name in model.model_fields:
                        yield name, inspect.cleandoc(said)
