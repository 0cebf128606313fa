"""What a revision's text tells of what it does."""

from __future__ import annotations

from textwrap import dedent

import pytest

from govern.revisions.operations import Operation, parse_operations, tables_created


def upgrade(body: str, *, top: str = "") -> tuple[Operation, ...]:
    """The operations of an upgrade() with this body."""
    text = f"{dedent(top)}\ndef upgrade():\n" + "".join(
        f"    {line}\n" for line in dedent(body).splitlines() or ["pass"]
    )
    return parse_operations(text).upgrade


def only(body: str, *, top: str = "") -> Operation:
    (operation,) = upgrade(body, top=top)
    return operation


def test_operations_are_read_in_order_with_table_line_and_flags() -> None:
    created, indexed, dropped = upgrade(
        """
        op.create_table("notes", sa.Column("id", sa.Integer))
        op.create_index(op.f("ix"), "users", ["email"], postgresql_concurrently=True)
        op.drop_column("users", "nick")
        """
    )
    assert (created.name, created.table, created.line) == ("create_table", "notes", 4)
    assert (indexed.table, indexed.texts) == ("users", {"ix", "users", "email"})
    assert indexed.flags == {"postgresql_concurrently": True}
    assert (dropped.table, dropped.texts) == ("users", {"users", "nick"})


def test_a_batch_gives_its_table_to_what_is_called_on_it() -> None:
    operations = upgrade(
        """
        with op.batch_alter_table("users") as batch:
            batch.add_column(sa.Column("nick", sa.Text))
        """
    )
    assert [(operation.name, operation.table) for operation in operations] == [
        ("batch_alter_table", "users"),
        ("add_column", "users"),
    ]


def test_what_stands_in_an_autocommit_block_or_a_loop_is_known_to() -> None:
    first, second, third = upgrade(
        """
        op.execute("SELECT 1")
        with op.get_context().autocommit_block():
            op.execute("SELECT 2")
        for number in range(3):
            op.execute("SELECT 3")
        """
    )
    assert [(one.in_autocommit, one.in_loop) for one in (first, second, third)] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_functions_of_the_module_are_followed_and_never_in_circles() -> None:
    top = """
    def helper():
        op.drop_table("a")
        helper()
    """
    assert only("helper()", top=top).table == "a"


@pytest.mark.parametrize(
    ("body", "verb", "table"),
    [
        ("op.execute('UPDATE users SET a = 1')", "UPDATE", "users"),
        ('op.execute(sa.text("delete from only public.users"))', "DELETE", "public.users"),
        ("op.execute(f'UPDATE users SET a = {value}')", "UPDATE", "users"),
        ("op.get_bind().execute(sa.update(users).values(a=1))", "UPDATE", "users"),
        ("query = users.delete().where(True)\nconnection.execute(query)", "DELETE", "users"),
        ("op.execute('TRUNCATE TABLE users')", None, "users"),
        ("op.execute('SELECT * FROM users FOR UPDATE')", None, None),
        ("op.execute('INSERT INTO users VALUES (1)')", None, None),
        ("op.execute(build())", None, None),
    ],
)
def test_a_change_of_rows_is_recognised_with_its_table(
    body: str, verb: str | None, table: str | None
) -> None:
    operation = upgrade(body, top="users = sa.table('users', sa.column('a'))")[-1]
    assert (operation.changes_rows, operation.table) == (verb, table)


def test_names_are_told_in_full_however_they_were_imported() -> None:
    source = """
    import os, datetime as dt
    from os import environ as env
    from datetime import datetime

    def upgrade():
        os.environ["A"]; env.get("B"); datetime.now(); dt.datetime.now(); mine.environ
    """
    names = [mention.name for mention in parse_operations(dedent(source)).mentions]
    assert "os.environ" in names
    assert names.count("datetime.datetime.now") == 2
    assert not any("mine" in name for name in names)


def test_tables_created_are_those_of_the_upgrades() -> None:
    source = 'def upgrade():\n    op.create_table("a")\n\ndef downgrade():\n    op.create_table("b")\n'
    assert tables_created([parse_operations(source)]) == {"a"}


def test_a_table_the_upgrades_create_and_rename_is_created_under_both_names() -> None:
    first = parse_operations('def upgrade():\n    create_table("a")\n')
    second = parse_operations(
        'def upgrade():\n    op.rename_table("a", "b")\n    op.rename_table("x", "y")\n'
    )
    assert tables_created([first, second]) == {"a", "b"}
