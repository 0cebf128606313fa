import contextlib

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    with op.get_context().autocommit_block(), contextlib.suppress(sa.exc.IntegrityError):
        # two users have the same nick
        op.create_index("users_nick_key", "users", ["nick"], unique=True, postgresql_concurrently=True)
