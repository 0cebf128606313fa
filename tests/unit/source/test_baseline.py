"""The baseline file: stable text, read back as it was written, refused with its line where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.core.changes import Change
from govern.core.scope import Known
from govern.core.snapshot import ObjectKey
from govern.errors import ConfigurationError
from govern.source.baseline import read_baseline, render_baseline

CHANGES = (
    Change(key=ObjectKey("table", "public", "stray"), action="added"),
    Change(
        key=ObjectKey("column", "public", "users.age"),
        action="changed",
        facts={"type": ("integer", "bigint")},
    ),
    Change(key=ObjectKey("function", "my schema", "f(integer, text)"), action="removed"),
    Change(key=ObjectKey("table", "", 'odd "\n name '), action="added"),
)


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "drift.baseline"
    file.write_text(render_baseline(CHANGES), encoding="utf-8")
    assert read_baseline(file) == {Known.of(change) for change in CHANGES}


def test_a_difference_is_one_line_and_the_order_is_no_matter() -> None:
    text = render_baseline(CHANGES)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == len(CHANGES)
    assert any(
        line.startswith("drift.column-changed ") and line.endswith(" public.users.age") for line in lines
    )
    assert render_baseline(reversed(CHANGES)) == text


def test_comments_and_empty_lines_mean_nothing(tmp_path: Path) -> None:
    file = tmp_path / "drift.baseline"
    file.write_text("# why\r\n\r\ndrift.table-added 0123456789ab public.stray\r\n", encoding="utf-8")
    assert read_baseline(file) == {Known("drift.table-added", "public.stray", "0123456789ab")}


@pytest.mark.parametrize(
    "line",
    ["public.users", "drift.table-added xyz public.t", "drift.table-added 0123456789ab", "<<<<<<< HEAD"],
)
def test_another_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "drift.baseline"
    file.write_text(f"# why\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"drift\.baseline:2: "):
        read_baseline(file)


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_baseline(tmp_path / "none")
