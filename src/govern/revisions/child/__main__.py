"""``python .../revisions/child ORDERS EVENTS``: the two numbers are file descriptors of pipes.

``python .../revisions/child REQUESTS``: of a socket, over which such pairs come; each gets a child of its own.
"""

import gc
import importlib
import importlib.util
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
_NAME = "govern_child"
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Alembic and SQLAlchemy are made of as many when they are imported, none of them garbage."""


def _load_package() -> None:
    """Loads this folder under a name of its own: its modules must not stand in the way of the project's."""
    spec = importlib.util.spec_from_file_location(
        _NAME, str(_FOLDER / "__init__.py"), submodule_search_locations=[str(_FOLDER)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(_FOLDER)
    sys.modules[_NAME] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)


gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
if sys.path and Path(sys.path[0]).resolve() == _FOLDER:
    del sys.path[0]
_load_package()
serve = importlib.import_module(_NAME + ".commands").serve
if len(sys.argv) > 2:
    serve(int(sys.argv[1]), int(sys.argv[2]))
else:
    serve(*importlib.import_module(_NAME + ".nursery").become_child(int(sys.argv[1])))
gc.freeze()  # all that is left goes with the process: looking through it would take a fifth of a second
