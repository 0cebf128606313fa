"""The models' metadata: loaded from the module that the settings name, or taken from env.py."""

from __future__ import annotations

import importlib
from typing import Any

from .parent import Stop


def load_models(models: str) -> list[Any]:
    """The metadata at ``package.module:attribute[.attribute]``, a list of them, or a declarative base."""
    module, _, path = models.partition(":")
    value: Any = importlib.import_module(module)
    for name in (path or "metadata").split("."):
        if not hasattr(value, name):
            raise Stop("models", models=models, why=f"there is no attribute {name!r}")
        value = getattr(value, name)
    metadatas, odd = check_metadata(value)
    if odd is not None:
        raise Stop("models", models=models, why=f"it is a {odd}, no MetaData")
    return metadatas


def check_metadata(value: Any) -> tuple[list[Any], str | None]:
    """One metadata, several, declarative bases or None, as a list; and the type of the first that is none of them."""
    from sqlalchemy import MetaData

    metadatas = [] if value is None else [getattr(one, "metadata", one) for one in _as_list(value)]
    odd = (type(metadata).__name__ for metadata in metadatas if not isinstance(metadata, MetaData))
    return metadatas, next(odd, None)


def metadata_given(options: dict[str, Any]) -> list[Any]:
    """``target_metadata`` of ``context.configure``, which may be one, several or None."""
    given = options.get("target_metadata")
    return [] if given is None else _as_list(given)


def create_tables(metadatas: list[Any], connection: Any) -> list[dict[str, str]]:
    """``create_all``, after the PostgreSQL schemas that it needs and does not make.

    Returns the indexes that the database refuses (``table``, ``index``, ``why``); all the rest is created.
    """
    from sqlalchemy.exc import DBAPIError

    if connection.dialect.name == "postgresql":
        from sqlalchemy import inspect
        from sqlalchemy.schema import CreateSchema

        wanted = {table.schema for table in _tables(metadatas) if table.schema}
        for name in sorted(wanted.difference(inspect(connection).get_schema_names())):
            connection.execute(CreateSchema(name))
    try:
        with connection.begin_nested():
            for metadata in metadatas:
                metadata.create_all(connection)
    except DBAPIError:
        return _create_indexes_apart(metadatas, connection)
    return []


def _create_indexes_apart(metadatas: list[Any], connection: Any) -> list[dict[str, str]]:
    from sqlalchemy.exc import DBAPIError

    indexes = [(table, index) for table in _tables(metadatas) for index in table.indexes]
    for table in _tables(metadatas):
        table.indexes.clear()
    for metadata in metadatas:
        metadata.create_all(connection)
    refused = []
    for table, index in indexes:
        try:
            with connection.begin_nested():
                index.create(connection)
        except DBAPIError as error:
            why = str(error.orig).strip().partition("\n")[0]
            refused.append({"table": str(table.name), "index": str(index.name), "why": why})
    return refused


def table_names(metadatas: list[Any]) -> list[str]:
    """``table`` or ``schema.table``, sorted."""
    return sorted({str(table.fullname) for table in _tables(metadatas)})


def describe_tables(metadatas: list[Any]) -> dict[str, dict[str, Any]]:
    """By full name: columns, the primary key's, and foreign keys as (columns, table, its columns)."""
    return {
        str(table.fullname): {
            "columns": [str(column.name) for column in table.columns],
            "key": [str(column.name) for column in table.primary_key.columns],
            "references": [_describe_reference(key) for key in table.foreign_key_constraints],
        }
        for table in _tables(metadatas)
    }


def _describe_reference(key: Any) -> list[Any]:
    """Told from the texts: the other table need not be loaded."""
    targets = [str(element.target_fullname).rpartition(".") for element in key.elements]
    own = [str(getattr(element.parent, "name", "")) for element in key.elements]
    return [own, targets[0][0] if targets else "", [column for _, _, column in targets]]


def _tables(metadatas: list[Any]) -> list[Any]:
    return [table for metadata in metadatas for table in metadata.tables.values()]


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
