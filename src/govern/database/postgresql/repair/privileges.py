"""Statements for owners, grants, default privileges and comments: what is said about other objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from govern.core.snapshot import RELATIONS, Facts, ObjectKey, join_name, split_name
from govern.database.postgresql.repair.names import (
    address,
    described,
    grantee,
    keyword,
    literal,
    own_name,
    qualified,
    quote,
    relation,
    relation_key,
)
from govern.database.postgresql.repair.wanted import Side

_WITH_GRANT_OPTION = " WITH GRANT OPTION"
_TABLES = frozenset({"table", "view", "materialized-view", "foreign-table"})
_BY_DEFAULT = {
    "function": ("EXECUTE",),
    "aggregate": ("EXECUTE",),
    "functions": ("EXECUTE",),
    "types": ("USAGE",),
    "enum": ("USAGE",),
    "domain": ("USAGE",),
    "type": ("USAGE",),
    "language": ("USAGE",),
}
"""What PUBLIC may do with a new object (manual, 5.8 "Privileges"); nobody may do anything with a column by itself."""


def set_comment(key: ObjectKey, facts: Facts, side: Side) -> tuple[str, ...]:
    return (f"COMMENT ON {_commented(key, side)} IS {literal(str(facts['text']))}",)


def drop_comment(key: ObjectKey, side: Side) -> tuple[str, ...]:
    return (f"COMMENT ON {_commented(key, side)} IS NULL",)


def _commented(key: ObjectKey, side: Side) -> str:
    target = described(key)
    if target.kind == "constraint":
        domain = ObjectKey("domain", key.namespace, relation_key(target))
        if domain in side.objects:
            return f"CONSTRAINT {own_name(target)} ON {address(domain)}"
    return address(target)


def set_owner(key: ObjectKey, facts: Facts, _side: Side) -> tuple[str, ...]:
    return (f"ALTER {_owned(key)} OWNER TO {quote(str(facts['role']))}",)


def reset_owner(key: ObjectKey, live: Side) -> tuple[str, ...]:
    """To whom the others belong."""
    return (f"ALTER {_owned(key)} OWNER TO {quote(live.usual_owner)}",)


def _owned(key: ObjectKey) -> str:
    return address(described(key))


def change_grant(
    key: ObjectKey, wanted: Facts | None, existing: Facts | None, declared: Side, live: Side
) -> tuple[str, ...]:
    """From the privileges that a grantee has to those that are wanted; None stands for what is so by default."""
    target = described(key)
    who = _role(grantee(key), _owner_of(target, key.name.removesuffix(" to (owner)"), declared, live))
    usual = _privileges_by_default(grantee(key), target, live)
    before, after = (_privileges(facts, usual) for facts in (existing, wanted))
    on = f"ON {_target(target)}"
    columns = f" ({own_name(target)})" if target.kind == "column" else ""
    return tuple(_regrant(before, after, on, who, columns=columns))


def _owner_of(target: ObjectKey, name: str, declared: Side, live: Side) -> str:
    """To whom an object belongs once owners are as declared; a column belongs to the owner of its table."""
    names = [name]
    if target.kind == "column":
        names = [f"{kind} {join_name(relation_key(target))}" for kind in RELATIONS]
    owners = (declared.objects.get(ObjectKey("owner", target.namespace, name)) for name in names)
    return next((str(owner["role"]) for owner in owners if owner), live.usual_owner)


def _target(target: ObjectKey) -> str:
    if target.kind == "column":
        return f"TABLE {relation(target)}"
    if target.kind in _TABLES:
        return f"TABLE {qualified(target)}"
    if target.kind == "foreign-server":
        return f"FOREIGN {address(target)}"
    return f"{keyword(target.kind)} {qualified(target)}"


def change_default_privileges(
    key: ObjectKey, wanted: Facts | None, existing: Facts | None, live: Side
) -> tuple[str, ...]:
    """``tables app to reader``: what role app's new tables let reader do."""
    kind, _, rest = key.name.partition(" ")
    creator = rest.rpartition(" to ")[0]
    creator = live.usual_owner if creator == "(owner)" else split_name(creator)[0]
    where = f" IN SCHEMA {quote(key.namespace)}" if key.namespace else ""
    prefix = f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(creator)}{where} "
    created = ObjectKey("" if key.namespace else kind, key.namespace, "")
    usual = _privileges_by_default(grantee(key), created, live)
    before, after = (_privileges(facts, usual) for facts in (existing, wanted))
    on = f"ON {kind.replace('-', ' ').upper()}"
    return tuple(
        f"{prefix}{statement}" for statement in _regrant(before, after, on, _role(grantee(key), creator))
    )


def _role(name: str, owner: str) -> str:
    return "PUBLIC" if name == "PUBLIC" else quote(owner if name == "(owner)" else name)


def _privileges(facts: Facts | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    if facts is None:
        return usual
    privileges = facts["privileges"]
    return privileges if isinstance(privileges, tuple) else ()


def _privileges_by_default(who: str, target: ObjectKey, live: Side) -> tuple[str, ...]:
    """In public, everybody could create before PostgreSQL 15 (its release notes, E.1.2 "Migration")."""
    if who == "PUBLIC":
        if (target.kind, target.name) == ("schema", "public"):
            return ("CREATE", "USAGE") if live.snapshot.server_major < 15 else ("USAGE",)
        return _BY_DEFAULT.get(target.kind, ())
    return ("ALL",) if who == "(owner)" and target.kind not in ("", "column") else ()


def _regrant(
    before: Sequence[str], after: Sequence[str], on: str, who: str, *, columns: str = ""
) -> Iterator[str]:
    if gone := [item for item in before if _plain(item) not in map(_plain, after) and "ALL" not in after]:
        yield f"REVOKE {_list(gone, columns)} {on} FROM {who}"
    if lesser := [item for item in before if _WITH_GRANT_OPTION in item and _plain(item) in after]:
        yield f"REVOKE GRANT OPTION FOR {_list(lesser, columns)} {on} FROM {who}"
    if new := [item for item in after if item not in before]:
        for option in (_WITH_GRANT_OPTION, ""):
            if some := [item for item in new if item.endswith(_WITH_GRANT_OPTION) == bool(option)]:
                if not option:
                    some = [item for item in some if item + _WITH_GRANT_OPTION not in before]
                if some:
                    yield f"GRANT {_list(some, columns)} {on} TO {who}{option}"


def _plain(privilege: str) -> str:
    return privilege.removesuffix(_WITH_GRANT_OPTION)


def _list(privileges: Sequence[str], columns: str) -> str:
    return ", ".join(f"{_plain(privilege)}{columns}" for privilege in privileges)
