"""A generated application: Python, TypeScript and SQL files that ask the tables of ``drift.schema_sql``.

No two statements are the same, as it is in real code; one of 25 asks for what there is not.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drift import COLUMNS, parents

_NAMES = ("id", *(name for name, _, _ in COLUMNS))
_WRONG = {"table": "t{table}_archive", "column": "emial", "type": "note = tenant_id"}
_CONDITIONS = (
    ("tenant_id", "="),
    ("name", "LIKE"),
    ("email", "="),
    ("status", "<>"),
    ("amount", ">="),
    ("created_at", "<"),
    ("note", "="),
)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement, its parameters written as ``{0}`` to ``{2}``."""

    text: str
    parameters: tuple[str, ...]


def write_code_base(folder: Path, *, files: int, statements: int, tables: int, seed: int = 1) -> None:
    """Six files of ten are Python's, three TypeScript's, one is SQL; as many statements in each."""
    chance = random.Random(seed)
    for number in range(files):
        queries = [make_query(chance, tables) for _ in range(statements // files)]
        suffix, write = _LANGUAGES[number % len(_LANGUAGES)]
        path = folder / f"part{number // 25}" / f"store_{number}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write(queries), encoding="utf-8")


def make_query(chance: random.Random, tables: int) -> Query:
    wrong = chance.choice(list(_WRONG)) if chance.random() < 0.04 else None
    number = chance.randrange(tables)
    table = _WRONG["table"].format(table=number) if wrong == "table" else f"t{number}"
    columns = chance.sample(_NAMES, chance.randint(2, 6))
    if wrong == "column":
        columns.append(_WRONG["column"])
    conditions = chance.sample(_CONDITIONS, chance.randint(1, 3))
    parameters = tuple(name for name, _ in conditions)
    where = [f"{name} {operator} {{{at}}}" for at, (name, operator) in enumerate(conditions)]
    if wrong == "type":
        where.append(_WRONG["type"])
    kind = chance.random()
    if kind < 0.15:
        values = ", ".join(f"{{{at}}}" for at in range(len(parameters)))
        extra = ", emial" if wrong == "column" else ""
        value = ", 'x'" if wrong == "column" else ""
        text = f"INSERT INTO {table} ({', '.join(parameters)}{extra})\nVALUES ({values}{value}) RETURNING id"
    elif kind < 0.3:
        text = f"UPDATE {table} SET {columns[-1]} = DEFAULT\nWHERE {' AND '.join(where)}"
    elif kind < 0.5 and number > 3:
        to = chance.choice(parents(number))
        listed = ", ".join(f"a.{name}" for name in columns)
        held = " AND ".join(f"a.{one}" for one in where)
        text = (
            f"SELECT {listed}, b.name AS of\nFROM {table} AS a\nJOIN t{to} AS b ON b.id = a.ref_{to}\n"
            f"WHERE {held}\nORDER BY a.id LIMIT {chance.randint(1, 500)}"
        )
    else:
        text = (
            f"SELECT {', '.join(columns)}\nFROM {table}\nWHERE {' AND '.join(where)}\n"
            f"ORDER BY id LIMIT {chance.randint(1, 500)}"
        )
    return Query(text, parameters)


def write_python(queries: list[Query]) -> str:
    return _PYTHON_HEAD + "".join(_python_function(at, query) for at, query in enumerate(queries))


def write_typescript(queries: list[Query]) -> str:
    return _TYPESCRIPT_HEAD + "".join(_typescript_function(at, query) for at, query in enumerate(queries))


def write_sql(queries: list[Query]) -> str:
    literals = {"tenant_id": "7", "amount": "12.5", "created_at": "'2026-01-01'"}
    return "".join(
        f"-- report {at}\n{query.text.format(*(literals.get(one, repr(one)) for one in query.parameters))};\n\n"
        for at, query in enumerate(queries)
    )


_PYTHON_HEAD = '''\
"""One part of the application's store."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

'''


def _python_function(at: int, query: Query) -> str:
    names = ", ".join(f"{name}: Any" for name in query.parameters)
    given = ", ".join(f'"{name}": {name}' for name in query.parameters)
    sql = query.text.format(*(f":{name}" for name in query.parameters)).replace("\n", "\n            ")
    return f'''
def find_{at}(session: Session, {names}) -> list[dict[str, Any]]:
    """What part {at} of the page shows."""
    if not all([{", ".join(query.parameters)}]):
        raise ValueError("nothing to look for")
    rows = session.execute(
        text("""
            {sql}
        """),
        {{{given}}},
    ).mappings()
    found = [dict(row) for row in rows]
    log.info("found %d rows", len(found))
    return sorted(found, key=lambda row: str(row.get("name", "")))

'''


_TYPESCRIPT_HEAD = """\
import { pool } from './pool';
import { log } from './log';

"""


def _typescript_function(at: int, query: Query) -> str:
    names = ", ".join(f"{name}: string" for name in query.parameters)
    sql = query.text.format(*(f"${number + 1}" for number in range(len(query.parameters))))
    return f"""
export async function find{at}({names}): Promise<Row[]> {{
  if (![{", ".join(query.parameters)}].every(Boolean)) {{
    throw new Error('nothing to look for');
  }}
  const result = await pool.query(
    `{sql}`,
    [{", ".join(query.parameters)}],
  );
  log.info({{ count: result.rowCount }}, 'found rows');
  return result.rows.map((row) => ({{ ...row, at: {at} }}));
}}
"""


_LANGUAGES: tuple[tuple[str, Callable[[list[Query]], str]], ...] = (
    *((".py", write_python),) * 6,
    *((".ts", write_typescript),) * 3,
    (".sql", write_sql),
)
