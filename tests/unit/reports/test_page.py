"""The frame of pages that are one file: nothing is loaded, every value is escaped."""

from __future__ import annotations

import re

import jinja2
import pytest

from govern.reports import page
from govern.reports.page import render_page


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Templates beside the packaged ones."""
    own: dict[str, str] = {}
    made = page._templates().overlay()
    assert made.loader is not None
    made.loader = jinja2.ChoiceLoader([jinja2.DictLoader(own), made.loader])
    monkeypatch.setattr(page, "_templates", lambda: made)
    return own


def test_a_page_is_one_file_that_loads_nothing(templates: dict[str, str]) -> None:
    templates["told.html"] = (
        '{% extends "page.html" %}{% from "words.html" import code, facts, sign %}'
        "{% block title %}{{ name }}{% endblock %}"
        "{% block content %}{{ code(name) }}{{ facts([('Name', name), ('None', '')]) }}{{ sign('bad') }}{% endblock %}"
    )
    told = render_page("told.html", {"name": "</script><img src=x onerror=alert(1)>&"})
    assert told.startswith("<!doctype html>")
    assert told.endswith("</html>\n")
    assert "<img" not in told
    assert told.count("&lt;/script&gt;&lt;img") == 4  # title, headline, code, fact
    assert "None" not in told
    assert not re.search(r"(src|href|url|@import)\s*[=(\"]", told.replace("&lt;img src=x", ""))
    assert "default-src 'none'" in told


def test_a_name_that_a_page_does_not_get_is_a_mistake(templates: dict[str, str]) -> None:
    templates["told.html"] = (
        '{% extends "page.html" %}{% block title %}{{ nobody }}{% endblock %}{% block content %}{% endblock %}'
    )
    with pytest.raises(jinja2.UndefinedError):
        render_page("told.html", {})
