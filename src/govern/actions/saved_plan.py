"""A plan in a file: reviewed by somebody, applied later exactly as it is or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govern.actions.files import write_text
from govern.actions.plan import plan_json
from govern.core.hazard import Hazard
from govern.core.plan import Plan
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError, Refused
from govern.revisions.graph import Chain, RevisionFile
from govern.version import __version__

_SCHEMA_VERSION = 1
_AGAIN = "make the plan again and review it: govern plan --out"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRevision:
    """A revision as it was when the plan was made."""

    revision: str
    checksum: str
    parents: tuple[str, ...]
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What of a saved plan must still hold when it is applied."""

    path: Path
    digest: str
    """sha256 of everything else in the file."""
    dialect: str
    fingerprint: str
    from_revision: tuple[str, ...]
    to_revision: tuple[str, ...]
    revisions: tuple[PlannedRevision, ...]
    hazards: tuple[Hazard, ...]
    """What was seen to be lost when the plan was made."""

    @property
    def target(self) -> str:
        """What to upgrade to; several heads have one name only."""
        return self.to_revision[0] if len(self.to_revision) == 1 else "heads"


def save_plan(path: Path, plan: Plan, *, dialect: str) -> str:
    """Writes the plan whole or not at all, and returns its digest. Raises NotPermitted."""
    content = {
        "schema_version": _SCHEMA_VERSION,
        "govern_version": __version__,
        "dialect": dialect,
        **plan_json(plan),
    }
    digest = _digest(content)
    write_text(path, json.dumps({**content, "digest": digest}, indent=2, ensure_ascii=False) + "\n")
    return digest


def read_plan(path: Path) -> SavedPlan:
    """Raises ConfigurationError for what is no plan, Refused for one that was edited."""
    content = _read(path)
    digest = content.pop("digest", None)
    if digest != _digest(content):
        raise Refused(
            f"the plan {path} was changed after it was made",
            why=f"its digest is {_digest(content)[:12]}…, it says {str(digest)[:12]}…",
            next=_AGAIN,
        )
    try:
        return _parse(path, content, digest)
    except (KeyError, TypeError) as error:
        raise _no_plan(path, f"it has no {error}") from error


def _parse(path: Path, content: Mapping[str, Any], digest: str) -> SavedPlan:
    return SavedPlan(
        path=path,
        digest=digest,
        dialect=content["dialect"],
        fingerprint=content["fingerprint"],
        from_revision=tuple(content["from"]),
        to_revision=tuple(content["to"]),
        revisions=tuple(
            PlannedRevision(
                revision=one["revision"],
                checksum=one["checksum"],
                parents=tuple(one["parents"]),
                statements=tuple(one["statements"]),
            )
            for one in content["revisions"]
        ),
        hazards=tuple(map(Hazard.parse, content["hazards"])),
    )


def guard_plan(plan: SavedPlan, live: LiveDatabase, chain: Chain) -> None:
    """Raises Refused where the database or the revision files are not what the plan was made for.

    To be called while the migration lock is held.
    """
    stamped = live.read_stamped()
    if plan.dialect != live.dialect.name:
        raise _outdated(plan, f"it was made for a {plan.dialect} database")
    if set(stamped) != set(plan.from_revision):
        planned = name_revisions(plan.from_revision)
        raise _outdated(plan, f"it begins at {planned}, the database is at {name_revisions(stamped)}")
    if live.read_fingerprint() != plan.fingerprint:
        raise _outdated(plan, "the schema of the database has changed since")
    for planned_revision, file in _pairs(plan, chain.pending(stamped, plan.target)):
        if file.checksum != planned_revision.checksum:
            raise _outdated(plan, f"{live.settings.relative(file.path)} was edited since")


def describe_difference(plan: SavedPlan, executed: Iterable[tuple[str, str]]) -> str:
    """Whether the statements that ran, with their revisions, are the plan's; a clause of a sentence."""
    planned = [(one.revision, sql) for one in plan.revisions for sql in one.statements]
    ran = list(executed)
    if ran == planned:
        return "every statement was the plan's"
    unplanned = [(revision, sql) for revision, sql in ran if (revision, sql) not in planned]
    missing = [(revision, sql) for revision, sql in planned if (revision, sql) not in ran]
    parts = [
        f"{count_of(len(found), 'statement')} {words}, the first in {found[0][0]}: {_shorten(found[0][1])}"
        for found, words in ((unplanned, "not in the plan"), (missing, "of the plan did not run"))
        if found
    ]
    return "; ".join(parts) or "the plan's statements ran in another order or number"


def _pairs(
    plan: SavedPlan, pending: tuple[RevisionFile, ...]
) -> Iterable[tuple[PlannedRevision, RevisionFile]]:
    planned = [(one.revision, one.parents) for one in plan.revisions]
    found = [(file.revision, file.down_revisions) for file in pending]
    if planned != found:
        names = name_revisions(file.revision for file in pending)
        raise _outdated(
            plan, f"it runs {name_revisions(one.revision for one in plan.revisions)}; pending is {names}"
        )
    return zip(plan.revisions, pending, strict=True)


def _outdated(plan: SavedPlan, why: str) -> Refused:
    return Refused(f"the plan {plan.path.name} does not fit any more", why=why, next=_AGAIN)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_plan(path, str(error)) from error
    if version != _SCHEMA_VERSION:
        raise _no_plan(path, f"its schema_version is {version!r}")
    return dict(content)


def _no_plan(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(f"{path} is not a plan", why=why, next="make one: govern plan --out FILE")


def _digest(content: dict[str, Any]) -> str:
    """Of the values, whatever the white space and the order of keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _shorten(sql: str, longest: int = 120) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
