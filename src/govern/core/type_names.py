"""The names of types: what people write, and what the catalog calls the same."""

from __future__ import annotations

from collections.abc import Mapping

_SPELLINGS: Mapping[str, str] = {
    "bigserial": "bigint",
    "bool": "boolean",
    "char": "character",
    "decimal": "numeric",
    "float4": "real",
    "float": "double precision",
    "float8": "double precision",
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "serial": "integer",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "varbit": "bit varying",
    "varchar": "character varying",
}
"""Other names of PostgreSQL's types (manual, chapter 8, table 8.1), and what the catalog calls them."""


def spell_type(type_: str) -> str:
    """A type as the catalog writes it: ``varchar(20)[]`` is ``character varying(20)[]``."""
    text = " ".join(type_.lower().replace(" (", "(").replace(", ", ",").split())
    name = text.partition("(")[0].partition("[")[0].strip()
    rest = text[len(name) :]
    if name not in _SPELLINGS or "zone" in rest:
        return text
    if "zone" not in _SPELLINGS[name]:
        return _SPELLINGS[name] + rest
    first, _, zone = _SPELLINGS[name].partition(" ")
    precision, parenthesis, array = rest.rpartition(")")
    return f"{first}{precision}{parenthesis} {zone}{array}"
