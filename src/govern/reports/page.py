"""Pages that are one file: nothing is loaded from elsewhere, every value is escaped, no script runs.

A page is a template in ``templates/`` that extends ``page.html`` and fills its blocks: title, lead, content, foot.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from govern.core.wording import name_moment
from govern.reports.palette import write_palette
from govern.reports.sentences import split_passages
from govern.reports.style import make_harmless
from govern.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = "govern.reports"


def render_page(template: str, facts: Mapping[str, Any]) -> str:
    """The template's page with a newline at its end. A name that it wants and does not get is a mistake.

    A picture (``govern.reports.diagram``) is given as ``markupsafe.Markup``: it has escaped its texts itself.
    """
    return _templates().get_template(template).render(facts).rstrip("\n") + "\n"


def open_templates(package: str) -> Environment:
    """Those in a package's ``templates/``: every value is escaped and harmless, a name that is not given a mistake."""
    import jinja2  # pages are few, and it takes a while

    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def _templates() -> Environment:
    from markupsafe import Markup

    made = open_templates(_PACKAGE)
    style = files(_PACKAGE).joinpath("templates", "page.css").read_text(encoding="utf-8")
    made.globals |= {"style": Markup(write_palette() + style), "version": __version__}  # noqa: S704  # our own file
    made.filters |= {"moment": name_moment, "passages": split_passages}
    return made


def _finalize(value: object) -> object:
    """Every text that is put into a page; what is Markup has seen to that itself."""
    return make_harmless(value) if type(value) is str else value
