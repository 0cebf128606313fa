"""Notes that people write."""

from app.ids import ensure_int_id
from app.notes import notes_of

__all__ = ["ensure_int_id", "notes_of"]
