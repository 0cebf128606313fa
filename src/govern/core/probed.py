"""How the running application last answered its probes: a line a sequence, without what was asked and answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govern.core.report import Entry

_PREFIX = "probe "


def name_entry(sequence: str) -> str:
    """``probe notes``: a sequence among the steps and checks of another command."""
    return _PREFIX + sequence


def read_sequence(name: str) -> str | None:
    """The sequence of such a name; None for any other."""
    return name.removeprefix(_PREFIX) if name.startswith(_PREFIX) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedSequence:
    """How one sequence ended."""

    name: str
    status: str
    """As an entry's."""
    findings: int
    seconds: float
    reason: str = ""

    @property
    def is_up(self) -> bool:
        return self.status == "passed"

    @classmethod
    def of(cls, entry: Entry, seconds: float) -> ProbedSequence:
        return cls(
            name=read_sequence(entry.name) or entry.name,
            status=entry.status,
            findings=len(entry.findings),
            seconds=seconds,
            reason=entry.reason,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status,
            "findings": self.findings,
            "ms": round(self.seconds * 1000),
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ProbedSequence:
        """Also of a proof as the ledger and ``govern probe --format json`` have it. Raises KeyError."""
        return cls(
            name=value["name"],
            status=value["status"],
            findings=value.get("findings", 0),
            seconds=value["ms"] / 1000,
            reason=value.get("reason", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """All sequences that somebody asked for at one time."""

    at: datetime
    by: str
    """``monitor``, or the command that asked."""
    sequences: tuple[ProbedSequence, ...] = ()
    trouble: str = ""
    """Why not all of them could be asked."""

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "by": self.by,
            "sequences": [sequence.to_json() for sequence in self.sequences],
            "trouble": self.trouble,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Probed:
        """The inverse of ``to_json``. Raises KeyError or ValueError for anything else."""
        return cls(
            at=datetime.fromisoformat(value["at"]),
            by=value["by"],
            sequences=tuple(ProbedSequence.from_json(one) for one in value["sequences"]),
            trouble=value.get("trouble", ""),
        )


def sum_up(proofs: Iterable[Mapping[str, Any]], *, at: datetime | None, by: str) -> Probed | None:
    """Of proofs as the ledger has them; None where there are none. Raises KeyError for what are no proofs."""
    sequences = tuple(ProbedSequence.from_json(proof) for proof in proofs)
    return Probed(at=at, by=by, sequences=sequences) if sequences and at is not None else None


def find_newest(probed: Iterable[Probed | None]) -> Probed | None:
    """None where nobody ever asked."""
    known = [one for one in probed if one is not None]
    return max(known, key=lambda one: one.at, default=None)
