"""manifest.md: every key of the manifest, from the JSON Schema that its model makes of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rule_pages import NOTICE, sentence

from govern.source.manifest.json_schema import render_json_schema

_CONFIGURATION = Path(__file__).resolve().parent / "configuration.md"
_EXAMPLE = re.compile(r'^```yaml title="schema/governance.yaml"\n(.*?)^```$', re.DOTALL | re.MULTILINE)
_WORDS: Mapping[str, str] = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "nothing",
    "object": "table",
    "array": "list",
}
_MEANT: Mapping[str, str] = {
    "critical_tables": "tables without which the application must not run; [integrity](integrity.md)",
    "relationships": "references without a foreign key; [integrity](integrity.md)",
    "invariants": "queries with one right answer; [integrity](integrity.md)",
    "repairs": "clean-ups of rows and of definitions; [repairs](repairs.md)",
    "drift": "what of drift the project lives with; [what drift sees](what-drift-sees.md)",
    "lint": "from when on what a revision does matters; [lint](lint.md)",
    "allow": "harms that are meant, until a day; [lint](lint.md#what-is-meant)",
    "backups": "how long backups are kept and how often they are proven; [backups](backups.md#keeping-and-pruning)",
    "monitor": "how often the monitor looks, what it may fix, whom it tells; [the monitor](monitor.md)",
    "probes": "how the running application is asked whether it works; [probes](probes.md)",
}
"""What each section is for, and the page that tells of it."""

_LARGEST = 10**6
"""A bound above this is the machine's, and no advice."""


def render_manifest(_current: str) -> str:
    """The whole page."""
    return "\n".join(_Page().render()) + "\n"


class _Page:
    """While the page is written: which models have their table already, and where."""

    def __init__(self) -> None:
        schema = render_json_schema()
        self._models: Mapping[str, Any] = schema["$defs"]
        self._sections: Mapping[str, Any] = schema["properties"]
        self._places: dict[str, str] = {}
        self._examples = dict(_read_examples())

    def render(self) -> Iterator[str]:
        _hold(self._sections.keys() == _MEANT.keys(), f"sections {self._sections.keys() ^ _MEANT.keys()}")
        yield from ("# The manifest, key by key", "", NOTICE, "")
        yield "`schema/governance.yaml`, or what `manifest` of the [configuration](configuration.md) names. Every"
        yield "section may be left out. [Configuration](configuration.md#the-manifest) has the whole file as one"
        yield "example, and says what is checked when; [governance.schema.json](governance.schema.json) says the"
        yield "same as this page to an editor."
        yield ""
        for name, meant in _MEANT.items():
            yield f"* [`{name}`](#{name}): {meant}"
        for name, section in self._sections.items():
            model = _find_model(section)
            yield from ("", f"## {name}", "", self._describe(model, is_list="items" in section), "")
            yield from ("```yaml", self._examples[name], "```")
            yield from self._tables(name, model)

    def _describe(self, model: str, *, is_list: bool) -> str:
        text = _inline(self._models[model]["description"])
        return f"A list. Each entry: {text[0].lower()}{text[1:]}" if is_list else text

    def _tables(self, place: str, model: str) -> Iterator[str]:
        """The keys of a model, and of those below it that are not told elsewhere."""
        self._places[model] = place
        below: list[tuple[str, str, bool]] = []
        yield from ("", "| key | value | default | what it says |", "|---|---|---|---|")
        for key, value in self._models[model]["properties"].items():
            if (inner := _find_model(value)) and inner not in self._places:
                self._places[inner] = f"{place}: {key}"
                below.append((f"{place}: {key}", inner, _is_many(value)))
            yield self._row(model, key, value)
        for name, inner, is_list in below:
            yield from ("", f"### {name}", "", self._describe(inner, is_list=is_list))
            yield from self._tables(name, inner)

    def _row(self, model: str, key: str, value: Mapping[str, Any]) -> str:
        inner = _find_model(value)
        text = value.get("description") or (inner and self._models[inner]["description"])
        _hold(bool(text), f"the key {model}.{key} has no description")
        required = key in self._models[model].get("required", ())
        default = "required" if required else _default(value)
        return (
            f"| `{key}` | {_escape(self._name_value(value))} | {default} | {_escape(_inline(text or ''))} |"
        )

    def _name_value(self, value: Mapping[str, Any]) -> str:
        """What may be written, in words."""
        if reference := value.get("$ref"):
            model = reference.rpartition("/")[2]
            place = self._places[model]
            return f"[{place.rpartition(' ')[2]}](#{place.replace(': ', '-')})"
        if choices := value.get("anyOf"):
            return " or ".join(
                dict.fromkeys(self._name_value(one) for one in choices if one.get("type") != "null")
            )
        if names := value.get("enum"):
            return ", ".join(f"`{name}`" for name in names)
        if "min|h|d|w" in value.get("pattern", ""):
            return "span, as `90 min`"
        match value.get("type"):
            case "array":
                return f"list of {self._name_value(value.get('items', {}))}"
            case "object":
                return f"{self._name_value(_values_of(value))} by name"
            case "integer" | "number" as kind:
                return f"{_WORDS[kind]}{_bounds(value)}"
            case str() as kind:
                return "day, as `2031-12-31`" if value.get("format") == "date" else _WORDS[kind]
            case list() as kinds:
                return ", ".join(_WORDS[kind] for kind in kinds if kind != "null")
        return "anything"


def _hold(condition: bool, what: str) -> None:
    if not condition:
        raise SystemExit(f"docs/manifest_page.py: {what}")


def _read_examples() -> Iterator[tuple[str, str]]:
    """The sections of the example in configuration.md, by name."""
    [text] = _EXAMPLE.findall(_CONFIGURATION.read_text(encoding="utf-8"))
    for part in re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]:
        yield part.partition(":")[0], part.rstrip()


def _find_model(value: Mapping[str, Any]) -> str | None:
    """The model that a value is, or is made of."""
    if reference := value.get("$ref"):
        return str(reference).rpartition("/")[2]
    below = [value.get("items", {}), _values_of(value), *value.get("anyOf", ())]
    return next((model for one in below if one and (model := _find_model(one))), None)


def _values_of(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the values of an object may be."""
    named = value.get("patternProperties") or {"": value.get("additionalProperties")}
    [values] = named.values()
    return values if isinstance(values, dict) else {}


def _is_many(value: Mapping[str, Any]) -> bool:
    return value.get("type") == "array" or any(one.get("type") == "array" for one in value.get("anyOf", ()))


def _default(value: Mapping[str, Any]) -> str:
    return f"`{json.dumps(value['default'])}`".replace('"', "") if "default" in value else ""


def _bounds(value: Mapping[str, Any]) -> str:
    least, most = value.get("minimum"), value.get("maximum")
    above = value.get("exclusiveMinimum")
    words = [
        f", {least} or more" if least and most is None else "",
        f", {least} to {most}" if least is not None and most is not None else "",
        f", above {above}" if above is not None else "",
        f", {most} at most" if most is not None and least is None and most < _LARGEST else "",
    ]
    return "".join(words)


def _inline(text: str) -> str:
    """A docstring as one line of Markdown."""
    return sentence(" ".join(text.replace("``", "`").split()))


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|")
