"""In which order a fleet is visited, and when to stop: canaries first, then wave after wave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from govern.errors import ConfigurationError, NoSuchName
from govern.fleet.inventory import Target, select

CANARY = "canary"
_COUNT = re.compile(r"[0-9]+")
_SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Targets that are visited together; the next wave begins when all of them are done."""

    name: str
    targets: tuple[Target, ...]
    is_canary: bool = False


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, or a share of a whole: ``5``, ``10%``."""

    count: int | None = None
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> Amount:
        """Raises ConfigurationError."""
        if _COUNT.fullmatch(text) and int(text) > 0:
            return cls(count=int(text))
        found = _SHARE.fullmatch(text)
        if found and 0 < float(found[1]) <= 100:
            return cls(share=float(found[1]) / 100)
        raise ConfigurationError(
            f"{text!r} is no number from 1 on, and no share up to 100%",
            next="write 5 for five targets, or 10% for a share of them",
        )

    def of(self, whole: int) -> int:
        """At least one."""
        return self.count if self.count is not None else max(1, ceil((self.share or 0) * whole))


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When no further target is begun. A failure among the canaries always ends the run with them."""

    after: Amount | None = None
    """A number of failures in the whole run, or a share of one wave's targets; None: never."""

    def decide(self, wave: Wave, failed_in_wave: int, failed_in_run: int) -> str:
        """Why to stop, in words; empty to go on."""
        if wave.is_canary and failed_in_wave:
            return f"{failed_in_wave} of {len(wave.targets)} canaries failed"
        if self.after is None:
            return ""
        if self.after.count is not None and failed_in_run >= self.after.count:
            return f"{failed_in_run} failed, and --stop-after is {self.after.count}"
        if self.after.share is not None and failed_in_wave > self.after.share * len(wave.targets):
            return (
                f"{failed_in_wave} of {len(wave.targets)} in {wave.name} failed, "
                f"and --stop-after is {100 * self.after.share:g}%"
            )
        return ""


def arrange(
    targets: Sequence[Target],
    *,
    canary: str | None = None,
    by_label: str | None = None,
    size: str | None = None,
) -> tuple[Wave, ...]:
    """The waves, in order: the canaries, then one for each value of a label as it first comes up, or of one size.

    ``canary``: how many, the first of the file, or ``label=value``. Raises ConfigurationError.
    """
    canaries = _choose_canaries(targets, canary)
    rest = tuple(target for target in targets if target not in canaries)
    waves = [Wave(name=CANARY, targets=canaries, is_canary=True)] if canaries else []
    if by_label is not None:
        _require_label(targets, by_label)
        return (*waves, *_by_label(rest, by_label))
    if size is not None:
        return (*waves, *_by_size(rest, Amount.parse(size).of(len(targets))))
    return (
        (*waves, Wave(name="all" if not canaries else "the others", targets=rest)) if rest else tuple(waves)
    )


def _choose_canaries(targets: Sequence[Target], canary: str | None) -> tuple[Target, ...]:
    if canary is None:
        return ()
    if "=" in canary:
        return select(targets, (canary,))
    return tuple(targets[: Amount.parse(canary).of(len(targets))])


def _require_label(targets: Iterable[Target], label: str) -> None:
    """All in one wave is not what somebody meant who misspelt it."""
    labels = sorted({name for target in targets for name, _ in target.labels})
    if label not in (*labels, "name"):
        raise NoSuchName(
            f"no target has a label {label!r} to make waves by",
            wanted=label,
            known=labels,
            why=f"their labels are {', '.join(labels) or 'none'}",
            next="give the targets that label, or make waves of a size: --wave-size 10%",
        )


def _by_label(targets: Iterable[Target], label: str) -> Iterable[Wave]:
    """Those without the label come last."""
    found: dict[str | None, list[Target]] = {}
    for target in targets:
        found.setdefault(target.label(label), []).append(target)
    unlabelled = found.pop(None, [])
    for value, members in found.items():
        yield Wave(name=f"{label}={value}", targets=tuple(members))
    if unlabelled:
        yield Wave(name=f"without {label}", targets=tuple(unlabelled))


def _by_size(targets: Sequence[Target], size: int) -> Iterable[Wave]:
    for number, start in enumerate(range(0, len(targets), size), 1):
        yield Wave(name=f"wave {number}", targets=tuple(targets[start : start + size]))
