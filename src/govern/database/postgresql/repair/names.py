"""Keys of a snapshot as SQL: every identifier quoted, whatever it is called."""

from __future__ import annotations

from psycopg import sql

from govern.core.snapshot import INSIDE_A_RELATION, ObjectKey, join_name, split_name

ROUTINES = frozenset({"function", "aggregate"})
_KEYWORDS = {"enum": "TYPE", "function": "ROUTINE", "aggregate": "ROUTINE"}
_ON_A_RELATION = frozenset({"constraint", "trigger", "rule", "policy"})


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
    if key.kind in INSIDE_A_RELATION or key.kind in ROUTINES:
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
    return f"{keyword(key.kind)} {qualified(key)}"


def qualified(key: ObjectKey) -> str:
    """The object's own name with its namespace; of a routine with the types of its arguments."""
    name = quote(key.namespace, bare_name(key))
    if key.kind in ROUTINES:
        return f"{name}({key.name[len(join_name(bare_name(key))) + 1 : -1]})"
    return name


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
