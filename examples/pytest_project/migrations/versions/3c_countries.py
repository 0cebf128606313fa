"""countries, with the first ones"""

import sqlalchemy as sa
from alembic import op

revision = "3c"
down_revision = "2b"


def upgrade() -> None:
    countries = op.create_table(
        "countries",
        sa.Column("code", sa.String(2), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
    )
    op.bulk_insert(countries, [{"code": "CH", "name": "Switzerland"}, {"code": "PT", "name": "Portugal"}])


def downgrade() -> None:
    op.drop_table("countries")
