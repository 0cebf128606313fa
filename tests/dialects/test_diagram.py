"""A picture of a real schema has every key and every reference, whatever the names are."""

from __future__ import annotations

from govern.core.diagram import draw_schema
from govern.core.snapshot import default_namespace
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from tests.acceptance.program import execute

ODD = 'Odd, (t) "1"'
QUOTED = '"Odd, (t) ""1"""'


def test_keys_and_references_are_those_of_the_database(any_database: DatabaseUrl) -> None:
    execute(
        any_database,
        f'CREATE TABLE {QUOTED} (id integer PRIMARY KEY, "a,b" integer NOT NULL, c integer, UNIQUE ("a,b", c))',
        f"CREATE TABLE one (id integer PRIMARY KEY REFERENCES {QUOTED}, note text)",
        f"""CREATE TABLE many (
          id integer PRIMARY KEY, parent integer REFERENCES many ON DELETE CASCADE, "x,y" integer, z integer,
          CONSTRAINT "to, (odd)" FOREIGN KEY ("x,y", z) REFERENCES {QUOTED} ("a,b", c) ON DELETE SET NULL
        )""",
    )
    dialect, home = dialect_of(any_database), default_namespace(any_database.dialect)
    with dialect.connect(any_database, read_only=True) as connection:
        diagram = draw_schema(dialect.read_snapshot(connection, VersionTable()))
    odd, one, many = (home, ODD), (home, "one"), (home, "many")
    assert set(diagram.tables) == {odd, one, many}
    assert {
        (
            link.reference.child,
            link.reference.columns,
            link.reference.parent,
            link.reference.parent_columns,
        ): link.is_single
        for link in diagram.links
    } == {
        (one, ("id",), odd, ("id",)): True,
        (many, ("parent",), many, ("id",)): False,
        (many, ("x,y", "z"), odd, ("a,b", "c")): False,
    }
    assert [(key.name, key.is_primary, key.is_optional) for key in diagram.tables[many].columns] == [
        ("id", True, False),
        ("parent", False, True),
        ("x,y", False, True),
        ("z", False, True),
    ]
    assert diagram.showing("keys").tables[one].hidden_columns == 1
