"""Makes the database what one server is: filled by a tool that took notes.user_id for a text."""

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Text, text

from app.settings import make_engine

ROWS = (
    "INSERT INTO users (id, name) VALUES (1, 'ada'), (2, 'grace')",
    "INSERT INTO sessions (token, user_id) VALUES ('of-ada', 1), ('of-grace', 2)",
    "INSERT INTO notes (id, user_id, body) VALUES (11, '1', 'engines'), (12, '2', 'moths'), (13, '1', 'looms')",
)

with make_engine().begin() as connection:
    operations = Operations(MigrationContext.configure(connection))
    with operations.batch_alter_table("notes") as notes:
        notes.alter_column("user_id", type_=Text(), existing_nullable=False, postgresql_using="user_id::text")
    for row in ROWS:
        connection.execute(text(row))
