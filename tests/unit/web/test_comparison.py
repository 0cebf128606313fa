"""Two sides of an object beside each other: what differs is told from what does not, down to the words."""

from __future__ import annotations

from govern.web.dashboard.comparison import ComparedFact, Line, compare_sides

BODY = "BEGIN\n  NEW.at := now();\n  RETURN NEW;\nEND"
CHANGED = "BEGIN\n  IF NEW IS DISTINCT FROM OLD THEN\n    NEW.at := clock_timestamp();\n  END IF;\n  RETURN NEW;\nEND"


def write(line: Line | None) -> str | None:
    """What differs in brackets."""
    return (
        None
        if line is None
        else "".join(f"[{piece.text}]" if piece.differs else piece.text for piece in line)
    )


def sides(fact: ComparedFact) -> list[tuple[str, str | None, str | None]]:
    return [(line.kind, write(line.declared), write(line.live)) for line in fact.lines]


def test_facts_of_both_sides_stand_beside_each_other() -> None:
    facts = compare_sides(
        {"declared": {"type": "integer", "nullable": False}, "live": {"type": "bigint", "nullable": True}}
    )
    assert [(fact.name, sides(fact)) for fact in facts] == [
        ("type", [("changed", "[integer]", "[bigint]")]),
        ("nullable", [("changed", "[no]", "[yes]")]),
    ]


def test_an_object_of_one_side_has_nothing_on_the_other() -> None:
    facts = {"labels": ["new", "old"], "identity_start": None}
    assert [sides(fact) for fact in compare_sides({"declared": facts})] == [
        [("declared", "new", None), ("declared", "old", None)],
        [("declared", "unset", None)],
    ]
    assert sides(compare_sides({"live": facts})[0])[0] == ("live", None, "new")


def test_texts_are_compared_line_by_line_and_alike_lines_word_by_word() -> None:
    [fact] = compare_sides({"declared": {"definition": BODY}, "live": {"definition": CHANGED}})
    assert sides(fact) == [
        ("same", "BEGIN", "BEGIN"),
        ("live", None, "  IF NEW IS DISTINCT FROM OLD THEN"),
        ("changed", "  NEW.at := [now]();", "    NEW.at := [clock_timestamp]();"),
        ("live", None, "  END IF;"),
        ("same", "  RETURN NEW;", "  RETURN NEW;"),
        ("same", "END", "END"),
    ]


def test_many_lines_that_are_the_same_are_folded() -> None:
    lines = [f"line {at}" for at in range(100)]
    declared, live = "\n".join(lines), "\n".join([*lines[:50], "new", *lines[50:]])
    [fact] = compare_sides({"declared": {"definition": declared}, "live": {"definition": live}})
    assert [(line.kind, line.count) for line in fact.lines if line.kind != "same"] == [
        ("left-out", 44),
        ("live", 1),
        ("left-out", 44),
    ]
    assert len(fact.lines) == 15


def test_what_is_very_long_is_cut_and_says_so() -> None:
    [fact] = compare_sides({"live": {"definition": "\n".join(["x" * 10_000] * 1_000)}})
    assert len(fact.lines) == 301
    assert (fact.lines[-1].kind, fact.lines[-1].count) == ("left-out", 700)
    assert len(write(fact.lines[0].live) or "") == 1_001


def test_evidence_of_no_drift_has_no_sides() -> None:
    assert compare_sides({"rows": 3, "keys": ["1"]}) == ()
