from alembic import op


def upgrade() -> None:
    op.execute("CREATE TYPE mood AS ENUM ('glad', 'sad')")
    op.execute("ALTER TABLE users ADD COLUMN mood mood")


def downgrade() -> None:
    op.drop_column("users", "mood")
    op.execute("DROP TYPE mood")
