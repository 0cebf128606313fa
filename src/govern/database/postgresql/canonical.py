"""Do two texts of one definition mean the same? Decided by the server, which is asked to read both.

PostgreSQL writes an expression back as it was understood, and after a dump and a restore it understands it a
little otherwise: ``(a AND b) AND c`` becomes ``a AND b AND c``, a cast of a list a list of casts. What it
writes of a text that it wrote itself stays. So both texts are defined once more, each in a transaction of a
scratch database that is rolled back, and what the server then says of them is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from govern.core.changes import Change
from govern.core.snapshot import Fact, split_name
from govern.database.connection import Connection
from govern.database.postgresql.catalog.queries import settings_calls

_PROBE = sql.Identifier("govern_probe")
_NAME = r'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_TABLE = rf"(?:{_NAME}\.)?{_NAME}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probe:
    """How one text is defined once more, and read back."""

    define: Callable[[Change, str], Iterable[sql.Composable]]
    """The statements; ``_PROBE`` is a schema of their own."""
    read: str
    """A query of one value: what the server made of it."""


def find_equal_texts(connection: Connection, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Of ``changes``, those whose texts mean the same, each with these of its facts alone.

    ``connection`` is to a scratch database that holds the schema, the declared or the live one; it is left as
    it was. A text that cannot be defined there (an object that it names is missing) means something else.
    """
    found = []
    for change in changes:
        there = _in_schema(change, connection.schema)
        facts = {
            name: (declared, live)
            for name, (declared, live) in change.facts.items()
            if change.action == "changed" and _is_equal(connection, there, name, declared, live)
        }
        if facts:
            found.append(replace(change, facts=facts))
    return tuple(found)


def _in_schema(change: Change, schema: str | None) -> Change:
    """A snapshot of one schema calls it the default one."""
    return change if schema is None else replace(change, key=change.key._replace(namespace=schema))


def has_texts(changes: Iterable[Change]) -> bool:
    """Whether there is something to ask the server about."""
    return any(
        change.action == "changed" and (change.key.kind, fact) in _PROBES
        for change in changes
        for fact in change.facts
    )


_NOW = frozenset(("now()", "CURRENT_TIMESTAMP", "transaction_timestamp()"))
"""Three names of one moment, with its zone (PostgreSQL manual, 9.9.5. Current Date/Time)."""


def _is_equal(connection: Connection, change: Change, fact: str, declared: Fact, live: Fact) -> bool:
    if fact == "default" and {declared, live} <= _NOW:
        return True
    probe = _PROBES.get((change.key.kind, fact))
    if probe is None:
        return False
    if isinstance(declared, tuple) and isinstance(live, tuple):
        return len(declared) == len(live) and all(
            one == other or _is_equal(connection, change, fact, one, other)
            for one, other in zip(declared, live, strict=True)
        )
    if not isinstance(declared, str) or not isinstance(live, str):
        return False
    read = _read_back(connection, probe, change, declared)
    return read is not None and read == _read_back(connection, probe, change, live)


def _read_back(connection: Connection, probe: _Probe, change: Change, text: str) -> Any:
    """What the server says of a text; None if it does not take it. Leaves nothing behind."""
    connection.execute("BEGIN")
    try:
        connection.execute(f"SELECT {settings_calls(connection.schema)}")
        connection.execute("SELECT set_config('check_function_bodies', 'off', true)")
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(_PROBE))
        for statement in probe.define(change, text):
            connection.execute(statement)
        return connection.value(probe.read)
    except psycopg.Error:
        return None
    finally:
        connection.execute("ROLLBACK")


def _names(change: Change) -> tuple[str, str]:
    """The names of the table and of what is inside of it."""
    table, *inside = split_name(change.key.name)
    return table, inside[0] if inside else ""


def _copy_table(change: Change) -> sql.Composed:
    """An empty table of the same columns and name, so that whatever names it finds it."""
    table = _names(change)[0]
    return sql.SQL("CREATE TABLE {} (LIKE {})").format(
        _copy_name(change), sql.Identifier(change.key.namespace, table)
    )


def _copy_name(change: Change) -> sql.Identifier:
    return sql.Identifier("govern_probe", _names(change)[0])


def _raw(text: str) -> sql.SQL:
    """A definition as the server wrote it."""
    return sql.SQL(text)


def _define_constraint(change: Change, text: str) -> Iterable[sql.Composable]:
    yield _copy_table(change)
    yield sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} ").format(_copy_name(change), _PROBE) + _raw(text)


def _define_default(change: Change, text: str) -> Iterable[sql.Composable]:
    column = sql.Identifier(_names(change)[1])
    yield _copy_table(change)
    yield sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT ").format(_copy_name(change), column) + _raw(
        text
    )


def _define_generated(change: Change, text: str) -> Iterable[sql.Composable]:
    facts = change.declared or {}
    kind = "VIRTUAL" if facts.get("generated_kind") == "virtual" else "STORED"
    yield _copy_table(change)
    yield (
        sql.SQL("ALTER TABLE {} ADD COLUMN {} ").format(_copy_name(change), _PROBE)
        + _raw(f"{facts['type']} GENERATED ALWAYS AS ({text}) {kind}")
    )


def _define_index(change: Change, text: str) -> Iterable[sql.Composable]:
    yield _copy_table(change)
    yield _on_copy(change, text, rf"^(CREATE (?:UNIQUE )?INDEX {_NAME} ON )(?:ONLY )?{_TABLE}(?= USING )")


def _define_trigger(change: Change, text: str) -> Iterable[sql.Composable]:
    yield _copy_table(change)
    yield _on_copy(change, text, rf"^(CREATE .*? ON ){_TABLE}(?= )")


def _define_rule(change: Change, text: str) -> Iterable[sql.Composable]:
    yield _copy_table(change)
    yield _on_copy(change, text, rf"^(CREATE RULE .*? TO ){_TABLE}(?=\s)")


def _define_statistics(change: Change, text: str) -> Iterable[sql.Composable]:
    yield _copy_table(change)
    name = r"\g<1>govern_probe.govern_probe"
    yield _on_copy(change, re.sub(rf"^(CREATE STATISTICS ){_TABLE}", name, text), rf"( FROM ){_TABLE}$")


def _on_copy(change: Change, text: str, before_table: str) -> sql.Composed:
    """The statement, on the copy of its table."""
    found = re.search(before_table, text, re.DOTALL)
    if found is None:
        raise psycopg.DataError  # it is not written as expected, so it cannot be asked about
    return _raw(text[: found.end(1)]) + _copy_name(change) + _raw(text[found.end() :])


def _define_policy(clause: str) -> Callable[[Change, str], Iterable[sql.Composable]]:
    def define(change: Change, text: str) -> Iterable[sql.Composable]:
        yield _copy_table(change)
        yield sql.SQL("CREATE POLICY {} ON {} ").format(_PROBE, _copy_name(change)) + _raw(
            f"{clause} ({text})"
        )

    return define


def _define_view(change: Change, text: str) -> Iterable[sql.Composable]:
    del change
    yield sql.SQL("CREATE VIEW {}.{} AS ").format(_PROBE, _PROBE) + _raw(text)


def _define_function(change: Change, text: str) -> Iterable[sql.Composable]:
    del change
    yield _raw(
        re.sub(rf"^(CREATE OR REPLACE (?:FUNCTION|PROCEDURE) ){_TABLE}", r"\g<1>govern_probe.probe", text)
    )


def _define_domain_constraint(change: Change, text: str) -> Iterable[sql.Composable]:
    facts = change.declared or {}
    yield sql.SQL("CREATE DOMAIN {}.{} AS ").format(_PROBE, _PROBE) + _raw(str(facts["type"]))
    yield sql.SQL("ALTER DOMAIN {}.{} ADD CONSTRAINT ").format(_PROBE, _PROBE) + _raw(text)


def _define_domain_default(change: Change, text: str) -> Iterable[sql.Composable]:
    facts = change.declared or {}
    yield sql.SQL("CREATE DOMAIN {}.{} AS ").format(_PROBE, _PROBE) + _raw(f"{facts['type']} DEFAULT {text}")


def _define_partition_key(change: Change, text: str) -> Iterable[sql.Composable]:
    yield _copy_table(change) + _raw(f" PARTITION BY {text}")


_COPY = "JOIN pg_catalog.pg_namespace n ON n.nspname = 'govern_probe' AND n.oid ="


def _of_table(catalog: str, key: str, value: str) -> str:
    """A query for what belongs to the copied table."""
    return (
        " ".join(
            (
                "SELECT",
                value,
                "FROM pg_catalog." + catalog,
                f"x JOIN pg_catalog.pg_class c ON c.oid = x.{key}",
                _COPY,
            )
        )
        + " c.relnamespace"
    )


_FUNCTION = " ".join(("SELECT pg_get_functiondef(p.oid) FROM pg_catalog.pg_proc p", _COPY, "p.pronamespace"))
_DOMAIN_CONSTRAINT = " ".join(
    (
        "SELECT quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k",
        _COPY,
        "k.connamespace",
    )
)
_DOMAIN_DEFAULT = " ".join(
    (
        "SELECT pg_get_expr(t.typdefaultbin, 0) FROM pg_catalog.pg_type t",
        _COPY,
        "t.typnamespace WHERE t.typtype = 'd'",
    )
)
_PROBES: Mapping[tuple[str, str], _Probe] = {
    ("constraint", "definition"): _Probe(
        define=_define_constraint,
        read=_of_table("pg_constraint", "conrelid", "pg_get_constraintdef(x.oid)")
        + " WHERE x.conname = 'govern_probe'",
    ),
    ("column", "default"): _Probe(
        define=_define_default, read=_of_table("pg_attrdef", "adrelid", "pg_get_expr(x.adbin, x.adrelid)")
    ),
    ("column", "generated"): _Probe(
        define=_define_generated, read=_of_table("pg_attrdef", "adrelid", "pg_get_expr(x.adbin, x.adrelid)")
    ),
    ("index", "definition"): _Probe(
        define=_define_index, read=_of_table("pg_index", "indrelid", "pg_get_indexdef(x.indexrelid)")
    ),
    ("trigger", "definition"): _Probe(
        define=_define_trigger, read=_of_table("pg_trigger", "tgrelid", "pg_get_triggerdef(x.oid)")
    ),
    ("rule", "definition"): _Probe(
        define=_define_rule, read=_of_table("pg_rewrite", "ev_class", "pg_get_ruledef(x.oid)")
    ),
    ("statistics", "definition"): _Probe(
        define=_define_statistics,
        read=_of_table("pg_statistic_ext", "stxrelid", "pg_get_statisticsobjdef(x.oid)"),
    ),
    ("policy", "using"): _Probe(
        define=_define_policy("USING"),
        read=_of_table("pg_policy", "polrelid", "pg_get_expr(x.polqual, x.polrelid)"),
    ),
    ("policy", "with_check"): _Probe(
        define=_define_policy("WITH CHECK"),
        read=_of_table("pg_policy", "polrelid", "pg_get_expr(x.polwithcheck, x.polrelid)"),
    ),
    ("view", "definition"): _Probe(
        define=_define_view, read=_of_table("pg_rewrite", "ev_class", "pg_get_viewdef(x.ev_class)")
    ),
    ("materialized-view", "definition"): _Probe(
        define=_define_view, read=_of_table("pg_rewrite", "ev_class", "pg_get_viewdef(x.ev_class)")
    ),
    ("table", "partition_key"): _Probe(
        define=_define_partition_key,
        read=_of_table("pg_partitioned_table", "partrelid", "pg_get_partkeydef(x.partrelid)"),
    ),
    ("function", "definition"): _Probe(
        define=_define_function,
        read=_FUNCTION,
    ),
    ("domain", "constraints"): _Probe(
        define=_define_domain_constraint,
        read=_DOMAIN_CONSTRAINT,
    ),
    ("domain", "default"): _Probe(
        define=_define_domain_default,
        read=_DOMAIN_DEFAULT,
    ),
}
