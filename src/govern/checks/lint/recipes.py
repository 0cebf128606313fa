"""The same operation written safely, in Alembic's operations, ready to paste: code with the finding's own names."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent

from psycopg import sql

from govern.checks.lint.statements import (
    AddColumn,
    AddConstraint,
    ChangeType,
    CreateIndex,
    SetNotNull,
    Table,
)

_SECOND = "# a second revision, after this one is committed:"
"""Locks end with the transaction: what validates must not run in the one that added."""


def build_concurrently(act: CreateIndex) -> str:
    """The index, built while the table is used."""
    return _paste("build it while the table is used, in a revision of its own", _concurrent_index(act))


def validate_later(act: AddConstraint) -> str:
    """A foreign key or a check, first for new rows alone."""
    name = act.name or "_".join((act.table.name, *act.columns, "fk" if act.target else "check"))
    added = _foreign_key(act, name) if act.target else _check(act.table, name, act.expression)
    return _paste(
        "add it for new rows, and prove the old ones when no lock is held",
        f"{added}\n\n{_SECOND}\n{_validate(act.table, name)}",
    )


def prove_not_null(act: SetNotNull) -> str:
    """NOT NULL by a check constraint that is validated without blocking (PostgreSQL 12 and later)."""
    name = f"{act.table.name}_{act.column}_not_null"
    return _paste(
        "let a check constraint prove it: SET NOT NULL then reads nothing (PostgreSQL 12 and later)",
        "\n".join(
            (
                _check(act.table, name, f"{_identifier(act.column)} IS NOT NULL"),
                "",
                _SECOND,
                _validate(act.table, name),
                _call(
                    "alter_column",
                    _text(act.table.name),
                    _text(act.column),
                    "nullable=False",
                    *_in(act.table),
                ),
                _call(
                    "drop_constraint", _text(name), _text(act.table.name), 'type_="check"', *_in(act.table)
                ),
            )
        ),
    )


def constrain_by_index(act: AddConstraint) -> str:
    """A unique constraint or primary key over an index that exists already."""
    kind = "PRIMARY KEY" if act.kind == "primary key" else "UNIQUE"
    name = act.name or "_".join((act.table.name, *act.columns, "key" if kind == "UNIQUE" else "pkey"))
    index = CreateIndex(
        table=act.table,
        name=name,
        columns=act.columns,
        has_expressions=False,
        is_unique=True,
        method="btree",
        where=None,
        is_concurrent=True,
    )
    quoted = _identifier(name)
    statement = f"ALTER TABLE {_quoted(act.table)} ADD CONSTRAINT {quoted} {kind} USING INDEX {quoted}"
    return _paste(
        "build the index first, while the table is used; the constraint then takes it over",
        f"{_concurrent_index(index)}\n\n{_SECOND}\n{_call('execute', _text(statement))}",
    )


def fill_in_batches(act: AddColumn) -> str:
    """The column without a value for old rows, its default for new ones, then the old ones batch by batch."""
    sequence = f"{act.table.name}_{act.column}_seq"
    default = f"nextval('{sequence}')" if act.is_numbered else act.default or "…"
    made = [_call("execute", _text(f"CREATE SEQUENCE {_identifier(sequence)}"))] if act.is_numbered else []
    set_default = _call(
        "alter_column",
        _text(act.table.name),
        _text(act.column),
        f"server_default=sa.text({_text(default)})",
        *_in(act.table),
    )
    column = _identifier(act.column)
    filled = _batches(act.table, f"{column} = {default}", f"{column} IS NULL")
    return _paste(
        "add it empty, set the default for new rows, fill the old ones in batches",
        "\n".join((*made, _add_column(act.table, act.column, act.type), set_default, "", _SECOND, filled)),
    )


def change_over(act: ChangeType) -> str:
    """A new column beside the old one."""
    new = f"{act.column}_new"
    filled = f"{_identifier(new)} = {_identifier(act.column)}::{act.type}"
    where = f"{_identifier(new)} IS NULL AND {_identifier(act.column)} IS NOT NULL"
    return _paste(
        f"add {new}, let the application write both, fill the old rows, read {new}, then drop {act.column}",
        "\n".join(
            (
                _add_column(act.table, new, act.type),
                "",
                "# a second revision, once the application writes both columns:",
                _batches(act.table, filled, where),
                "",
                f"# a third one, once the application reads {new} alone:",
                _call("drop_column", _text(act.table.name), _text(act.column), *_in(act.table)),
            )
        ),
    )


def change_in_batches(verb: str, table: str, change: tuple[str, str | None] | None) -> str:
    """An UPDATE or DELETE ten thousand keys at a time. ``change`` is the statement up to its condition, and that."""
    head, where = change or (f"DELETE FROM {table}" if verb == "DELETE" else f"UPDATE {table} SET …", "…")
    condition = f"({where}) AND id >= :first AND id < :next" if where else "id >= :first AND id < :next"
    code = "\n".join(
        (
            "connection = op.get_bind()",
            f"last = connection.execute(sa.text({_text(f'SELECT max(id) FROM {table}')})).scalar() or 0",
            f"change = sa.text({_text(f'{head} WHERE {condition}')})",
            "for first in range(0, last + 1, 10_000):",
            '    connection.execute(change, {"first": first, "next": first + 10_000})',
        )
    )
    return _paste(
        "change ten thousand keys at a time (here an integer id), each batch committed, in a revision of its own",
        _autocommit(code),
    )


def allow(hazard: str, subject: str) -> str:
    """The manifest's entry for a harm that is meant."""
    entry = f"{{hazard: {hazard}, subject: {subject}, reason: …, owner: …, expires: …}}"
    return f"if it is meant, allow it by name in the manifest:\n\n    allow:\n      - {entry}"


def rebuild_index(name: str) -> str:
    """An index that is invalid, dropped; building it again is for a revision of its own."""
    statement = f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
    return _paste("drop it, then build it again", _autocommit(_call("execute", _text(statement))))


def drop_leftover_first(name: str, table: str | None, creation: str) -> str:
    """An index created CONCURRENTLY (by ``creation``) whose leftover of an earlier try is removed before."""
    dropped = _call(
        "drop_index",
        _text(name),
        *([f"table_name={_text(table)}"] if table else []),
        "postgresql_concurrently=True",
        "if_exists=True",
    )
    return _paste("drop what an earlier try left, then build it", _autocommit(f"{dropped}\n{creation}"))


def commit_before(code: str) -> str:
    """An operation that must not run inside a transaction."""
    return _paste("put it into an autocommit_block, in a revision of its own", _autocommit(code))


def _paste(sentence: str, code: str) -> str:
    return f"{sentence}:\n\n{indent(code, '    ')}"


def _autocommit(code: str) -> str:
    return f"with op.get_context().autocommit_block():\n{indent(code, '    ')}"


def _concurrent_index(act: CreateIndex) -> str:
    columns = [
        f"sa.text({_text(column)})" if _needs_text(column) else _text(column) for column in act.columns
    ]
    options = [
        *_in(act.table),
        *(["unique=True"] if act.is_unique else []),
        *([f"postgresql_using={_text(act.method)}"] if act.method != "btree" else []),
        *([f"postgresql_where=sa.text({_text(act.where)})"] if act.where else []),
        "postgresql_concurrently=True",
    ]
    name = act.name or "_".join((act.table.name, *act.columns, "idx"))
    return _autocommit(
        _call("create_index", _text(name), _text(act.table.name), f"[{', '.join(columns)}]", *options)
    )


def _foreign_key(act: AddConstraint, name: str) -> str:
    assert act.target is not None  # noqa: S101  # a foreign key has one
    schemas = [
        *([f"source_schema={_text(act.table.namespace)}"] if act.table.namespace else []),
        *([f"referent_schema={_text(act.target.namespace)}"] if act.target.namespace else []),
    ]
    actions = [
        f"{word}={_text(action)}"
        for word, action in (("ondelete", act.on_delete), ("onupdate", act.on_update))
        if action
    ]
    return _call(
        "create_foreign_key",
        _text(name),
        _text(act.table.name),
        _text(act.target.name),
        _list(act.columns),
        _list(act.target_columns or ("id",)),
        *schemas,
        *actions,
        "postgresql_not_valid=True",
    )


def _check(table: Table, name: str, expression: str) -> str:
    return _call(
        "create_check_constraint",
        _text(name),
        _text(table.name),
        _text(expression),
        *_in(table),
        "postgresql_not_valid=True",
    )


def _validate(table: Table, name: str) -> str:
    return _call("execute", _text(f"ALTER TABLE {_quoted(table)} VALIDATE CONSTRAINT {_identifier(name)}"))


def _batches(table: Table, assignment: str, where: str) -> str:
    name = _quoted(table)
    lines = (
        "batch = sa.text(",
        f"    {_text(f'UPDATE {name} SET {assignment} ')}",
        f"    {_text(f'WHERE ctid = ANY (ARRAY(SELECT ctid FROM {name} ')}",
        f"    {_text(f'WHERE {where} LIMIT 1000))')}",
        ")",
        "while op.get_bind().execute(batch).rowcount:",
        "    pass",
    )
    return _autocommit("\n".join(lines))


def _in(table: Table) -> list[str]:
    return [f"schema={_text(table.namespace)}"] if table.namespace else []


def _call(operation: str, *arguments: str) -> str:
    return f"op.{operation}({', '.join(arguments)})"


def _text(value: str) -> str:
    """As Python code, in double quotes where that needs no escape."""
    return f'"{value}"' if value.isprintable() and not set('"\\') & set(value) else repr(value)


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, names))}]"


def _needs_text(column: str) -> bool:
    return not column.replace("_", "a").isalnum()


def _identifier(*parts: str) -> str:
    return sql.Identifier(*parts).as_string(None)


def _quoted(table: Table) -> str:
    return _identifier(*(part for part in (table.namespace, table.name) if part))


_TYPES = {
    "bigint": "sa.BigInteger()",
    "boolean": "sa.Boolean()",
    "date": "sa.Date()",
    "double precision": "sa.Double()",
    "integer": "sa.Integer()",
    "smallint": "sa.SmallInteger()",
    "text": "sa.Text()",
    "timestamp": "sa.DateTime()",
    "timestamp with time zone": "sa.DateTime(timezone=True)",
    "uuid": "sa.Uuid()",
}
_SERIAL = {"bigserial": "bigint", "serial": "integer", "smallserial": "smallint"}


def _add_column(table: Table, column: str, written: str) -> str:
    """By Alembic's operation where SQLAlchemy has a name for the type, else in SQL."""
    type_ = _SERIAL.get(written, written)
    if type_ not in _TYPES:
        return _call(
            "execute", _text(f"ALTER TABLE {_quoted(table)} ADD COLUMN {_identifier(column)} {type_}")
        )
    return _call("add_column", _text(table.name), f"sa.Column({_text(column)}, {_TYPES[type_]})", *_in(table))
