"""The colours of all pages and pictures, by what they are for: by daylight, in the dark, on paper."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#f6f6f3",
    "card": "#ffffff",
    "ink": "#1d2126",
    "soft": "#565e68",
    "line": "#dcdedb",
    "edge": "#878e97",
    "code": "#f0f1ee",
    "link": "#1f54a8",
    "good": "#17683b",
    "good-tint": "#e7f4ec",
    "notice": "#855000",
    "notice-tint": "#fbf1de",
    "bad": "#ad2118",
    "bad-tint": "#fbeae8",
    "quiet": "#565e68",
    "quiet-tint": "#eeefec",
    "work": "#1f54a8",
    "work-tint": "#e8effa",
    "button": "#23282e",
    "button-ink": "#ffffff",
}
DARK: Mapping[str, str] = {
    "paper": "#131619",
    "card": "#1b1f23",
    "ink": "#e5e7e9",
    "soft": "#a7aeb6",
    "line": "#2f353b",
    "edge": "#78818a",
    "code": "#23282d",
    "link": "#8fb8f5",
    "good": "#79d19c",
    "good-tint": "#16271d",
    "notice": "#efbd62",
    "notice-tint": "#2a2112",
    "bad": "#ff9a90",
    "bad-tint": "#311a18",
    "quiet": "#a7aeb6",
    "quiet-tint": "#22272b",
    "work": "#8fb8f5",
    "work-tint": "#182335",
    "button": "#e5e7e9",
    "button-ink": "#131619",
}
PRINTED: Mapping[str, str] = {
    **LIGHT,
    "paper": "#ffffff",
    "ink": "#000000",
    "soft": "#333333",
    "line": "#bbbbbb",
    "edge": "#555555",
    "code": "#f4f4f4",
    "link": "#000000",
    "good-tint": "#f2f8f4",
    "notice-tint": "#fcf7ec",
    "bad-tint": "#fdf3f2",
    "quiet": "#333333",
    "quiet-tint": "#f5f5f5",
}


def write_palette() -> str:
    """What begins the style of a page: ``var(--ink)`` and its like, whoever looks."""
    return (
        f":root {{ color-scheme: light dark; {declare(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {declare(DARK)} }} }}\n"
        f"@media print {{ :root {{ {declare(PRINTED)} }} }}\n"
    )


def declare(colours: Mapping[str, str]) -> str:
    """As custom properties."""
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
