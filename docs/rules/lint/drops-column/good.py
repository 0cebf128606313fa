from alembic import op


def upgrade() -> None:
    # no code uses it any more; a later revision drops it, and the manifest allows that by name
    op.alter_column("users", "nick", comment="unused since November, see issue 12")
