"""People choose what they are called.

``full_name`` was demanded at sign-up and many typed anything. From now on ``display_name`` is what
everyone has, and ``full_name`` is only given by those who want letters.

Revision ID: c60be2f7194d
Revises: 9f3507c6be81
Create Date: 2025-09-16
"""

import sqlalchemy as sa
from alembic import op

revision = "c60be2f7194d"
down_revision = "9f3507c6be81"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("display_name", sa.String(length=80), comment="What the assistant calls its user")
    )
    op.execute(
        """
        UPDATE users
        SET display_name = left(coalesce(nullif(btrim(full_name), ''), split_part(email, '@', 1)), 80)
        """
    )

    # A check that is first added unvalidated and then validated reads the table while others write to it,
    # and PostgreSQL believes it: SET NOT NULL then needs no scan of its own.
    op.create_check_constraint(
        op.f("ck_users_display_name_given"), "users", "display_name IS NOT NULL", postgresql_not_valid=True
    )
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_display_name_given")
    op.alter_column("users", "display_name", nullable=False)
    op.drop_constraint(op.f("ck_users_display_name_given"), "users", type_="check")

    op.create_check_constraint(
        op.f("ck_users_display_name_not_blank"),
        "users",
        "char_length(btrim(display_name)) > 0",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_display_name_not_blank")

    op.alter_column("users", "full_name", nullable=True, comment="As on a letter; many never give it")


def downgrade() -> None:
    op.execute("UPDATE users SET full_name = display_name WHERE full_name IS NULL")
    op.alter_column("users", "full_name", nullable=False, comment=None)
    op.drop_column("users", "display_name")
