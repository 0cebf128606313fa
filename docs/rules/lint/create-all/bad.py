import sqlalchemy as sa
from alembic import op

# in a project: from app.models import metadata
metadata = sa.MetaData()
sa.Table("tags", metadata, sa.Column("name", sa.Text(), primary_key=True))


def upgrade() -> None:
    metadata.create_all(op.get_bind())
