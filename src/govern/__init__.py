"""Migration and schema governance for SQLAlchemy and Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govern.version import __version__

__all__ = ["SchemaRefused", "__version__", "validate_on_startup"]

if TYPE_CHECKING:
    from govern.errors import SchemaRefused
    from govern.startup import validate_on_startup


def __getattr__(name: str) -> Any:
    """Imports on first use: ``govern --help`` must not pay for what it does not need."""
    if name == "validate_on_startup":
        from govern.startup import validate_on_startup

        return validate_on_startup
    if name == "SchemaRefused":
        from govern.errors import SchemaRefused

        return SchemaRefused
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
