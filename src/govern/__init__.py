"""Migration and schema governance for SQLAlchemy and Alembic."""

__version__ = "0.1.0"
