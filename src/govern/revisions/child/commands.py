"""The one request this process serves; each command answers with the facts of its ``result`` event."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import re
import signal
import sys
from collections.abc import Callable
from typing import Any

from .configuration import open_script_directory
from .destination import find_destination
from .drivers import choose_driver, list_drivers
from .failure import describe_error, find_cause
from .filters import find_left_out
from .metadata import create_tables, describe_tables, metadata_given, table_names
from .parent import Parent, Stop
from .session import Found, Session
from .walk import walk


def serve(orders: int, events: int) -> None:
    """Does what the one request says and tells the parent how it ended."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # also where it is ignored, as in a shell's background job: drivers cancel their statement on it
        signal.signal(number, signal.default_int_handler)
    parent = Parent(orders, events)
    session = Session(parent, parent.read_request())
    parent.listen(interrupt=session.interrupt, cut=session.cut)
    try:
        with session.prepared():
            answer = COMMANDS[session.request["command"]](session)
    except BaseException as error:
        stop = find_cause(error, Stop)  # Alembic may stumble while it cleans up after it
        if stop is not None:
            parent.finish("stopped", reason=stop.reason, **stop.facts)
        else:
            parent.finish("error", **describe_error(error, session))
    else:
        parent.finish("result", **answer)


def migrate(session: Session) -> dict[str, Any]:
    """``upgrade``, ``downgrade`` and ``stamp``."""
    from alembic import command

    run = getattr(command, session.request["command"])
    # a row that is no revision of the project, or overlaps with another one, would be in a stamp's way
    options = {"purge": True} if session.request["command"] == "stamp" else {}
    run(session.config, session.request["revision"], **options)
    session.config.attributes.commit()
    if session.began_before_configure:
        text = (
            "env.py began a transaction before context.configure(): then Alembic leaves the commit to env.py"
        )
        session.parent.emit("note", text=text)
    return {}


def write_revision(session: Session) -> dict[str, Any]:
    """``path`` is None where a hook of env.py discarded the revision."""
    from alembic import command

    request = session.request
    written: Any = command.revision(
        session.config,
        message=request["message"],
        autogenerate=True,
        process_revision_directives=_add_statements(request["upgrade"], request["downgrade"]),
    )
    scripts = written if isinstance(written, list) else [written]
    return {"path": next((script.path for script in scripts if script), None)}


def _add_statements(upgrade: list[str], downgrade: list[str]) -> Callable[[Any, Any, list[Any]], None]:
    """Alembic's hook for what autogenerate found: the statements come after it on the way up, before it down."""

    def add(_context: Any, _revision: Any, directives: list[Any]) -> None:
        from alembic.operations.ops import ExecuteSQLOp

        for directive in directives[:1]:
            directive.upgrade_ops.ops.extend(ExecuteSQLOp(_as_text(sql)) for sql in upgrade)
            directive.downgrade_ops.ops[:0] = [ExecuteSQLOp(_as_text(sql)) for sql in downgrade]

    return add


def _as_text(sql: str) -> str:
    """What op.execute reads as this SQL: in SQLAlchemy's text() a colon before a name is a parameter."""
    return re.sub(r"(?<![:\w\\]):(?=\w+(?!:))", r"\\:", sql)


def create_all(session: Session) -> dict[str, Any]:
    _extend_path(session.config)
    metadatas = session.load_models() or metadata_given(_ask_env(session))
    if not metadatas and not session.request["may_lack_models"]:
        raise Stop("no_metadata")
    refused: list[dict[str, str]] = []
    _with_connection(session, lambda connection: refused.extend(create_tables(metadatas, connection)))
    return {"tables": table_names(metadatas), "refused": refused}


def describe(session: Session) -> dict[str, Any]:
    """Versions always; the rest as far as the project's code runs, and ``problem`` says why not further."""
    metadatas: list[Any] = []
    options: dict[str, Any] = {}
    problem: dict[str, Any] | None = None
    refused: str | None = None
    _extend_path(session.config)
    ours = session.config.get_main_option("sqlalchemy.url")
    try:
        options = _ask_env(session)
        metadatas = metadata_given(options)
    except Stop as stop:
        problem = dict(stop.facts, reason=stop.reason)
        refused = stop.facts.get("file")
    except Exception as error:
        problem = describe_error(error, session)
    own = session.load_models()
    metadatas = own or metadatas
    naming = {str(kind): str(rule) for one in metadatas for kind, rule in one.naming_convention.items()}
    return dict(
        session.versions,
        drivers=list_drivers(),
        source=_name_source(session, own, metadatas),
        tables=table_names(metadatas),
        models=describe_tables(metadatas),
        naming=naming,
        version_table=options.get("version_table") or "alembic_version",
        version_table_schema=options.get("version_table_schema"),
        destination=find_destination(session.config, options, ours=ours, refused=refused),
        problem=problem,
    )


def import_models(session: Session) -> dict[str, Any]:
    """What the metadata gets once modules that nobody has imported are, too; ``failures``: those that cannot be.

    Each comes with the module that makes its base: where that is not loaded, the metadata is another one.
    """
    _extend_path(session.config)
    metadatas = session.load_models() or metadata_given(_ask_env(session))
    if not metadatas:
        raise Stop("no_metadata")
    tables: dict[str, list[str]] = {}
    failures: dict[str, str] = {}
    for base, module in session.request["modules"]:
        if base not in sys.modules or module in sys.modules:
            continue
        known = set(table_names(metadatas))
        try:
            importlib.import_module(module)
        except Exception as error:
            failures[module] = f"{type(error).__name__}: {error}"
        tables[module] = sorted(set(table_names(metadatas)) - known)
    return {"tables": tables, "failures": failures}


def left_out(session: Session) -> dict[str, Any]:
    """Which of the objects that are asked about env.py keeps from autogenerate."""
    _extend_path(session.config)
    options = _ask_env(session)
    own = [] if metadata_given(options) else session.load_models()
    return {"left_out": find_left_out(options, own, session.request["objects"])}


def _name_source(session: Session, own: list[Any], metadatas: list[Any]) -> str | None:
    if own:
        return "models" if session.request["models"] else "hook"
    return "env.py" if metadatas else None


def _ask_env(session: Session) -> dict[str, Any]:
    """What env.py gives to its first ``context.configure``; it runs offline where no database was given."""
    from alembic.runtime.environment import EnvironmentContext

    script = open_script_directory(session.config)
    is_offline = session.redirection.address is None
    session.wants_options = True
    try:
        with EnvironmentContext(session.config, script, fn=lambda *_: [], as_sql=is_offline):
            script.run_env()
    except Found as found:
        return found.options
    finally:
        session.wants_options = False
    return {}


def _extend_path(config: Any) -> None:
    """Honours ``prepend_sys_path``; does without where there is no migrations folder yet."""
    with contextlib.suppress(Exception):
        open_script_directory(config)


def _with_connection(session: Session, work: Callable[[Any], None]) -> None:
    """Gives ``work`` a connection in a transaction, over whichever driver the project has."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    redirection = session.redirection
    name = choose_driver(redirection.family, "", asynchronous=False)
    url = redirection.url.set(drivername=name)
    if not getattr(url.get_dialect(), "is_async", False):
        with create_engine(url, poolclass=NullPool).begin() as connection:
            work(connection)
        return
    from sqlalchemy.ext.asyncio import create_async_engine

    async def run() -> None:
        async with create_async_engine(url, poolclass=NullPool).begin() as connection:
            await connection.run_sync(work)

    asyncio.run(run())


COMMANDS: dict[str, Callable[[Session], dict[str, Any]]] = {
    "upgrade": migrate,
    "downgrade": migrate,
    "stamp": migrate,
    "walk": walk,
    "revision": write_revision,
    "create_all": create_all,
    "describe": describe,
    "import_models": import_models,
    "left_out": left_out,
}
