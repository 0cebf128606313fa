"""The page's words: what each benchmark asks, and what is to be known of those beside govern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Section(NamedTuple):
    title: str
    about: str


SECTIONS: Mapping[str, Section] = {
    "drift": Section(
        "A drift check that finds nothing",
        "Two databases with equal schemas. `pg_dump` reads them at the same time, as govern does. *The limit* is a "
        "process that asks both the same questions as govern and throws the answers away: what it takes is the start "
        "of Python, the driver, and the server's work.",
    ),
    "chain": Section(
        "Reading a chain of revisions",
        "govern reads files and imports none; Alembic imports every one, of which Python keeps "
        "bytecode beside the file, as govern remembers what it read. A fresh checkout, as in CI, has neither.",
    ),
    "startup": Section(
        "May the application start?",
        "`validate_on_startup` on a database that nobody has touched since its last migration; "
        "`alembic current --check-heads` compares a number alone. Within a running process what is "
        "left of the time is a new session's first look at the server's catalogs.",
    ),
    "migrate": Section(
        "Applying pending revisions",
        "The same statements, by a tool that applies them and by one that looks first, rehearses them "
        "on a copy and takes a backup that it restores.",
    ),
    "blocking": Section(
        "An application beside a migration that has to wait",
        "A transaction reads a table for 15 s while a migration wants to add a column to it, and queries come in, 50 a "
        "second, four of five for that table. Seconds are those of the slowest query, which waited for a connection, "
        "too; of one run each.",
    ),
    "backup": Section(
        "A backup that was restored",
        "govern's includes a restore into a scratch database and checksums of all rows on both sides. "
        "*Its own parts, bare*: the same dump, restore and queries by the plain tools, one after the "
        "other.",
    ),
    "orphans": Section(
        "Rows without a parent",
        "Beside the plain query, once a foreign key, and `VALIDATE CONSTRAINT`. *The floor* of small "
        "keys only counts their rows: what opening the tables costs a new session.",
    ),
    "repair": Section(
        "Single changes, seen and repaired",
        "Each case of `tests/cases/drift` in both directions, a made-up row in every table. *Seen*: the change is "
        "reported, or there are statements for it; *runs*: they raise no error; *converges*: afterwards the catalogs "
        "are equal. Seconds are those of one direction, in process; govern's include trying the repair on a copy, "
        "migra's only its writing.",
    ),
    "scan": Section(
        "Statements in code, against the schema",
        "None of the others does the same: they read SQL alone, or find calls alone; none knows the schema.",
    ),
    "fleet": Section(
        "Many databases at once",
        "Databases of one server and SQLite files, one after the other being looked at by a process each, two at a "
        "time, as a shell would do it; and by one command with eight workers. `alembic check` compares tables, "
        "columns and indexes alone.",
    ),
    "pytest_plugin": Section(
        "A migrated database for each test",
        "What a test waits for: a database with 40 tables of 10 revisions that is its own, a row written and read, the "
        "database dropped. `create_all` makes only what the models say.",
    ),
    "health": Section(
        "Health of a service whose database hangs",
        "Every process of the server is stopped for a while. `/health/ping` asks no database: it is the floor. "
        "Seconds are medians of answers, whatever they said; the answers in time are counted.",
    ),
    "diagram": Section(
        "A picture of a schema",
        "In this process, from the snapshot to SVG; beside it Graphviz lays out the same tables and references, as "
        "govern writes them for it, in a process of its own.",
    ),
}
