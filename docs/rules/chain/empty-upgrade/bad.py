revision = "3f2a91c07d14"
down_revision = "first"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
