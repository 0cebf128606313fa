"""The benchmarks' page is what was measured; what CI asks of ratios is asked of those that were."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def program() -> Iterator[ModuleType]:
    """``page``, with the modules beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        import page

        yield page
    for name in ("page", "charts", "measured", "processes", "targets"):
        sys.modules.pop(name, None)


def test_the_page_and_its_pictures_are_what_was_measured(program: ModuleType) -> None:
    files = program.render(program.read_lines(program.LINES))
    assert [str(file) for file, text in files.items() if file.read_text(encoding="utf-8") != text] == []
    for picture in files.keys() - {program.PAGE}:
        ET.parse(picture)
        assert f"benchmarks/{picture.name}" in files[program.PAGE]


def test_medians_and_ratios_are_told_turn_by_turn_and_read_again(
    program: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import measured
    from processes import Run

    file = tmp_path / "lines"
    for slow in (9.0, 3.0):
        runs = {
            "govern": [Run(1.0, 0.5, 2048), Run(2.0, 0.7, 2048), Run(4.0, 0.6, 4096)],
            "peer": [2.0, slow * 2, 4.0],
        }
        measured.Measured("drift", file).tell("40 tables", runs, size=40)
    assert "govern" in capsys.readouterr().out
    ours, theirs = program.read_lines(file)
    assert (ours.seconds, ours.processor_seconds, ours.megabytes, ours.ratio) == (2.0, 0.6, 2.0, 1.0)
    assert (theirs.seconds, theirs.processor_seconds, theirs.ratio, theirs.is_ours) == (4.0, None, 2.0, False)


@pytest.mark.parametrize(("processor_seconds", "answer"), [(0.4, ""), (4.0, "collapsed: ")])
def test_a_ratio_that_has_collapsed_fails_and_one_that_has_not_does_not(
    program: ModuleType, tmp_path: Path, processor_seconds: float, answer: str
) -> None:
    import measured
    from collapse import FLOORS
    from processes import Run

    for benchmark in {benchmark for benchmark, _ in FLOORS}:
        peers = {peer: [Run(1.0, 0.9, 1)] for of, peer in FLOORS if of == benchmark}
        runs = {"govern": [Run(1.0, processor_seconds, 1)], **peers}
        measured.Measured(benchmark, tmp_path / "lines").tell("40 tables", runs)
    done = subprocess.run(
        (sys.executable, FOLDER / "collapse.py", tmp_path / "lines"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr[: len(answer)]) == (int(bool(answer)), answer)


def test_the_page_of_scale_is_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    import scale_page

    lines = scale_page.read_lines(scale_page.LINES)
    assert scale_page.PAGE.read_text(encoding="utf-8") == scale_page.render(lines)
    ET.parse(scale_page.PICTURE)
    for name in (
        "scale_page",
        "scale_lines",
        "watched",
        "page",
        "charts",
        "measured",
        "processes",
        "targets",
    ):
        sys.modules.pop(name, None)
