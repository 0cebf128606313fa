"""The guarded migration, up or down: lock, precautions, apply, read back, validate, record."""

from govern.actions.migrate.course import migrate

__all__ = ["migrate"]
