"""Parts of objects that come and go by themselves, each an object of its own while a repair is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from govern.core.snapshot import Facts, ObjectKey, Snapshot

_PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "column": (("default", "default"),),
    "sequence": (("owned_by", "owned"),),
    "table": (("replica_identity", "replica-identity"), ("clustered_on", "clustered-on")),
    "materialized-view": (("clustered_on", "clustered-on"),),
    "type": (("base", "base"),),
    "index": (("attached_to", "attached"),),
    "constraint": (("attached_to", "attached"),),
}
"""Facts, and the kind of object they are made here: a default can be dropped while a function that it calls is
replaced, and a sequence is older than the column it belongs to. A base type is no more than a name until there
are the functions that define it. An index is older than what it is attached to, or is attached later on."""

_WITHOUT_ITS_PART: Mapping[str, Facts] = {"type": {"shell": True}}
_WHOLES: Mapping[str, tuple[str, ...]] = {
    part: tuple(kind for kind, parts in _PARTS.items() if part in dict(parts).values())
    for part in ("default", "owned", "replica-identity", "clustered-on", "base", "attached")
}


def in_parts(snapshot: Snapshot) -> Iterator[tuple[ObjectKey, Facts]]:
    """All objects of a snapshot, without those facts, and the parts."""
    for key, facts in snapshot.objects.items():
        parts = [(fact, kind) for fact, kind in _PARTS.get(key.kind, ()) if facts.get(fact) is not None]
        if not parts:
            yield key, facts
            continue
        apart = {fact for fact, _ in parts}
        rest = {name: fact for name, fact in facts.items() if name not in apart}
        yield key, {**rest, **_WITHOUT_ITS_PART.get(key.kind, {})}
        for fact, kind in parts:
            yield key._replace(kind=kind), {fact: facts[fact]}


def wholes_of(key: ObjectKey) -> tuple[ObjectKey, ...]:
    """What ``key`` may be a part of; nothing for what is no part."""
    return tuple(key._replace(kind=kind) for kind in _WHOLES.get(key.kind, ()))


def parts_of(key: ObjectKey) -> tuple[ObjectKey, ...]:
    """What may be parts of ``key``."""
    return tuple(key._replace(kind=kind) for _, kind in _PARTS.get(key.kind, ()))
