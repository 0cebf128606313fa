"""A diagram of a schema as a picture."""

from govern.reports.diagram.style import STYLE
from govern.reports.diagram.svg import STATE_SIGNS, STATE_WORDS, render_svg

__all__ = ["STATE_SIGNS", "STATE_WORDS", "STYLE", "render_svg"]
