"""Which database the project means: what govern was given, what env.py connects to, what an engine is made for.

A URL with a password is never written, and never shown whole.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from govern.actions.init.modules import Module, Modules, dotted_name, parse
from govern.config import Settings
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError
from govern.revisions.protocol import Destination, sqlite_url

_ENGINE_MAKERS = frozenset(
    {
        "sqlalchemy.create_engine",
        "sqlalchemy.ext.asyncio.create_async_engine",
        "sqlmodel.create_engine",
    }
)
_VARIABLE = "DATABASE_URL"
_EXPORT = f"export {_VARIABLE}=postgresql://user@host/database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The database that commands will work on, and what govern.toml has to say for that."""

    summary: str
    url: str | None = None
    """To be written; it opens its database without a password."""
    url_env: str | None = None
    """To be written."""
    next: str | None = None
    """A command, where somebody has to say it."""


def find_address(settings: Settings, destination: Destination | None, modules: Modules) -> Address:
    """``destination`` is where env.py goes; the modules are looked at where it goes nowhere of its own."""
    if settings.url is not None:
        return Address(summary=_describe_given(settings))
    if destination is not None:
        return _take_destination(settings, destination)
    urls = {url for module in modules for url in _engine_urls(modules, module) if _can_be_written(url)}
    if len(urls) == 1:
        (url,) = urls
        return Address(summary=f"{url}, which the application makes its engine for", url=url)
    return Address(
        summary=f"none is known: until {_VARIABLE} names one, commands use a PostgreSQL of their own, in .govern/",
        next=_EXPORT,
    )


def _describe_given(settings: Settings) -> str:
    giver = "alembic.ini" if settings.url == settings.alembic.url else f"--url or {_VARIABLE}"
    try:
        return f"{DatabaseUrl.parse(settings.url or '')}, by {giver}"
    except ConfigurationError as error:
        return f"{error.what}: {error.why}"


def _take_destination(settings: Settings, destination: Destination) -> Address:
    place, variable = destination.place, destination.variable
    if destination.file is not None:  # others have it elsewhere, but at the same place of the project
        place = sqlite_url(settings.relative(destination.file))
    try:
        DatabaseUrl.parse(place)
    except ConfigurationError as error:
        return Address(summary=f"that of env.py is none for govern: {error.why}", next=_EXPORT)
    if variable is not None:
        own = None if variable == _VARIABLE else variable
        return Address(summary=f"{place}, by {variable}, as env.py has it", url_env=own)
    if destination.is_whole:
        return Address(summary=f"{place}, as env.py has it", url=place)
    return Address(
        summary=f"env.py connects to {place}, by a URL that is in no environment variable",
        next=f"export {_VARIABLE}={place}   # with what is missing there: password, options",
    )


def _engine_urls(modules: Modules, module: Module) -> Iterator[str]:
    """What engines are made for as the module is imported, as far as it stands there."""
    calls = [call for call in module.values.values() if call.args and _makes_engine(modules, module, call)]
    tree = parse(module.path) if calls else None
    constants = dict(_constants(tree)) if tree else {}
    for call in calls:
        url = _read_text(call.args[0], constants)
        if url is not None:
            yield url


def _makes_engine(modules: Modules, module: Module, call: ast.Call) -> bool:
    maker = dotted_name(call.func)
    place = modules.follow(module, maker) if maker else None
    return place is not None and place.module is None and place.name in _ENGINE_MAKERS


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _read_text(node: ast.expr, constants: dict[str, ast.expr]) -> str | None:
    """A text, a name that stands for one, or what is taken where DATABASE_URL is not set."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name) if name in constants:
            return _read_text(constants[name], {})
        case ast.Call(args=[ast.Constant(value="DATABASE_URL"), ast.Constant(value=str() as text)]):
            return text
        case _:
            return None


def _can_be_written(url: str) -> bool:
    """A database for govern, and no secret: a query may have one."""
    try:
        known = DatabaseUrl.parse(url)
    except ConfigurationError:
        return False
    return known.redacted == known.text and ":memory:" not in url and url != "sqlite://"
