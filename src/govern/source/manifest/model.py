"""What the keys of the manifest mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    model_validator,
)

from govern.core.finding import Severity
from govern.core.fixing import MOST_ROWS, Hours, Mode
from govern.core.issue import FixKind
from govern.core.retention import Policy
from govern.core.snapshot import default_namespace
from govern.source.manifest.probes import Probes
from govern.source.manifest.repairs import Repair
from govern.source.manifest.values import (
    HOURS,
    ColumnName,
    Day,
    Entry,
    Expected,
    Groups,
    RequiredColumns,
    SeverityLabel,
    Span,
    TableName,
    Text,
    check_hours,
    check_zone,
    split_table,
)


class CriticalTable(Entry):
    """A table without which the application must not run."""

    name: TableName
    """As in the database, with or without its namespace."""
    required_columns: RequiredColumns = Field(default_factory=dict)
    """Column names, each with its type as the database writes it, or null where the type does not matter."""
    min_rows: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """How many rows it must have at least, in a freshly migrated database, too."""
    never_empty: tuple[Text, ...] = ()
    """Columns in which neither NULL nor blank text is right."""
    unique: Groups = ()
    """Columns, or groups of columns, that no two rows share, whether an index keeps it so or not."""
    owner: Text | None = None
    """Whom to call; for people, no check reads it."""
    severity: SeverityLabel = Severity.CRITICAL
    """Of what is found about this table."""

    @property
    def namespace(self) -> str | None:
        """None where the manifest names none: the dialect's default."""
        return split_table(self.name)[0]

    @property
    def table(self) -> str:
        return split_table(self.name)[1]


class Relationship(Entry):
    """A reference without a declared foreign key."""

    source: ColumnName = Field(alias="from")
    """The column that refers: ``audit_logs.user_id``."""
    target: ColumnName = Field(alias="to")
    """The column that it refers to: ``users.id``."""
    when: Mapping[Text, Text] = Field(default_factory=dict)
    """Columns of the referring table with the values its rows have to have to be meant: of a polymorphic pair
    ``{owner_type: user}``."""
    note: Text | None = None
    """Why there is no foreign key; for people."""


class Invariant(Entry):
    """A query whose single value is known."""

    name: Text
    """As reports call it."""
    sql: Text
    """One ``SELECT`` with one value."""
    expect: Expected
    """The value it must have."""
    severity: SeverityLabel = Severity.ERROR
    """Of a value that is another one."""


class IgnoredDrift(Entry):
    """Differences that somebody answers for, until a day."""

    kind: Text = "*"
    """Of the objects, a glob: ``index``."""
    name: Text
    """Theirs, a glob, with or without the namespace: ``public.tmp_*``."""
    fact: Text | None = None
    """Only this fact of objects that differ: ``comment``, ``storage``."""
    reason: Text
    """Why they are meant."""
    owner: Text
    """Who answers for them."""
    until: Day
    """The last day on which it holds."""


class WeighedDrift(Entry):
    """How much differences of some objects matter."""

    kind: Text = "*"
    """Of the objects, a glob."""
    name: Text = "*"
    """Theirs, a glob, with or without the namespace."""
    severity: SeverityLabel
    """Of differences of these."""


class Drift(Entry):
    """What of drift the project has decided to live with."""

    ignore: tuple[IgnoredDrift, ...] = ()
    severity: tuple[WeighedDrift, ...] = ()
    """The first entry that matches counts."""
    baseline: Text | None = None
    """The file of the differences that are known, relative to the project's root."""


class Allowed(Entry):
    """A rule or a hazard that somebody answers for, until a day."""

    rule: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z-]+$")] | None = None
    """A rule whose finding is meant: ``lint.index-not-concurrent``."""
    hazard: Annotated[str, Field(pattern=r"^[a-z-]+$")] | None = None
    """A harm that is meant: ``drops-column``."""
    subject: Text
    """What it may happen to: ``users.nick``; for a rule about a revision its id."""
    reason: Text
    """Why it is meant."""
    owner: Text
    """Who answers for it."""
    expires: Day
    """The last day on which it holds."""

    @model_validator(mode="after")
    def _names_one(self) -> Allowed:
        if (self.rule is None) == (self.hazard is None):
            message = "must name either a rule or a hazard"
            raise ValueError(message)
        return self


class Lint(Entry):
    """From when on what a revision does to a table matters."""

    small_table_rows: Annotated[int, Field(ge=0, lt=2**63)] = 10_000
    """Below this many rows what blocks a table is over at once: such findings are info."""
    slow_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """A statement that takes longer in the rehearsal is slow."""


class Keep(Entry):
    """Which backups stay, of each database. A backup stays if any of these keeps it."""

    newest: Annotated[int, Field(ge=1, lt=2**31)] = 7
    """So many, whatever their age."""
    days: Annotated[int, Field(ge=0, lt=36_500)] = 30
    """All that are younger."""
    daily: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of so many days that have a backup, the newest of each; the same for weeks, months and years."""
    weekly: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of so many weeks that have a backup, the newest of each."""
    monthly: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of so many months."""
    yearly: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of so many years."""
    verified: Annotated[int, Field(ge=1, lt=2**31)] = 1
    """So many of the newest that were proven."""


class Schedule(Entry):
    """When backups are to be proven again."""

    verify_every: Span = timedelta(days=7)
    """A backup that nobody has looked at for so long is proven again by ``govern backup verify --schedule``."""


class Backups(Entry):
    """How long backups are kept, how often they are proven, and how old the newest may be."""

    keep: Keep = Keep()
    ledger_days: Annotated[int, Field(ge=0, lt=36_500)] = 30
    """Backups that the ledger's runs of so many days name stay."""
    max_age: Span | None = None
    """From when on the newest good backup is too old; without it none is."""
    schedule: Schedule = Schedule()

    @property
    def policy(self) -> Policy:
        return Policy(**self.keep.model_dump(), ledger_days=self.ledger_days)


class AllowedFix(Entry):
    """A fix that the monitor may do by itself: a repair of the manifest, or all fixes of a kind."""

    kind: FixKind | None = None
    """``recreate_missing``: what is declared and gone. ``restore_changed``: what is otherwise than declared. Else the
    kind of declared repairs: nothing that nobody has declared touches rows."""
    repair: Text | None = None
    """The name of a repair of the manifest."""
    tables: tuple[TableName, ...] = ()
    """Of these critical tables; none: of all of them."""
    most_rows: Annotated[int, Field(ge=1, lt=2**63)] = MOST_ROWS
    """A fix that would touch more rows needs a person."""

    @model_validator(mode="after")
    def _names_one(self) -> AllowedFix:
        if (self.kind is None) == (self.repair is None):
            message = "must name either a kind of fixes or a repair"
            raise ValueError(message)
        if self.repair is not None and self.tables:
            message = f"must not name tables: the repair {self.repair!r} says itself which"
            raise ValueError(message)
        return self


class Fixes(Entry):
    """What the monitor may fix, and when."""

    mode: Mode = "dry-run"
    """``dry-run``: it says what it would fix. ``apply``: it does. ``off``: neither."""
    allow: tuple[AllowedFix, ...] = ()
    hours: Annotated[str, AfterValidator(check_hours), Field(json_schema_extra={"pattern": HOURS})] | None = (
        None
    )
    """Only in this part of the day: ``22:00-06:00``."""
    time_zone: Annotated[str, AfterValidator(check_zone)] = "UTC"
    """Of ``hours``: ``Europe/Berlin``."""
    most_per_hour: Annotated[int, Field(ge=1, le=1_000)] = 3
    """No more fixes than these within an hour; what comes then needs a person."""

    @property
    def part_of_day(self) -> Hours | None:
        if self.hours is None:
            return None
        begin, end = (time.fromisoformat(part) for part in self.hours.split("-"))
        return Hours(begin=begin, end=end, zone=ZoneInfo(self.time_zone))


class Notify(Entry):
    """Who is told of what the monitor finds and does."""

    webhook_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable with the URL: it is a secret. Slack and what understands its JSON."""
    command: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """A program and its arguments, started without a shell; gets the notification as JSON on stdin."""
    severity: SeverityLabel = Severity.CRITICAL
    """The least one of an issue that is worth a notification."""

    @model_validator(mode="after")
    def _names_one(self) -> Notify:
        if (self.webhook_env is None) == (self.command is None):
            message = "must name either webhook_env or a command"
            raise ValueError(message)
        return self


class MonitoredProbes(Entry):
    """Which probes of the running application the monitor asks, and how often."""

    sequences: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Names of ``probes.sequences``."""
    every: Span | None = None
    """After each of its looks at the database if it is left out."""
    within_seconds: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = 60.0
    """For all of them together: what has not ended then is ended, and told."""


class Monitor(Entry):
    """How often the monitor looks, what it may fix, and whom it tells."""

    every: Span = timedelta(minutes=5)
    """From one look to the next."""
    fixes: Fixes = Fixes()
    notify: tuple[Notify, ...] = ()
    probes: MonitoredProbes | None = None


class Manifest(Entry):
    """The whole file."""

    critical_tables: tuple[CriticalTable, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    repairs: tuple[Repair, ...] = ()
    drift: Drift = Drift()
    lint: Lint = Lint()
    allow: tuple[Allowed, ...] = ()
    backups: Backups = Backups()
    monitor: Monitor = Monitor()
    probes: Probes = Probes()
    _path: Path = PrivateAttr(default=Path())
    _lines: Mapping[tuple[str | int, ...], int] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _fixes_critical_tables(self) -> Manifest:
        known = {table.name for table in self.critical_tables}
        for name in (name for one in self.monitor.fixes.allow for name in one.tables):
            if name not in known:
                message = f"may not have the monitor fix {name!r}: it is none of its critical_tables"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _asks_what_is_declared(self) -> Manifest:
        known = {sequence.name for sequence in self.probes.sequences}
        asked = self.monitor.probes.sequences if self.monitor.probes else ()
        for name in (name for name in asked if name not in known):
            message = f"may not have the monitor ask {name!r}: it is none of probes.sequences"
            raise ValueError(message)
        return self

    @property
    def path(self) -> Path:
        return self._path

    def minimum_rows(self, dialect: str) -> Mapping[str, int]:
        """The critical tables by full name (``public.users``; SQLite: ``users``), each with the rows it must have.

        0 where none are asked for, or where the manifest calls their lack no more than a warning.
        """
        home = default_namespace(dialect)
        return {
            ".".join(part for part in (table.namespace or home, table.table) if part): table.min_rows
            if table.severity >= Severity.ERROR
            else 0
            for table in self.critical_tables
        }

    def line_of(self, *path: str | int) -> int:
        """The line of a value by the way to it: ``line_of("critical_tables", 0, "never_empty", "email")``."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)
