"""What is asked of rows that were copied into temporary tables: which are missing, which are the same, which go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.sql import SQL, Composable, Identifier

_ROW, _TABLE, _CONTENT, _RANK = (Identifier(f"govern {word}") for word in ("row", "table", "content", "rank"))


@dataclass(frozen=True, slots=True)
class StagedRows:
    """One table whose source's rows are in temporary tables of the live database."""

    live: Composable
    """With ONLY, but for a partitioned one."""
    number: int
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def temporary(self, what: str) -> Identifier:
        return Identifier("pg_temp", f"govern_{what}_{self.number}")


MISSING_BY_KEY = "SELECT s.* FROM {source} AS s WHERE NOT EXISTS (SELECT FROM {live} AS l WHERE {by_key})"
MISSING_BY_CONTENT = """
SELECT {of_s} FROM (
  SELECT s.*, {content_s} AS {content}, row_number() OVER (PARTITION BY {content_s}) AS {rank} FROM {source} AS s
) AS s
LEFT JOIN (SELECT {content_l} AS {content}, count(*) AS {rank} FROM {live} AS l GROUP BY 1) AS l USING ({content})
WHERE s.{rank} > coalesce(l.{rank}, 0)
"""
DIGEST = """
SELECT count(*), sum(pg_catalog.hashtextextended(ROW({of_t})::text COLLATE pg_catalog."C", 0))::text FROM {rows} AS t
"""
COUNT_SAME = "SELECT count(*) FROM {source} AS s JOIN {live} AS l ON {by_key} WHERE {content_l} = {content_s}"
SURPLUS_BY_KEY = "SELECT {marks} FROM {live} AS l WHERE NOT EXISTS (SELECT FROM {source} AS s WHERE {by_key})"
SURPLUS_BY_CONTENT = """
SELECT {marks} FROM {live} AS l JOIN (
  SELECT l.ctid AS {row}, l.tableoid AS {oid}, {content_l} AS {content},
    row_number() OVER (PARTITION BY {content_l}) AS {rank} FROM {live} AS l
) AS ranked ON ranked.{row} = l.ctid AND ranked.{oid} = l.tableoid
LEFT JOIN (SELECT {content_s} AS {content}, count(*) AS {rank} FROM {source} AS s GROUP BY 1) AS s USING ({content})
WHERE ranked.{rank} > coalesce(s.{rank}, 0)
"""


def fill_in(statement: str, staged: StagedRows, **parts: Composable) -> Composable:
    return SQL(statement).format(
        live=staged.live,
        **{what: staged.temporary(what) for what in ("source", "missing", "candidates", "removed")},
        columns=SQL(", ").join(map(Identifier, staged.columns)),
        of_s=list_columns("s", staged.columns),
        by_key=pair_columns("l", staged.key, "s", staged.key),
        content_l=_content("l", staged.columns),
        content_s=_content("s", staged.columns),
        marks=SQL("l.tableoid AS {}, l.ctid AS {}, l.*").format(_TABLE, _ROW),
        row=_ROW,
        oid=_TABLE,
        content=_CONTENT,
        rank=_RANK,
        **parts,
    )


def pair_columns(one: str, columns: Sequence[str], other: str, others: Sequence[str]) -> Composable:
    pairs = zip(columns, others, strict=True)
    return SQL(" AND ").join(
        SQL("{} = {}").format(Identifier(one, a), Identifier(other, b)) for a, b in pairs
    )


def _content(alias: str, columns: Sequence[str]) -> Composable:
    """A row as text: not every type can be compared, but every value has one."""
    return SQL('ROW({})::text COLLATE pg_catalog."C"').format(list_columns(alias, columns))


def list_columns(alias: str, columns: Sequence[str]) -> Composable:
    return SQL(", ").join(Identifier(alias, name) for name in columns)


def set_columns(alias: str, columns: Sequence[str]) -> Composable:
    return SQL(", ").join(
        SQL("{} = {}").format(Identifier(name), Identifier(alias, name)) for name in columns
    )
