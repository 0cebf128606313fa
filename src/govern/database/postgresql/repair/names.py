"""Keys of a snapshot as SQL: every identifier quoted, whatever it is called."""

from __future__ import annotations

import re

from psycopg import sql

from govern.core.snapshot import INSIDE_A_RELATION, ObjectKey, join_name, split_name

ROUTINES = frozenset({"function", "aggregate"})
_OF_A_METHOD = frozenset({"operator-class", "operator-family"})
_SIGNED = ROUTINES | _OF_A_METHOD | {"operator"}
_KEYWORDS = {"enum": "TYPE", "function": "ROUTINE", "aggregate": "ROUTINE", "foreign-server": "SERVER"}
_ON_A_RELATION = frozenset({"constraint", "trigger", "rule", "policy"})
_TRANSFORM = re.compile(r'(.*) language ("(?:[^"]|"")*"|\S+)', re.DOTALL)
_QUALIFIED = re.compile(r'(?:("(?:[^"]|"")*"|[^\s."(]+)\.)?([^(]+)', re.DOTALL)


def quote(*parts: str) -> str:
    """``"public"."users"``; an empty first part is left out."""
    return sql.Identifier(*(part for part in parts if part)).as_string()


def literal(text: str) -> str:
    """A string constant."""
    return sql.Literal(text).as_string()


def relation_key(key: ObjectKey) -> str:
    """The name of the relation that something inside of a relation belongs to."""
    return split_name(key.name)[0]


def relation(key: ObjectKey) -> str:
    """``"public"."users"``, of the table itself as of anything inside of it."""
    return quote(key.namespace, relation_key(key) if key.kind in INSIDE_A_RELATION else key.name)


def own_name(key: ObjectKey) -> str:
    """``"email"`` of ``users.email``."""
    return quote(bare_name(key))


def bare_name(key: ObjectKey) -> str:
    """``email`` of ``users.email``, ``touch`` of ``touch(integer)``."""
    if key.kind in INSIDE_A_RELATION or key.kind in _SIGNED:
        return split_name(key.name)[-1]
    return key.name


def keyword(kind: str) -> str:
    """``MATERIALIZED VIEW``."""
    return _KEYWORDS.get(kind, kind.replace("-", " ").upper())


def address(key: ObjectKey) -> str:
    """What DROP, ALTER … OWNER and COMMENT ON say: ``INDEX "public"."ix"``, ``POLICY "p" ON "public"."t"``."""
    if key.kind in _ON_A_RELATION:
        return f"{keyword(key.kind)} {own_name(key)} ON {relation(key)}"
    if key.kind == "column":
        return f"COLUMN {relation(key)}.{own_name(key)}"
    if key.kind == "text-search":
        kind, _, name = key.name.partition(" ")
        return f"TEXT SEARCH {kind.upper()} {quote(key.namespace)}.{name}"
    if key.kind == "cast":
        return f"CAST ({key.name})"
    if key.kind == "transform" and (found := _TRANSFORM.fullmatch(key.name)):
        return f"TRANSFORM FOR {found[1]} LANGUAGE {found[2]}"
    return f"{keyword(key.kind)} {qualified(key)}"


def qualified(key: ObjectKey) -> str:
    """The object's own name with its namespace; of a routine or operator with the types of its arguments."""
    if key.kind == "operator":
        return f"{quote(key.namespace)}.{bare_name(key)} ({signature(key)})"
    name = quote(key.namespace, bare_name(key))
    if key.kind in _OF_A_METHOD:
        return f"{name} USING {quote(signature(key))}"
    return f"{name}({signature(key)})" if key.kind in ROUTINES else name


def signature(key: ObjectKey) -> str:
    """``integer, text`` of ``touch(integer, text)``, ``btree`` of ``backwards(btree)``."""
    return key.name[len(join_name(bare_name(key))) + 1 : -1]


def operator(text: str) -> str:
    """``OPERATOR(pg_catalog.=)`` of ``=(integer,integer)``, as the server writes it."""
    found = _QUALIFIED.match(text)
    namespace, sign = found.groups() if found else (None, text)
    return f"OPERATOR({namespace or 'pg_catalog'}.{sign})"


def described(key: ObjectKey) -> ObjectKey:
    """The object that a comment, a grant or an owner speaks of."""
    kind, _, name = key.name.partition(" ")
    if key.kind == "grant":
        name = name.rpartition(" to ")[0]
    if kind not in INSIDE_A_RELATION and not name.endswith(")"):
        name = split_name(name)[0]
    return ObjectKey(kind, key.namespace, name)


def grantee(key: ObjectKey) -> str:
    """``PUBLIC``, ``(owner)`` or a role's name, as it is."""
    name = key.name.rpartition(" to ")[2]
    return name if name in ("PUBLIC", "(owner)") else split_name(name)[0]


def mapped_server(key: ObjectKey) -> ObjectKey:
    """The server that a user mapping is for."""
    return ObjectKey("foreign-server", "", split_name(key.name)[0])
