"""What a report knows of a pull request, in the order and the words in which every form tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govern.core.document import Tone
from govern.core.report import Entry, Report
from govern.core.wording import count_of
from govern.reports.effects import Effect, Sizes, summarise_effects
from govern.reports.summary import name_server


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedRevision:
    """One that the pull request adds."""

    id: str
    message: str
    path: str
    milliseconds: float | None
    """On an empty copy; None where it did not run."""
    effects: tuple[Effect, ...]
    statements: tuple[str, ...]
    observed: Sequence[Mapping[str, Any]]

    @property
    def took(self) -> str:
        """``ran 11 ms``."""
        return "did not run" if self.milliseconds is None else f"ran {self.milliseconds:,.0f} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A database that was looked at, too."""

    name: str
    tone: Tone
    sentence: str
    """What follows its name: whether it is as declared, and what is pending there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """All of it."""

    against: str
    changes: tuple[str, ...] | None
    """Lines of a diff; None where that is not known."""
    counted: str
    is_stale: bool
    """Whether the lock that it was read from is not what the models declare."""
    picture: str | None
    """As Mermaid, where one is small enough to be read in a comment."""
    drawing: str | None
    """As SVG."""
    revisions: tuple[ReviewedRevision, ...]
    sizes: Sizes
    environment: Environment | None
    exceptions: tuple[Mapping[str, Any], ...]

    @property
    def where_seen(self) -> str:
        """What effects are said of, and the sizes beside them."""
        sized = f"; sizes are those of {self.environment.name}" if self.environment and self.sizes else ""
        return f"as seen on an empty copy{sized}"


def read_review(report: Report) -> Review | None:
    """None of a report that is about no pull request."""
    told = report.data.get("pull_request")
    if told is None:
        return None
    changes = told["schema"]
    sizes = {size["table"]: size for size in report.data.get("plan", {}).get("tables", ())}
    return Review(
        against=told["against"],
        changes=None if changes is None else tuple(line for change in changes for line in change["lines"]),
        is_stale=any(entry.name == "lock" and entry.status == "found" for entry in report.entries),
        counted=count_of(len(changes or ()), "change"),
        picture=told.get("picture"),
        drawing=told.get("drawing"),
        revisions=tuple(_read_revision(revision, sizes) for revision in told["revisions"]),
        sizes=sizes,
        environment=_read_environment(told, report) if told["environment"] else None,
        exceptions=tuple(told["exceptions"]),
    )


def tells(report: Report, entry: Entry) -> bool:
    """Whether the sentence about the environment says all that there is in the entry."""
    environment = report.data.get("pull_request", {}).get("environment")
    return bool(environment) and entry.name == f"{environment}: drift"


def say_end(exception: Mapping[str, Any]) -> str:
    """``2031-01-02, in 3 days``."""
    days = exception["days"]
    said = "has ended" if days < 0 else "ends today" if days == 0 else f"in {count_of(days, 'day')}"
    return f"{exception['until']}, {said}"


def _read_revision(revision: Mapping[str, Any], sizes: Sizes) -> ReviewedRevision:
    observed = revision["observed"]
    return ReviewedRevision(
        id=revision["revision"],
        message=revision["message"] or "",
        path=revision["path"],
        milliseconds=revision["seconds"] * 1000 if observed else None,
        effects=tuple(summarise_effects(observed, sizes)),
        statements=tuple(revision["statements"]),
        observed=observed,
    )


def _read_environment(told: Mapping[str, Any], report: Report) -> Environment:
    name = told["environment"]
    drift = next((entry for entry in report.entries if entry.name == f"{name}: drift"), None)
    tone: Tone
    if drift is None or drift.status in ("crashed", "skipped"):
        tone, said = "notice", f"may have drifted: {drift.reason if drift else 'nobody looked'}"
    elif drift.findings:
        differences = count_of(len(drift.findings), "difference")
        tone, said = "bad", f"has drifted: {differences} from its revision"
    else:
        tone, said = "good", "is as its revision declares"
    facts = [said, *_tell_pending(told, report)]
    if report.target is not None and report.target.server_version:
        facts.append(name_server(report.target))
    return Environment(name=name, tone=tone, sentence="; ".join(facts))


def _tell_pending(told: Mapping[str, Any], report: Report) -> Iterator[str]:
    """What would run there, where that is more than what the pull request adds."""
    if "plan" not in report.data:
        return
    pending = [one["revision"] for one in report.data["plan"].get("revisions", ())]
    own = {one["revision"] for one in told["revisions"]}
    merged = [one for one in pending if one not in own]
    if merged:
        yield f"{count_of(len(merged), 'revision')} merged before {'is' if len(merged) == 1 else 'are'} pending there"
