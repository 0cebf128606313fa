import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    with op.get_context().autocommit_block():
        batch = sa.text(
            "UPDATE users SET token = gen_random_uuid() WHERE ctid = ANY (ARRAY("
            "SELECT ctid FROM users WHERE token IS NULL LIMIT 1000))"
        )
        while op.get_bind().execute(batch).rowcount:
            pass
