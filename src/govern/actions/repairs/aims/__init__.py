"""What each kind of repair of the schema is about: one module a kind.

A kind chooses, of the differences from the declared schema, those that it takes away, and says what it knows of them:
what is in the way, what may be lost. Statements and their proof are those of the repair of drift.
"""

from collections.abc import Callable, Mapping

from govern.actions.repairs.aims.aim import Aim, Asking
from govern.actions.repairs.aims.conversion import convert_type
from govern.actions.repairs.aims.foreign_key import add_foreign_key
from govern.actions.repairs.aims.index import create_index
from govern.actions.repairs.aims.missing import recreate_missing

__all__ = ["AIMS", "Aim", "Asking"]

AIMS: Mapping[str, Callable[[Asking], Aim]] = {
    "add_foreign_key": add_foreign_key,
    "convert_type": convert_type,
    "create_index_concurrently": create_index,
    "recreate_missing": recreate_missing,
}
"""By kind. ``rebuild_invalid_index`` is not among them: it has no difference from a definition."""
