"""The benchmarks' page is what was measured; what CI asks of ratios is asked of those that were."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
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
    for name in ("page", "charts", "machine", "measured", "processes", "sections", "suite", "targets"):
        sys.modules.pop(name, None)


def test_the_page_and_its_pictures_are_what_was_measured(program: ModuleType) -> None:
    files = program.render(program.read_lines(program.LINES), program.machine.read(program.MACHINE))
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


@pytest.fixture
def tell(program: ModuleType, tmp_path: Path) -> Callable[..., Path]:
    """Writes lines in which a peer takes so many times the processor's time of govern, and returns their file."""
    import measured
    from processes import Run

    def write(file: str, ratio: float, *, benchmark: str = "drift") -> Path:
        runs = {"govern": [Run(1.0, 0.5, 1)], "peer": [Run(1.0, 0.5 * ratio, 1)]}
        measured.Measured(benchmark, tmp_path / file).tell("40 tables", runs)
        return tmp_path / file

    return write


def compare_in_ci(now: Path, before: Path) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, FOLDER / "collapse.py", now, before)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_ratio_that_is_less_than_half_of_what_it_was_fails_and_is_named(tell: Callable[..., Path]) -> None:
    done = compare_in_ci(tell("now", 0.9), tell("before", 2.0))
    assert done.returncode == 1
    assert done.stderr == "collapsed: drift, 40 tables: peer takes 0.90 x govern, at least 1.00 is asked\n"


@pytest.mark.parametrize("ratio", [1.1, 2.0, 9.0])
def test_a_ratio_that_is_noisy_or_better_does_not_fail(tell: Callable[..., Path], ratio: float) -> None:
    done = compare_in_ci(tell("now", ratio), tell("before", 2.0))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"peer takes {ratio:.2f} x govern, 2.00 x before" in done.stdout


def test_what_was_never_measured_is_no_success(tell: Callable[..., Path]) -> None:
    done = compare_in_ci(tell("now", 2.0, benchmark="chain"), tell("before", 2.0))
    assert (done.returncode, done.stderr) == (1, "nothing to compare with: chain\n")


def test_the_small_suite_asks_what_the_page_has(program: ModuleType) -> None:
    import suite

    kept = {line.benchmark for line in program.read_lines(program.LINES)}
    assert {turn.script for turn in suite.SMALL} <= kept
    assert all((FOLDER / f"{turn.script}.py").is_file() for turn in (*suite.SUITE, *suite.SMALL))


def test_every_benchmark_still_finds_what_it_imports(program: ModuleType) -> None:
    import suite

    names = ", ".join(sorted({turn.script for turn in (*suite.SUITE, *suite.SMALL)}))
    command = (sys.executable, "-c", f"import {names}")
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_one_benchmark_that_fails_keeps_no_other_from_its_turn(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import suite

    monkeypatch.setattr(suite, "FOLDER", tmp_path)
    (tmp_path / "broken.py").write_text("raise SystemExit(3)")
    (tmp_path / "sound.py").write_text("import sys\nopen(sys.argv[-1], 'a').write('measured')")
    with pytest.raises(SystemExit, match=r"^failed: broken$"):
        suite.run([suite.Turn("broken"), suite.Turn("sound")], tmp_path / "lines")
    assert (tmp_path / "lines").read_text() == "measured"


def test_counts_targets_and_bounds_are_shown(program: ModuleType) -> None:
    from measured import Line
    from targets import Bound

    ours = Line(
        benchmark="repair", case="changes", size=None, program="govern", is_ours=True, runs=4, seconds=1234.5,
        processor_seconds=None, megabytes=None, ratio=1.0, counts={"changes": 4, "seen": 3},
    )  # fmt: skip
    (table,) = program._tables([ours])
    assert table.splitlines()[-1] == "| **govern** | 1,230 | 1.00 | 4 | 3 (75.0%) |"
    bound = Bound("repair", "ch*", "govern", "seen", least=0.9, why_missed="hard")
    assert program._find(bound, [ours]) == [ours]
    assert (
        program._judge_bound(bound, ours) == "| changes: govern | seen | ≥ 90.0% | 75.0% | **missed**: hard |"
    )


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
