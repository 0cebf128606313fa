import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    op.alter_column("users", "age", type_=sa.BigInteger())
