"""Which database a file's statements are meant for, as far as its drivers tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

_ENGINES: Mapping[str, str] = {
    "psycopg": "postgresql",
    "psycopg2": "postgresql",
    "psycopg_pool": "postgresql",
    "asyncpg": "postgresql",
    "aiopg": "postgresql",
    "pg8000": "postgresql",
    "pg": "postgresql",
    "pg-promise": "postgresql",
    "postgres": "postgresql",
    "slonik": "postgresql",
    "@vercel/postgres": "postgresql",
    "@neondatabase/serverless": "postgresql",
    "sqlite3": "sqlite",
    "aiosqlite": "sqlite",
    "apsw": "sqlite",
    "sqlite": "sqlite",
    "better-sqlite3": "sqlite",
    "node:sqlite": "sqlite",
    "bun:sqlite": "sqlite",
    "pymysql": "mysql",
    "aiomysql": "mysql",
    "asyncmy": "mysql",
    "MySQLdb": "mysql",
    "mysql": "mysql",
    "mysql2": "mysql",
    "mysql2/promise": "mysql",
    "mariadb": "mysql",
    "clickhouse_driver": "clickhouse",
    "clickhouse_connect": "clickhouse",
    "asynch": "clickhouse",
    "aiochclient": "clickhouse",
    "@clickhouse/client": "clickhouse",
    "pyodbc": "sqlserver",
    "pymssql": "sqlserver",
    "mssql": "sqlserver",
    "tedious": "sqlserver",
    "cx_Oracle": "oracle",
    "oracledb": "oracle",
    "duckdb": "duckdb",
    "google.cloud.bigquery": "bigquery",
    "@google-cloud/bigquery": "bigquery",
    "snowflake": "snowflake",
    "snowflake-sdk": "snowflake",
    "cassandra": "cassandra",
    "cassandra-driver": "cassandra",
    "trino": "trino",
    "pyhive": "hive",
    "pyspark": "spark",
    "databricks": "spark",
    "redshift_connector": "redshift",
}
"""By the name that it is imported by: of a whole module, or of the package that it is in."""
_MENTIONED = re.compile(
    r"(?:import|from|require)\b[\s(\"']*(?:" + "|".join(map(re.escape, _ENGINES)) + r")(?![\w-])"
)
"""Most files import none."""
_OF_MANY = frozenset(
    {
        "sqlalchemy",
        "sqlmodel",
        "django",
        "alembic",
        "databases",
        "peewee",
        "tortoise",
        "pandas",
        "flask_sqlalchemy",
    }
    | {"knex", "sequelize", "typeorm", "kysely", "drizzle-orm", "@prisma", "pypika", "ibis"}
)
"""What speaks to more than one: beside it a driver says nothing of the whole file."""
_PYTHON_IMPORT = re.compile(
    r"^\s*(?:from\s+(?P<home>[\w.]+)\s+import\s+(?P<names>\([^)]*\)|[^\n]+)|import\s+(?P<modules>[^\n]+))",
    re.MULTILINE,
)
_ECMASCRIPT_IMPORT = re.compile(
    r"""import\s+(?P<clause>[^;"']*?)\s+from\s*["'](?P<source>[^"']+)["']"""
    r"""|(?:const|let|var)\s+(?P<names>[^=;]+?)\s*=\s*(?:await\s+import|require)\(\s*["'](?P<required>[^"']+)["']\s*\)"""
)
_MADE = re.compile(
    r"(?P<name>(?:self\.|this\.)?[A-Za-z_$][\w$]*)\s*(?::\s*[\w.\[\]| ]+)?=(?!=)\s*"
    r"(?:await\s+|new\s+)*(?P<of>[A-Za-z_$][\w$.]*)"
)
_OPENED = re.compile(r"\bwith\s+(?:await\s+)?(?P<of>[A-Za-z_][\w.]*)\s*\([^\n]*?\)\s+as\s+(?P<name>\w+)")
_ANNOTATED = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*:\s*[\"']?(?P<of>[A-Za-z_][\w.]*)")
_ROUNDS = 3
"""From a module over a connection and a cursor to what is made of that."""


class Drivers:
    """What speaks to which database in one file."""

    def __init__(self, content: str, *, is_python: bool) -> None:
        imports: tuple[tuple[str, str], ...] = ()
        if _MENTIONED.search(content):
            imports = tuple(_read_python(content) if is_python else _read_ecmascript(content))
        self._engines: dict[str, str] = {}
        for local, module in imports:
            if engine := _engine_of(module):
                self._engines[local] = engine
        engines = set(self._engines.values())
        speaks_to_many = any(
            module.split(".")[0].split("/")[0] in _OF_MANY or module in _OF_MANY for _, module in imports
        )
        self._of_all = next(iter(engines)) if len(engines) == 1 and not speaks_to_many else ""
        if self._engines and not self._of_all:
            self._follow(content)

    def engine_of(self, receiver: str) -> str:
        """What a call's receiver speaks to, as ``cursor`` of ``cursor.execute(…)``; nothing where that is not known."""
        return self._of_all or self._find(receiver)

    def _find(self, receiver: str) -> str:
        plain = re.sub(r"\(.*?\)|\[.*?\]|[?!]|await\s+", "", receiver, flags=re.DOTALL).strip("( )")
        parts = plain.split(".")
        for length in range(len(parts), 0, -1):
            if found := self._engines.get(".".join(parts[:length])):
                return found
        return ""

    def _follow(self, content: str) -> None:
        """Names that are made of what is known already; one that is also made of something else is of no database."""
        made = [
            (found["name"], found["of"])
            for form in (_MADE, _OPENED, _ANNOTATED)
            for found in form.finditer(content)
        ]
        for _ in range(_ROUNDS):
            seen: dict[str, set[str]] = {}
            for name, of in made:
                seen.setdefault(name, set()).add(self._find(of))
            self._engines.update(
                {name: engine for name, [engine, *others] in _lists(seen) if engine and not others}
            )


def _lists(seen: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, list[str]]]:
    return ((name, list(engines)) for name, engines in seen.items())


def _engine_of(module: str) -> str:
    return _ENGINES.get(module) or _ENGINES.get(module.split(".")[0]) or ""


def _read_python(content: str) -> Iterator[tuple[str, str]]:
    """Local names, and the modules that they come from."""
    for found in _PYTHON_IMPORT.finditer(content):
        home = found["home"]
        listed = (found["names"] or found["modules"] or "").strip("()")
        for one in re.split(r"[,\n]", listed.partition("#")[0] if "\n" not in listed else listed):
            name, _, alias = one.strip().partition(" as ")
            if not re.fullmatch(r"[\w.]+", name):
                continue
            if home is not None:
                yield (alias or name).strip(), f"{home}.{name}" if home == "google.cloud" else home
            else:
                yield (alias or name.split(".")[0]).strip(), name


def _read_ecmascript(content: str) -> Iterator[tuple[str, str]]:
    for found in _ECMASCRIPT_IMPORT.finditer(content):
        source = found["source"] or found["required"]
        for one in re.split(r"[,{}]", found["clause"] or found["names"] or ""):
            local = re.split(r"\s+as\s+|:", one.strip())[-1].strip()
            if re.fullmatch(r"[\w$]+", local):
                yield local, source
