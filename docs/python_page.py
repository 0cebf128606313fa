"""python.md: what an application imports, with signatures and docstrings as the modules have them."""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from rule_pages import NOTICE

import govern.api
from govern import errors

_MODULES: Mapping[str, str] = {
    "govern": "what an application needs",
    "govern.integrations.fastapi": "[FastAPI](frameworks.md#fastapi-and-starlette)",
    "govern.integrations.starlette": "[Starlette](frameworks.md#fastapi-and-starlette)",
    "govern.integrations.flask": "[Flask](frameworks.md#flask)",
    "govern.integrations.litestar": "[Litestar](frameworks.md#litestar)",
    "govern.integrations.django.middleware": "[Django](frameworks.md#django), with its setting",
    "govern.integrations.celery": "[Celery](frameworks.md#celery)",
    "govern.integrations.process": "[any program](frameworks.md#a-program-without-a-framework)",
    "govern.integrations.options": "what all of these take",
    "govern.web.health": "[health](health.md#over-http) for routes of one's own",
    "govern.web.asgi": "the same as an ASGI application",
    "govern.web.wsgi": "the same as a WSGI application",
    "govern.web.monitor": "[the monitor's API](monitor.md#over-http), mounted",
}
"""Each module with what it is for; what has an underscore, or comes from elsewhere, is nobody's."""

_METHODS: Mapping[str, tuple[str, ...]] = {
    "Health": ("answer", "answer_async", "close"),
    "MonitorApi": ("for_engine", "close"),
}
"""What an application calls of a class that it makes; the rest is for what mounts it."""

_LINE = 110
_ARGUMENT = re.compile(r"`\w+`: ")
_EXAMPLE = """\
<!-- run in the project of getting-started.md -->
```python title="look.py"
from govern.api import health
from govern.config import load

report = health(load())  # DATABASE_URL and govern.toml, as the command line finds them
print(report.status, [finding.rule.id for finding in report.findings])
```

<!-- run in the project of getting-started.md -->
```console
$ python look.py
clean []
```
"""


def render_python(_current: str) -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("# Python", "", NOTICE, "")
    yield "What an application or a script imports. Everything else in the package may change with every release."
    yield ""
    for name, meant in _MODULES.items():
        yield f"* [`{name}`](#{_slug(name)}): {meant}"
    yield "* [`govern.errors`](#governerrors): what is raised"
    yield "* [`govern.api`](#governapi): every command as a function"
    yield "* fixtures for tests: [the pytest plugin](pytest.md)"
    for name in _MODULES:
        yield from _module(importlib.import_module(name))
    yield from _errors()
    yield from _api()


def _module(module: ModuleType) -> Iterator[str]:
    yield from ("", f"## {module.__name__}")
    if module.__name__ != "govern":
        yield from ("", *_markdown(inspect.getdoc(module) or ""))
    for name, value in _public(module):
        yield from ("", f"### {module.__name__.rpartition('.')[2]}.{name}", "")
        yield from _describe(name, value)


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The functions and classes that are for users, in the order of the file or of ``__all__``."""
    for name in getattr(module, "__all__", None) or vars(module):
        value = getattr(module, name)
        is_own = hasattr(module, "__all__") or getattr(value, "__module__", None) == module.__name__
        if not name.startswith("_") and is_own and (inspect.isfunction(value) or inspect.isclass(value)):
            yield name, value


def _describe(name: str, value: Any) -> Iterator[str]:
    if typing.is_typeddict(value):
        yield from _markdown(inspect.getdoc(value) or "")
        yield from ("", *(f"* `{key}: {_plain(kind)}`" for key, kind in value.__annotations__.items()))
        return
    yield from ("```py", _signature(name, value), "```", "", *_markdown(inspect.getdoc(value) or ""))
    yield from [""] if name in _METHODS else []
    for method in _METHODS.get(name, ()):
        function = getattr(value, method)
        text = " ".join(_markdown(inspect.getdoc(function) or ""))
        yield f"* `{_signature(method, function, on_one_line=True)}`: {text}"


def _signature(name: str, function: Any, *, on_one_line: bool = False) -> str:
    """As one writes it: without what a call does not give, and without what is there for tests, as a clock is."""
    signature = inspect.signature(function)
    is_command = "draft" in signature.parameters
    shown: list[str] = []
    for one in signature.parameters.values():
        if one.name in ("self", "draft") or (one.default is not one.empty and callable(one.default)):
            continue
        if one.kind is one.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        shown.append(_parameter(one))
    returned = "Report" if is_command else signature.return_annotation
    returns = "" if inspect.isclass(function) or returned is signature.empty else f" -> {_plain(returned)}"
    line = f"{name}({', '.join(shown)}){returns}"
    if on_one_line or len(line) <= _LINE:
        return line
    return "\n".join([f"{name}(", *(f"    {one}," for one in shown), f"){returns}"])


def _parameter(parameter: inspect.Parameter) -> str:
    star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    kind = re.sub(r"Unpack\[(\w+)\]", r"\1", _plain(parameter.annotation))
    said = "" if parameter.annotation is parameter.empty else f": {kind}"
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{star}{parameter.name}{said}{default}"


def _plain(annotation: Any) -> str:
    """An annotation as the module has it."""
    return str(getattr(annotation, "__forward_arg__", annotation))


def _errors() -> Iterator[str]:
    yield from ("", "## govern.errors", "")
    yield "Every error has `what`, `why`, `next` and `state`, an `exit_code`, and `report`: what was checked and done"
    yield "before it."
    yield from ("", "| error | is a | exit code | |", "|---|---|---|---|")
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, errors.GovernError):
            text = " ".join(_markdown(inspect.getdoc(value) or ""))
            yield f"| `{name}` | `{value.__bases__[0].__name__}` | {value.exit_code} | {text} |"


def _api() -> Iterator[str]:
    yield from ("", "## govern.api", "", *_markdown(inspect.getdoc(govern.api) or ""))
    yield from (
        "",
        "A `Report` has `status`, `findings`, `entries` and `data`: what the [JSON report](json.md) has.",
    )
    yield from ("", *_EXAMPLE.splitlines())
    for name in govern.api.__all__:
        function = getattr(govern.api, name)
        yield from ("", f"### api.{name}", "", "```py", _signature(name, function), "```")
        yield from ("", *_markdown(inspect.getdoc(function) or ""))


def _markdown(text: str) -> Iterator[str]:
    """A docstring's paragraphs. What follows ``::`` is code; lines that begin with an argument are a list."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.replace("``", "`").strip())):
        if paragraph.strip() in ("", "::"):
            continue
        lines = paragraph.splitlines()
        yield from [""] if number else []
        if lines[0].startswith("    "):
            yield from ("```python", *(line.removeprefix("    ") for line in lines), "```")
        elif _ARGUMENT.match(lines[0]):
            yield from (f"* {line}" if _ARGUMENT.match(line) else f"  {line}" for line in lines)
        else:
            yield from lines


def _slug(name: str) -> str:
    return name.replace(".", "")
