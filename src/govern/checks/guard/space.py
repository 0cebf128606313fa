"""Room on disk for what a migration is about to write: a backup, and the copy it is restored into."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.wording import name_bytes

TOO_LITTLE_SPACE = Rule(
    id="guard.too-little-space",
    name="too little room on disk",
    severity=Severity.ERROR,
    condition="the folder of backups, or that of the scratch databases' server if it is on this machine, has less room "
    "than the backup, or the copy restored from it, will take",
    effect="the backup would end half-way, or a full disk would stop the database itself",
    remedy="free some space, or set backups in the configuration to another disk",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is about to be written, and where."""

    purpose: str
    folder: Path
    """May be missing yet."""
    bytes: int


def check_space(
    rooms: Iterable[Room], *, read_free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
) -> tuple[tuple[Finding, ...], str]:
    """One finding for each disk on which what comes there does not fit, and in words what is needed and free.

    A folder that this process may not look at is left out.
    """
    findings, said = [], []
    for disk in _by_disk(rooms):
        free, needed = read_free(_nearest(disk[0].folder)), sum(room.bytes for room in disk)
        purpose = " and ".join(room.purpose for room in disk)
        said.append(f"{purpose}: about {name_bytes(needed)}, {name_bytes(free)} free")
        if free < needed:
            findings.append(_finding(disk[0].folder, purpose, needed, free))
    return tuple(findings), "; ".join(said)


def _by_disk(rooms: Iterable[Room]) -> Iterator[tuple[Room, ...]]:
    disks: dict[int, list[Room]] = {}
    for room in rooms:
        try:
            disks.setdefault(_nearest(room.folder).stat().st_dev, []).append(room)
        except OSError:
            continue
    yield from map(tuple, disks.values())


def _nearest(folder: Path) -> Path:
    """The folder, or the one that it will be made in."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _finding(folder: Path, purpose: str, needed: int, free: int) -> Finding:
    return Finding.of(
        TOO_LITTLE_SPACE,
        Subject(kind="folder", name=str(folder)),
        f"{folder} has too little room for {purpose}: it takes about {name_bytes(needed)}, {name_bytes(free)} are free",
        evidence={"needed_bytes": needed, "free_bytes": free},
    )
