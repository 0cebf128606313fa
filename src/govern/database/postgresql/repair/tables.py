"""Statements for tables and their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey, join_name, split_name
from govern.database.postgresql.repair.names import (
    address,
    bare_name,
    described,
    literal,
    own_name,
    quote,
    relation,
    relation_key,
)
from govern.database.postgresql.repair.sequences import altered_options, continue_after
from govern.database.postgresql.repair.wanted import Side

_MADE_WITH_THE_COLUMN = frozenset(
    {
        "type",
        "collation",
        "nullable",
        "default",
        "generated",
        "generated_kind",
        "identity",
        "identity_options",
    }
)

_PARTITIONING = ("partition_of", "partition_bound", "detach_pending")


def create_table(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    """The table with its columns and their defaults; constraints, indexes and all else come by themselves."""
    name = relation(key)
    columns = declared.columns(key)
    own = [(column, of) for column, of in columns if "type" in of]
    kind = "UNLOGGED TABLE" if facts.get("persistence") == "unlogged" else "TABLE"
    if "partition_of" in facts:
        body = f"PARTITION OF {facts['partition_of']} {facts['partition_bound']}"
    elif "of_type" in facts:
        body = f"OF {facts['of_type']}"
    else:
        body = f"({', '.join(define_column(column, of, declared) for column, of in own)})"
    statement = " ".join((f"CREATE {kind} {name} {body}", *_after_the_columns(facts)))
    is_inherited = "partition_of" in facts or "of_type" in facts
    return (
        statement,
        *_row_security(name, {}, facts),
        *finish_columns(columns, declared, is_inherited=is_inherited),
    )


def finish_columns(
    columns: Sequence[tuple[ObjectKey, Facts]], declared: Side, *, is_inherited: bool
) -> Iterator[str]:
    """What CREATE TABLE does not say of its columns; of inherited ones, what they have otherwise."""
    for column, facts in columns:
        if is_inherited or "type" not in facts:
            yield from override_column(column, facts, declared)
        else:
            yield from _said_of_column(column, facts)


def _after_the_columns(facts: Facts) -> Iterator[str]:
    if parents := facts.get("inherits"):
        yield f"INHERITS ({', '.join(_items(parents))})"
    if "partition_key" in facts:
        yield f"PARTITION BY {facts['partition_key']}"
    if "access_method" in facts:
        yield f"USING {quote(str(facts['access_method']))}"
    if options := facts.get("options"):
        yield f"WITH ({', '.join(map(option, _items(options)))})"


def alter_table(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, live: Side
) -> tuple[str, ...] | None:
    """None where only another table would do: another partition key or row type of another kind.

    Before PostgreSQL 15 another access method would want one too, and remains: rows are not given up for it.
    """
    name = relation(key)
    differing = _differing(wanted, existing)
    if "partition_key" in differing:
        return None
    statements: list[str] = []
    if "persistence" in differing:
        statements.append(f"ALTER TABLE {name} SET {'UNLOGGED' if 'persistence' in wanted else 'LOGGED'}")
    if "access_method" in differing and live.snapshot.server_major >= 15:
        method = quote(str(wanted.get("access_method", "heap")))
        statements.append(f"ALTER TABLE {name} SET ACCESS METHOD {method}")
    if "of_type" in differing:
        of = f"OF {wanted['of_type']}" if "of_type" in wanted else "NOT OF"
        statements.append(f"ALTER TABLE {name} {of}")
    statements += alter_parents(name, wanted, existing)
    statements += _row_security(name, existing, wanted)
    statements += alter_options(f"ALTER TABLE {name}", existing.get("options"), wanted.get("options"))
    return tuple(statements)


def alter_parents(name: str, wanted: Facts, existing: Facts) -> Iterator[str]:
    """What the table is a partition of, or inherits from."""
    if any(wanted.get(fact) != existing.get(fact) for fact in _PARTITIONING):
        if "partition_of" in existing:
            finalize = " FINALIZE" if existing.get("detach_pending") else ""
            yield f"ALTER TABLE {existing['partition_of']} DETACH PARTITION {name}{finalize}"
        if "partition_of" in wanted:
            yield f"ALTER TABLE {wanted['partition_of']} ATTACH PARTITION {name} {wanted['partition_bound']}"
    before, after = _items(existing.get("inherits")), _items(wanted.get("inherits"))
    yield from (f"ALTER TABLE {name} NO INHERIT {parent}" for parent in before if parent not in after)
    yield from (f"ALTER TABLE {name} INHERIT {parent}" for parent in after if parent not in before)


def _row_security(name: str, existing: Facts, wanted: Facts) -> Iterator[str]:
    if bool(existing.get("row_security")) != bool(wanted.get("row_security")):
        verb = "ENABLE" if wanted.get("row_security") else "DISABLE"
        yield f"ALTER TABLE {name} {verb} ROW LEVEL SECURITY"
    if bool(existing.get("force_row_security")) != bool(wanted.get("force_row_security")):
        verb = "FORCE" if wanted.get("force_row_security") else "NO FORCE"
        yield f"ALTER TABLE {name} {verb} ROW LEVEL SECURITY"


def alter_options(alter: str, existing: Fact, wanted: Fact, *, quoted: bool = True) -> Iterator[str]:
    """SET and RESET of storage or view options, each ``name=value``."""
    before = dict(item.partition("=")[::2] for item in _items(existing))
    after = dict(item.partition("=")[::2] for item in _items(wanted))
    if gone := [name for name in before if name not in after]:
        yield f"{alter} RESET ({', '.join(gone)})"
    if new := [f"{name}={value}" for name, value in after.items() if before.get(name) != value]:
        yield f"{alter} SET ({', '.join(map(option, new) if quoted else new)})"


def option(text: str) -> str:
    """``fillfactor='70'`` of ``fillfactor=70``."""
    name, _, value = text.partition("=")
    return name + "='" + value.replace("'", "''") + "'"


def define_column(key: ObjectKey, facts: Facts, declared: Side) -> str:
    """As CREATE TABLE and ADD COLUMN say it, default and NOT NULL included."""
    default = declared.objects.get(ObjectKey("default", key.namespace, key.name), {}).get("default")
    words = [own_name(key), str(facts["type"])]
    if "foreign_options" in facts:
        words.append(f"OPTIONS ({', '.join(_foreign_options(facts))})")
    if "collation" in facts:
        words.append(f"COLLATE {facts['collation']}")
    if "generated" in facts:
        words.append(f"GENERATED ALWAYS AS ({facts['generated']}) {str(facts['generated_kind']).upper()}")
    elif "identity" in facts:
        words.append(_identity(key, facts))
    elif default is not None:
        words.append(f"DEFAULT {default}")
    if facts.get("nullable") is False and not _has_named_not_null(key, declared):
        words.append("NOT NULL")
    return " ".join(words)


def _identity(key: ObjectKey, facts: Facts) -> str:
    options = [str(facts["identity_options"])] if "identity_options" in facts else []
    if "identity_sequence" in facts:
        options.insert(0, f"SEQUENCE NAME {quote(key.namespace, str(facts['identity_sequence']))}")
    text = f" ({' '.join(options)})" if options else ""
    return f"GENERATED {str(facts['identity']).upper()} AS IDENTITY{text}"


def _has_named_not_null(key: ObjectKey, side: Side) -> bool:
    """PostgreSQL 18: the constraint brings it, under its own name."""
    return any(
        of.get("type") == "not null"
        for other in side.needing.get(key, ())
        if other.kind == "constraint" and (of := side.objects.get(other)) is not None
    )


def create_column(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    if "type" not in facts:
        return override_column(key, facts, declared)
    return (
        f"ALTER TABLE {relation(key)} ADD COLUMN {define_column(key, facts, declared)}",
        *_said_of_column(key, facts),
    )


def override_column(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    """What a partition or child has otherwise than its parent."""
    alter = _alter_column(key)
    statements = list(_said_of_column(key, facts))
    default = declared.objects.get(ObjectKey("default", key.namespace, key.name), {}).get("default")
    if default is not None:
        statements.append(f"{alter} SET DEFAULT {default}")
    if "nullable" in facts:
        statements.append(f"{alter} {'DROP' if facts['nullable'] else 'SET'} NOT NULL")
    return tuple(statements)


def drop_column(key: ObjectKey, facts: Facts, live: Side) -> tuple[str, ...]:
    """An inherited one becomes again as its parent's is."""
    if "type" in facts:
        return (f"ALTER TABLE {relation(key)} DROP COLUMN {own_name(key)}",)
    alter = _alter_column(key)
    statements = [*_alter_storage(key, {}, facts, live), *_alter_attributes(key, {}, facts)]
    if "nullable" in facts:
        statements.append(f"{alter} {'SET' if facts['nullable'] else 'DROP'} NOT NULL")
    if ObjectKey("default", key.namespace, key.name) in live.objects:
        inherited = _inherited_default(key, live)
        statements.append(
            f"{alter} DROP DEFAULT" if inherited is None else f"{alter} SET DEFAULT {inherited}"
        )
    return tuple(statements)


def _inherited_default(key: ObjectKey, side: Side) -> Fact:
    table = side.objects.get(ObjectKey("table", key.namespace, relation_key(key)), {})
    for parent in (table.get("partition_of"), *_items(table.get("inherits"))):
        if parent:
            namespace, name = split_name(str(parent))
            column = ObjectKey("column", namespace, join_name(name, bare_name(key)))
            if column in side.objects:
                return side.objects.get(column._replace(kind="default"), {}).get("default")
            return _inherited_default(column, side)
    return None


def alter_column(
    key: ObjectKey, wanted: Facts, existing: Facts, declared: Side, live: Side
) -> tuple[str, ...] | None:
    """None where the column has to be made anew: it becomes, or is no longer, a computed one.

    Before PostgreSQL 17 also where it is computed otherwise.
    """
    is_computed_otherwise = "generated" in wanted and wanted["generated"] != existing.get("generated")
    if needs_new_column(wanted, existing) or (is_computed_otherwise and live.snapshot.server_major < 17):
        return None
    alter = _alter_column(key)
    differing = _differing(wanted, existing)
    statements: list[str] = []
    if "identity" in differing and "identity" not in wanted:
        statements.append(f"{alter} DROP IDENTITY")
    if "generated" in differing and "generated" not in wanted:
        statements.append(f"{alter} DROP EXPRESSION")
    if _is_retyped(wanted, existing):
        by = declared.conversions.get(key)
        statements.append(retype_column(key, wanted, str(existing.get("type")), live, by=by))
    if "generated" in differing and "generated" in wanted:
        statements.append(f"{alter} SET EXPRESSION AS ({wanted['generated']})")
    if "nullable" in differing and not _is_said_by_a_constraint(key, wanted, declared):
        statements.append(f"{alter} {'SET' if wanted.get('nullable') is False else 'DROP'} NOT NULL")
    statements += _alter_identity(key, wanted, existing)
    statements += _alter_storage(key, wanted, existing, live)
    statements += _alter_attributes(key, wanted, existing)
    return tuple(statements)


def needs_new_column(wanted: Facts, existing: Facts) -> bool:
    if wanted.get("generated_kind") == existing.get("generated_kind"):
        return False
    return not (existing.get("generated_kind") == "stored" and "generated" not in wanted)


def _is_said_by_a_constraint(key: ObjectKey, wanted: Facts, declared: Side) -> bool:
    return wanted.get("nullable") is False and _has_named_not_null(key, declared)


def _is_retyped(wanted: Facts, existing: Facts) -> bool:
    return "type" in wanted and bool(_differing(wanted, existing) & {"type", "collation"})


def retype_column(key: ObjectKey, wanted: Facts, old_type: str, live: Side, *, by: str | None = None) -> str:
    """The values are cast as they would be in a query; by way of their text where no such cast exists.

    ``by`` is an expression that somebody else has proven on all of them.
    """
    new_type = str(wanted["type"])
    collation = f" COLLATE {wanted['collation']}" if "collation" in wanted else ""
    retyped = f"{_alter_column(key)} TYPE {new_type}{collation}"
    if "generated" in wanted or ObjectKey("foreign-table", key.namespace, relation_key(key)) in live.objects:
        return retyped  # computed anew, or not here
    if by is not None:
        return f"{retyped} USING CAST(({by}) AS {new_type})"
    using = own_name(key) if live.can_cast(old_type, new_type) else f"{own_name(key)}::text"
    return f"{retyped} USING {using}::{new_type}"


def _alter_identity(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    alter = _alter_column(key)
    if "identity" not in wanted:
        return
    if "identity" not in existing:
        yield f"{alter} ADD {_identity(key, wanted)}"
        yield continue_after(
            key, f"pg_get_serial_sequence({literal(relation(key))}, {literal(bare_name(key))})"
        )
        return
    if wanted["identity"] != existing["identity"]:
        yield f"{alter} SET GENERATED {str(wanted['identity']).upper()}"
    if wanted.get("identity_options") != existing.get("identity_options"):
        options = altered_options(wanted.get("identity_options"), str(wanted.get("type")))
        yield f"{alter} " + " ".join(f"SET {option}" for option in options)


def _said_of_column(key: ObjectKey, facts: Facts) -> Iterator[str]:
    """Of a new one: storage, compression, statistics target and options."""
    if "storage" in facts:
        yield f"{_alter_column(key)} SET STORAGE {facts['storage']}"
    yield from _alter_attributes(key, facts, {})


def _alter_storage(key: ObjectKey, wanted: Facts, existing: Facts, live: Side) -> Iterator[str]:
    """A retyped column is stored as its new type has it, without being told."""
    before, after = existing.get("storage"), wanted.get("storage")
    if _is_retyped(wanted, existing):
        before = None
    if before != after:
        yield f"{_alter_column(key)} SET STORAGE {after or live.usual_storages[key]}"


def _alter_attributes(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    """Compression, statistics target and options."""
    alter = _alter_column(key)
    differing = _differing(wanted, existing)
    if "compression" in differing:
        yield f"{alter} SET COMPRESSION {wanted.get('compression', 'default')}"
    if "statistics" in differing:
        yield f"{alter} SET STATISTICS {wanted.get('statistics', -1)}"
    if "options" in differing:
        yield from alter_options(alter, existing.get("options"), wanted.get("options"))
    if "foreign_options" in differing and existing:
        gone = [f"DROP {quote(item.partition('=')[0])}" for item in _items(existing.get("foreign_options"))]
        new = [f"ADD {text}" for text in _foreign_options(wanted)]
        yield f"{alter} OPTIONS ({', '.join((*gone, *new))})"


def _foreign_options(facts: Facts) -> list[str]:
    """``"field" '2'`` of ``field=2``."""
    pairs = (item.partition("=") for item in _items(facts.get("foreign_options")))
    return [f"{quote(name)} {literal(value)}" for name, _, value in pairs]


def create_default(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    return (f"{_alter_column(_column_of(key))} SET DEFAULT {facts['default']}",)


def drop_default(key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    return (f"{_alter_column(_column_of(key))} DROP DEFAULT",)


def alter_default(
    key: ObjectKey, wanted: Facts, _existing: Facts, declared: Side, _live: Side
) -> tuple[str, ...]:
    return create_default(key, wanted, declared)


def create_replica_identity(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    word, _, index = str(facts["replica_identity"]).partition(" ")
    identity = f"USING INDEX {quote(index)}" if word == "index" else word.upper()
    return (f"ALTER TABLE {relation(key)} REPLICA IDENTITY {identity}",)


def drop_replica_identity(key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    return (f"ALTER TABLE {relation(key)} REPLICA IDENTITY DEFAULT",)


def alter_replica_identity(
    key: ObjectKey, wanted: Facts, _existing: Facts, declared: Side, _live: Side
) -> tuple[str, ...]:
    return create_replica_identity(key, wanted, declared)


def create_cluster_mark(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    """The index that CLUSTER goes by."""
    return (f"ALTER TABLE {relation(key)} CLUSTER ON {quote(str(facts['clustered_on']))}",)


def drop_cluster_mark(key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    return (f"ALTER TABLE {relation(key)} SET WITHOUT CLUSTER",)


def alter_cluster_mark(
    key: ObjectKey, wanted: Facts, _existing: Facts, declared: Side, _live: Side
) -> tuple[str, ...]:
    return create_cluster_mark(key, wanted, declared)


def set_tablespace(key: ObjectKey, wanted: Facts | None, live: Side) -> tuple[str, ...]:
    """Moves a table, materialized view or index; None stands for the database's own tablespace."""
    tablespace = str(wanted["tablespace"]) if wanted else live.usual_tablespace
    return (f"ALTER {address(described(key))} SET TABLESPACE {quote(tablespace)}",)


def _column_of(key: ObjectKey) -> ObjectKey:
    return ObjectKey("column", key.namespace, key.name)


def _alter_column(key: ObjectKey) -> str:
    return f"ALTER TABLE {relation(key)} ALTER COLUMN {own_name(key)}"


def _differing(wanted: Facts, existing: Facts) -> set[str]:
    return {name for name in wanted.keys() | existing.keys() if wanted.get(name) != existing.get(name)}


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else re.split(r",\s*", str(fact)) if fact else ()
